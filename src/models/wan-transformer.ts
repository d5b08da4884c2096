/**
 * The Wan diffusion transformer, with diffusers' key names (`WanTransformer3DModel`): bidirectional over a whole
 * clip, or causal over a cache of keys and values, block by block.
 *
 * C latent channels, F latent frames, H W latent height and width, N tokens in frame, row, column order, D model
 * width, d head size, n text tokens. It predicts flow v = noise − x0; timesteps run from 0 (clean) to 1000 (noise),
 * one per latent frame. The residual stream, the modulations and the flow are f32.
 */
import { attention } from '../ops/attention';
import { activate, addModulation } from '../ops/elementwise';
import { matmul, type MatmulOptions } from '../ops/matmul';
import { layerNorm, layerNormModulated, rmsNorm } from '../ops/norm';
import type { CacheSlot } from '../ops/cache-slot';
import { rope, store } from '../ops/rope';
import { wordsOf } from '../ops/store-8bit';
import { axesOf, rearrange, strided } from '../ops/strided';
import { reshape, type Tensor } from '../gpu/tensor';
import type { Gpu } from '../gpu/device';
import type { Run } from '../gpu/run';
import type { Weights } from '../weights/upload';
import type { CacheBits } from '../worker/protocol/clip';
import { ConfigReader, MOST_LAYERS, type Config, type Tap } from './config';
import { RopeTable } from './rope-table';
import { ropeAngles, timeWave } from './wan-positions';

export interface WanConfig {
  /** Frames, rows, columns of a token. */
  patch_size: [number, number, number];
  num_attention_heads: number;
  attention_head_dim: number;
  in_channels: number;
  out_channels: number;
  text_dim: number;
  freq_dim: number;
  ffn_dim: number;
  num_layers: number;
  cross_attn_norm: boolean;
  eps: number;
  /** Text rows that the checkpoint was trained with, pads included. */
  text_len: number;
  /** Causal checkpoints: latent frames denoised together. */
  num_frame_per_block?: number;
  /** Latent frames in the cache, the present block included. */
  window?: number;
  /** First latent frames that stay in the cache. */
  sink?: number;
  /** Where the sink stands once frames have fallen out; see `Positions`. */
  positions?: Positions;
}

/**
 * Where the frames of the sink stand for the rotary embedding when the window has moved on.
 * - clip: where they were made. Their distance grows with the clip [Self-Forcing, LongLive 1.0].
 * - window: right before the window, so that no distance is ever longer than the window and a clip may be of any length.
 * Scores depend on distances only, so without a sink both are the same.
 */
export type Positions = 'clip' | 'window';

/** Reads diffusers' config, with its defaults, plus `text_len` and the causal fields. Throws `bad-model` naming the field. */
export function readWanConfig(config: Config): WanConfig {
  const c = new ConfigReader('wan-transformer', config);
  c.expect('qk_norm', ['rms_norm_across_heads']);
  c.expect('added_kv_proj_dim', [null]);
  c.expect('image_dim', [null]);
  const optional = (field: string, least: number) =>
    config[field] === undefined || config[field] === null ? {} : { [field]: c.integer(field, least) };
  const read: WanConfig = {
    patch_size: c.integers('patch_size', 3, [1, 2, 2]) as [number, number, number],
    num_attention_heads: c.integer('num_attention_heads', 1, 40),
    attention_head_dim: c.integer('attention_head_dim', 6, 128),
    in_channels: c.integer('in_channels', 1, 16),
    out_channels: c.integer('out_channels', 1, 16),
    text_dim: c.integer('text_dim', 1, 4096),
    freq_dim: c.integer('freq_dim', 2, 256),
    ffn_dim: c.integer('ffn_dim', 1, 13824),
    num_layers: c.integer('num_layers', 1, 40, MOST_LAYERS),
    cross_attn_norm: c.boolean('cross_attn_norm', true),
    eps: c.positive('eps', 1e-6),
    text_len: c.integer('text_len', 1, 512),
    ...optional('num_frame_per_block', 1),
    ...optional('window', 1),
    ...optional('sink', 0),
  };
  c.expect('positions', [null, 'clip', 'window']);
  if (config.positions) read.positions = config.positions as Positions;
  if (read.attention_head_dim % 2) throw c.wrong('attention_head_dim', 'an even number');
  return read;
}

