/**
 * What `npm run parity` knows of each network: its inputs, its output, its layers by name, and how to run it
 * from the reference's arrays to the reference's arrays.
 *
 * C channels, F latent frames, H W height and width, L text length, T pixel frames.
 */
import { KinoraError } from '../src/errors';
import type { Gpu } from '../src/gpu/device';
import { Run } from '../src/gpu/run';
import { reshape, size, type Tensor } from '../src/gpu/tensor';
import type { Config } from '../src/models/config';
import {
  createPatchMemory,
  patchEncode,
  preparePatchEncoder,
  readPatchEncoderConfig,
  type PatchEncoderConfig,
} from '../src/models/patch-encoder';
import {
  prepareTaehvDecoder,
  prepareTaehvEncoder,
  readTaehvConfig,
  taehvDecode,
  taehvEncode,
  timeScale,
  type TaehvConfig,
} from '../src/models/taehv';
import { readUmt5Config, umt5, type Umt5Config } from '../src/models/umt5';
import { readWanConfig, type WanConfig } from '../src/models/wan-config';
import { createKvCache } from '../src/models/kv-cache';
import { encodeText, wanTransformer } from '../src/models/wan-transformer';
import { ourName } from '../src/models/names';
import { matchTensors, umt5Shapes, wanShapes } from '../src/models/tensors';
import {
  pieceFrames,
  prepareWanVae,
  readWanVaeConfig,
  spaceScale,
  wanVaeDecode,
  wanVaeEncode,
  WanVaeMemory,
  wanVaeShapes,
  wanVaeSideShapes,
  type WanVaeConfig,
} from '../src/models/wan-vae';
import { activate, affine } from '../src/ops/elementwise';
import { store } from '../src/ops/rope';
import { axesOf, permute, strided, type Axis } from '../src/ops/strided';
import type { TensorInfo, WeightFile } from '../src/weights/source';
import type { Wanted, Weights } from '../src/weights/upload';

