/** What the Wan 2.1 VAE is made of, by its config: the layers of each side and the shapes of their tensors. Numbers only. */
import { ConfigReader, MOST_LAYERS, type Config } from './config';
import type { Shapes } from './tensors';

/** Sizes of pictures that it goes through; each is half of the one before. Wan's have 4. */
export const MOST_LEVELS = 8;

export interface WanVaeConfig {
  base_dim: number;
  z_dim: number;
  dim_mult: number[];
  num_res_blocks: number;
  /** Of each level but the last: its frames are halved, too. */
  temporal: boolean[];
}

/** Reads diffusers' config, with its defaults. Throws `bad-model` naming the field. */
export function readWanVaeConfig(config: Config): WanVaeConfig {
  const c = new ConfigReader('wan-vae', config);
  // What only Wan 2.2's VAE has.
  c.expect('is_residual', [false]);
  c.expect('patch_size', [null, 1]);
  c.expect('in_channels', [3]);
  c.expect('out_channels', [3]);
  c.expect('decoder_base_dim', [null, config.base_dim ?? 96]);
  const scales = config.attn_scales;
  if (Array.isArray(scales) && scales.length) throw c.wrong('attn_scales', 'empty');
  const levels = Array.isArray(config.dim_mult) ? config.dim_mult.length : 4;
  if (levels < 1 || levels > MOST_LEVELS) throw c.wrong('dim_mult', `1 to ${MOST_LEVELS} whole numbers`);
  return {
    base_dim: c.integer('base_dim', 1, 96),
    z_dim: c.integer('z_dim', 1, 16),
    dim_mult: c.integers('dim_mult', levels, [1, 2, 4, 4]),
    num_res_blocks: c.integer('num_res_blocks', 1, 2, MOST_LAYERS),
    temporal: c.booleans('temperal_downsample', levels - 1, [false, true, true]),
  };
}

/** A residual block, a halving or doubling of the picture (and with `time` of the frames). */
export type Layer =
  | { kind: 'res'; name: string; from: number; to: number }
  | { kind: 'down' | 'up'; name: string; from: number; to: number; time: boolean };

function encoderLayers(c: WanVaeConfig): Layer[] {
  const layers: Layer[] = [];
  const next = () => `encoder.down_blocks.${layers.length}`;
  let from = c.base_dim;
  c.dim_mult.forEach((mult, i) => {
    const to = c.base_dim * mult;
    for (let j = 0; j < c.num_res_blocks; j++, from = to)
      layers.push({ kind: 'res', name: next(), from, to });
    if (i < c.dim_mult.length - 1)
      layers.push({ kind: 'down', name: next(), from: to, to, time: c.temporal[i]! });
  });
  return layers;
}

function decoderLayers(c: WanVaeConfig): Layer[] {
  const layers: Layer[] = [];
  const widths = c.dim_mult.map((mult) => c.base_dim * mult).reverse();
  let from = widths[0]!;
  widths.forEach((to, i) => {
    const name = `decoder.up_blocks.${i}`;
    for (let j = 0; j <= c.num_res_blocks; j++, from = to)
      layers.push({ kind: 'res', name: `${name}.resnets.${j}`, from, to });
    if (i === widths.length - 1) return;
    const time = c.temporal.toReversed()[i]!;
    layers.push({ kind: 'up', name: `${name}.upsamplers.0`, from: to, to: to / 2, time });
    from = to / 2;
  });
  return layers;
}

export type Side = 'encoder' | 'decoder';

/**
 * The layer between large pictures and small ones. Decoder: the first that may work on tiles; from the third last level's
 * enlargement on pictures are large. Encoder: the first that may not; behind the second halving they are small. The
 * attention, which sees all of a picture, is among the small.
 */
export function splitOf(c: WanVaeConfig, side: Side): number {
  const layers = layersOf(c, side);
  const scaled = layers.flatMap(({ kind }, i) => (kind === 'res' ? [] : [i]));
  if (side === 'encoder') return scaled.length ? scaled[Math.min(1, scaled.length - 1)]! + 1 : 0;
  return scaled[Math.max(0, scaled.length - 2)] ?? layers.length;
}

/** Layers that may work on tiles. */
function largeLayers(c: WanVaeConfig, side: Side): Layer[] {
  const split = splitOf(c, side);
  return side === 'encoder' ? encoderLayers(c).slice(0, split) : decoderLayers(c).slice(split);
}

