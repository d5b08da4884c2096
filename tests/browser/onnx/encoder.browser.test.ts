/** Pictures and videos on the CPU backend, with a tiny model. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Model } from '../../../src/pipeline/backend';
import { planClip } from '../../../src/pipeline/blocks';
import { sliceLatents } from '../../../src/pipeline/latents';
import { makeClip } from '../../../src/pipeline/session';
import { toF32 } from '../../../src/weights/convert';
import { readSafetensors } from '../../../src/weights/safetensors';
import { fromBytes } from '../../../src/weights/source';
import type { ModelFiles } from '../../../src/weights/store';
import type { GenerateEvent, GenerateRequest } from '../../../src/worker/protocol/clip';
import { readGolden } from '../../helpers/fixtures';
import { denoised, hashing, REQUEST } from '../../helpers/make-clip';
import { FOLDER, openTiny } from '../../helpers/tiny-onnx';

const SIZE = { width: 48, height: 32 };

let model: Model;
beforeAll(async () => void (model = await openTiny()), 180_000);
afterAll(() => model?.free());

async function make(change: Partial<GenerateRequest>, on = model) {
  const events: GenerateEvent[] = [];
  const clip = await makeClip(on, { ...REQUEST, ...SIZE, steps: 2, ...change }, {
    emit: (event) => void events.push(event),
    isCancelled: () => false,
    isPaused: () => false,
    steer: () => null,
    reopen: () => Promise.reject(new Error('none')),
    openOutput: hashing,
  }); // prettier-ignore
  return { clip, denoised: denoised(events) };
}

const rgba = (frames: number) =>
  Uint8ClampedArray.from({ length: 4 * 48 * 32 * frames }, (_, i) => (i * 37 + (i >> 9)) % 256);
const picture = { ...SIZE, rgba: rgba(1) };

/** Reads the tensors of a golden by name. */
async function tensorsOf(name: string) {
  const file = await readSafetensors(fromBytes(name, await readGolden(`${FOLDER}/${name}.safetensors`)));
  return {
    f32: async (tensor: string) => toF32(file.tensors.get(tensor)!, await file.read(tensor)),
    i32: async (tensor: string) => new Int32Array((await file.read(tensor)).slice().buffer),
  };
}

const norm = (x: Float32Array) => Math.hypot(...x);
const apart = (made: Float32Array, want: Float32Array) => norm(made.map((v, i) => v - want[i]!)) / norm(want);

test('frames become the latents that PyTorch makes of them', async () => {
  const { f32 } = await tensorsOf('encoded');
  const [frames, want] = [await f32('frames'), await f32('latents')];
  const made = await model.encode!(frames, SIZE);
  expect(made).toHaveLength(want.length);
  // f32 on both sides, with weights of 16 bit that both read.
  expect(apart(made, want)).toBeLessThan(1e-4);
});

/** Ten blocks of one step each from the golden's noise: [C, 30, 4, 6], and how far each block is from the golden's. */
async function stream(sampler: Partial<ModelFiles['manifest']['sampler']>): Promise<number[]> {
  const own = await openTiny((onnx) => onnx, { window: 9, sink: 3, ...sampler });
  const { f32, i32 } = await tensorsOf('streamed');
  const [noise, want] = [await f32('noise'), await f32('clean')];
  const [C, F, block] = [4, 30, 3];
  const request = { ...REQUEST, ...SIZE, seconds: 7.3, steps: 1 };
  const counts = { fps: 16, perBlock: block, stride: 4 };
  const { blocks } = planClip([{ cut: false, seconds: 7.3 }], counts);
  expect(blocks).toHaveLength(F / block);
  const networks = await own.open(request, planClip([{ cut: false, seconds: 7.3 }], counts));
  await networks.say(await i32('ids'));
  const errors: number[] = [];
  for (const b of blocks) {
    const part = (all: Float32Array<ArrayBuffer>) => sliceLatents(all, [C, F], b.firstLatent, block);
    networks.start(b, part(noise));
    await networks.step({ index: 0, timestep: 1000, sigma: 1, next: 0 }, null);
    errors.push(apart(await networks.settle(), part(want)));
    await networks.remember();
  }
  networks.free();
  own.free();
  return errors;
}

test('a sink moves along with the window as in the plain PyTorch reference, over four windows', async () => {
  // Every block is made of those before it: errors of rounding may grow from block to block.
  expect(Math.max(...(await stream({ positions: 'window' })))).toBeLessThan(1e-3);
  // It is what a model is taken to mean that says nothing of positions.
  expect(Math.max(...(await stream({})))).toBeLessThan(1e-3);
});

test('the golden tells a sink that moves along from one that stays behind, and from none', async () => {
  const behind = await stream({ positions: 'clip' });
  // Nothing has fallen out of sight in the first three blocks.
  expect(Math.max(...behind.slice(0, 3))).toBeLessThan(1e-3);
  expect(behind.at(-1)).toBeGreaterThan(1e-2);
  expect((await stream({ sink: 0 })).at(-1)).toBeGreaterThan(1e-2);
});

test('a clip begins with a picture', async () => {
  const made = await make({ picture, seconds: 1, crop: 0.25 });
  expect(made.clip).toMatchObject({ backend: 'cpu', frames: 16 });
  expect(made.denoised).toEqual([1, 2]); // the picture is the first block
  expect(made.clip.recipe).toMatchObject({ begins: 'picture', crop: 0.25 }); // where it was cropped, to do it again
  const other = await make({ picture, seconds: 1, seed: 8 });
  expect(other.clip.frameHashes[0]).toBe(made.clip.frameHashes[0]);
  expect(other.clip.frameHashes[1]).not.toBe(made.clip.frameHashes[1]);
});

test('a video from outside is gone on with, and made anew', async () => {
  const footage = { ...SIZE, frames: 24, rgba: rgba(24) };
  const longer = await make({ prompt: 'a storm', seconds: 1, footage: { ...footage, use: 'extend' } });
  expect(longer.clip.frames).toBe(21 + 16); // 24 frames hold two whole blocks
  expect(longer.denoised).toEqual([2, 3]);
  expect(longer.clip.recipe).toMatchObject({ begins: 'video', prompt: '[1.31s] …\na storm' });
  const remix = await make({ prompt: 'a storm', seconds: 1, strength: 0.5, footage: { ...footage, use: 'remix' } }); // prettier-ignore
  expect(remix.denoised).toEqual([0, 1]);
  const stronger = await make({ prompt: 'a storm', seconds: 1, strength: 1, footage: { ...footage, use: 'remix' } }); // prettier-ignore
  expect(stronger.clip.frameHashes).not.toEqual(remix.clip.frameHashes);
});

test('a model whose export has no encoder says so', async () => {
  const without = await openTiny(({ encoder, files, ...rest }) => ({
    ...rest,
    files: files.filter(({ path }) => path !== encoder),
  }));
  expect(without.encode).toBeNull();
  await expect(make({ picture }, without)).rejects.toMatchObject({
    code: 'bad-request',
    message: 'Random weights, for tests only cannot begin with a picture: it has no encoder here.',
    params: { field: 'picture' },
  });
  without.free();
});
