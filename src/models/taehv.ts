/**
 * TAEHV, the tiny video autoencoder, with the key names of madebyollin/taehv. Its MemBlocks see the frame before,
 * so a clip can be decoded a few latents at a time when those frames are kept (`TaehvMemory`).
 *
 * Inside, activations are [T, H, W, C]. Latents are [F, C, h, w]; frames [T, H, W, 3] in [0, 1]. With the usual
 * config F latents give 4F frames, of which the first 3 of a clip are dropped by the caller.
 */
import { activate } from '../ops/elementwise';
import { conv } from '../ops/conv';
import { store } from '../ops/rope';
import { axesOf, permute, rearrange, strided } from '../ops/strided';
import { reshape, type Tensor } from '../gpu/tensor';
import type { Gpu } from '../gpu/device';
import type { Run } from '../gpu/run';
import type { Weights } from '../weights/upload';
import { ConfigReader, type Config, type Tap } from './config';
import { ConvWeights, memBlock } from './conv-weights';
import type { Shapes } from './tensors';

export interface TaehvConfig {
  latent_channels: number;
  /** Widths of the decoder's levels, from the latents on. */
  decoder_channels: [number, number, number, number];
  decoder_time_upscale: boolean[];
  decoder_space_upscale: boolean[];
  encoder_channels: number;
  encoder_time_downscale: boolean[];
  encoder_space_downscale: boolean[];
  /** taehv: the graph's own. patches: models/patch-encoder.ts. */
  encoder_kind: 'taehv' | 'patches';
  /** Pixels of a pixel shuffle at the picture's end. */
  patch_size: number;
}

/** Reads the constructor arguments of `TAEHV`. Throws `bad-model` naming the field. */
export function readTaehvConfig(config: Config): TaehvConfig {
  const c = new ConfigReader('taehv', config);
  c.expect('encoder_kind', ['taehv', 'patches']);
  return {
    latent_channels: c.integer('latent_channels', 1, 16),
    decoder_channels: c.integers(
      'decoder_channels',
      4,
      [256, 128, 64, 64],
    ) as TaehvConfig['decoder_channels'],
    decoder_time_upscale: c.booleans('decoder_time_upscale', 3, [false, true, true]),
    decoder_space_upscale: c.booleans('decoder_space_upscale', 3, [true, true, true]),
    encoder_channels: c.integer('encoder_channels', 1, 64),
    encoder_time_downscale: c.booleans('encoder_time_downscale', 3, [true, true, false]),
    encoder_space_downscale: c.booleans('encoder_space_downscale', 3, [true, true, true]),
    encoder_kind: config.encoder_kind === 'patches' ? 'patches' : 'taehv',
    patch_size: c.integer('patch_size', 1, 1),
  };
}

/** Frames that the decoder makes of a latent, and that the encoder takes for one. */
export const timeScale = (flags: readonly boolean[]) => 2 ** flags.filter(Boolean).length;

type Layer =
  | { kind: 'softclamp' | 'relu' }
  | { kind: 'conv'; from: number; to: number; bias: boolean; stride: 1 | 2 }
  | { kind: 'mem'; width: number }
  | { kind: 'up'; scale: 1 | 2 }
  | { kind: 'grow' | 'pool'; width: number; times: 1 | 2 };

const conv3 = (from: number, to: number, bias = true, stride: 1 | 2 = 1): Layer => ({ kind: 'conv', from, to, bias, stride }); // prettier-ignore

/** The decoder's `Sequential`, layer by layer. */
function decoderLayers(c: TaehvConfig): Layer[] {
  const widths = c.decoder_channels;
  const layers: Layer[] = [{ kind: 'softclamp' }, conv3(c.latent_channels, widths[0]), { kind: 'relu' }];
  for (let i = 0; i < 3; i++) {
    const width = widths[i]!;
    const mem: Layer = { kind: 'mem', width };
    layers.push(mem, mem, mem, { kind: 'up', scale: c.decoder_space_upscale[i] ? 2 : 1 });
    layers.push({ kind: 'grow', width, times: c.decoder_time_upscale[i] ? 2 : 1 });
    layers.push(conv3(width, widths[i + 1]!, false));
  }
  return [...layers, { kind: 'relu' }, conv3(widths[3], 3 * c.patch_size ** 2)];
}

/** The encoder's `Sequential`. */
function encoderLayers(c: TaehvConfig): Layer[] {
  const width = c.encoder_channels;
  const layers: Layer[] = [conv3(3 * c.patch_size ** 2, width), { kind: 'relu' }];
  c.encoder_time_downscale.forEach((half, i) => {
    const mem: Layer = { kind: 'mem', width };
    layers.push(
      { kind: 'pool', width, times: half ? 2 : 1 },
      conv3(width, width, false, c.encoder_space_downscale[i] ? 2 : 1),
      mem,
      mem,
      mem,
    );
  });
  return [...layers, conv3(width, c.latent_channels)];
}

