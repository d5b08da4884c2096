/** Long clips, scripts, and clips that go on from what is known, on a tiny model of random weights. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import { estimateNeed } from '../../src/pipeline/memory-plan';
import { buildModel, type GpuModel } from '../../src/pipeline/model';
import { openTestGpu } from '../helpers/gpu';
import { openRecords, writeRecord } from '../../src/pipeline/records';
import { commonBlocks, makeClip as makeSession } from '../../src/pipeline/session';
import { denoised, firstBlocks, hashing, makeClip, REQUEST } from '../helpers/make-clip';
import { randomModel, type RandomModelOptions } from '../helpers/random-model';

let gpu: Gpu;
beforeAll(async () => void (gpu = await openTestGpu()));
afterAll(() => gpu.destroy());
const opened: GpuModel[] = [];
afterEach(() => {
  for (const model of opened.splice(0)) model.free();
  expect(gpu.memory.bytes).toBe(0);
});

async function open(options: RandomModelOptions = {}): Promise<GpuModel> {
  const model = await buildModel(gpu, randomModel(options), () => {});
  opened.push(model);
  return model;
}

/** Five shots of two blocks each; the fourth begins with a cut. */
const script = (third = 'a white rocket in space') =>
  ['[1.3s] a red boat', '[1.5s] a red boat at night', `[1.5s] ${third}`, '[cut] [1.3s] a car', '[1.5s] a city'].join('\n'); // prettier-ignore
const STEPS = { steps: 1 };

