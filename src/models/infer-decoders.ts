/** Configs of the two autoencoders read off the shapes of their tensors, for files that come without a config. */
import { KinoraError } from '../errors';
import type { WeightFile } from '../weights/source';
import type { Config } from './config';
import { finder } from './infer';
import { MOST_LEVELS } from './wan-vae-layers';

/** Pixels of a latent's side in Wan 2.1: what shapes alone do not tell of TAEHV, for nearest upsampling has no weights. */
const SPACE = 8;

/**
 * Of TAEHV: the arguments of its constructor. Upsampling leaves no trace in the shapes, so every level doubles the
 * picture where the last one ends at single pixels, and none does where it ends at patches of eight.
 * Throws `bad-model` naming a tensor that is missing.
 */
export function inferTaehvConfig(file: WeightFile): Config {
  const { find, has } = finder(file, 'taehv');
  const [first, channels] = find('decoder.1.weight', 4) as [number, number];
  const widths = [8, 14, 20].map((i) => find(`decoder.${i}.weight`, 4)[0]!);
  const [out] = find('decoder.22.weight', 4) as [number];
  const patch = Math.sqrt(out / 3);
  if (patch !== 1 && patch !== SPACE)
    throw new KinoraError(
      'bad-model',
      `${file.name}: its pictures are put together of patches of ${patch} pixels; Kinora knows TAEHV for Wan 2.1, which has single pixels. Take taew2_1.`,
      { file: file.name, patch },
    );
  const twice = (name: string, axis: 0 | 1) => {
    const shape = find(name, 4);
    return shape[axis]! > shape[1 - axis]!;
  };
  const space = Array<boolean>(3).fill(patch === 1);
  const encoder = has(/^encoder\.\d+\./);
  return {
    latent_channels: channels,
    decoder_channels: [first, ...widths],
    decoder_time_upscale: [7, 13, 19].map((i) => twice(`decoder.${i}.conv.weight`, 0)),
    decoder_space_upscale: space,
    patch_size: patch,
    ...(encoder && {
      encoder_channels: find('encoder.0.weight', 4)[0],
      encoder_time_downscale: [2, 7, 12].map((i) => twice(`encoder.${i}.conv.weight`, 1)),
      encoder_space_downscale: space,
    }),
  };
}

/** Of the Wan 2.1 VAE: diffusers' fields. Throws `bad-model` naming a tensor that is missing. */
export function inferWanVaeConfig(file: WeightFile): Config {
  const { find, has, layers } = finder(file, 'wan-vae');
  const [, base] = find('decoder.conv_out.weight', 5) as [number, number];
  const [, z] = find('decoder.conv_in.weight', 5) as [number, number];
  const levels = layers(/^decoder\.up_blocks\.(\d+)\./, MOST_LEVELS);
  const blocks = layers(/^decoder\.up_blocks\.0\.resnets\.(\d+)\./);
  const mults = Array.from(
    { length: levels },
    (_, i) => find(`decoder.up_blocks.${i}.resnets.0.conv1.weight`, 5)[0]! / base,
  ).reverse();
  const time = (level: number) =>
    has(new RegExp(`^decoder\\.up_blocks\\.${level}\\.upsamplers\\.0\\.time_conv`));
  return {
    base_dim: base,
    z_dim: z,
    dim_mult: mults,
    num_res_blocks: blocks - 1,
    temperal_downsample: Array.from({ length: levels - 1 }, (_, i) => time(i)).reverse(),
  };
}