const widthOf = (c: WanConfig) => c.num_attention_heads * c.attention_head_dim;

/** Keys and values of the text, per layer; made once per prompt. They live as long as the run's present scope. */
export interface TextContext {
  k: readonly Tensor[];
  v: readonly Tensor[];
  /** Added to the scores, [rows]; null when every row is real. */
  bias: Tensor | null;
}

/**
 * Text MLP, then each layer's cross-attention keys and values. Wan pads the text with zero rows and does not mask
 * them; they all share one key and value, so one row with a bias of ln(their number) stands for all of them.
 * @param hidden [n, text_dim] of the text encoder
 */
export function encodeText(run: Run, w: Weights, c: WanConfig, hidden: Tensor, tap?: Tap): TextContext {
  const D = widthOf(c);
  const n = hidden.shape[0]!;
  const pads = Math.max(0, c.text_len - n);
  const rows = n + (pads ? 1 : 0);
  const pairs = run.scope(() => {
    const padded = pads ? appendZeroRow(run, hidden) : hidden; // [rows, text_dim]
    const embedder = 'condition_embedder.text_embedder';
    const y = linear(run, w, `${embedder}.linear_1`, padded, D, { act: 'gelu' });
    const context = linear(run, w, `${embedder}.linear_2`, y, D); // [rows, D]
    tap?.('text_embedder', context);
    const kept: Tensor[] = [];
    for (let i = 0; i < c.num_layers; i++) {
      const attn = `blocks.${i}.attn2`;
      kept.push(normed(run, w, c, `${attn}.norm_k`, linear(run, w, `${attn}.to_k`, context, D)));
      kept.push(linear(run, w, `${attn}.to_v`, context, D));
    }
    return kept;
  });
  const bias = new Float32Array(rows);
  if (pads) bias[n] = Math.log(pads);
  return {
    k: pairs.filter((_, i) => i % 2 === 0),
    v: pairs.filter((_, i) => i % 2 === 1),
    bias: pads ? run.input(bias, [rows], 'pad bias', 'f32') : null,
  };
}

function appendZeroRow(run: Run, x: Tensor): Tensor {
  const [n, width] = x.shape as [number, number];
  const cache = run.tensor([n + 1, width], 'padded text');
  const into = { cache, tokensPerFrame: 1, sink: 0, window: n + 1 };
  store(run, x, { ...into, firstFrame: 0 });
  const zero = run.input(new Float32Array(width), [1, width], 'pad row');
  return store(run, zero, { ...into, firstFrame: n });
}

/**
 * Keys and values of the frames made so far: of 16 bit they are of the activations' type (f16 where the adapter has it),
 * of 8 bit as ops/store-8bit has them. Keys are kept turned to where their frames stand; those of a sink that moves along
 * also as they were before, in the activations' type, for they are turned anew for every block. Owns its buffers, which
 * never grow.
 */
export class KvCache {
  readonly k: readonly Tensor[];
  readonly v: readonly Tensor[];
  /** [sink · tokensPerFrame, D] a layer: keys of the sink before their turn; empty unless the sink moves along. */
  readonly sinkKeys: readonly Tensor[];
  /** Where the present block's tokens stand, and those of a sink that moves along. */
  readonly places: RopeTable;
  readonly sinkPlaces: RopeTable;
  readonly #gpu: Gpu;

