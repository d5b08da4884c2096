/** Formats that other people's checkpoints have, against what their own packages read (fixtures/make_formats.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { toF32 } from '../../src/weights/convert';
import { quantizeQ4_0, quantizeQ8_0 } from '../../src/weights/pack';
import { readWeights } from '../../src/weights/read';
import { readScale } from '../../src/weights/scaled';
import { readSharded, shardNames } from '../../src/weights/shards';
import { fromBytes, type TensorInfo, type WeightFile } from '../../src/weights/source';
import { bitsOf, fixture, fixtureBytes, type Expected } from './fixtures';
import { join as concat, safetensors } from './write';

const expected = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures/formats/expected.json'), 'utf8'),
) as Record<string, Record<string, Expected>>;
const format = (name: string) => fixture(`formats/${name}`);
const indexName = 'model.safetensors.index.json';
const index = () => JSON.parse(new TextDecoder().decode(fixtureBytes(`formats/${indexName}`))) as unknown;

/** Values with their scale, as a user of the file sees them. */
async function valuesOf(file: WeightFile, info: TensorInfo): Promise<Float32Array<ArrayBuffer>> {
  const values = toF32(info, await file.read(info.name), file.name);
  const scale = await readScale(file, info);
  if (!scale) return values;
  const row = values.length / scale.length;
  return values.map((v, i) => v * scale[Math.floor(i / row)]!);
}

async function expectSame(file: WeightFile, want: Record<string, Expected>): Promise<void> {
  expect([...file.tensors.keys()].sort()).toEqual(Object.keys(want).sort());
  for (const [name, e] of Object.entries(want)) {
    const info = file.tensors.get(name)!;
    expect(info.shape, name).toEqual(e.shape);
    expect(bitsOf(await valuesOf(file, info)), `${name} ${info.dtype}`).toBe(e.f32);
  }
}

test('every quantized GGUF type, bit by bit as gguf-py', async () => {
  const file = await readWeights(format('quants.gguf'));
  await expectSame(file, expected['quants.gguf']!);
  expect(file.tensors.size).toBe(10);
  for (const [name, e] of Object.entries(expected['quants.gguf']!))
    expect(file.tensors.get(name)!.dtype).toBe(e.dtype);
});

test('fp8, int8 and doubles of safetensors; ComfyUI’s scales are applied and no longer listed', async () => {
  const file = await readWeights(format('fp8.safetensors'));
  await expectSame(file, expected['fp8.safetensors']!);
  expect(file.tensors.get('lin.weight')!.scale!.name).toBe('lin.scale_weight');
  expect(file.tensors.get('rows.weight')!.scale!.name).toBe('rows.weight_scale');
  expect(file.tensors.get('e4m3')!.scale).toBeUndefined();
});

test.each([2, 3, 4, 5].flatMap((protocol) => [0, 1, 9].map((more) => (protocol << 8) + 0x80 + more * 65536)))(
  'safetensors whose header of %i bytes begins as a pickle would',
  async (length) => {
    const header = JSON.stringify({ t: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }).padEnd(length);
    const file = await readWeights(fromBytes('w', safetensors(header, new Uint8Array(8))));
    expect([...file.tensors.keys()]).toEqual(['t']);
    expect(file.tensors.get('t')!.offset).toBe(8 + length);
  },
);

