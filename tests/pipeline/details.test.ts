import { expect, test } from 'vitest';
import { generate, type GenerateOptions } from '../../src/pipeline/generate';
import type { Model } from '../../src/pipeline/backend';
import type { ClipOutput } from '../../src/pipeline/output';
import { Costs } from '../../src/pipeline/progress';
import { tokensWithDetails } from '../../src/pipeline/details';
import { choices } from '../../src/sampling/noise';
import type { Tokenizer } from '../../src/text/tokenizer';
import type { GenerateRequest } from '../../src/worker/protocol/clip';
import { manifest } from '../weights/model';

/** Ids are the letters' codes, and 1 at the end. */
const tokenizer: Tokenizer = {
  size: 256,
  end: 1,
  encode: (text, length) =>
    Int32Array.from([...[...text].slice(0, length - 1).map((c) => c.charCodeAt(0)), 1]),
};
const GROUPS = [
  [1000, 1001, 1002],
  [2000, 2001, 2002, 2003],
];

test('choices are even, the same for a seed, and others for another block', () => {
  const counts = [3, 4, 1, 8, 5];
  expect(choices(7, 0, counts)).toEqual(choices(7, 0, counts));
  expect(choices(7, 0, counts).slice(0, 2)).toEqual(choices(7, 0, [3, 4]));
  const seen = Array.from({ length: 600 }, (_, seed) => choices(seed, 2, counts));
  for (const [i, count] of counts.entries())
    for (let value = 0; value < count; value++) {
      const share = seen.filter((c) => c[i] === value).length / seen.length;
      expect(Math.abs(share - 1 / count)).toBeLessThan(0.07);
    }
  expect(seen.map(String)).not.toEqual(seen.map((_, seed) => String(choices(seed, 3, counts))));
});

test('details stand before the prompt, which is cut where they leave no room', () => {
  const ids = tokensWithDetails(tokenizer, 'abcdef', 6, { groups: GROUPS, seed: 3, block: 0 });
  expect(ids).toHaveLength(6);
  expect(GROUPS[0]).toContain(ids[0]);
  expect(GROUPS[1]).toContain(ids[1]);
  expect([...ids.slice(2)]).toEqual([97, 98, 99, 1]);
});

/** What the networks are told before which block: the ids below 1000 as letters, '+' for every detail; then the details. */
async function told(
  request: Partial<GenerateRequest>,
  options: Partial<GenerateOptions> = {},
  details: number[][] | null = GROUPS,
): Promise<string[]> {
  const lines: string[] = [];
  let next = 0;
  const latents = (size: number) => new Float32Array(16 * size * 8 * 12);
  const networks = {
    say: async (ids: Int32Array) =>
      void lines.push(
        `${next} ${[...ids].map((id) => (id >= 1000 ? '+' : id > 1 ? String.fromCharCode(id) : '')).join('')} ${[...ids].filter((id) => id >= 1000)}`,
      ),
    forget: () => {},
    start: () => {},
    take: () => {},
    step: async () => ({ type: 'preview', frames: 3, width: 12, height: 8, rgba: new Uint8ClampedArray() }),
    settle: async () => latents(3),
    decode: async () => ({ first: 0, i420: [] }),
    remember: async () => void next++,
    free: () => {},
  };
  const model = {
    backend: 'cpu',
    adapter: null,
    manifest: { ...manifest(), ...(details && { details }) },
    tokenizer,
    textLength: 20,
    costs: new Costs(),
    grid: { width: 16, height: 16 },
    room: { element: 4, buffer: 1e9, total: 1e10, speed: 1e12, scores: false },
    unkept: null,
    encode: null,
    loadSeconds: 0,
    gpuBytes: 0,
    peakGpuBytes: 0,
    open: async () => networks,
    free: () => {},
  } as unknown as Model;
  const output: ClipOutput = {
    write: async () => {},
    finish: async () =>
      ({ mp4: new Blob(), codec: '', poster: new Blob(), frameHashes: [], seam: null }) as never,
    abort: () => {},
  };
  const asked = { prompt: 'boat', seed: 7, seconds: 2, width: 96, height: 64, steps: 1, ...request };
  await generate(model, asked as GenerateRequest, {
    emit: () => {},
    openOutput: async () => output,
    ...options,
  });
  return lines;
}

const plain = (line: string) => line.slice(0, line.lastIndexOf(' '));

test('a scene is told its details once, for all of its blocks', async () => {
  expect((await told({})).map(plain)).toEqual(['0 ++boat']);
});

test('a cut begins a new scene with details of its own, other words in the same scene keep them', async () => {
  const lines = await told({ prompt: 'boat [2s]\n[cut] car [2s]\nbus [2s]' });
  expect(lines.map((line) => plain(line).slice(2))).toEqual(['++boat', '++car', '++bus']);
  const [boat, car, bus] = lines.map((line) => line.split(' ').at(-1));
  expect(bus).toBe(car);
  expect(car).not.toBe(boat);
});

test('the completed words stand for those of the first shot alone', async () => {
  const prompt = 'boat [2s]\n[cut] car [2s]';
  const lines = await told({ prompt, completed: ' a red  boat' });
  expect(lines.map((line) => plain(line).slice(2))).toEqual(['++a red boat', '++car']);
});

test('a clip that goes on is told the same as one that was never interrupted', async () => {
  const known = { count: 2, read: async () => new Float32Array(16 * 3 * 8 * 12) };
  expect(await told({}, { known })).toEqual(await told({}));
});

test('pictures and remixes have their details already; models without details get the prompt', async () => {
  const source = { count: 3, read: async () => new Float32Array(16 * 3 * 8 * 12) };
  const lines = async (...asked: Parameters<typeof told>) => (await told(...asked)).map(plain);
  expect(await lines({}, { remix: { strength: 0.5, source } })).toEqual(['0 boat']);
  expect(
    await lines({}, { firstSize: 1, known: { count: 1, read: async () => new Float32Array(16 * 8 * 12) } }),
  ).toEqual(['0 boat']);
  expect(await lines({}, {}, null)).toEqual(['0 boat']);
});
