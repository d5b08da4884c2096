/**
 * Clips with the Wan VAE, whole and in tiles: what they take is what the plan says. On a GPU that is full before that there
 * are more tiles, and the very same frames.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openGpu, type Gpu } from '../../src/gpu/device';
import { encoderTilings, encodingNeed } from '../../src/pipeline/encoder-plan';
import { buildModel, type GpuModel } from '../../src/pipeline/model';
import type { Tiling } from '../../src/models/tiling';
import { readAutoencoderConfig } from '../../src/pipeline/autoencoder';
import { estimateNeed, fittingTiles, moreTiles } from '../../src/pipeline/memory-plan';
import { generateSafely } from '../../src/pipeline/recover';
import type { GenerateEvent, GenerateRequest } from '../../src/worker/protocol/clip';
import { testEntry } from '../helpers/gpu';
import { hashing } from '../helpers/make-clip';
import { randomModel } from '../helpers/random-model';
import { limitMemory } from '../helpers/scarce';
import { random } from '../helpers/tensors';

/** 6 latents: 2 blocks. As small as pictures in two tiles are. */
const SIZE = { width: 100, height: 60 };
const REQUEST: GenerateRequest = { prompt: 'a red boat', seed: 7, seconds: 0.68, ...SIZE, steps: 1 };

let gpu: Gpu;
let model: GpuModel;
beforeAll(async () => {
  gpu = await openGpu(await testEntry(), { f16: false });
  model = await buildModel(gpu, randomModel({ vae: true }), () => {}, { wanted: SIZE });
});
afterAll(() => gpu.destroy());
let loaded: number;
beforeAll(() => void (loaded = gpu.memory.bytes));
afterEach(() => expect(gpu.memory.bytes).toBe(loaded));

async function make(change: Partial<GenerateRequest> = {}) {
  const events: GenerateEvent[] = [];
  const changes: unknown[] = [];
  gpu.memory.peak = gpu.memory.bytes;
  const clip = await generateSafely(
    model,
    { ...REQUEST, ...change },
    {
      openOutput: hashing,
      reopen: () => Promise.reject(new Error('none')),
      emit: (event) => void events.push(event),
      changed: async (...told) => void changes.push(told),
    },
  );
  const recovered = events.filter((event) => event.type === 'recover');
  return { clip, recovered, changes, peak: gpu.memory.peak };
}

/** Within a tenth. */
function expectPlanned(what: string, peak: number, planned: number): void {
  if (process.env.SHOW) console.log(`${what}: ${peak} of ${planned}, ${(peak / planned).toFixed(3)}`);
  expect.soft(peak / planned, what).toBeGreaterThan(0.9);
  expect.soft(peak / planned, what).toBeLessThan(1.1);
}
const out = { type: 'recover', reason: 'out-of-memory' };

test('a GPU that is full while a block is decoded gets smaller tiles, and the clip goes on behind it: the same to the bit', async () => {
  const first = fittingTiles(model.manifest, SIZE, model.room, 16);
  const tiles = moreTiles(model.manifest, SIZE, model.room, first)!;
  expect(first).toEqual({ rows: 1, columns: 1 });
  const whole = await make();
  expect(whole.recovered).toEqual([]);
  const tiled = await make({ tiles });
  expect(tiled.clip.frameHashes).toEqual(whole.clip.frameHashes);
  expect(tiled.peak).toBeLessThan(whole.peak);
  const planned = (tiling: typeof tiles) => estimateNeed(model.manifest, SIZE, model.room, 16, tiling).total;
  expectPlanned('a clip, whole', whole.peak, planned(first));
  expectPlanned('a clip, in tiles', tiled.peak, planned(tiles));

  const scarce = limitMemory(gpu, (tiled.peak + whole.peak) / 2);
  try {
    const mended = await make();
    expect(scarce.failed()).toBeGreaterThan(0);
    const count = tiles.rows * tiles.columns;
    const block = mended.recovered[0]!.block;
    expect(block).toBeGreaterThan(0);
    expect(mended.recovered).toEqual([{ ...out, block, tiles: count }]);
    expect(mended.changes).toEqual([[{ tiles }, block]]);
    expect(mended.clip.frameHashes).toEqual(whole.clip.frameHashes);
    // Nothing of it is in the recipe: it changes no picture.
    expect(mended.clip.recipe).toEqual({ ...whole.clip.recipe, created: mended.clip.recipe.created });
  } finally {
    scarce.restore();
  }
});

test('a GPU that is full while a video is encoded gets smaller tiles, too: the same latents', async () => {
  const frames = random(3 * 3 * SIZE.width * SIZE.height, 3, 0.5).map((v) => v + 0.5); // two latents
  const all = encoderTilings(readAutoencoderConfig(model.manifest.components.autoencoder), SIZE.height / 2, SIZE.width / 2); // prettier-ignore
  expect(all.length).toBeGreaterThan(1);
  const planned = (tiling: Tiling) => encodingNeed(model.manifest, SIZE, model.room, tiling)!.total;
  const encode = async () => {
    gpu.memory.peak = gpu.memory.bytes;
    return { latents: await model.encode!(frames.slice(), SIZE), peak: gpu.memory.peak };
  };
  const whole = await encode();
  expect(whole.latents).toHaveLength(4 * 2 * (SIZE.width / 2) * (SIZE.height / 2));
  expectPlanned('encoding, whole', whole.peak, planned(all[0]!));
  const scarce = limitMemory(gpu, whole.peak - 1);
  try {
    const mended = await encode();
    expect(scarce.failed()).toBeGreaterThan(0);
    expect(mended.latents).toEqual(whole.latents);
  } finally {
    scarce.restore();
  }
  // From the beginning in tiles, where the plan asks for them.
  const room = Object.getOwnPropertyDescriptor(model, 'room')!;
  const less = { ...model.room, total: planned(all[1]!) };
  Object.defineProperty(model, 'room', { value: less, configurable: true });
  try {
    const tiled = await encode();
    expect(tiled.latents).toEqual(whole.latents);
    expectPlanned('encoding, in tiles', tiled.peak, planned(all[1]!));
  } finally {
    Object.defineProperty(model, 'room', room);
  }
  const none = limitMemory(gpu, loaded + 1000);
  await expect(encode()).rejects.toMatchObject({ code: 'out-of-memory' });
  none.restore();
});