test.each([
  ['F32', 4, 1],
  ['F16', 2, 1],
  ['BF16', 2, 1],
  ['F64', 8, 1],
  ['F32', 4, 2],
  ['F16', 2, 2],
  ['BF16', 2, 2],
  ['F64', 8, 2],
] as const)(
  'fp8: a scale of %s (%d bytes each, %d of them) is read as what it is',
  async (type, bytes, rows) => {
    // 0.75 and −1.5: exact in every type, and another number in each other.
    const bits = { F32: [0x3f400000, 0xbfc00000], F16: [0x3a00, 0xbe00], BF16: [0x3f40, 0xbfc0] };
    const scale = new Uint8Array(bytes * rows);
    const view = new DataView(scale.buffer);
    for (let i = 0; i < rows; i++) {
      if (type === 'F64') view.setFloat64(i * 8, [0.75, -1.5][i]!, true);
      else if (type === 'F32') view.setUint32(i * 4, bits.F32[i]!, true);
      else view.setUint16(i * 2, bits[type][i]!, true);
    }
    const header = {
      'a.weight': { dtype: 'F8_E4M3', shape: [2, 2], data_offsets: [0, 4] },
      'a.scale_weight': { dtype: type, shape: rows === 1 ? [] : [2, 1], data_offsets: [4, 4 + scale.length] },
    };
    // 1, 2, 3 and −4 in E4M3.
    const data = concat([Uint8Array.of(0x38, 0x40, 0x44, 0xc8), scale]);
    const file = await readWeights(fromBytes('w.safetensors', safetensors(header, data)));
    const second = rows === 1 ? 0.75 : -1.5;
    expect([...(await valuesOf(file, file.tensors.get('a.weight')!))]).toEqual([0.75, 1.5, 3 * second, -4 * second]); // prettier-ignore
  },
);

test('fp8: a scale of whole numbers is refused by its type', async () => {
  const header = {
    'a.weight': { dtype: 'F8_E4M3', shape: [2, 2], data_offsets: [0, 4] },
    'a.weight_scale': { dtype: 'I32', shape: [1], data_offsets: [4, 8] },
  };
  const file = readWeights(fromBytes('w.safetensors', safetensors(header, new Uint8Array(8))));
  await expect(file).rejects.toThrow('the scale "a.weight_scale" is I32; Kinora reads scales of F32, F16');
});

test.each([
  ['Q8_0', quantizeQ8_0],
  ['Q4_0', quantizeQ4_0],
] as const)('%s is quantized to the bit as gguf-py does', (type, quantize) => {
  const { f32, blocks } = expected.quantize![type] as Expected & { blocks: string };
  const floats = new Float32Array(new Uint8Array(Buffer.from(f32!, 'hex')).buffer);
  expect(Buffer.from(quantize(floats)).toString('hex')).toBe(blocks);
});

test('NaN of fp8 stays NaN', () => {
  const nan = toF32({ name: 'x', dtype: 'F8_E4M3' }, Uint8Array.of(0x7f, 0xff, 0x7e));
  expect([...nan]).toEqual([NaN, NaN, 448]);
});