/** An array of the reference, row-major. */
export interface Values {
  shape: readonly number[];
  values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

export interface InputSpec {
  dtype: 'float' | 'int32' | 'number';
  /** Sizes, or letters for any size; the same letter is the same size. */
  shape: readonly (number | string)[];
}

type Inputs = Readonly<Record<string, Values>>;

/** Takes a layer's result, already in the reference's axis order. */
type Keep = (name: string, t: Tensor) => void;

interface Network<C> {
  config: (config: Config) => C;
  inputs: (c: C) => Record<string, InputSpec>;
  /** Name of the result. */
  output: string;
  /** Names of layers that may be compared too. */
  layers: (c: C) => string[];
  /** Tensors of the file that are not needed have another prefix. */
  prefix?: string;
  /** Its tensors by our names, for files of any layout; without, the file has ours. */
  tensors?: (file: WeightFile, c: C) => ReadonlyMap<string, Wanted>;
  run: (run: Run, weights: Weights, c: C, inputs: Inputs, keep: Keep) => void;
}

const blocks = (n: number) => Array.from({ length: n }, (_, i) => `blocks.${i}`);

function input(run: Run, { shape, values }: Values, label: string): Tensor {
  return run.input(values, shape, label, 'f32');
}

const umt5Network: Network<Umt5Config> = {
  config: readUmt5Config,
  tensors: (file, c) => matchTensors(file, 'umt5', umt5Shapes(c)),
  inputs: () => ({ input_ids: { dtype: 'int32', shape: ['L'] } }),
  output: 'hidden',
  layers: (c) => ['embed', ...blocks(c.num_layers)],
  run(run, w, c, { input_ids: ids }, keep) {
    const beyond = ids!.values.find((id) => id < 0 || id >= c.vocab_size);
    if (beyond !== undefined)
      throw bad(`input_ids holds ${beyond}, but the vocabulary has ${c.vocab_size} ids from 0.`);
    umt5(run, w, c, run.input(ids!.values, ids!.shape, 'input_ids'), keep);
  },
};

const wanTensors = (file: WeightFile, c: WanConfig) => matchTensors(file, 'wan-transformer', wanShapes(c));

const wanNetwork: Network<WanConfig> = {
  config: readWanConfig,
  tensors: wanTensors,
  inputs: (c) => ({
    hidden_states: { dtype: 'float', shape: [c.in_channels, 'F', 'H', 'W'] },
    timestep: { dtype: 'number', shape: [1] },
    encoder_hidden_states: { dtype: 'float', shape: ['L', c.text_dim] },
  }),
  output: 'sample',
  layers: (c) => ['patch_embedding', 'time_embedder', 'time_proj', 'text_embedder', ...blocks(c.num_layers), 'proj_out'], // prettier-ignore
  run(run, w, c, { hidden_states: x, timestep, encoder_hidden_states: context }, keep) {
    const frames = x!.shape[1]!;
    checkPatches(c, x!);
    const tap: Keep = (name, t) => {
      // Ours has a row for each frame, all alike here; the reference has one.
      const once = name.startsWith('time_') ? [1, ...t.shape.slice(1)] : t.shape;
      keep(name, { ...t, shape: once });
    };
    const text = encodeText(run, w, c, input(run, context!, 'encoder_hidden_states'), tap);
    const timesteps = Array.from({ length: frames }, () => timestep!.values[0]!);
    keep('sample', wanTransformer(run, w, c, { latents: input(run, x!, 'hidden_states'), timesteps, text, tap })); // prettier-ignore
  },
};

const causalNetwork: Network<WanConfig> = {
  config(config) {
    const c = readWanConfig(config);
    const { num_frame_per_block: n, window, sink = 0, patch_size } = c;
    if (!n) throw bad('config.num_frame_per_block is missing: wan-transformer-causal needs it.');
    if (patch_size[0] !== 1)
      throw bad(`config.patch_size is [${patch_size}]: a causal transformer takes single frames.`);
    if (window !== undefined && window < sink + n)
      throw bad(`config.window is ${window}, less than sink ${sink} and a block of ${n} together.`);
    return c;
  },
  tensors: wanTensors,
  inputs: (c) => ({
    hidden_states: { dtype: 'float', shape: [c.in_channels, 'F', 'H', 'W'] },
    context: { dtype: 'float', shape: [c.in_channels, 'F', 'H', 'W'] },
    timestep: { dtype: 'number', shape: ['F'] },
    encoder_hidden_states: { dtype: 'float', shape: ['L', c.text_dim] },
  }),
  output: 'sample',
  layers: () => [],
  run(run, w, c, { hidden_states: noisy, context: clean, timestep, encoder_hidden_states: words }, keep) {
    checkPatches(c, noisy!);
    const [, F, H, W] = noisy!.shape as [number, number, number, number];
    const n = c.num_frame_per_block!;
    const frames = c.window ?? F;
    const cache = createKvCache(run.gpu, c, {
      frames,
      sink: c.sink ?? 0,
      positions: c.positions,
      bits: 32, // as PyTorch has it
      height: H,
      width: W,
    });
    const sample = run.tensor([F, c.out_channels * H * W], 'sample', 'f32');
    try {
      const text = encodeText(run, w, c, input(run, words!, 'encoder_hidden_states'));
      for (let first = 0; first < F; first += n) {
        const count = Math.min(n, F - first);
        const pass = (from: Values, timesteps: number[]) => {
          const latents = input(run, framesOf(from, first, count), 'latents');
          return wanTransformer(run, w, c, { latents, timesteps, text, firstFrame: first, cache });
        };
        run.scope(() => {
          const flow = pass(noisy!, [...timestep!.values.slice(first, first + count)]);
          const rows = reshape(permute(run, flow, [1, 0, 2, 3], { dtype: 'f32' }), [
            count,
            c.out_channels * H * W,
          ]);
          store(run, rows, { cache: sample, tokensPerFrame: 1, firstFrame: first, sink: 0, window: F });
          pass(clean!, Array<number>(count).fill(0)); // the clean keys and values replace the noisy ones
        });
      }
      keep(
        'sample',
        permute(run, reshape(sample, [F, c.out_channels, H, W]), [1, 0, 2, 3], { dtype: 'f32' }),
      );
    } finally {
      run.flush();
      cache.free();
    }
  },
};

const layersOf = (side: string, count: number) => Array.from({ length: count }, (_, i) => `${side}.${i}`);

/** A layer's [T, H, W, C] → [T, C, H, W], as PyTorch has it. */
const channelsSecond =
  (run: Run, keep: Keep): Keep =>
  (name, t) =>
    run.scope(() => keep(name, permute(run, t, [0, 3, 1, 2], { dtype: 'f32' })));

const decoderNetwork: Network<TaehvConfig> = {
  config: readTaehvConfig,
  prefix: 'decoder.',
  inputs: (c) => ({ latents: { dtype: 'float', shape: ['F', c.latent_channels, 'h', 'w'] } }),
  output: 'frames',
  // Upsampling is done together with the layer behind it.
  layers: () => layersOf('decoder', 23).filter((name) => !/\.(6|12|18)$/.test(name)),
  run(run, w, c, { latents }, keep) {
    const decoder = prepareTaehvDecoder(run, w, c);
    const tap = channelsSecond(run, keep);
    try {
      const all = activate(run, taehvDecode(run, decoder, input(run, latents!, 'latents'), undefined, tap), 'clamp01', 'f32'); // prettier-ignore
      const [T, ...rest] = all.shape as [number, number, number, number];
      const skip = timeScale(c.decoder_time_upscale) - 1;
      const shape = [T - skip, ...rest];
      const axes = axesOf(shape);
      tap('frames', strided(run, all, axes, shape, { dtype: 'f32', offset: skip * axes[0]!.stride }));
    } finally {
      run.flush();
      decoder.free();
    }
  },
};

const encoderNetwork: Network<TaehvConfig> = {
  config: readTaehvConfig,
  prefix: 'encoder.',
  inputs: () => ({ frames: { dtype: 'float', shape: ['T', 3, 'H', 'W'] } }),
  output: 'latents',
  layers: () => layersOf('encoder', 18),
  run(run, w, c, { frames }, keep) {
    const [, , H, W] = frames!.shape as [number, number, number, number];
    if (H % c.patch_size || W % c.patch_size)
      throw bad(`frames of ${H}×${W} are not whole patches of ${c.patch_size}×${c.patch_size}.`);
    const encoder = prepareTaehvEncoder(run, w, c);
    try {
      const pixels = permute(run, input(run, frames!, 'frames'), [0, 2, 3, 1], { dtype: 'f32' });
      keep('latents', taehvEncode(run, encoder, pixels, undefined, channelsSecond(run, keep)));
    } finally {
      run.flush();
      encoder.free();
    }
  },
};

/** frames: 1 + t·(F − 1) of them, the first standing for a whole latent, as the page has it. */
const patchEncoderNetwork: Network<PatchEncoderConfig> = {
  config: readPatchEncoderConfig,
  prefix: 'encoder.',
  inputs: () => ({ frames: { dtype: 'float', shape: ['T', 3, 'H', 'W'] } }),
  output: 'latents',
  layers: () => [],
  run(run, w, c, { frames }, keep) {
    const [T, , H, W] = frames!.shape as [number, number, number, number];
    if ((T - 1) % c.time || H % c.space || W % c.space)
      throw bad(`${T} frames of ${H}×${W} are not 1 + a multiple of ${c.time} frames of whole patches of ${c.space}×${c.space}.`); // prettier-ignore
    const F = 1 + (T - 1) / c.time;
    const encoder = preparePatchEncoder(run, w, c);
    const memory = createPatchMemory(run.gpu, encoder, H / c.space, W / c.space);
    try {
      const pixels = permute(run, input(run, frames!, 'frames'), [0, 2, 3, 1], { dtype: 'f32' });
      const made = run.tensor([F, c.latent_channels, H / c.space, W / c.space], 'latents', 'f32');
      for (let f = 0; f < F; f++) {
        const piece = run.tensor([c.time, H, W, 3], 'piece', 'f32');
        const into = {
          cache: reshape(piece, [c.time, H * W * 3]),
          tokensPerFrame: 1,
          sink: 0,
          window: c.time,
        };
        for (let t = 0; t < c.time; t++) {
          const at = Math.max(0, (f - 1) * c.time + t + 1);
          const one = strided(run, pixels, axesOf([1, H * W * 3]), [1, H * W * 3], { dtype: 'f32', offset: at * H * W * 3 }); // prettier-ignore
          store(run, one, { ...into, firstFrame: t });
        }
        const latent = patchEncode(run, encoder, piece, memory);
        const n = size(latent);
        store(run, reshape(latent, [1, n]), { cache: reshape(made, [F, n]), tokensPerFrame: 1, sink: 0, window: F, firstFrame: f }); // prettier-ignore
      }
      keep('latents', made);
    } finally {
      run.flush();
      memory.free();
      encoder.weights.free();
    }
  },
};

/** One side's tensors of a file that may hold the other, too. */
function vaeTensors(side: 'encoder' | 'decoder') {
  return (file: WeightFile, c: WanVaeConfig) => {
    const all = wanVaeShapes(c);
    const wanted = wanVaeSideShapes(c, side);
    const others = ({ name }: TensorInfo) => {
      const ours = ourName('wan-vae', name) ?? '';
      return all.has(ours) && !wanted.has(ours);
    };
    const tensors = new Map([...file.tensors].filter(([, info]) => !others(info)));
    return matchTensors({ ...file, tensors }, 'wan-vae', wanted);
  };
}

const vaeDecoderNetwork: Network<WanVaeConfig> = {
  config: readWanVaeConfig,
  tensors: vaeTensors('decoder'),
  inputs: (c) => ({ latents: { dtype: 'float', shape: [c.z_dim, 'F', 'h', 'w'] } }),
  output: 'frames',
  layers: () => [],
  run(run, w, c, { latents }, keep) {
    const [z, F, h, ww] = latents!.shape as [number, number, number, number];
    const s = spaceScale(c);
    const T = 1 + (F - 1) * pieceFrames(c);
    const [H, W] = [h * s, ww * s];
    const vae = prepareWanVae(run, w, c, 'decoder');
    const memory = new WanVaeMemory(run.gpu);
    const all = run.tensor([T, H * W * 3], 'frames', 'f32');
    try {
      let first = 0;
      for (let f = 0; f < F; f++)
        run.scope(() => {
          const rgb = wanVaeDecode(
            run,
            vae,
            reshape(input(run, framesOf(latents!, f, 1), 'latent'), [z, 1, h, ww]),
            memory,
          );
          const count = rgb.shape[0]!;
          store(run, reshape(rgb, [count, H * W * 3]), {
            cache: all,
            tokensPerFrame: 1,
            firstFrame: first,
            sink: 0,
            window: T,
          });
          first += count;
        });
      // diffusers clamps what it decodes to −1…1: clamp01 does it for (x + 1) / 2.
      const [half, one] = [0.5, 2].map((k) => run.input(new Float32Array(T).fill(k), [T], 'scale', 'f32'));
      const [up, down] = [0.5, -1].map((k) => run.input(new Float32Array(T).fill(k), [T], 'shift', 'f32'));
      const clamped = affine(run, activate(run, affine(run, all, half!, up!), 'clamp01', 'f32'), one!, down!);
      keep('frames', permute(run, reshape(clamped, [T, H, W, 3]), [3, 0, 1, 2], { dtype: 'f32' }));
    } finally {
      run.flush();
      memory.free();
      vae.free();
    }
  },
};

const vaeEncoderNetwork: Network<WanVaeConfig> = {
  config: readWanVaeConfig,
  tensors: vaeTensors('encoder'),
  inputs: () => ({ frames: { dtype: 'float', shape: [3, 'T', 'H', 'W'] } }),
  output: 'latents',
  layers: () => [],
  run(run, w, c, { frames }, keep) {
    const [, T, H, W] = frames!.shape as [number, number, number, number];
    const [s, n] = [spaceScale(c), pieceFrames(c)];
    if (H % s || W % s) throw bad(`frames of ${H}×${W} are not whole multiples of ${s}.`);
    // The reference leaves out frames behind the last whole piece.
    const F = 1 + Math.floor((T - 1) / n);
    const [h, ww] = [H / s, W / s];
    const vae = prepareWanVae(run, w, c, 'encoder');
    const memory = new WanVaeMemory(run.gpu);
    const all = run.tensor([F, h * ww * 2 * c.z_dim], 'moments', 'f32');
    try {
      for (let f = 0; f < F; f++)
        run.scope(() => {
          const [first, count] = f === 0 ? [0, 1] : [1 + (f - 1) * n, n];
          const piece = permute(run, input(run, framesOf(frames!, first, count), 'frames'), [1, 2, 3, 0]);
          const moments = wanVaeEncode(run, vae, piece, memory);
          store(run, reshape(moments, [1, size(moments)]), {
            cache: all,
            tokensPerFrame: 1,
            firstFrame: f,
            sink: 0,
            window: F,
          });
        });
      // The distribution's mean: the first z of its 2·z channels.
      const [a, b, d, e] = axesOf([F, h, ww, 2 * c.z_dim]) as [Axis, Axis, Axis, Axis];
      const axes = [{ ...e, size: c.z_dim }, a, b, d];
      keep('latents', strided(run, all, axes, [c.z_dim, F, h, ww], { dtype: 'f32' }));
    } finally {
      run.flush();
      memory.free();
      vae.free();
    }
  },
};

/** Each entry keeps its config to itself: what `config` made is what the others get. */
export const NETWORKS = {
  umt5: umt5Network,
  'wan-transformer': wanNetwork,
  'wan-transformer-causal': causalNetwork,
  'taehv-decoder': decoderNetwork,
  'taehv-encoder': encoderNetwork,
  'patch-encoder': patchEncoderNetwork,
  'wan-vae-decoder': vaeDecoderNetwork,
  'wan-vae-encoder': vaeEncoderNetwork,
} as unknown as Readonly<Record<string, Network<unknown>>>;

/**
 * Runs a network and returns what it made of `wanted`, the output and layers by name.
 * @throws KinoraError `bad-model`
 */
export async function runNetwork(
  gpu: Gpu,
  name: string,
  config: unknown,
  weights: Weights,
  inputs: Inputs,
  wanted: ReadonlySet<string>,
): Promise<Map<string, Values>> {
  const run = new Run(gpu);
  const kept = new Map<string, Tensor>();
  const keep: Keep = (layer, t) => {
    if (!wanted.has(layer) || kept.has(layer)) return;
    const into = gpu.memory.tensor(t.shape, 'f32', layer);
    kept.set(layer, into);
    strided(run, t, axesOf(t.shape), t.shape, { into });
  };
  try {
    NETWORKS[name]!.run(run, weights, config, inputs, keep);
    await run.sync();
    const made = new Map<string, Values>();
    for (const [layer, t] of kept) made.set(layer, { shape: t.shape, values: await gpu.read(t) });
    return made;
  } finally {
    run.destroy();
    for (const t of kept.values()) gpu.memory.free(t);
  }
}

export function bad(problem: string): KinoraError {
  return new KinoraError('bad-model', problem);
}

function checkPatches(c: WanConfig, { shape: [, ...sides] }: Values): void {
  if (sides.some((n, i) => n % c.patch_size[i]!))
    throw bad(`hidden_states of ${sides.join('×')} are not whole patches of ${c.patch_size.join('×')}.`);
}

/** Frames first … first + count of [C, F, H, W]. */
function framesOf({ shape, values }: Values, first: number, count: number): Values {
  const [C, F, H, W] = shape as [number, number, number, number];
  const out = new Float32Array(C * count * H * W);
  for (let c = 0; c < C; c++) {
    const from = (c * F + first) * H * W;
    out.set(values.subarray(from, from + count * H * W), c * count * H * W);
  }
  return { shape: [C, count, H, W], values: out };
}
