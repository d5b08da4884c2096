/**
 * 17 000 damaged files on the way that a person's own take: bytes changed, bits flipped, cut, or with a piece repeated.
 * Each gives something that can be read to its end, or a KinoraError; none asks for more than its size at once, none takes
 * long, and none makes memory grow by much more than it has bytes. (Files that were made to do harm: weights/bombs.)
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KinoraError } from '../src/errors';
import { patchOf, readLora } from '../src/models/lora';
import { wanShapes } from '../src/models/tensors';
import { readWanConfig } from '../src/models/wan-config';
import { readFiles } from '../src/pipeline/recognise';
import { spieceToJson } from '../src/text/spiece';
import { loadTokenizer } from '../src/text/tokenizer';
import { readWeights } from '../src/weights/read';
import { fromBytes, type ByteSource } from '../src/weights/source';
import { spiece } from './text/fixtures';

type Bytes = Uint8Array<ArrayBuffer>;
const file = (path: string) => new Uint8Array(readFileSync(`tests/${path}`));
const format = (name: string) => file(`weights/fixtures/formats/${name}`);

/** The one block that the goldens' LoRAs belong to. */
const merged = await readWeights(fromBytes('merged', file('goldens/lora/merged.safetensors')));
const shapes = new Map([...merged.tensors.values()].filter(({ name }) => name.startsWith('base/')).map(({ name, shape }) => [name.slice(5), shape])); // prettier-ignore
const WAN = wanShapes(readWanConfig({ num_layers: 1 }));

const INDEX = 'model.safetensors.index.json';
const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];

async function weights(source: ByteSource): Promise<void> {
  const read = await readWeights(source);
  for (const info of read.tensors.values()) expect((await read.read(info.name)).byteLength).toBe(info.bytes);
}

async function lora(source: ByteSource): Promise<void> {
  const read = await readWeights(source);
  expect(() => readLora(read, WAN, 1)).toThrow(KinoraError); // another model's
  const one = readLora(read, shapes, 1);
  for (const [name, shape] of shapes) {
    const patch = await patchOf([one], name, shape);
    patch?.(new Float32Array(shape.reduce((a, b) => a * b, 1)), 0);
  }
}

/** An index or a shard, picked together with the others as they should be. */
async function picked(source: ByteSource): Promise<void> {
  const bytes = await source.read(0, source.size);
  const all = [INDEX, ...SHARDS].map((path) => ({ path, file: new Blob([path === source.name ? bytes : format(path)]), changed: 0 })); // prettier-ignore
  const found = await readFiles(all);
  const problem = found.find((one) => one.problem)?.problem;
  if (problem) throw new KinoraError(problem.code, problem.message);
  for (const one of found) if (one.weights) for (const name of one.weights.tensors.keys()) await one.weights.read(name); // prettier-ignore
}

async function vocabulary(source: ByteSource): Promise<void> {
  const tokenizer = loadTokenizer(spieceToJson(await source.read(0, source.size)));
  tokenizer.encode('a red boat', 64);
}

const TARGETS: [name: string, bytes: Bytes, read: (source: ByteSource) => Promise<void>, times: number][] = [
  ['quants.gguf', format('quants.gguf'), weights, 2000],
  ['fp8.safetensors', format('fp8.safetensors'), weights, 2000],
  ['nested.pt', format('nested.pt'), weights, 2000],
  ['protocol5.pt', format('protocol5.pt'), weights, 2000],
  ['hostile.pt', format('hostile.pt'), weights, 2000],
  ['kohya.safetensors', file('goldens/lora/kohya.safetensors'), lora, 1000],
  ['comfy.safetensors', file('goldens/lora/comfy.safetensors'), lora, 1000],
  ['adapter.safetensors', file('goldens/lora/adapter.safetensors'), lora, 1000],
  ['longlive.pt', file('goldens/lora/longlive.pt'), lora, 1000],
  [INDEX, format(INDEX), picked, 1000],
  [SHARDS[0]!, format(SHARDS[0]!), picked, 1000],
  ['spiece.model', new Uint8Array(spiece()), vocabulary, 1000],
];

const inUse = () => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** Sees what is asked for, so that a lie in a header cannot make us ask for more than there is; and memory, each time. */
function watched(name: string, bytes: Bytes): { source: ByteSource; most: () => number; grew: () => number } {
  const inner = fromBytes(name, bytes);
  const before = inUse();
  let most = 0;
  let grew = 0;
  const look = () => (grew = Math.max(grew, inUse() - before));
  const source: ByteSource = {
    ...inner,
    read(offset, length) {
      most = Math.max(most, length);
      look();
      return inner.read(offset, length);
    },
  };
  return { source, most: () => most, grew: () => look() };
}

/** All that one file makes, garbage too: nothing is collected in between on purpose. */
const allowed = (size: number) => 64 * size + 16 * 2 ** 20;

test.each(TARGETS)(
  '%s, damaged: an answer or a clear error',
  async (name, good, read, times) => {
    let state = 12345;
    const random = (n: number) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
    // Whole it is good, so that what is refused is the damage.
    if (name !== 'hostile.pt') await read(fromBytes(name, good));
    let refused = 0;
    for (let i = 0; i < times; i++) {
      let bytes = good.slice();
      // Headers are where it matters; half of the mutations go there.
      const where = () => (random(2) ? random(bytes.length) : random(Math.min(bytes.length, 1500)));
      for (let k = random(4); k >= 0; k--) {
        const at = where();
        if (random(2)) bytes[at] = random(256);
        else bytes[at]! ^= 1 << random(8);
      }
      if (random(5) === 0) bytes = bytes.slice(0, random(bytes.length));
      if (random(8) === 0) bytes.copyWithin(where(), where(), where());
      const { source, most, grew } = watched(name, bytes);
      const began = performance.now();
      try {
        await read(source);
      } catch (e) {
        if (!(e instanceof KinoraError)) throw e;
        expect(e.code, e.message).toMatch(/^bad-(model|request)$/);
        expect(e.message.length).toBeGreaterThan(20);
        refused++;
      }
      expect(most()).toBeLessThanOrEqual(bytes.length);
      expect(grew()).toBeLessThan(allowed(bytes.length));
      expect(performance.now() - began).toBeLessThan(5000);
    }
    expect(refused).toBeGreaterThan(times / 10);
  },
  300_000,
);