describe('shards', () => {
  test('are one file', async () => {
    const file = await readSharded(indexName, index(), format);
    await expectSame(file, expected.shards!);
    expect(shardNames(indexName, index())).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ]);
  });

  test('that are missing are named', async () => {
    const open = (name: string) => (name.includes('00002-of') ? null : format(name));
    await expect(readSharded(indexName, index(), open)).rejects.toThrow(
      'it names 1 files that are not here: model-00002-of-00002.safetensors',
    );
  });

  test('that lack a tensor are named', async () => {
    const map = { a: 'model-00001-of-00002.safetensors', z: 'model-00002-of-00002.safetensors' };
    await expect(readSharded('i.json', { weight_map: map }, format)).rejects.toThrow(
      'the tensor "z" should be in model-00002-of-00002.safetensors, but is not',
    );
  });

  const scaled = (index: string) => JSON.parse(new TextDecoder().decode(fixtureBytes(`formats/scaled/${index}`))) as { weight_map: Record<string, string> }; // prettier-ignore
  const ofScaled = (name: string) => format(`scaled/${name}`);
  const [LISTED, WEIGHTS_ONLY] = ['model.safetensors.index.json', 'weights-only.safetensors.index.json'];

  test.each([LISTED, WEIGHTS_ONLY])(
    'of scaled fp8 have their scales, which are in another file than their tensors: %s',
    async (name) => {
      const file = await readSharded(name, scaled(name), ofScaled);
      await expectSame(file, expected.scaled!);
      for (const tensor of ['one.weight', 'rows.weight']) {
        expect(file.tensors.get(tensor)!.scale, tensor).toBeDefined();
        // What the values would be without, so that the comparison above is one of scales.
        const bare = toF32(file.tensors.get(tensor)!, await file.read(tensor), name);
        expect(bitsOf(bare)).not.toBe(expected.scaled![tensor]!.f32);
      }
    },
  );

  test.each(['scaled_fp8', 'one.scale_input', 'rows.comfy_quant', 'one.scale_weight'])(
    'whose index names %s in a file that has it not are refused',
    async (tensor) => {
      const index = scaled(LISTED);
      index.weight_map[tensor] = 'model-00001-of-00002.safetensors';
      await expect(readSharded('i.json', index, ofScaled)).rejects.toThrow(
        `the tensor "${tensor}" should be in`,
      );
    },
  );

  test('whose scale is in two files, neither of them its tensor’s, are refused; beside its tensor it counts', async () => {
    const scale = (value: number, more: object = {}, data = new Uint8Array()) =>
      safetensors(
        { 'a.scale_weight': { dtype: 'F32', shape: [], data_offsets: [0, 4] }, ...more },
        concat([new Uint8Array(Float32Array.of(value).buffer), data]),
      );
    const fp8 = { dtype: 'F8_E4M3', shape: [1, 1] };
    const files: Record<string, Uint8Array<ArrayBuffer>> = {
      'x.st': safetensors({ 'a.weight': { ...fp8, data_offsets: [0, 1] } }, Uint8Array.of(0x38)),
      'y.st': scale(2, { 'b.weight': { ...fp8, data_offsets: [4, 5] } }, Uint8Array.of(0x38)),
      'z.st': scale(3, { 'c.weight': { ...fp8, data_offsets: [4, 5] } }, Uint8Array.of(0x38)),
    };
    const open = (map: Record<string, string>) => readSharded('i.json', { weight_map: map }, (name) => fromBytes(name, files[name]!)); // prettier-ignore
    const map = { 'b.weight': 'y.st', 'a.weight': 'x.st', 'c.weight': 'z.st' };
    await expect(open(map)).rejects.toThrow('"a.scale_weight" is in y.st and z.st, and nothing says which');
    const told = await open({ ...map, 'a.scale_weight': 'z.st' });
    expect(await readScale(told, told.tensors.get('a.weight')!)).toEqual(Float32Array.of(3));
    files['x.st'] = scale(5, { 'a.weight': { ...fp8, data_offsets: [4, 5] } }, Uint8Array.of(0x38));
    const beside = await open(map);
    expect(await readScale(beside, beside.tensors.get('a.weight')!)).toEqual(Float32Array.of(5));
    expect(beside.tensors.get('b.weight')!.scale).toBeUndefined();
  });

  test.each<[string, unknown, string]>([
    ['no index', { a: 1 }, '"weight_map" is missing'],
    ['paths', { weight_map: { a: '../x.safetensors' } }, 'which is no file name'],
    ['nothing', { weight_map: {} }, 'it names no tensors'],
  ])('refuses %s', async (_, json, message) => {
    await expect(readSharded('i.json', json, () => null)).rejects.toThrow(message);
  });
});

describe('PyTorch', () => {
  test.each(['nested.pt', 'protocol5.pt'])(
    '%s: nested dictionaries, parameters, views of rows',
    async (name) => {
      await expectSame(await readWeights(format(name)), expected['nested.pt']!);
    },
  );

  test.each<[string, string]>([
    ['hostile.pt', 'it wants to run "posix.system". Kinora reads tensors only and runs nothing'],
    ['bomb.pt', 'the entry "archive/data.pkl" is compressed (method 8), which PyTorch never does'],
    ['view.pt', 'tensor "view" with shape [6,4] has strides [1,6]: it is a view of another'],
    ['legacy.pt', 'it is a bare Python pickle'],
    ['other.zip', 'it is a zip file, but not a PyTorch checkpoint: it has no data.pkl'],
    ['script.pt', 'it is a TorchScript program'],
  ])('refuses %s', async (name, message) => {
    const error = await readWeights(format(name)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(KinoraError);
    expect((error as KinoraError).code).toBe('bad-model');
    expect((error as KinoraError).message).toContain(message);
  });

  test('every cut of a good file is refused', async () => {
    const bytes = fixtureBytes('formats/nested.pt');
    for (let n = 0; n < bytes.length; n += 3)
      await expect(readWeights(fromBytes('cut', bytes.slice(0, n))), `${n}`).rejects.toBeInstanceOf(
        KinoraError,
      );
  });
});
