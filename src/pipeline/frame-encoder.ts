/** The encoder of a model's autoencoder, of whatever kind, in the same words: frames go in by latents. */
import type { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import type { Config } from '../models/config';
import { createPatchMemory, patchEncode, preparePatchEncoder, readPatchEncoderConfig } from '../models/patch-encoder'; // prettier-ignore
import { createTaehvMemory, prepareTaehvEncoder, readTaehvConfig, taehvEncode, timeScale, type TaehvMemory } from '../models/taehv'; // prettier-ignore
import type { Tiling } from '../models/tiling';
import type { ModelManifest } from '../weights/manifest';
import type { Weights } from '../weights/upload';
import type { Size } from '../worker/protocol/clip';

/** What an encoder keeps of the frames before. */
interface FrameMemory {
  free(): void;
}

/** An encoder with its weights. Owns them. */
export interface FrameEncoder {
  /** A frame cache for clips of this size. @param tiling of those that encoder-plan.ts lists; default: whole */
  remember(size: Size, tiling?: Tiling): FrameMemory;
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
