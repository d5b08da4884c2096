/** Which tensors a network has, by its config, under our names; and how a file's tensors are matched with them. */
import { KinoraError } from '../errors';
import type { TensorInfo, WeightFile } from '../weights/source';
import { ourName, rank, type NetworkName } from './names';
import type { Umt5Config } from './umt5';
import type { WanConfig } from './wan-config';

export type Shapes = ReadonlyMap<string, readonly number[]>;

class ShapeList {
  readonly shapes = new Map<string, readonly number[]>();
  add(name: string, ...shape: number[]): void {
    this.shapes.set(name, shape);
  }
  linear(name: string, out: number, from: number, bias = true): void {
    this.add(`${name}.weight`, out, from);
    if (bias) this.add(`${name}.bias`, out);
  }
}

/** Of models/wan-transformer. */
export function wanShapes(c: WanConfig): Shapes {
  const D = c.num_attention_heads * c.attention_head_dim;
  const [pt, ph, pw] = c.patch_size;
  const s = new ShapeList();
  s.add('patch_embedding.weight', D, c.in_channels, pt, ph, pw);
  s.add('patch_embedding.bias', D);
  s.linear('condition_embedder.time_embedder.linear_1', D, c.freq_dim);
  s.linear('condition_embedder.time_embedder.linear_2', D, D);
  s.linear('condition_embedder.time_proj', 6 * D, D);
  s.linear('condition_embedder.text_embedder.linear_1', D, c.text_dim);
  s.linear('condition_embedder.text_embedder.linear_2', D, D);
  for (let i = 0; i < c.num_layers; i++) {
    const block = `blocks.${i}`;
    s.add(`${block}.scale_shift_table`, 1, 6, D);
    for (const attn of ['attn1', 'attn2']) {
      for (const name of ['to_q', 'to_k', 'to_v', 'to_out.0']) s.linear(`${block}.${attn}.${name}`, D, D);
      s.add(`${block}.${attn}.norm_q.weight`, D);
      s.add(`${block}.${attn}.norm_k.weight`, D);
    }
    if (c.cross_attn_norm) {
      s.add(`${block}.norm2.weight`, D);
      s.add(`${block}.norm2.bias`, D);
    }
    s.linear(`${block}.ffn.net.0.proj`, c.ffn_dim, D);
    s.linear(`${block}.ffn.net.2`, D, c.ffn_dim);
  }
  s.add('scale_shift_table', 1, 2, D);
  s.linear('proj_out', c.out_channels * pt * ph * pw, D);
  return s.shapes;
}

/** Of models/umt5. */
export function umt5Shapes(c: Umt5Config): Shapes {
  const inner = c.num_heads * c.d_kv;
  const s = new ShapeList();
  s.add('shared.weight', c.vocab_size, c.d_model);
  for (let i = 0; i < c.num_layers; i++)
    for (const [name, ...shape] of umt5LayerShapes(c, inner))
      s.add(`encoder.block.${i}.layer.${name}`, ...shape);
  s.add('encoder.final_layer_norm.weight', c.d_model);
  return s.shapes;
}

function umt5LayerShapes(c: Umt5Config, inner: number): [string, ...number[]][] {
  return [
    ['0.layer_norm.weight', c.d_model],
    ...['q', 'k', 'v'].map((n): [string, number, number] => [
      `0.SelfAttention.${n}.weight`,
      inner,
      c.d_model,
    ]),
    ['0.SelfAttention.o.weight', c.d_model, inner],
    ['0.SelfAttention.relative_attention_bias.weight', c.relative_attention_num_buckets, c.num_heads],
    ['1.layer_norm.weight', c.d_model],
    ['1.DenseReluDense.wi_0.weight', c.d_ff, c.d_model],
    ['1.DenseReluDense.wi_1.weight', c.d_ff, c.d_model],
    ['1.DenseReluDense.wo.weight', c.d_model, c.d_ff],
  ];
}