/** Tensors of one side, as the file has them. */
export function taehvShapes(c: TaehvConfig, side: 'decoder' | 'encoder'): Shapes {
  const shapes = new Map<string, number[]>();
  const layers = side === 'decoder' ? decoderLayers(c) : encoderLayers(c);
  layers.forEach((layer, i) => {
    const name = `${side}.${i}`;
    if (layer.kind === 'conv') {
      shapes.set(`${name}.weight`, [layer.to, layer.from, 3, 3]);
      if (layer.bias) shapes.set(`${name}.bias`, [layer.to]);
    } else if (layer.kind === 'mem') {
      for (const j of [0, 2, 4]) {
        shapes.set(`${name}.conv.${j}.weight`, [layer.width, (j === 0 ? 2 : 1) * layer.width, 3, 3]);
        shapes.set(`${name}.conv.${j}.bias`, [layer.width]);
      }
    } else if (layer.kind === 'grow') shapes.set(`${name}.conv.weight`, [layer.width * layer.times, layer.width, 1, 1]); // prettier-ignore
    else if (layer.kind === 'pool') shapes.set(`${name}.conv.weight`, [layer.width, layer.width * layer.times, 1, 1]); // prettier-ignore
  });
  return shapes;
}

/** One side of the autoencoder with its weights as `conv` wants them. Owns their buffers. */
export class TaehvSide {
  constructor(
    readonly side: 'decoder' | 'encoder',
    readonly config: TaehvConfig,
    readonly layers: readonly Layer[],
    readonly weights: ConvWeights,
  ) {}

  get bytes(): number {
    return this.weights.bytes;
  }

  free(): void {
    this.weights.free();
  }
}

/** Repacks the decoder's weights; `w` may be freed once the run was flushed. Throws `bad-model`. */
export function prepareTaehvDecoder(run: Run, w: Weights, c: TaehvConfig): TaehvSide {
  return prepare(run, w, c, 'decoder', decoderLayers(c));
}

/** Repacks the encoder's weights; `w` may be freed once the run was flushed. Throws `bad-model`. */
export function prepareTaehvEncoder(run: Run, w: Weights, c: TaehvConfig): TaehvSide {
  return prepare(run, w, c, 'encoder', encoderLayers(c));
}

function prepare(
  run: Run,
  w: Weights,
  c: TaehvConfig,
  side: 'decoder' | 'encoder',
  layers: Layer[],
): TaehvSide {
  const weights = new ConvWeights(run, w);
  try {
    layers.forEach((layer, i) => {
      const name = `${side}.${i}`;
      if (layer.kind === 'conv') weights.conv(name, layer.from, layer.to, 3, layer.bias);
      else if (layer.kind === 'mem') weights.mem(name, layer.width);
      else if (layer.kind === 'grow')
        weights.conv(`${name}.conv`, layer.width, layer.width * layer.times, 1, false);
      else if (layer.kind === 'pool')
        weights.conv(`${name}.conv`, layer.width * layer.times, layer.width, 1, false);
    });
  } catch (e) {
    weights.free();
    throw e;
  }
  return new TaehvSide(side, c, layers, weights);
}

/** The last frame that each MemBlock saw, so that a clip can be decoded piece by piece. Owns its buffers. */
export class TaehvMemory {
  readonly frames: ReadonlyMap<number, Tensor>;
  /** False: the next piece is the first of a clip. */
  started = false;
  readonly #gpu: Gpu;

  constructor(gpu: Gpu, frames: ReadonlyMap<number, Tensor>) {
    this.#gpu = gpu;
    this.frames = frames;
  }

  reset(): void {
    this.started = false;
  }

  free(): void {
    for (const t of this.frames.values()) this.#gpu.memory.free(t);
  }
}

/** An empty frame cache for what goes into a side: latents of height h and width w, or frames. */
export function createTaehvMemory(
  gpu: Gpu,
  { side, layers, config }: TaehvSide,
  h: number,
  w: number,
): TaehvMemory {
  const frames = new Map<number, Tensor>();
  let [y, x] = side === 'encoder' ? [h / config.patch_size, w / config.patch_size] : [h, w];
  layers.forEach((layer, i) => {
    if (layer.kind === 'up') [y, x] = [y * layer.scale, x * layer.scale];
    if (layer.kind === 'conv') [y, x] = [Math.ceil(y / layer.stride), Math.ceil(x / layer.stride)];
    if (layer.kind === 'mem')
      frames.set(i, gpu.memory.tensor([1, y, x, layer.width], gpu.elem, `frame cache ${i}`));
  });
  return new TaehvMemory(gpu, frames);
}

/**
 * @param latents [F, C, h, w] f32, not normalised
 * @param memory keeps the frames that the next piece of the same clip needs
 * @returns [T, H, W, 3], not clamped
 */
