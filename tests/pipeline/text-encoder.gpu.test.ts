/** UMT5 read layer by layer is UMT5. */
import { afterAll, expect, test } from 'vitest';
import { Run } from '../../src/gpu/run';
import { readUmt5Config } from '../../src/models/umt5';
import { residentEncoder, streamedEncoder } from '../../src/pipeline/text-encoder';
import { smallType } from '../../src/weights/small';
import type { WeightFile } from '../../src/weights/source';
import { uploadWeights } from '../../src/weights/upload';
import { openTestGpu } from '../helpers/gpu';
import { golden } from '../models/goldens';

const gpu = await openTestGpu();
afterAll(() => gpu.destroy());

/** Counts what is read of each tensor. */
function watched(file: WeightFile): { file: WeightFile; read: Map<string, number> } {
  const read = new Map<string, number>();
  return {
    read,
    file: {
      ...file,
      async read(name, offset, length) {
        const bytes = await file.read(name, offset, length);
        read.set(name, (read.get(name) ?? 0) + bytes.byteLength);
        return bytes;
      },
    },
  };
}

test.each(['umt5-odd', 'umt5-long'])(
  '%s: the same bits, some rows of the table, few layers at once',
  async (name) => {
    const g = await golden(name);
    const config = readUmt5Config(g.config);
    const ids = g.inputs.input_ids!.values as Int32Array<ArrayBuffer>;
    const before = gpu.memory.bytes;
    const run = new Run(gpu);
    const whole = residentEncoder(await uploadWeights(gpu, g.weights), config);
    const want = await run.read(await whole.encode(run, ids));
    const all = whole.bytes;
    whole.free();

    const { file, read } = watched(g.weights);
    const resident: number[] = [];
    const streamed = streamedEncoder(gpu, file, config, {
      layers: 1,
    });
    gpu.memory.peak = gpu.memory.bytes;
    const start = gpu.memory.bytes;
    expect(await run.read(await streamed.encode(run, ids, (_d, _t, n) => resident.push(n)))).toEqual(want);
    expect(resident).toEqual(Array<number>(config.num_layers).fill(1));
    expect(gpu.memory.peak - start).toBeLessThan(all);
    // The table: each row once.
    const table = file.tensors.get('shared.weight')!;
    expect(read.get('shared.weight')).toBe((new Set(ids).size * table.bytes) / config.vocab_size);

    read.clear();
    expect(await run.read(await streamed.encode(run, ids))).toEqual(want);
    expect(read.size).toBe(0); // remembered
    streamed.free();
    run.destroy();
    expect(gpu.memory.bytes).toBe(before);
  },
);

test('at most three layers are on the GPU with two read ahead; errors leave nothing behind', async () => {
  const g = await golden('umt5-long');
  const config = readUmt5Config(g.config);
  const ids = g.inputs.input_ids!.values as Int32Array<ArrayBuffer>;
  const before = gpu.memory.bytes;
  const run = new Run(gpu);
  const most: number[] = [];
  const streamed = streamedEncoder(gpu, g.weights, config, {
    layers: 3,
  });
  await streamed.encode(run, ids, (_d, _t, resident) => most.push(resident));
  expect(Math.max(...most)).toBeLessThanOrEqual(3);
  const broken: WeightFile = {
    ...g.weights,
    read: (name, ...part) =>
      name.includes('block.1') ? Promise.reject(new Error('gone')) : g.weights.read(name, ...part),
  };
  await expect(streamedEncoder(gpu, broken, config).encode(run, ids)).rejects.toThrow('gone');
  await expect(streamed.encode(run, Int32Array.of(config.vocab_size))).rejects.toThrow(/gave id \d+, but/);
  run.destroy();
  expect(gpu.memory.bytes).toBe(before);
});

test('between layers it tells how far it is, and can be ended there: nothing stays behind', async () => {
  const g = await golden('umt5-long');
  const config = readUmt5Config(g.config);
  const ids = g.inputs.input_ids!.values as Int32Array<ArrayBuffer>;
  const before = gpu.memory.bytes;
  const run = new Run(gpu);
  const streamed = streamedEncoder(gpu, g.weights, config);
  const stop = (done: number) => {
    if (done === 1) throw new Error('enough');
  };
  await expect(streamed.encode(run, ids, stop)).rejects.toThrow('enough');
  const heard: string[] = [];
  const hear = (done: number, total: number) => void heard.push(`${done} of ${total}`);
  await streamed.encode(run, ids, hear); // what was broken off is not remembered
  expect(heard).toEqual(
    Array.from({ length: config.num_layers }, (_, i) => `${i + 1} of ${config.num_layers}`),
  );
  run.destroy();
  expect(gpu.memory.bytes).toBe(before);
});

test('layers become smaller on their way, as the plan counts them: the same bits as a resident encoder’s, and less memory', async () => {
  const g = await golden('umt5-long');
  const config = readUmt5Config(g.config);
  const ids = g.inputs.input_ids!.values as Int32Array<ArrayBuffer>;
  const before = gpu.memory.bytes;
  const run = new Run(gpu);
  // The table's rows are read as the file has them.
  const layers = (name: string, row: number) => name === 'shared.weight' ? null : smallType(name, 'q8_0', row); // prettier-ignore
  const whole = residentEncoder(await uploadWeights(gpu, g.weights, { quantize: layers }), config);
  const want = await run.read(await whole.encode(run, ids));
  whole.free();
  const peakOf = async (smaller: object) => {
    const streamed = streamedEncoder(gpu, g.weights, config, { layers: 1, smaller });
    gpu.memory.peak = gpu.memory.bytes;
    const start = gpu.memory.bytes;
    const made = await run.read(await streamed.encode(run, ids));
    streamed.free();
    return { made, peak: gpu.memory.peak - start };
  };
  await peakOf({}); // so that what is at work is there already
  const plain = await peakOf({});
  const small = await peakOf({ quantize: layers });
  expect(plain.made).not.toEqual(want);
  expect(small.peak).toBeLessThan(plain.peak);
  expect(small.made).toEqual(want);
  run.destroy();
  expect(gpu.memory.bytes).toBe(before);
});
