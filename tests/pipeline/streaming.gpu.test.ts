/** Long clips, scripts, and clips that go on from what is known, on a tiny model of random weights. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import { buildModel, type GpuModel } from '../../src/pipeline/model';
import { openTestGpu } from '../helpers/gpu';
import { denoised, firstBlocks, makeClip } from '../helpers/make-clip';
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
    let next = 0;
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

test('GPU memory does not grow with the length', async () => {
  const model = await open({ sampler: { window: 6, sink: 1 } });
  const { clip } = await makeClip(model, { seconds: 60, ...STEPS });
  expect(clip.blocks).toHaveLength(81);
  const bytes = clip.blocks.map((b) => b.gpuBytes);
  expect(new Set(bytes.slice(3)).size).toBe(1);
});

test('a window that was asked for is used, and goes into the recipe', async () => {
  const model = await open({ sampler: { window: 6 } });
  const all = await makeClip(model, STEPS);
  const wide = await makeClip(model, { window: 9, sink: 2, ...STEPS });
  expect(wide.clip.recipe).toMatchObject({ window: 9, sink: 2 });
  expect(wide.clip.frameHashes.slice(0, 21)).toEqual(all.clip.frameHashes.slice(0, 21));
  expect(wide.clip.frameHashes[21]).not.toBe(all.clip.frameHashes[21]);
});
