/** Clips that are made of other clips and of videos from outside, on a tiny model of random weights. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import { parseRecipe } from '../../src/media/recipe';
import { buildModel, type GpuModel } from '../../src/pipeline/model';
import { writeRecord } from '../../src/pipeline/records';
import { makeClip as makeSession } from '../../src/pipeline/session';
import type { GenerateEvent, GenerateRequest, Recipe } from '../../src/worker/protocol/clip';
import { openTestGpu } from '../helpers/gpu';
import { denoised, hashing, makeClip, REQUEST } from '../helpers/make-clip';
import { randomModel } from '../helpers/random-model';

let gpu: Gpu;
let model: GpuModel;
beforeAll(async () => {
  gpu = await openTestGpu();
  model = await buildModel(gpu, randomModel({ encoder: true }), () => {});
});
afterAll(() => (model.free(), gpu.destroy()));
let before: number;
beforeAll(() => void (before = gpu.memory.bytes));
afterEach(() => expect(gpu.memory.bytes).toBe(before));

async function make(change: Partial<GenerateRequest>) {
  const events: GenerateEvent[] = [];
  const clip = await makeSession(
    model,
    { ...REQUEST, ...change },
    {
      emit: (event) => void events.push(event),
      isCancelled: () => false,
      isPaused: () => false,
      steer: () => null,
      reopen: () => Promise.reject(new Error('none')),
      openOutput: hashing,
    },
  );
  return { clip, denoised: denoised(events) };
}

/** A clip, and what the library keeps of it. */
async function kept(change: Partial<GenerateRequest> = {}) {
  const { clip, latents } = await makeClip(model, change);
  const records = latents.map((block) => writeRecord({ text: '', latents: block, size: 3 }));
  return { clip, source: { recipe: clip.recipe, latents: new Blob(await Promise.all(records)) } };
}

const footage = (frames: number, change: object = {}) => ({
  width: 48,
  height: 32,
  frames,
  rgba: Uint8ClampedArray.from({ length: 4 * 48 * 32 * frames }, (_, i) => (i * 37 + (i >> 9)) % 256),
  use: 'extend' as const,
  ...change,
});

test('a remix is made again from its recipe alone, to the bit, also of a remix', async () => {
  const { source } = await kept({ prompt: 'a car' });
  const remix = await make({ strength: 0.5, source: { ...source, use: 'remix' } });
  expect(remix.clip.recipe).toMatchObject({ strength: 0.5, of: { prompt: 'a car' } });
  const asked = (recipe: unknown) =>
    parseRecipe(JSON.parse(JSON.stringify(recipe))) as GenerateRequest & Recipe;
  const again = await make(asked(remix.clip.recipe));
  expect(again.clip.frameHashes).toEqual(remix.clip.frameHashes);
  const other = await make({ ...asked(remix.clip.recipe), strength: 1 });
  expect(other.clip.frameHashes).not.toEqual(remix.clip.frameHashes);
  const second = await make({ ...asked(remix.clip.recipe), prompt: 'the sea', of: remix.clip.recipe });
  const third = await make(asked(second.clip.recipe));
  expect(third.clip.frameHashes).toEqual(second.clip.frameHashes);
  expect(third.clip.recipe.of!.of!.prompt).toBe('a car');
});

test('extending a clip takes its blocks over, whatever settings made them', async () => {
  const { clip, source } = await kept({ seconds: 1.3 });
  const prompt = `[1.3s] ${REQUEST.prompt}\n[0.7s] at night`;
  const longer = await make({ prompt, source: { ...source, use: 'extend' } });
  expect(longer.denoised).toEqual([2]);
  expect(longer.clip.frameHashes.slice(0, 20)).toEqual(clip.frameHashes.slice(0, 20));
  expect(longer.clip.recipe.begins).toBeUndefined();
  const seeded = await make({ prompt, seed: 99, source: { ...source, use: 'extend' } });
  expect(seeded.clip.frameHashes.slice(0, 20)).toEqual(clip.frameHashes.slice(0, 20));
  expect(seeded.clip.recipe.begins).toBe('clip');
  const remixed = { ...source, recipe: { ...source.recipe, strength: 0.5 } };
  const lost = await make({ prompt, source: { ...remixed, use: 'extend' } });
  expect(lost.clip.recipe.begins).toBe('clip');
  await expect(make({ prompt, width: 64, source: { ...source, use: 'extend' } })).rejects.toMatchObject({
    params: { field: 'size' },
  });
});

test('a video is gone on with: its last whole blocks stand at the beginning', async () => {
  const made = await make({ prompt: 'a storm', seconds: 1, footage: footage(24) });
  expect(made.clip.frames).toBe(21 + 16); // 24 frames hold two whole blocks
  expect(made.denoised).toEqual([2, 3]);
  expect(made.clip.recipe.prompt).toBe('[1.31s] …\na storm');
  expect(made.clip.recipe.begins).toBe('video');
  const other = await make({ prompt: 'a city', seed: 8, seconds: 1, footage: footage(24) });
  expect(other.clip.frameHashes.slice(0, 21)).toEqual(made.clip.frameHashes.slice(0, 21));
  expect(other.clip.frameHashes[21]).not.toBe(made.clip.frameHashes[21]);
});

test('a video is made anew with other words', async () => {
  const asked = { prompt: 'a storm', seconds: 1, strength: 0.5, footage: footage(9, { use: 'remix' }) };
  const made = await make(asked);
  expect(made.denoised).toEqual([0, 1]);
  expect(made.clip.recipe).toMatchObject({ strength: 0.5, begins: 'video' });
});

test.each([
  [{ footage: footage(8) }, 'at least 9'],
  [{ footage: footage(9, { width: 64 }) }, '64 × 32'],
  [{ footage: footage(9), loop: true }, 'loop'],
  [{ footage: footage(9, { use: 'remix' }), strength: 0 }, 'strength'],
])('what will not do is refused, %#', async (change, message) => {
  await expect(make(change)).rejects.toMatchObject({
    code: 'bad-request',
    message: expect.stringContaining(message),
  });
});
