/**
 * The UMT5 text encoder, with the key names of transformers' `UMT5EncoderModel`.
 *
 * L tokens, D width, H heads, d head size, I feed-forward width. Only real tokens are run, so there is no mask.
 * The residual stream is f32: in f16 it overflows.
 */
import { attention } from '../ops/attention';
import { gatedGelu } from '../ops/elementwise';
import { embedding } from '../ops/embedding';
import { matmul, type MatmulOptions } from '../ops/matmul';
import { rmsNorm } from '../ops/norm';
import { relativeBias } from '../ops/relative-bias';
import type { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import type { Weights } from '../weights/upload';
import { ConfigReader, MOST_LAYERS, type Config, type Tap } from './config';

export interface Umt5Config {
  vocab_size: number;
  d_model: number;
  d_kv: number;
  d_ff: number;
  num_layers: number;
  num_heads: number;
  relative_attention_num_buckets: number;
  relative_attention_max_distance: number;
  layer_norm_epsilon: number;
}

/** Reads transformers' `UMT5Config`, with its defaults. Throws `bad-model` naming the field. */
export function readUmt5Config(config: Config): Umt5Config {
  const c = new ConfigReader('umt5', config);
  c.expect('feed_forward_proj', ['gated-gelu']);
  return {
    vocab_size: c.integer('vocab_size', 1, 250112),
    d_model: c.integer('d_model', 1, 512),
    d_kv: c.integer('d_kv', 1, 64),
    d_ff: c.integer('d_ff', 1, 1024),
    num_layers: c.integer('num_layers', 1, 8, MOST_LAYERS),
    num_heads: c.integer('num_heads', 1, 6),
    relative_attention_num_buckets: c.integer('relative_attention_num_buckets', 4, 32),
    relative_attention_max_distance: c.integer('relative_attention_max_distance', 2, 128),
    layer_norm_epsilon: c.positive('layer_norm_epsilon', 1e-6),
  };
}

/** Layer by layer, from the embedded tokens on; for encoders whose layers are not all there at once. */
export const umt5Layer = (run: Run, w: Weights, c: Umt5Config, i: number, x: Tensor): Tensor =>
  run.scope(() => block(run, w, c, layerName(i), x));

/** After the last layer. x [L, D] → [L, D] f32 */
export const umt5Finish = (run: Run, w: Weights, c: Umt5Config, x: Tensor): Tensor =>
  rmsNorm(run, x, w.get(UMT5_NORM, [c.d_model]), c.layer_norm_epsilon, 'f32');

export const UMT5_TABLE = 'shared.weight';
export const UMT5_NORM = 'encoder.final_layer_norm.weight';
export const layerName = (i: number) => `encoder.block.${i}.layer`;

/**
 * @param ids [L] i32, `</s>` included, no pads
 * @returns [L, D] f32
 */
export function umt5(run: Run, w: Weights, c: Umt5Config, ids: Tensor, tap?: Tap): Tensor {
  return run.scope(() => {
    const table = w.has(UMT5_TABLE) ? UMT5_TABLE : 'encoder.embed_tokens.weight';
    let x = embedding(run, w.get(table, [c.vocab_size, c.d_model]), ids, 'f32'); // [L, D]
    tap?.('embed', x);
    for (let i = 0; i < c.num_layers; i++) {
      const before = x;
      x = umt5Layer(run, w, c, i, before);
      run.release(before);
      tap?.(`blocks.${i}`, x);
    }
    const hidden = umt5Finish(run, w, c, x);
    tap?.('hidden', hidden);
    return hidden;
  });
}

function block(run: Run, w: Weights, c: Umt5Config, layer: string, x: Tensor): Tensor {
  const { d_model: D, d_ff: I, layer_norm_epsilon: eps } = c;
  const inner = c.num_heads * c.d_kv;
  const project = (name: string, y: Tensor, out: number, from: number, options: MatmulOptions = {}) =>
    matmul(run, y, w.get(`${layer}.${name}.weight`, [out, from]), options);

  const y = rmsNorm(run, x, w.get(`${layer}.0.layer_norm.weight`, [D]), eps); // [L, D]
  const [q, k, v] = ['q', 'k', 'v'].map((n) => project(`0.SelfAttention.${n}`, y, inner, D)); // [L, H·d]
  const bias = positionBias(run, w, c, layer, x.shape[0]!); // [H, L, L]
  const attended = attention(run, q!, k!, v!, { heads: c.num_heads, scale: 1, bias });
  const x1 = project('0.SelfAttention.o', attended, D, inner, { residual: x });

  const z = rmsNorm(run, x1, w.get(`${layer}.1.layer_norm.weight`, [D]), eps);
  const gate = project('1.DenseReluDense.wi_0', z, I, D); // [L, I]
  const up = project('1.DenseReluDense.wi_1', z, I, D);
  return project('1.DenseReluDense.wo', gatedGelu(run, gate, up), D, I, { residual: x1 });
}

/** Every layer has a table of its own. Looked up row by row, since it may be stored in any type. */
function positionBias(run: Run, w: Weights, c: Umt5Config, layer: string, L: number): Tensor {
  const buckets = c.relative_attention_num_buckets;
  const stored = w.get(`${layer}.0.SelfAttention.relative_attention_bias.weight`, [buckets, c.num_heads]);
  const all = run.input(
    Int32Array.from({ length: buckets }, (_, i) => i),
    [buckets],
    'all buckets',
  );
  const table = stored.dtype === 'f32' ? stored : embedding(run, stored, all, 'f32');
  return relativeBias(run, table, L, c.relative_attention_max_distance);
}
