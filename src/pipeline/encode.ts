/** Frames → clean latents, with the encoder of the model's autoencoder, one latent at a time. */
import { KinoraError } from '../errors';
import { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import type { Config } from '../models/config';
import { createPatchMemory, patchEncode, preparePatchEncoder, readPatchEncoderConfig } from '../models/patch-encoder'; // prettier-ignore
import { createTaehvMemory, prepareTaehvEncoder, readTaehvConfig, taehvEncode, timeScale, type TaehvMemory } from '../models/taehv'; // prettier-ignore
import type { ModelManifest } from '../weights/manifest';
import type { Weights } from '../weights/upload';
import type { Size } from '../worker/protocol';
import type { Latents } from './backend';
import type { GpuModel } from './model';

/** What an encoder keeps of the frames before. */
interface FrameMemory {
  free(): void;
}

/** An encoder with its weights. Owns them. */
export interface FrameEncoder {
  /** A frame cache for clips of this size. */
  remember(size: Size): FrameMemory;
  /** frames [T, height, width, 3] in [0, 1], a whole number of latents → [F, C, h, w] f32, not normalised. */
  encode(run: Run, frames: Tensor, memory: FrameMemory): Tensor;
  free(): void;
}

/**
 * The encoder that the checkpoint has: TAEHV's own, or that of patches, as its config says. Null where it has none, or
 * one whose latents are not the decoder's.
 */
export function openFrameEncoder(
  run: Run,
  weights: Weights,
  config: Config,
  { latent }: Pick<ModelManifest, 'latent'>,
): FrameEncoder | null {
  const { gpu } = run;
  const [, y, x] = latent.stride;
  const c = readTaehvConfig(config);
  if (c.encoder_kind === 'patches') {
    if (!weights.has('encoder.linear.weight')) return null;
    const e = preparePatchEncoder(run, weights, readPatchEncoderConfig(config));
    return {
      remember: ({ width, height }) => createPatchMemory(gpu, e, height / y, width / x),
      encode: (r, frames, memory) => patchEncode(r, e, frames, memory as TaehvMemory),
      free: () => e.weights.free(),
    };
  }
  const space = timeScale(c.encoder_space_downscale) * c.patch_size;
  const fits = timeScale(c.encoder_time_downscale) === latent.stride[0] && space === y;
  if (!fits || !weights.has('encoder.0.weight')) return null;
  const e = prepareTaehvEncoder(run, weights, c);
  return {
    remember: ({ width, height }) => createTaehvMemory(gpu, e, height, width),
    encode: (r, frames, memory) => taehvEncode(r, e, frames, memory as TaehvMemory),
    free: () => e.free(),
  };
}

/**
 * The first latent frame stands for one frame, every later one for `stride`, as in the decoder; so the first frame is
 * repeated in front. Memory does not grow with the clip, but for the result.
 * @param frames [T, height, width, 3] in [0, 1], T = 1 + stride·(F − 1)
 * @returns [C, F, h, w], normalised
 */
export async function encodeFrames(
  { gpu, manifest }: GpuModel,
  encoder: FrameEncoder,
  frames: Float32Array<ArrayBuffer>,
  size: Size,
): Promise<Latents> {
  const { stride, mean, std, channels: C } = manifest.latent;
  const { width, height } = size;
  const one = 3 * width * height;
  const F = 1 + (frames.length / one - 1) / stride[0];
  if (!Number.isInteger(F))
    throw new KinoraError('internal', `${frames.length / one} frames are no whole number of latents.`);
  const pixels = (height / stride[1]) * (width / stride[2]);
  const out = new Float32Array(C * F * pixels);
  const run = new Run(gpu);
  const memory = encoder.remember(size);
  try {
    for (let f = 0; f < F; f++) {
      const piece = new Float32Array(stride[0] * one);
      for (let t = 0; t < stride[0]; t++) {
        const at = Math.max(0, f * stride[0] + t - (stride[0] - 1));
        piece.set(frames.subarray(at * one, (at + 1) * one), t * one);
      }
      const input = run.input(piece, [stride[0], height, width, 3], 'frames', 'f32');
      const made = encoder.encode(run, input, memory); // [1, C, h, w]
      const values = await run.read(made);
      for (const t of [input, made]) run.release(t);
      for (let c = 0; c < C; c++)
        for (let p = 0; p < pixels; p++)
          out[(c * F + f) * pixels + p] = (values[c * pixels + p]! - mean[c]!) / std[c]!;
    }
  } finally {
    memory.free();
    run.destroy();
  }
  if (out.every(Number.isFinite)) return out;
  throw new KinoraError('not-finite', 'The picture could not be encoded: the numbers ran away.', { operation: 'encoder' }); // prettier-ignore
}