export function taehvDecode(
  run: Run,
  d: TaehvSide,
  latents: Tensor,
  memory?: TaehvMemory,
  tap?: Tap,
): Tensor {
  const p = d.config.patch_size;
  return run.scope(() => {
    const x = sequence(run, d, permute(run, latents, [0, 2, 3, 1]), memory, tap);
    if (memory) memory.started = true;
    if (p === 1) return x;
    const [T, h, w] = x.shape as [number, number, number];
    return rearrange(run, x, [T, h, w, 3, p, p], [0, 1, 4, 2, 5, 3], [T, h * p, w * p, 3]);
  });
}

/**
 * @param frames [T, H, W, 3] f32 in [0, 1]; the last is repeated until T is a multiple of what makes a latent
 * @param memory keeps the frames that the next piece of the same clip needs
 * @returns [F, C, h, w] f32
 */
export function taehvEncode(run: Run, e: TaehvSide, frames: Tensor, memory?: TaehvMemory, tap?: Tap): Tensor {
  const p = e.config.patch_size;
  return run.scope(() => {
    const full = repeatLast(run, frames, timeScale(e.config.encoder_time_downscale));
    const [T, H, W] = full.shape as [number, number, number];
    const shape = [T, H / p, W / p, 3 * p * p];
    const x = rearrange(run, full, [T, H / p, p, W / p, p, 3], [0, 1, 3, 5, 2, 4], shape);
    const made = sequence(run, e, x, memory, tap);
    if (memory) memory.started = true;
    return permute(run, made, [0, 3, 1, 2], { dtype: 'f32' });
  });
}

/** [T, …] → [T′, …], T′ the next multiple of n. */
function repeatLast(run: Run, x: Tensor, n: number): Tensor {
  const [T, H, W, C] = x.shape as [number, number, number, number];
  const total = Math.ceil(T / n) * n;
  if (total === T) return x;
  const D = H * W * C;
  const cache = run.tensor([total, D], 'frames', 'f32');
  const into = { cache, tokensPerFrame: 1, sink: 0, window: total };
  store(run, reshape(x, [T, D]), { ...into, firstFrame: 0 });
  const last = strided(run, x, axesOf([1, D]), [1, D], { offset: (T - 1) * D, dtype: 'f32' });
  for (let t = T; t < total; t++) store(run, last, { ...into, firstFrame: t });
  return reshape(cache, [total, H, W, C]);
}

/** Runs the layers on x [T, H, W, C]. */
function sequence(run: Run, s: TaehvSide, x: Tensor, memory?: TaehvMemory, tap?: Tap): Tensor {
  let pendingUp: 1 | 2 = 1;
  s.layers.forEach((layer, i) => {
    const before = x;
    if (layer.kind === 'up') {
      // A 1×1 convolution and nearest upsampling may trade places, so `grow` does both, the cheap way round.
      pendingUp = layer.scale;
      return;
    }
    x = run.scope(() => runLayer(run, s, layer, i, before, pendingUp, memory));
    run.release(before);
    if (layer.kind === 'grow') pendingUp = 1;
    tap?.(`${s.side}.${i}`, x);
  });
  return x;
}

function runLayer(
  run: Run,
  s: TaehvSide,
  layer: Layer,
  i: number,
  x: Tensor,
  up: 1 | 2,
  memory?: TaehvMemory,
): Tensor {
  const at = (name: string) => s.weights.get(`${s.side}.${i}.${name}`);
  switch (layer.kind) {
    case 'softclamp':
    case 'relu':
      return activate(run, x, layer.kind);
    case 'conv': {
      const bias = layer.bias ? { bias: at('bias') } : {};
      return conv(run, x, at('weight'), { stride: layer.stride, ...bias });
    }
    case 'mem':
      return memBlock(run, s.weights, `${s.side}.${i}`, x, memory?.frames.get(i), memory?.started);
    case 'grow':
      return spread(run, conv(run, x, at('conv.weight')), layer.times, up);
    case 'pool': {
      const [T, H, W, C] = x.shape as [number, number, number, number];
      const n = layer.times;
      const wide = rearrange(run, x, [T / n, n, H, W, C], [0, 2, 3, 1, 4], [T / n, H, W, n * C]);
      return conv(run, wide, at('conv.weight'));
    }
    case 'up':
      throw new Error('taehv: upsampling is done by the layer behind it');
  }
}

/** [T, H, W, n·C] → [T·n, H·up, W·up, C]: channels become frames, pixels are repeated. */
function spread(run: Run, x: Tensor, n: number, up: number): Tensor {
  const [T, H, W, wide] = x.shape as [number, number, number, number];
  const C = wide / n;
  const axes = [
    { size: T, stride: H * W * wide },
    { size: n, stride: C },
    { size: H, stride: W * wide },
    { size: up, stride: 0 },
    { size: W, stride: wide },
    { size: up, stride: 0 },
    { size: C, stride: 1 },
  ];
  return strided(run, x, axes, [T * n, H * up, W * up, C]);
}
