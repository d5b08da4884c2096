/** Configs read off the shapes of a checkpoint's tensors, for files that come without a config. */
import { KinoraError } from '../errors';
import type { WeightFile } from '../weights/source';
import { MOST_LAYERS, type Config } from './config';
import { ourName, type NetworkName } from './names';

/** Looks things up among a file's tensors, by our names. */
export interface Finder {
  /** The shape of a tensor. Throws `bad-model` where it is missing or has another number of axes. */
  find(name: string, axes: number): readonly number[];
  has(pattern: RegExp): boolean;
  /**
   * How many layers there are, by the numbers that `pattern` finds in names. They must go from 0 without a gap: then they are
   * as many as have tensors, whatever number a name says. Throws `bad-model` at a gap, and for more than `most`.
   */
  layers(pattern: RegExp, most?: number): number;
}

export function finder(file: WeightFile, network: NetworkName): Finder {
  const shapes = new Map<string, readonly number[]>();
  for (const { name, shape } of file.tensors.values()) {
    const ours = ourName(network, name);
    if (ours !== null) shapes.set(ours, shape);
  }
  return {
    find(name, axes) {
      const shape = shapes.get(name);
      if (shape?.length === axes) return shape;
      const found = shape ? `has shape [${shape}]` : 'is missing';
      throw new KinoraError('bad-model', `${file.name} is no ${network} that Kinora knows: the tensor "${name}" ${found}.`, { file: file.name, tensor: name }); // prettier-ignore
    },
    has: (pattern) => [...shapes.keys()].some((name) => pattern.test(name)),
    layers(pattern, most = MOST_LAYERS) {
      const numbers = new Set<number>();
      for (const name of shapes.keys()) {
        const number = pattern.exec(name)?.[1];
        if (number !== undefined) numbers.add(Number(number));
      }
      const fail = (problem: string, params: Record<string, number>) =>
        new KinoraError('bad-model', `${file.name} is no ${network} that Kinora knows: ${problem}`, { file: file.name, why: 'layers', ...params }); // prettier-ignore
      let count = 0;
      while (numbers.has(count)) count++;
      if (count < numbers.size) {
        const other = [...numbers].reduce((a, b) => (b > count && b < a ? b : a), Infinity);
        throw fail(`it has tensors of layer ${other}, but none of layer ${count}. It is not whole, or damaged.`, { layer: other, missing: count }); // prettier-ignore
      }
      if (count > most)
        throw fail(`it has ${count} layers, at most ${most} can be.`, { layers: count, most });
      return count;
    },
  };
}

/** Which network a file holds, told by names that only this one has; null when none is known. */
export function detectNetwork(file: WeightFile): NetworkName | null {
  const marks: [NetworkName, RegExp][] = [
    ['wan-transformer', /^blocks\.\d+\.attn1\.to_q\.weight$/],
    ['umt5', /^encoder\.block\.\d+\.layer\.0\.SelfAttention\.q\.weight$/],
    ['wan-vae', /^decoder\.mid_block\.resnets\.0\.conv1\.weight$/],
    ['taehv', /^decoder\.\d+\.conv\.0\.weight$/],
  ];
  for (const [network, mark] of marks)
    for (const name of file.tensors.keys()) if (mark.test(ourName(network, name) ?? '')) return network;
  return null;
}

/**
 * Of a Wan transformer: diffusers' fields. Heads are 128 wide, as in every published one, unless `headDim` says
 * otherwise. Throws `bad-model` naming a tensor that is missing.
 */
export function inferWanConfig(file: WeightFile, headDim = 128): Config {
  const { find, has, layers } = finder(file, 'wan-transformer');
  const [D] = find('condition_embedder.time_embedder.linear_2.weight', 2) as [number];
  const [, freq] = find('condition_embedder.time_embedder.linear_1.weight', 2) as [number, number];
  const [, text] = find('condition_embedder.text_embedder.linear_1.weight', 2) as [number, number];
  const [ffn] = find('blocks.0.ffn.net.0.proj.weight', 2) as [number];
  const [out] = find('proj_out.weight', 2) as [number];
  const patch = [1, 2, 2];
  const area = 4;
  const kernel = [...file.tensors.values()].find(
    ({ name }) => ourName('wan-transformer', name) === 'patch_embedding.weight',
  );
  const columns = (kernel?.shape ?? []).reduce((a, b) => a * b, 1) / D;
  if (D % headDim || columns % area || out % area)
    throw new KinoraError('bad-model', `${file.name}: a width of ${D}, ${columns} inputs and ${out} outputs of a patch are no Wan transformer’s.`, { file: file.name }); // prettier-ignore
  return {
    patch_size: patch,
    num_attention_heads: D / headDim,
    attention_head_dim: headDim,
    in_channels: columns / area,
    out_channels: out / area,
    text_dim: text,
    freq_dim: freq,
    ffn_dim: ffn,
    num_layers: layers(/^blocks\.(\d+)\./),
    cross_attn_norm: has(/^blocks\.\d+\.norm2\.weight$/),
    eps: 1e-6,
  };
}

/** Of a UMT5 encoder: transformers' fields. Throws `bad-model` naming a tensor that is missing. */
export function inferUmt5Config(file: WeightFile): Config {
  const { find, layers } = finder(file, 'umt5');
  const layer = 'encoder.block.0.layer';
  const [vocabulary, D] = find('shared.weight', 2) as [number, number];
  const [inner] = find(`${layer}.0.SelfAttention.q.weight`, 2) as [number];
  const [ffn] = find(`${layer}.1.DenseReluDense.wi_0.weight`, 2) as [number];
  const [buckets, heads] = find(`${layer}.0.SelfAttention.relative_attention_bias.weight`, 2) as [
    number,
    number,
  ];
  return {
    feed_forward_proj: 'gated-gelu',
    vocab_size: vocabulary,
    d_model: D,
    d_kv: inner / heads,
    d_ff: ffn,
    num_layers: layers(/^encoder\.block\.(\d+)\./),
    num_heads: heads,
    relative_attention_num_buckets: buckets,
    relative_attention_max_distance: 128,
    layer_norm_epsilon: 1e-6,
  };
}
