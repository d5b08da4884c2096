/**
 * The autoencoder of a model, TAEHV or the Wan VAE, in the same words: latents go in one by one, frames in [0, 1] come
 * out, and what later frames need of earlier ones is kept in a memory of its own.
 */
import type { Gpu } from '../gpu/device';
import { Run } from '../gpu/run';
import { reshape, size, type Tensor } from '../gpu/tensor';
import {
  createTaehvMemory,
  prepareTaehvDecoder,
  readTaehvConfig,
  taehvDecode,
  taehvShapes,
  timeScale,
  type TaehvConfig,
  type TaehvMemory,
  type TaehvSide,
} from '../models/taehv';
import { ourName } from '../models/names';
import { matchTensors, type Match, type Shapes } from '../models/tensors';
import {
  pieceFrames,
  prepareWanVae,
  readWanVaeConfig,
  spaceScale,
  wanVaeSideShapes,
  type WanVaeConfig,
  type WanVaeSide,
} from '../models/wan-vae';
import { WHOLE, type Tiling } from '../models/tiling';
import { TiledMemory, wanVaeDecodeTiled, wanVaeEncodeTiled } from '../models/wan-vae-tiles';
import { affine } from '../ops/elementwise';
import { axesOf, permute, strided } from '../ops/strided';
import type { ModelManifest } from '../weights/manifest';
import type { WeightFile } from '../weights/source';
import type { Weights } from '../weights/upload';
import { openFrameEncoder, type FrameEncoder } from './frame-encoder';

/** What a clip's decoder keeps from latent to latent. Owned by who opened it. */
export interface FrameMemory {
  /** The next latent is the first of a clip. */
  reset(): void;
  free(): void;
}

export interface FrameDecoder {
  /**
   * For latents of height h and width w.
   * @param options.tiling in which the picture is decoded, of those that decoder-plan.ts lists; default: whole
   * @param options.dry for a dry run: no buffers need be made
   */
  open(h: number, w: number, options?: { tiling?: Tiling; dry?: boolean }): FrameMemory;
  /**
   * @param latent [1, C, h, w] f32, not normalised
   * @returns [T, H, W, 3] in [0, 1], not clamped. T is the stride in time; of the clip's first latent only its last
   *   frame counts, and it may be the only one that comes.
   */
  decode(run: Run, latent: Tensor, memory: FrameMemory): Tensor;
  free(): void;
}

export type AutoencoderConfig =
  { network: 'taehv'; config: TaehvConfig } | { network: 'wan-vae'; config: WanVaeConfig };

/** Throws `bad-model` naming the field. */
export function readAutoencoderConfig({
  network,
  config,
}: ModelManifest['components']['autoencoder']): AutoencoderConfig {
  return network === 'taehv'
    ? { network, config: readTaehvConfig(config) }
    : { network, config: readWanVaeConfig(config) };
}

/** Channels of a latent, and the frames, rows and columns that it stands for. */
export function latentOf({ network, config: c }: AutoencoderConfig): { channels: number; stride: number[] } {
  if (network === 'wan-vae')
    return { channels: c.z_dim, stride: [pieceFrames(c), spaceScale(c), spaceScale(c)] };
  const space = timeScale(c.decoder_space_upscale) * c.patch_size;
  return { channels: c.latent_channels, stride: [timeScale(c.decoder_time_upscale), space, space] };
}

/** Tensors of the side; null where shapes are not told by the config. */
export function sideShapes(a: AutoencoderConfig, side: 'decoder' | 'encoder'): Shapes {
  return a.network === 'taehv' ? taehvShapes(a.config, side) : wanVaeSideShapes(a.config, side);
}

/**
 * Tensors of a file: the decoder's, and the encoder's where it has one.
 * @throws KinoraError `bad-model` listing what does not fit
 */
export function matchAutoencoder(file: WeightFile, a: AutoencoderConfig): Map<string, Match> {
  const decoder = sideShapes(a, 'decoder');
  if (a.network === 'wan-vae') {
    const whole = new Map([...decoder, ...wanVaeSideShapes(a.config, 'encoder')]);
    const both = matchTensors(file, a.network, whole, 'some').has(WAN_ENCODER);
    return matchTensors(file, a.network, both ? whole : decoder, 'surplus');
  }
  const matched = matchTensors(file, a.network, decoder, 'surplus');
  // Encoders are of several kinds, which look at their own tensors (encode.ts).
  for (const info of file.tensors.values()) {
    const name = ourName(a.network, info.name);
    if (name?.startsWith('encoder.')) matched.set(name, { info, shape: info.shape });
  }
  return matched;
}
const WAN_ENCODER = 'encoder.conv_in.weight';

