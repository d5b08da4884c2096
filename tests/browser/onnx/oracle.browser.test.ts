/**
 * Two witnesses of Pocket: our kernels (here on the software adapter, f32) and onnxruntime-web, with the real weights,
 * the same prompt and the same noise. Both hold the same q8_0 weights, so what is left between them is rounding.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Run } from '../../../src/gpu/run';
import { encodeText, wanTransformer } from '../../../src/models/wan-transformer';
import { getRuntime, openSession, type Session } from '../../../src/onnx/runtime';
import { loadOnnxModel } from '../../../src/onnx/model';
import type { Model } from '../../../src/pipeline/backend';
import { planClip } from '../../../src/pipeline/blocks';
import { loadModel, type GpuModel } from '../../../src/pipeline/model';
import { noise } from '../../../src/sampling/noise';
import { steps, warp } from '../../../src/sampling/schedule';
import { euler } from '../../../src/sampling/steppers';
import { cleanPrompt } from '../../../src/text/clean';
import { psnr } from '../../helpers/clips';
import { openTestGpu } from '../../helpers/gpu';

const PROMPT = 'a red boat drifting on the sea at sunset';
const URL_OF_POCKET = new URL('/models/pocket/', location.href).href;
const REQUEST = { prompt: PROMPT, seed: 7, seconds: 0.5, width: 96, height: 64, steps: 2 };

let kernels: GpuModel;
let onnx: Model;
beforeAll(async () => {
  kernels = await loadModel(await openTestGpu(), URL_OF_POCKET, () => {});
  onnx = await loadOnnxModel(URL_OF_POCKET, () => {});
}, 180_000);
afterAll(() => {
  kernels?.free();
  onnx?.free();
});

/** ‖a − b‖ / ‖b‖ */
function error(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let [difference, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

/** The noise that block `index` of a clip of 96×64 begins with, and its shape [C, F, h, w]. */
function beginning(index: number) {
  const shape = [kernels.manifest.latent.channels, 3, 8, 12];
  const latents = noise(7, { block: index, step: 0, purpose: 'start' }, shape.reduce((a, b) => a * b)); // prettier-ignore
  return { shape, latents };
}

const idsOf = (model: Model) => model.tokenizer.encode(cleanPrompt(PROMPT), model.textLength);

async function sessionOf(part: 'text_encoder' | 'transformer'): Promise<Session> {
  const path = onnx.manifest.onnx![part];
  const response = await fetch(new URL(path, URL_OF_POCKET));
  return openSession(path, new Uint8Array(await response.arrayBuffer()));
}

test('token ids are equal', () => {
  expect([...idsOf(kernels)]).toEqual([...idsOf(onnx)]);
});

describe('network by network', () => {
  // f32 on both sides; sums of some hundred terms in another order differ by a few 1e-6.
  const TOLERANCE = 1e-4;
  let context: Float32Array;

  test('text embedding', async () => {
    const { Tensor } = await getRuntime();
    const ids = idsOf(kernels);
    const session = await sessionOf('text_encoder');
    const out = await session.run({
      input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
    });
    context = out.context!.data as Float32Array;
    await session.release();

    const run = new Run(kernels.gpu);
    const { textEncoder, transformer } = kernels;
    const hidden = await textEncoder.encode(run, ids);
    let own: Promise<Float32Array> | null = null;
    encodeText(run, transformer.weights, transformer.config, hidden, (name, t) => {
      if (name === 'text_embedder') own = run.read(t);
    });
    const mine = (await own!)!;
    run.destroy();
    // Ours has the real rows and one pad row; theirs has every pad row.
    const width = mine.length / (ids.length + 1);
    expect(error(mine, context.subarray(0, (ids.length + 1) * width))).toBeLessThan(TOLERANCE);
  });

  test('the first step’s flow, and the latents after one block', async () => {
    const { Tensor } = await getRuntime();
    const session = await sessionOf('transformer');
    const { shape, latents } = beginning(0);
    const { layers, heads, d } = { layers: 6, heads: 3, d: 64 };
    const empty = () => new Tensor('float32', new Float32Array(), [layers, heads, 0, d]);
    const theirFlow = async (x: Float32Array, timestep: number) => {
      const out = await session.run({
        latents: new Tensor('float32', x, [1, ...shape]),
        timesteps: new Tensor('float32', new Float32Array(3).fill(timestep), [1, 3]),
        context: new Tensor('float32', context, [1, kernels.textLength, heads * d]),
        first_frame: new Tensor('int64', BigInt64Array.of(0n), [1]),
        past_k: empty(),
        past_v: empty(),
      });
      return out.flow!.data as Float32Array;
    };
    const run = new Run(kernels.gpu);
    const { textEncoder, transformer } = kernels;
    const ids = idsOf(kernels);
    const hidden = await textEncoder.encode(run, ids);
    const text = encodeText(run, transformer.weights, transformer.config, hidden);
    const ourFlow = async (x: Float32Array, timestep: number) => {
      const input = run.input(x, shape, 'latents', 'f32');
      const timesteps = Array<number>(3).fill(timestep);
      return run.read(
        wanTransformer(run, transformer.weights, transformer.config, { latents: input, timesteps, text }),
      );
    };

    const schedule = steps(warp([1000, 750, 500, 250], kernels.manifest.sampler.shift));
    let [ours, theirs]: Float32Array[] = [latents, latents];
    for (const { index, timestep, sigma, next } of schedule) {
      const [a, b] = [await ourFlow(ours!, timestep), await theirFlow(theirs!, timestep)];
      if (index === 0) expect(error(a, b)).toBeLessThan(TOLERANCE);
      [ours, theirs] = [euler(ours!, a, sigma, next), euler(theirs!, b, sigma, next)];
    }
    run.destroy();
    await session.release();
    // Every step hands its rounding on to the next one, which may enlarge it.
    expect(error(ours!, theirs!)).toBeLessThan(10 * TOLERANCE);
  });
});

test('a clip of two blocks: previews and frames', async () => {
  const schedule = steps(warp([1000, 500], kernels.manifest.sampler.shift));
  const plan = planClip([{ seconds: 1, cut: false }], { fps: 16, perBlock: 3, stride: 4 });
  const made = await Promise.all(
    [kernels, onnx].map(async (model) => {
      const networks = await model.open(REQUEST, plan);
      await networks.say(idsOf(model));
      const pictures: Uint8ClampedArray[] = [];
      const frames: Uint8Array[] = [];
      for (const block of plan.blocks) {
        networks.start(block, beginning(block.index).latents);
        for (const step of schedule) pictures.push((await networks.step(step, null)).rgba);
        const clean = await networks.settle();
        for (let i = 0; i < block.decode; i++) frames.push(...(await networks.decode(block, clean, i)).i420);
        if (!block.last) await networks.remember();
      }
      networks.free();
      return { pictures, frames };
    }),
  );
  const [ours, theirs] = made as [(typeof made)[0], (typeof made)[0]];
  expect(ours.frames).toHaveLength(16);
  expect(theirs.frames).toHaveLength(16);
  // Latents after each step, as pictures of 8 bits: rounding moves a value by one at most.
  ours.pictures.forEach((picture, i) => {
    const worst = Math.max(...picture.map((n, j) => Math.abs(n - theirs.pictures[i]![j]!)));
    expect(worst).toBeLessThanOrEqual(1);
  });
  // Rounding grows through two blocks and the decoder, and frames are rounded to 8 bits: far from 30 dB all the same.
  ours.frames.forEach((frame, i) => expect(psnr(frame, theirs.frames[i]!)).toBeGreaterThan(45));
});
