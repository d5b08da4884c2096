/** Compiles the kernels that a clip will need, behind the loading bar: a dry run of the whole path collects them. */
import { KinoraError } from '../errors';
import { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import type { Tiling } from '../models/tiling';
import { createKvCache } from '../models/kv-cache';
import { encodeText, wanTransformer } from '../models/wan-transformer';
import { notFinite } from '../ops/canary';
import { rgbToI420 } from '../ops/i420';
import { latentsToRgba } from '../ops/preview';
import { eulerStep, predictClean, renoiseStep } from '../ops/sampler';
import type { CacheBits, Size } from '../worker/protocol/clip';
import { denormalise } from './decode';
import type { Fitting } from './memory-plan';
import type { GpuModel } from './model';
import { windowOf } from './window';

/** Tokens of a common prompt. */
const SHORT = 16;

/**
 * Chooses kernels by trial where that is still to be done, and compiles what is not compiled yet for pictures of this
 * size, made as it fits; quick when everything is.
 */
export async function warmUp(
  model: GpuModel,
  size: Size,
  fit: Fitting,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<void> {
  let run = rehearse(model, size, fit);
  try {
    if (await model.gpu.tuner.settle(model.gpu, run.questions.values())) {
      run.destroy();
      run = rehearse(model, size, fit); // with what was chosen
    }
    await run.compile(onProgress);
  } finally {
    run.destroy();
  }
}

/** A dry run of all that a clip of this size does. */
function rehearse(model: GpuModel, size: Size, { bits, tiling }: Fitting): Run {
  const run = new Run(model.gpu, { dry: true });
  try {
    // A prompt that fills the text's length takes other kernels: it has no pad row, and more rows.
    const { text_len } = model.transformer.config;
    for (const length of new Set([Math.min(SHORT, text_len), text_len]))
      denoise(run, model, size, { length, bits });
    decode(run, model, size, tiling);
    return run;
  } catch (e) {
    run.destroy();
    if (e instanceof RangeError) throw new KinoraError('internal', e.message, {}, e.stack);
    throw e;
  }
}

/** As pipeline/generate.ts does it, for one block and one step. */
function denoise(
  run: Run,
  model: GpuModel,
  size: Size,
  { length, bits }: { length: number; bits: CacheBits },
): void {
  const { textEncoder, transformer, preview } = model;
  const hidden =
    textEncoder.dry(run, length) ?? run.tensor([length, transformer.config.text_dim], 'text', 'f32');
  const text = encodeText(run, transformer.weights, transformer.config, hidden);
  const x = latents(run, model, size);
  const [, frames, height, width] = x.shape as [number, number, number, number];
  // With a sink that moves along, so that its kernels are there, too.
  const { sink, positions } = windowOf(model.manifest, {});
  const room = { frames: frames + sink, sink, positions, bits, height, width };
  const cache = createKvCache(model.gpu, transformer.config, room);
  const timesteps = Array<number>(frames).fill(1000);
  const input = { latents: x, timesteps, text, cache };
  let v: Tensor;
  try {
    v = wanTransformer(run, transformer.weights, transformer.config, input);
  } finally {
    cache.free();
  }
  notFinite(run, predictClean(run, x, v, 1));
  latentsToRgba(run, x, preview.matrix, preview.bias);
  if (model.manifest.sampler.kind === 'renoise') renoiseStep(run, x, v, x, 1, 0.5);
  else eulerStep(run, x, v, 1, 0.5); // weighted sums and guidance are the same kernel
}

/** A block of nothing. */
function latents(run: Run, { manifest }: GpuModel, { width, height }: Size): Tensor {
  const { latent, sampler } = manifest;
  const [, y, x] = latent.stride;
  const shape = [latent.channels, sampler.num_frame_per_block, height / y, width / x];
  return run.tensor(shape, 'latents', 'f32');
}

function decode(run: Run, model: GpuModel, size: Size, tiling: Tiling): void {
  const x = latents(run, model, size);
  const [, , h, w] = x.shape as [number, number, number, number];
  const memory = model.decoder.open(h, w, { tiling, dry: true });
  try {
    const [C] = x.shape as [number];
    const one = denormalise(run, model, run.tensor([C, 1, h, w], 'latent', 'f32'));
    // The first piece of a clip has no frames before it; the next ones have.
    for (let piece = 0; piece < 2; piece++) {
      const rgb = model.decoder.decode(run, one, memory);
      notFinite(run, rgb);
      rgbToI420(run, rgb);
    }
  } finally {
    memory.free();
  }
}