  constructor(
    gpu: Gpu,
    c: WanConfig,
    /** Latent frames that fit. */
    readonly window: number,
    readonly sink: number,
    readonly tokensPerFrame: number,
    positions: Positions,
    bits: CacheBits,
  ) {
    this.#gpu = gpu;
    [this.places, this.sinkPlaces] = [new RopeTable(gpu), new RopeTable(gpu)];
    const make = (name: string, frames: number, packed: boolean) =>
      Array.from({ length: frames > 0 ? c.num_layers : 0 }, (_, i) => {
        const row = packed ? [c.num_attention_heads, wordsOf(c.attention_head_dim)] : [widthOf(c)];
        return gpu.memory.tensor(
          [frames * tokensPerFrame, ...row],
          packed ? 'u32' : gpu.elem,
          `${name} ${i}`,
        );
      });
    this.k = make('key cache', window, bits === 8);
    this.v = make('value cache', window, bits === 8);
    this.sinkKeys = make('sink keys', positions === 'window' ? sink : 0, false);
  }

  get #all(): Tensor[] {
    return [...this.k, ...this.v, ...this.sinkKeys];
  }

  get bytes(): number {
    return this.#all.reduce((sum, t) => sum + t.storage.bytes, 0);
  }

  free(): void {
    for (const t of this.#all) this.#gpu.memory.free(t);
    for (const table of [this.places, this.sinkPlaces]) table.free();
  }
}

export interface CacheSize {
  /** Latent frames, the present block included. */
  frames: number;
  sink?: number;
  /** Default: clip. */
  positions?: Positions;
  /** Default: 16. */
  bits?: CacheBits;
  /** Latent height and width. */
  height: number;
  width: number;
}

/** An empty cache for clips of this size. Throws `out-of-memory` over the adapter's limits. */
export function createKvCache(gpu: Gpu, c: WanConfig, size: CacheSize): KvCache {
  const [, p, q] = c.patch_size;
  const tokens = (size.height / p) * (size.width / q);
  return new KvCache(gpu, c, size.frames, size.sink ?? 0, tokens, size.positions ?? 'clip', size.bits ?? 16);
}

export interface WanInput {
  /** [C, F, H, W] f32 */
  latents: Tensor;
  /** [F], 0…1000 */
  timesteps: readonly number[];
  text: TextContext;
  /** Number of the first latent frame, counted from where the clip (or its cache) began; default 0. */
  firstFrame?: number;
  /** Causal: writes this block's keys and values there and attends to all that it holds. */
  cache?: KvCache;
  tap?: Tap;
}