describe('a script', () => {
  test('makes its shots: words change the picture from their block on', async () => {
    const model = await open({ sampler: { window: 6, sink: 1 } });
    const { clip, events } = await makeClip(model, { prompt: script(), ...STEPS });
    expect(clip.recipe.prompt).toBe(script());
    expect(clip.recipe.seconds).toBeCloseTo(7.1);
    expect(clip.frames).toBe(Math.round(7.1 * 16));
    expect(clip.blocks.map((b) => b.shot)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect(denoised(events)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(clip.frameHashes).size).toBe(clip.frames);
  });

  test('editing shot 3 of 5 leaves shots 1 and 2 bit-equal, and only what follows is denoised', async () => {
    const model = await open({ sampler: { window: 6, sink: 1 } });
    const before = await makeClip(model, { prompt: script(), ...STEPS });
    const whole = await makeClip(model, { prompt: script('a pink heart'), ...STEPS });
    const known = firstBlocks(before.latents, 4);
    const edited = await makeClip(model, { prompt: script('a pink heart'), ...STEPS }, { known });
    expect(denoised(edited.events)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(edited.clip.frameHashes).toEqual(whole.clip.frameHashes);
    const first = 45; // frames of four blocks
    expect(edited.clip.frameHashes.slice(0, first)).toEqual(before.clip.frameHashes.slice(0, first));
    expect(edited.clip.frameHashes[first]).not.toBe(before.clip.frameHashes[first]);
  });

  test('a cut sees nothing of what was before', async () => {
    const model = await open();
    const hashes = async (prompt: string) => (await makeClip(model, { prompt, ...STEPS })).clip.frameHashes;
    const cut = async (first: string) => (await hashes(`[1.31s] ${first}\n[cut] [0.5s] a car`)).slice(21);
    expect(await cut('a boat')).toEqual(await cut('a whale and a star'));
    const soft = async (first: string) => (await hashes(`[1.31s] ${first}\n[0.5s] a car`)).slice(21);
    expect(await soft('a boat')).not.toEqual(await soft('a whale and a star'));
  });

  test('words that do not change go on as if nothing had been said, but for what they forget', async () => {
    const model = await open({ sampler: { window: 6 } });
    const plain = await makeClip(model, { prompt: 'a boat', seconds: 1, ...STEPS });
    const said = await makeClip(model, { prompt: '[0.56s] a boat\n[0.44s] a boat', ...STEPS });
    // One block only was made before: going through it again gives the same keys and values.
    expect(said.clip.frameHashes).toEqual(plain.clip.frameHashes);
  });
});

describe('going on', () => {
  test.each([1, 3, 4, 5, 6, 9, 10])('from %i known blocks is bit-equal to making the clip at once', async (count) => {
    const model = await open({ sampler: { window: 6, sink: 1 } });
    const whole = await makeClip(model, { prompt: script(), ...STEPS });
    const rest = await makeClip(model, { prompt: script(), ...STEPS }, { known: firstBlocks(whole.latents, count) });
    expect(rest.clip.frameHashes).toEqual(whole.clip.frameHashes);
    expect(denoised(rest.events)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].slice(count));
  }); // prettier-ignore

  test('steering changes what comes; the recipe makes the same clip again', async () => {
    const model = await open();
    const plain = await makeClip(model, { seconds: 4, ...STEPS });
    const wishes: Record<number, string> = { 2: 'a storm', 4: '[cut] the sun' };
    let next = 1; // before the first block nobody is asked: the request says what it shows
    const texts: string[] = [];
    const steered = await makeClip(
      model,
      { seconds: 4, ...STEPS },
      { steer: () => wishes[next++] ?? null, keep: async (_block, _latents, text) => void texts.push(text) },
    );
    expect(steered.clip.frameHashes.slice(0, 21)).toEqual(plain.clip.frameHashes.slice(0, 21));
    expect(steered.clip.frameHashes[21]).not.toBe(plain.clip.frameHashes[21]);
    expect(steered.clip.recipe.prompt.split('\n')).toHaveLength(3);
    expect([texts[0], texts.at(-1)]).toEqual([plain.clip.recipe.prompt, steered.clip.recipe.prompt]);
    const { prompt, seconds } = steered.clip.recipe;
    const again = await makeClip(model, { prompt, seconds, ...STEPS });
    expect(again.clip.frameHashes).toEqual(steered.clip.frameHashes);
  });
});

test('GPU memory does not grow by a byte from block 3 to block 300', async () => {
  const model = await open({ sampler: { window: 6, sink: 1 } });
  const { clip } = await makeClip(model, { width: 16, height: 16, seconds: 225, ...STEPS });
  expect(clip.blocks).toHaveLength(301);
  const bytes = clip.blocks.map((b) => b.gpuBytes);
  expect(new Set(bytes.slice(3)).size).toBe(1);
}, 600_000);

test('a window that was asked for is used, and goes into the recipe', async () => {
  const model = await open({ sampler: { window: 6 } });
  const all = await makeClip(model, STEPS);
  const wide = await makeClip(model, { window: 9, sink: 2, ...STEPS });
  expect(wide.clip.recipe).toMatchObject({ window: 9, sink: 2 });
  expect(wide.clip.frameHashes.slice(0, 21)).toEqual(all.clip.frameHashes.slice(0, 21));
  expect(wide.clip.frameHashes[21]).not.toBe(all.clip.frameHashes[21]);
});

describe('keys and values of 8 bit', () => {
  const long = { prompt: script(), ...STEPS };
  const sampler = { window: 6, sink: 1 };

  test('take less memory, make nearly the same clip, and stand in its recipe', async () => {
    const model = await open({ sampler });
    const plain = await makeClip(model, long);
    const eight = await makeClip(model, { ...long, cacheBits: 8 });
    expect(plain.clip.recipe.cacheBits).toBeUndefined();
    expect(eight.clip.recipe.cacheBits).toBe(8);
    const saved = plain.clip.blocks[5]!.gpuBytes - eight.clip.blocks[5]!.gpuBytes;
    // 2 layers, keys and values of 6 frames of 6 tokens, 2 heads of 16: 32 bytes of a head become 20.
    // The block's own keys, 3 frames, stand beside the cache before they are packed.
    const own = 16 * (gpu.elem === 'f16' ? 2 : 4);
    expect(saved).toBe(2 * 2 * 6 * 6 * 2 * (32 - 20) - 3 * 6 * 2 * own);
    expect(eight.clip.frameHashes).not.toEqual(plain.clip.frameHashes);
    const rms = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);
    eight.latents.forEach((block, b) => {
      const off = rms(block.map((v, i) => v - plain.latents[b]![i]!)) / rms(plain.latents[b]!);
      expect(off, `block ${b}`).toBeLessThan(0.01); // as of the goldens: tests/models/streaming.gpu.test.ts
    });
    expect((await makeClip(model, { ...long, cacheBits: 16 })).clip.frameHashes).toEqual(plain.clip.frameHashes); // prettier-ignore
  });

  test('go on to the bit', async () => {
    const model = await open({ sampler });
    const whole = await makeClip(model, { ...long, cacheBits: 8 });
    for (const count of [3, 6]) {
      const known = firstBlocks(whole.latents, count);
      const rest = await makeClip(model, { ...long, cacheBits: 8 }, { known });
      expect(rest.clip.frameHashes).toEqual(whole.clip.frameHashes);
    }
  });

  test('are taken where 16 do not fit', async () => {
    const model = await open({ sampler });
    const { manifest, room } = model;
    const total = (bits: 8 | 16) => estimateNeed(manifest, REQUEST, room, bits).total;
    const tight = { ...model, room: { ...room, total: (total(8) + total(16)) / 2 } };
    const { clip } = await makeClip(tight, { seconds: 0.5, ...STEPS });
    expect(clip.recipe.cacheBits).toBe(8);
  });
});

