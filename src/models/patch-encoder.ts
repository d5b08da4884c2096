/**
 * The encoder of Kinora Pocket's autoencoder from its second edition on (training/taehv.py, `Encoder`): a linear map of
 * each patch of 4 frames by 8 × 8 pixels, plus what a few MemBlocks see of it. The decoder is TAEHV's.
 *
 *   latent = linear(patch) + out(MemBlock × n(relu(wide(patch))))
 *
 * F latent frames, h w of the latents; t p p: frames, rows and columns of a patch; C latent channels.
 */
import { conv } from '../ops/conv';
import { permute, rearrange } from '../ops/strided';
import type { Gpu } from '../gpu/device';
import type { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import type { Weights } from '../weights/upload';
import { ConfigReader, MOST_LAYERS, type Config } from './config';
import { ConvWeights, memBlock } from './conv-weights';
import { readTaehvConfig, TaehvMemory, timeScale } from './taehv';

export interface PatchEncoderConfig {
  latent_channels: number;
  /** Frames of a patch, as many as the decoder makes of a latent. */
  time: number;
  /** Pixels along a side of a patch, as many as the decoder makes of a latent's. */
  space: number;
  /** Channels of the MemBlocks. */
  width: number;
  /** MemBlocks. */
  blocks: number;
}

/** Reads `encoder_width` and `encoder_blocks` of the autoencoder's config, the rest from its decoder's. Throws `bad-model`. */
export function readPatchEncoderConfig(config: Config): PatchEncoderConfig {
  const c = new ConfigReader('taehv', config);
  const decoder = readTaehvConfig(config);
  return {
    latent_channels: decoder.latent_channels,
    time: timeScale(decoder.decoder_time_upscale),
    space: timeScale(decoder.decoder_space_upscale) * decoder.patch_size,
    width: c.integer('encoder_width', 1, 128),
    blocks: c.integer('encoder_blocks', 0, 2, MOST_LAYERS),
  };
}

export interface PatchEncoder {
  config: PatchEncoderConfig;
  weights: ConvWeights;
}

/** Repacks the weights `encoder.*`; `w` may be freed once the run was flushed. Throws `bad-model`. */
export function preparePatchEncoder(run: Run, w: Weights, config: PatchEncoderConfig): PatchEncoder {
  const { latent_channels: C, time, space, width, blocks } = config;
  const values = time * 3 * space * space;
  const weights = new ConvWeights(run, w);
  try {
    weights.conv('encoder.linear', values, C, 1);
    weights.conv('encoder.wide', values, width, 1);
    for (let i = 0; i < blocks; i++) weights.mem(`encoder.blocks.${i}`, width);
    weights.conv('encoder.out', width, C, 3);
    return { config, weights };
  } catch (e) {
    weights.free();
    throw e;
  }
}

/** An empty frame cache, for clips of latents of height h and width w that are encoded piece by piece. */
export function createPatchMemory(gpu: Gpu, { config }: PatchEncoder, h: number, w: number): TaehvMemory {
  const { blocks, width } = config;
  const frame = (i: number) => gpu.memory.tensor([1, h, w, width], gpu.elem, `encoder's frame cache ${i}`);
  return new TaehvMemory(gpu, new Map(Array.from({ length: blocks }, (_, i) => [i, frame(i)])));
}

/**
 * @param frames [F·t, h·p, w·p, 3] f32 in [0, 1]
 * @param memory keeps the frames that the next piece of the same clip needs
 * @returns [F, C, h, w] f32, not normalised
 */
export function patchEncode(run: Run, e: PatchEncoder, frames: Tensor, memory?: TaehvMemory): Tensor {
  const { time: t, space: p, blocks } = e.config;
  const [T, H, W] = frames.shape as [number, number, number];
  const [F, h, w] = [T / t, H / p, W / p];
  return run.scope(() => {
    // PyTorch's pixel_unshuffle: a frame's values are [3, p, p], a patch's are those of its frames.
    const x = rearrange(run, frames, [F, t, h, p, w, p, 3], [0, 2, 4, 1, 6, 3, 5], [F, h, w, t * 3 * p * p]);
    const layer = (name: string) => e.weights.get(`encoder.${name}`);
    let y = conv(run, x, layer('wide.weight'), { bias: layer('wide.bias'), act: 'relu' });
    for (let i = 0; i < blocks; i++)
      y = memBlock(run, e.weights, `encoder.blocks.${i}`, y, memory?.frames.get(i), memory?.started);
    if (memory) memory.started = true;
    const linear = conv(run, x, layer('linear.weight'), { bias: layer('linear.bias') });
    const made = conv(run, y, layer('out.weight'), { bias: layer('out.bias'), residual: linear });
    return permute(run, made, [0, 3, 1, 2], { dtype: 'f32' });
  });
}