/** The flow [C_out, F, H, W] f32. */
export function wanTransformer(run: Run, w: Weights, c: WanConfig, input: WanInput): Tensor {
  const { latents, timesteps, text, firstFrame = 0, cache, tap } = input;
  const D = widthOf(c);
  const [, F, H, W] = latents.shape as [number, number, number, number];
  const [pt, ph, pw] = c.patch_size;
  const [f, h, ww] = [F / pt, H / ph, W / pw];
  if (![f, h, ww].every(Number.isInteger))
    throw new RangeError(
      `wan-transformer: latents of ${F}×${H}×${W} are not whole patches of ${c.patch_size}`,
    );
  if (timesteps.length !== F)
    throw new RangeError(`wan-transformer: ${timesteps.length} timesteps, ${F} frames`);

  return run.scope(() => {
    const { e, e0 } = embedTime(run, w, c, timesteps.filter((_, i) => i % pt === 0), tap); // prettier-ignore
    const d = c.attention_head_dim;
    const angles = cache
      ? cache.places.angles(run, d, f, h, ww, firstFrame)
      : run.input(ropeAngles(d, f, h, ww, firstFrame), [f * h * ww, d / 2, 2], 'rope angles', 'f32');
    const slot = cache && { tokensPerFrame: h * ww, firstFrame, sink: cache.sink, window: cache.window };
    const keys = cache && Math.min(cache.window, firstFrame + f) * h * ww;
    // Frames that have fallen out: by so many the sink follows the window.
    const gone = cache?.sinkKeys.length ? Math.max(0, firstFrame + f - cache.window) : 0;
    const sinkAngles = cache && gone > 0 ? cache.sinkPlaces.angles(run, d, cache.sink, h, ww, gone) : null;

    // [C, F, H, W] → [N, C·pt·ph·pw]
    const cut = [c.in_channels, f, pt, h, ph, ww, pw];
    const columns = c.in_channels * pt * ph * pw;
    const patches = rearrange(run, latents, cut, [1, 3, 5, 0, 2, 4, 6], [f * h * ww, columns]);
    const kernel = w.get('patch_embedding.weight', [D, c.in_channels, pt, ph, pw]);
    const bias = w.get('patch_embedding.bias', [D]);
    let x = matmul(run, patches, reshape(kernel, [D, columns]), { bias, dtype: 'f32' }); // [N, D]
    tap?.('patch_embedding', x);

    for (let i = 0; i < c.num_layers; i++) {
      const before = x;
      x = run.scope(() => {
        const name = `blocks.${i}`;
        const m = addModulation(run, w.get(`${name}.scale_shift_table`, [1, 6, D]), e0); // [F, 6, D]
        const y = layerNormModulated(run, before, c.eps, m, 0, 1);
        const past = slot && {
          k: { cache: cache.k[i]!, ...slot },
          v: { cache: cache.v[i]!, ...slot },
          keys: keys!,
          sinkKeys: cache.sinkKeys[i] ?? null,
          sinkAngles,
        };
        const gated = { residual: before, gate: { m, index: 2 } };
        const x1 = selfAttention(run, w, c, `${name}.attn1`, y, angles, gated, past);
        run.release(y);
        const x2 = crossAttention(run, w, c, name, x1, text, i);
        run.release(x1);
        const z = layerNormModulated(run, x2, c.eps, m, 3, 4);
        const inner = linear(run, w, `${name}.ffn.net.0.proj`, z, c.ffn_dim, { act: 'gelu' });
        run.release(z);
        return linear(run, w, `${name}.ffn.net.2`, inner, D, { residual: x2, gate: { m, index: 5 } });
      });
      run.release(before);
      tap?.(`blocks.${i}`, x);
    }

    const m = addModulation(run, w.get('scale_shift_table', [1, 2, D]), reshape(e, [f, 1, D])); // [F, 2, D]
    const y = layerNormModulated(run, x, c.eps, m, 0, 1);
    const out = linear(run, w, 'proj_out', y, c.out_channels * pt * ph * pw, { dtype: 'f32' });
    tap?.('proj_out', out);
    // [N, pt·ph·pw·C] → [C, F, H, W]
    const split = [f, h, ww, pt, ph, pw, c.out_channels];
    return rearrange(run, out, split, [6, 0, 3, 1, 4, 2, 5], [c.out_channels, F, H, W], { dtype: 'f32' });
  });
}

interface Past {
  k: CacheSlot;
  v: CacheSlot;
  /** Rows of the cache that hold something, this block's included. */
  keys: number;
  /** Keys of the sink before their turn, where the sink moves along. */
  sinkKeys: Tensor | null;
  /** Where the sink stands now; null while it stands where it was made. */
  sinkAngles: Tensor | null;
}

/** y [N, D] → [N, D], added to the residual stream through its gate */
function selfAttention(
  run: Run,
  w: Weights,
  c: WanConfig,
  name: string,
  y: Tensor,
  angles: Tensor,
  gated: MatmulOptions,
  past?: Past,
) {
  const D = widthOf(c);
  const heads = c.num_attention_heads;
  // Of [N, D] there are never more than four at once: the plan counts on it (pipeline/memory-plan).
  const project = (part: 'q' | 'k') => normed(run, w, c, `${name}.norm_${part}`, linear(run, w, `${name}.to_${part}`, y, D)); // prettier-ignore
  return run.scope(() => {
    const q = run.scope(() => rope(run, project('q'), angles, heads));
    const k = run.scope(() => {
      const key = project('k');
      if (past?.sinkKeys) moveSink(run, key, past.sinkKeys, past, heads);
      return rope(run, key, angles, heads, past?.k);
    });
    const v = run.scope(() => {
      const own = linear(run, w, `${name}.to_v`, y, D);
      return past ? store(run, own, past.v) : own;
    });
    const attended = attention(run, q, k, v, past ? { heads, keys: past.keys } : { heads });
    return linear(run, w, `${name}.to_out.0`, attended, D, gated);
  });
}