describe('a clip made of another', () => {
  test('a remix takes its blocks back to noise part of the way', async () => {
    const model = await open();
    const before = await makeClip(model);
    const source = firstBlocks(before.latents, 2);
    const far = (a: Float32Array, b: Float32Array) => Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0) / a.length); // prettier-ignore
    const made = async (strength: number) => {
      const { latents, events } = await makeClip(model, { prompt: 'a car', steps: 4, strength }, { remix: { strength, source } }); // prettier-ignore
      const steps = events.filter((e) => e.type === 'preview' && e.block === 0).length;
      return { steps, moved: far(latents[0]!, before.latents[0]!), third: latents[2]! };
    };
    const [little, much] = [await made(0.3), await made(1)];
    expect([little.steps, much.steps]).toEqual([2, 4]);
    expect(little.moved).toBeLessThan(much.moved);
    expect(far(little.third, much.third)).toBeGreaterThan(0); // beyond the source there is noise alone
  });

  test('a loop ends where it begins', async () => {
    const model = await open({ sampler: { window: 9 } });
    const { clip, latents } = await makeClip(model, { loop: true });
    expect(clip.frames).toBe(24);
    expect(clip.recipe.loop).toBe(true);
    expect(latents).toHaveLength(3);
    const [C, pixels] = [4, 24];
    for (let c = 0; c < C; c++) {
      const at = (c * 3 + 2) * pixels; // the last latent frame
      expect(latents[2]!.slice(at, at + pixels)).toEqual(latents[0]!.slice(at, at + pixels));
    }
  });

  test('a draft is smaller and leaves the final as it would be', async () => {
    const model = await open();
    const final = await makeClip(model, { width: 96, height: 64, seconds: 0.5, steps: 6 });
    const draft = await makeClip(model, { width: 96, height: 64, seconds: 0.5, steps: 6, draft: true });
    expect(draft.clip).toMatchObject({ width: 48, height: 32, frames: 8 });
    expect(draft.clip.recipe).toMatchObject({ steps: 2, draft: { width: 96, height: 64, steps: 6 } });
    expect(final.clip.recipe.draft).toBeUndefined();
  });

  test('what comes out the same is known, and no more', async () => {
    const model = await open();
    const request = { ...REQUEST, prompt: script(), steps: 1 };
    const { clip, latents } = await makeClip(model, request);
    const records = { count: latents.length, sizes: latents.map(() => 3) };
    const common = (change: object) => commonBlocks(model, { ...request, ...change }, clip.recipe, records);
    expect(common({})).toBe(10);
    expect(common({ prompt: script('a heart') })).toBe(4);
    expect(common({ prompt: `${script()}\n[3s] and a fish` })).toBe(10);
    expect(common({ prompt: script().replace('[cut] ', '') })).toBe(6);
    for (const change of [
      { seed: 8 },
      { steps: 2 },
      { width: 64 },
      { window: 9 },
      { loop: true },
      { cacheBits: 8 },
    ])
      expect(common(change)).toBe(0);
  });
});

