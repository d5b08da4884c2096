/** Frames → clean latents, with the encoder of the model's autoencoder, one latent at a time. */
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
import { encodePieces } from './pieces';

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
 * @param frames [T, height, width, 3] in [0, 1], T = 1 + stride·(F − 1)
 * @returns [C, F, h, w], normalised; see pieces.ts
 */
export async function encodeFrames(
  { gpu, manifest }: GpuModel,
  encoder: FrameEncoder,
  frames: Float32Array<ArrayBuffer>,
  size: Size,
): Promise<Latents> {
  const { stride, mean, std } = manifest.latent;
  const { width, height } = size;
  const pixels = (height / stride[1]) * (width / stride[2]);
  const run = new Run(gpu);
  const memory = encoder.remember(size);
  try {
    return await encodePieces(manifest, frames, size, async (piece) => {
      const input = run.input(piece, [stride[0], height, width, 3], 'frames', 'f32');
      const made = encoder.encode(run, input, memory); // [1, C, h, w]
      const values = await run.read(made);
      for (const t of [input, made]) run.release(t);
      return values.map((v, i) => (v - mean[Math.floor(i / pixels)]!) / std[Math.floor(i / pixels)]!);
    });
  } finally {
    memory.free();
    run.destroy();
  }
}