/** Cells to the side of a latent where tiles begin (decoder) or end (encoder). */
export const cellsOf = (c: WanVaeConfig, side: Side): number =>
  spaceScale(c) / 2 ** largeLayers(c, side).filter(({ kind }) => kind !== 'res').length;

/** Latents beyond its border that a tile must see, so that nothing within it is other than in the whole picture. */
export function haloOf(c: WanVaeConfig, side: Side): number {
  // Pixels; the encoder begins with them, and they grow.
  let cell = side === 'encoder' ? 1 : spaceScale(c) / cellsOf(c, side);
  let reach = 1; // of the convolution that takes or makes pictures
  for (const { kind } of largeLayers(c, side)) {
    // Two convolutions of 3 × 3; or one over the enlarged picture, which ends somewhere in the cell beside; or one that
    // halves it, which sees one cell more.
    reach += kind === 'res' ? 2 * cell : cell;
    if (kind !== 'res') cell *= side === 'encoder' ? 2 : 0.5;
  }
  return Math.ceil(reach / spaceScale(c));
}

export const layersOf = (c: WanVaeConfig, side: Side) =>
  side === 'encoder' ? encoderLayers(c) : decoderLayers(c);

/** Tensors of one side alone, as the file has them. */
export function wanVaeSideShapes(c: WanVaeConfig, side: Side): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const kernel = (name: string, to: number, from: number, ...window: number[]) => {
    shapes.set(`${name}.weight`, [to, from, ...window]);
    shapes.set(`${name}.bias`, [to]);
  };
  const res = (name: string, from: number, to: number) => {
    shapes.set(`${name}.norm1.gamma`, [from, 1, 1, 1]);
    shapes.set(`${name}.norm2.gamma`, [to, 1, 1, 1]);
    kernel(`${name}.conv1`, to, from, 3, 3, 3);
    kernel(`${name}.conv2`, to, to, 3, 3, 3);
    if (from !== to) kernel(`${name}.conv_shortcut`, to, from, 1, 1, 1);
  };
  const layers = layersOf(c, side);
  const top = c.base_dim * c.dim_mult.at(-1)!;
  const [inner, outer] = [top, c.base_dim];
  const last = side === 'encoder' ? top : c.base_dim * c.dim_mult[0]!;
  kernel(`${side}.conv_in`, side === 'encoder' ? outer : inner, side === 'encoder' ? 3 : c.z_dim, 3, 3, 3);
  for (const i of [0, 1]) res(`${side}.mid_block.resnets.${i}`, top, top);
  shapes.set(`${side}.mid_block.attentions.0.norm.gamma`, [top, 1, 1]);
  kernel(`${side}.mid_block.attentions.0.to_qkv`, 3 * top, top, 1, 1);
  kernel(`${side}.mid_block.attentions.0.proj`, top, top, 1, 1);
  for (const layer of layers) {
    const { name, from, to } = layer;
    if (layer.kind === 'res') res(name, from, to);
    else {
      kernel(`${name}.resample.1`, to, from, 3, 3);
      if (layer.time) kernel(`${name}.time_conv`, layer.kind === 'up' ? 2 * from : from, from, 3, 1, 1);
    }
  }
  shapes.set(`${side}.norm_out.gamma`, [last, 1, 1, 1]);
  kernel(`${side}.conv_out`, side === 'encoder' ? 2 * c.z_dim : 3, last, 3, 3, 3);
  if (side === 'encoder') kernel('quant_conv', 2 * c.z_dim, 2 * c.z_dim, 1, 1, 1);
  else kernel('post_quant_conv', c.z_dim, c.z_dim, 1, 1, 1);
  return shapes;
}

/** Of both sides. */
export const wanVaeShapes = (c: WanVaeConfig): Shapes =>
  new Map([...wanVaeSideShapes(c, 'encoder'), ...wanVaeSideShapes(c, 'decoder')]);

/** Frames that a piece of the encoder has: the clip's first alone, then four and four. */
export const pieceFrames = (c: WanVaeConfig): number => 2 ** c.temporal.filter(Boolean).length;
/** Pixels of a latent's side. */
export const spaceScale = (c: WanVaeConfig): number => 2 ** (c.dim_mult.length - 1);
