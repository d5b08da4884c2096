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
import { axesOf, rearrange, strided } from '../ops/strided';
import { reshape, type Tensor } from '../gpu/tensor';
import type { Run } from '../gpu/run';
import type { Weights } from '../weights/upload';
import type { Tap } from './config';
import type { KvCache } from './kv-cache';
import { widthOf, type WanConfig } from './wan-config';
import { ropeAngles, timeWave } from './wan-positions';

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