/** Keeps the keys [N, D] of frames that belong to the sink; turns the sink's keys to where the sink stands now. */
function moveSink(run: Run, key: Tensor, kept: Tensor, { k: slot, sinkAngles }: Past, heads: number): void {
  const { tokensPerFrame, firstFrame, sink } = slot;
  const [N, D] = key.shape as [number, number];
  const rows = Math.min(N, (sink - firstFrame) * tokensPerFrame);
  if (rows > 0) {
    const first = rows === N ? key : strided(run, key, axesOf([rows, D]), [rows, D]);
    store(run, first, { cache: kept, tokensPerFrame, firstFrame, sink: 0, window: sink });
  }
  if (sinkAngles) rope(run, kept, sinkAngles, heads, { ...slot, firstFrame: 0 });
}

/** x [N, D] f32 → x + its attention to the text */
function crossAttention(
  run: Run,
  w: Weights,
  c: WanConfig,
  block: string,
  x: Tensor,
  text: TextContext,
  layer: number,
) {
  const D = widthOf(c);
  const name = `${block}.attn2`;
  return run.scope(() => {
    const q = run.scope(() => {
      const y = c.cross_attn_norm
        ? layerNorm(run, x, c.eps, {
            weight: w.get(`${block}.norm2.weight`, [D]),
            bias: w.get(`${block}.norm2.bias`, [D]),
          })
        : activate(run, x, 'none');
      return normed(run, w, c, `${name}.norm_q`, linear(run, w, `${name}.to_q`, y, D));
    });
    const attended = attention(run, q, text.k[layer]!, text.v[layer]!, {
      heads: c.num_attention_heads,
      ...(text.bias && { bias: text.bias }),
    });
    return linear(run, w, `${name}.to_out.0`, attended, D, { residual: x });
  });
}

/** timesteps [F] → e [F, D] and e0 [F, 6, D], both f32. */
function embedTime(run: Run, w: Weights, c: WanConfig, timesteps: readonly number[], tap?: Tap) {
  const D = widthOf(c);
  const F = timesteps.length;
  const wave = run.input(timeWave(timesteps, c.freq_dim), [F, c.freq_dim], 'timesteps', 'f32');
  const name = 'condition_embedder.time_embedder';
  const y = linear(run, w, `${name}.linear_1`, wave, D, { act: 'silu', dtype: 'f32' });
  const e = linear(run, w, `${name}.linear_2`, y, D, { dtype: 'f32' });
  tap?.('time_embedder', e);
  const e0 = linear(run, w, 'condition_embedder.time_proj', activate(run, e, 'silu', 'f32'), 6 * D, {
    dtype: 'f32',
  });
  tap?.('time_proj', e0);
  return { e, e0: reshape(e0, [F, 6, D]) };
}

/** x [M, K] → [M, out] with the weight and bias of `name`. */
function linear(
  run: Run,
  w: Weights,
  name: string,
  x: Tensor,
  out: number,
  options: MatmulOptions = {},
): Tensor {
  const bias = w.get(`${name}.bias`, [out]);
  return matmul(run, x, w.get(`${name}.weight`, [out, x.shape[1]!]), { bias, ...options });
}

/** RMSNorm over the full width, before the split into heads. */
function normed(run: Run, w: Weights, c: WanConfig, name: string, x: Tensor): Tensor {
  return rmsNorm(run, x, w.get(`${name}.weight`, [widthOf(c)]), c.eps);
}