describe('from a picture', () => {
  const rgba = (width: number, height: number) =>
    Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => (i * 37) % 256);
  const request = { ...REQUEST, ...STEPS, width: 48, height: 32, seconds: 1 };
  const picture = { width: 48, height: 32, rgba: rgba(48, 32) };
  const quiet = {
    emit: () => {},
    isCancelled: () => false,
    isPaused: () => false,
    steer: () => null,
    reopen: () => Promise.reject(new Error('none')),
  };

  test('the encoder makes one latent frame of it, which the first block is', async () => {
    const model = await open({ encoder: true });
    const rgb = Float32Array.from(picture.rgba.filter((_, i) => i % 4 !== 3), (n) => n / 255); // prettier-ignore
    const latents = await model.encode!(rgb, picture);
    expect(latents).toHaveLength(4 * 6 * 4);
    const known = { count: 1, read: async () => latents };
    const made = await makeClip(model, request, { known, firstSize: 1 });
    expect(made.clip.frames).toBe(16);
    expect(made.latents.map((l) => l.length / 96)).toEqual([1, 3, 3]);
    expect(denoised(made.events)).toEqual([1, 2]);
    const other = await makeClip(model, { ...request, seed: 8 }, { known, firstSize: 1 });
    expect(other.clip.frameHashes[0]).toBe(made.clip.frameHashes[0]);
    expect(other.clip.frameHashes[1]).not.toBe(made.clip.frameHashes[1]);
  });

  test('of one frame it is that picture', async () => {
    const model = await open();
    const known = { count: 1, read: async () => new Float32Array(4 * 6 * 4) };
    const made = await makeClip(model, { ...request, seconds: 0.05 }, { known, firstSize: 1 });
    expect(made.clip.frames).toBe(1);
    expect(denoised(made.events)).toEqual([]);
  });

  test('a model without an encoder says so', async () => {
    const model = await open();
    expect(model.encode).toBeNull();
    await expect(makeSession(model, { ...request, picture }, quiet)).rejects.toMatchObject({ code: 'bad-request', message: expect.stringContaining('no encoder') }); // prettier-ignore
  });

  test('a draft of it takes the same picture, at half the size', async () => {
    const model = await open({ encoder: true });
    const big = { ...request, width: 96, height: 64, draft: true };
    // Each pixel four times over.
    const doubled = new Uint8ClampedArray(4 * 96 * 64).map((_, i) => {
      const [x, y] = [(i >> 2) % 96, Math.floor((i >> 2) / 96)];
      return picture.rgba[4 * ((y >> 1) * 48 + (x >> 1)) + (i & 3)]!;
    });
    const options = { ...quiet, openOutput: hashing };
    const small = await makeSession(model, { ...request, picture }, options);
    const draft = await makeSession(model, { ...big, picture: { width: 96, height: 64, rgba: doubled } }, options); // prettier-ignore
    expect(draft.recipe).toMatchObject({ width: 48, height: 32, draft: { width: 96, height: 64 } });
    expect(draft.frameHashes[0]).toBe(small.frameHashes[0]);
  });

  test('one of another size is refused', async () => {
    const model = await open({ encoder: true });
    await expect(makeSession(model, { ...request, picture: { ...picture, width: 32 } }, quiet)).rejects.toMatchObject({ params: { field: 'picture' } }); // prettier-ignore
  });
});

test('records come back as they were; one that was cut off does not count', async () => {
  const latents = Float32Array.of(1, -2, 3.5);
  const whole = [
    await writeRecord({ text: 'a boat', latents, size: 3 }),
    await writeRecord({ text: '船', latents: latents.map((x) => 2 * x), size: 1 }),
  ];
  const records = await openRecords(new Blob(whole));
  expect(records).toMatchObject({ count: 2, sizes: [3, 1] });
  expect(await records.read(1)).toEqual({ text: '船', latents: Float32Array.of(2, -4, 7), size: 1 });
  for (let cut = 1; cut <= whole[1]!.length; cut += 7) {
    const torn = await openRecords(new Blob([whole[0]!, whole[1]!.slice(0, -cut)]));
    expect(torn).toMatchObject({ count: 1, bytes: whole[0]!.length });
  }
  const flipped = whole.map((bytes) => bytes.slice());
  flipped[1]![60]! ^= 1;
  expect((await openRecords(new Blob(flipped))).count).toBe(1);
  flipped[0]![60]! ^= 1;
  await expect((await openRecords(new Blob([flipped[0]!, whole[1]!]))).read(0)).rejects.toMatchObject({ code: 'storage' }); // prettier-ignore
});