/** A tensor of a file, as a network wants it. */
export interface Match {
  readonly info: TensorInfo;
  /** The network's shape; the file's may lack or have axes of one, or be flattened. */
  readonly shape: readonly number[];
}

/** Names that a message lists before it says how many more there are, and its detail. */
const LISTED = 6;
const DETAILED = 100;
/** Characters of a file's own name that are shown: a header may have one of megabytes. */
const SHOWN = 200;

/**
 * Finds a network's tensors in a file, whatever its layout.
 * @param shapes what the network wants, by our names
 * @param tolerate `surplus`: tensors of other parts may be there, too; `some`: not all need be there, either
 * @throws KinoraError `bad-model` listing by name what is missing, too much or of another shape
 */
export function matchTensors(
  file: WeightFile,
  network: NetworkName,
  shapes: Shapes,
  tolerate?: 'surplus' | 'some',
): Map<string, Match> {
  const matched = new Map<string, Match>();
  const surplus: string[] = [];
  const misshapen = new Map<string, string>();
  for (const info of file.tensors.values()) {
    const name = ourName(network, info.name);
    if (name === null) continue;
    const shape = shapes.get(name);
    if (!shape) {
      surplus.push(info.name);
      continue;
    }
    const other = matched.get(name);
    if (other) {
      if (rank(other.info.name) === rank(info.name) && !isTied(name))
        throw new KinoraError('bad-model', `${file.name}: "${shown(other.info.name)}" and "${shown(info.name)}" are both the tensor "${name}".`, { file: file.name, tensor: name }); // prettier-ignore
      if (rank(other.info.name) >= rank(info.name)) continue;
    }
    if (sameShape(info.shape, shape)) matched.set(name, { info, shape });
    else misshapen.set(name, `${shown(info.name)} [${info.shape}], not [${shape}]`);
  }
  const missing = [...shapes.keys()].filter((name) => !matched.has(name) && !misshapen.has(name));
  const odd = [...misshapen.values()];
  const unknown = surplus.map(shown);
  const problems = [
    ...list('missing', tolerate === 'some' ? [] : missing),
    ...list('of another shape', odd),
    ...list('unknown to it', tolerate ? [] : unknown),
  ];
  if (problems.length)
    throw new KinoraError(
      'bad-model',
      `${file.name} is not the ${network} that was expected. Tensors ${problems.join('; ')}.`,
      {
        file: file.name,
        why: 'tensors',
        missing: missing.length,
        misshapen: odd.length,
        surplus: surplus.length,
      },
      [
        ...lines(missing.map((n) => `missing: ${n}`)),
        ...lines(odd),
        ...lines(unknown.map((n) => `unknown: ${n}`)),
      ].join('\n'),
    );
  return matched;
}

/** transformers keeps UMT5's embedding under two names. */
const isTied = (name: string) => name === 'shared.weight';

function list(what: string, names: readonly string[]): string[] {
  if (!names.length) return [];
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return [`${what}: ${names.slice(0, LISTED).join(', ')}${more}`];
}

const lines = (texts: readonly string[]): string[] =>
  texts.length > DETAILED
    ? [...texts.slice(0, DETAILED), `… and ${texts.length - DETAILED} more`]
    : [...texts];

const shown = (name: string) => (name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name);

/** Equal but for axes of one, or a kernel [out, in, …] flattened to [out, in·…], as GGUF and linear layers have it. */
function sameShape(found: readonly number[], wanted: readonly number[]): boolean {
  const bare = (shape: readonly number[]) => shape.filter((n) => n !== 1);
  const same = (a: readonly number[], b: readonly number[]) =>
    a.length === b.length && a.every((n, i) => n === b[i]);
  if (same(bare(found), bare(wanted))) return true;
  const [out, ...rest] = wanted;
  return rest.length > 1 && same(found, [out!, rest.reduce((a, b) => a * b, 1)]);
}