/** Repacks the weights and frees them as they came. */
export async function prepareAutoencoder(
  gpu: Gpu,
  weights: Weights,
  manifest: Pick<ModelManifest, 'latent' | 'components'>,
): Promise<{ decoder: FrameDecoder; encoder: FrameEncoder | null }> {
  const a = readAutoencoderConfig(manifest.components.autoencoder);
  const run = new Run(gpu);
  const made: { free(): void }[] = [];
  const own = <T extends { free(): void }>(side: T): T => (made.push(side), side);
  try {
    let decoder: FrameDecoder;
    let encoder: FrameEncoder | null;
    if (a.network === 'taehv') {
      decoder = own(taehvDecoder(gpu, prepareTaehvDecoder(run, weights, a.config)));
      encoder = openFrameEncoder(run, weights, manifest.components.autoencoder.config, manifest);
      if (encoder) own(encoder);
    } else {
      decoder = own(wanDecoder(gpu, prepareWanVae(run, weights, a.config, 'decoder')));
      const has = weights.has(WAN_ENCODER);
      encoder = has ? own(wanEncoder(gpu, prepareWanVae(run, weights, a.config, 'encoder'))) : null;
    }
    await run.sync();
    return { decoder, encoder };
  } catch (e) {
    for (const side of made) side.free();
    throw e;
  } finally {
    run.destroy();
    weights.free();
  }
}

function taehvDecoder(gpu: Gpu, side: TaehvSide): FrameDecoder {
  return {
    open: (h, w) => createTaehvMemory(gpu, side, h, w),
    decode: (run, latent, memory) => taehvDecode(run, side, latent, memory as TaehvMemory),
    free: () => side.free(),
  };
}

/** Its frames are in −1…1. */
function wanDecoder(gpu: Gpu, side: WanVaeSide): FrameDecoder {
  const half = gpu.memory.upload(Float32Array.of(0.5), [1], 'f32', 'half');
  return {
    open: (h, w, { tiling = WHOLE, dry } = {}) => new TiledMemory(gpu, side.config, h, w, tiling, { dry }),
    decode: (run, latent, memory) =>
      run.scope(() => {
        const rgb = wanVaeDecodeTiled(run, side, latent, memory as TiledMemory); // [T, H, W, 3]
        return reshape(affine(run, flat(run, rgb), half, half), rgb.shape);
      }),
    free() {
      side.free();
      gpu.memory.free(half);
    },
  };
}

function wanEncoder(gpu: Gpu, side: WanVaeSide): FrameEncoder {
  const [two, less] = [2, -1].map((v) => gpu.memory.upload(Float32Array.of(v), [1], 'f32', String(v)));
  const z = side.config.z_dim;
  const scale = spaceScale(side.config);
  return {
    remember: ({ width, height }, tiling = WHOLE) =>
      new TiledMemory(gpu, side.config, height / scale, width / scale, tiling, { side: 'encoder' }),
    encode: (run, frames, memory) =>
      run.scope(() => {
        const kept = memory as TiledMemory;
        const [T, H, W, C] = frames.shape as [number, number, number, number];
        const all = reshape(affine(run, flat(run, frames), two!, less!), frames.shape);
        // The first latent stands for one frame, which came as often as others come with theirs.
        const axes = axesOf([1, H, W, C]);
        const piece = kept.small.pieces > 0 ? all : strided(run, all, axes, [1, H, W, C], { offset: (T - 1) * H * W * C, dtype: 'f32' }); // prettier-ignore
        const moments = wanVaeEncodeTiled(run, side, piece, kept); // [1, h, w, 2·z], the mean first
        const [, h, w] = moments.shape as [number, number, number];
        const mean = [
          { size: z, stride: 1 },
          { size: h * w, stride: 2 * z },
        ];
        return strided(run, moments, mean, [1, z, h, w], { dtype: 'f32' });
      }),
    free() {
      side.free();
      for (const t of [two!, less!]) gpu.memory.free(t);
    },
  };
}

/** As one row of f32; x itself where it is that. */
function flat(run: Run, x: Tensor): Tensor {
  const row = reshape(x, [1, size(x)]);
  return x.dtype === 'f32' ? row : permute(run, row, [0, 1], { dtype: 'f32' });
}
