/** The operations of Pocket and of the 1.3B model, with the operations and bytes that each needs at least. */
import type { Run } from '../../src/gpu/run';
import type { Tensor } from '../../src/gpu/tensor';
import { attention } from '../../src/ops/attention';
import { conv } from '../../src/ops/conv';
import { matmul } from '../../src/ops/matmul';
import { layerNorm, layerNormModulated, rmsNorm } from '../../src/ops/norm';
import { rope, store } from '../../src/ops/rope';
import { store8bit, wordsOf } from '../../src/ops/store-8bit';
import { readTaehvConfig } from '../../src/models/taehv';
import { readWanConfig } from '../../src/models/wan-config';
import type { ModelManifest } from '../../src/weights/manifest';
import { copiesOf, type PeerCase } from './peer';
import type { PeerOperation } from './onnx-model';

/** Weights that the bench times. */
export type WeightType = 'f32' | 'f16' | 'q8_0' | 'q4_0' | 'q4_k';
/** Bytes a weight, scales included. */
const PER_WEIGHT: Readonly<Record<WeightType, number>> = {
  f32: 4,
  f16: 2,
  q8_0: 34 / 32,
  q4_0: 18 / 32,
  q4_k: 148 / 256,
};

/** The domain of onnxruntime's own operations. */
const MICROSOFT = 'com.microsoft';

const peerOf = (flops: number, operation: PeerOperation): PeerCase => ({
  operation,
  copies: copiesOf(flops),
});

/** Makes tensors of random numbers that live as long as the run. */
export interface Maker {
  run: Run;
  random(shape: number[], dtype?: 'f32' | 'f16'): Tensor;
  quantised(shape: [number, number], dtype: 'q8_0' | 'q4_0' | 'q4_k'): Tensor;
}

export interface Case {
  name: string;
  /** Of which model, and its shape in words. */
  shape: string;
  flops: number;
  /** Numbers that are read or written as activations: of 2 bytes where the adapter has halves, else of 4. */
  activations: number;
  /** Bytes of all else: weights, kept keys and values. */
  bytes: number;
  /** Too long for a software adapter. */
  large: boolean;
  prepare(make: Maker): () => void;
  /** The same for scripts/torch_peer.py: M, N, K; or queries, keys, heads, size of a head. */
  torch?: { op: 'matmul' | 'attention'; dims: readonly number[] };
  /** The same for onnxruntime-web; absent where it has no such operation. */
  peer?: PeerCase;
}

function matmulCase(model: string, M: number, N: number, K: number, weights: WeightType): Case {
  const flops = 2 * M * N * K;
  return {
    name: `matmul ${weights}`,
    shape: `${model} ${M}×${N}×${K}`,
    flops,
    activations: M * K + M * N,
    bytes: PER_WEIGHT[weights] * N * K,
    large: flops > 2e8,
    torch: { op: 'matmul', dims: [M, N, K] },
    ...(weights === 'f32' && {
      peer: peerOf(flops, {
        op: 'MatMul',
        inputs: { x: [M, K] },
        weights: { w: { dims: [K, N] } },
        out: [M, N],
      }),
    }),
    ...(weights === 'q8_0' && {
      peer: peerOf(flops, {
        op: 'MatMulNBits',
        domain: MICROSOFT,
        // Level 1: activations stay f32, as they do here.
        attributes: { N, K, bits: 8, block_size: 32, accuracy_level: 1 },
        inputs: { x: [M, K] },
        weights: {
          w: { dims: [N, K / 32, 32], type: 'uint8' as const },
          scales: { dims: [(N * K) / 32] },
        },
        out: [M, N],
      }),
    }),
    prepare({ run, random, quantised }) {
      const x = random([M, K]);
      const w = weights === 'f32' || weights === 'f16' ? random([N, K], weights) : quantised([N, K], weights);
      return () => void matmul(run, x, w);
    },
  };
}

/** `biased`: with a number for each key, as the text's pads have. */
function attentionCase(
  model: string,
  M: number,
  keys: number,
  heads: number,
  d: number,
  biased = false,
): Case {
  const flops = 4 * M * keys * heads * d;
  return {
    name: biased ? 'attention, biased' : 'attention',
    shape: `${model} ${M} queries, ${keys} keys, ${heads}×${d}`,
    flops,
    activations: heads * d * (2 * M + 2 * keys),
    bytes: biased ? 4 * keys : 0,
    large: flops > 2e8,
    ...(!biased && { torch: { op: 'attention', dims: [M, keys, heads, d] } }),
    peer: peerOf(flops, {
      op: 'MultiHeadAttention',
      domain: MICROSOFT,
      attributes: { num_heads: heads },
      inputs: {
        q: [1, M, heads * d],
        k: [1, keys, heads * d],
        v: [1, keys, heads * d],
        ...(biased && { bias: [1, 1, M, keys] }),
      },
      ...(biased && { leftOut: 2 }),
      out: [1, M, heads * d],
    }),
    prepare({ run, random }) {
      const [q, k, v] = [random([M, heads * d]), random([keys, heads * d]), random([keys, heads * d])];
      const bias = biased && { bias: random([keys], 'f32') };
      return () => void attention(run, q, k, v, { heads, ...bias });
    },
  };
}

/** The same over keys and values of 8 bit, which neither PyTorch nor onnxruntime-web has. */
function attention8Case(model: string, M: number, keys: number, heads: number, d: number): Case {
  const { torch: _, peer: __, ...plain } = attentionCase(model, M, keys, heads, d);
  return {
    ...plain,
    name: 'attention 8 bit',
    activations: heads * 2 * M * d,
    bytes: 4 * heads * 2 * keys * wordsOf(d),
    prepare({ run, random }) {
      const kept = () => {
        const cache = run.tensor([keys, heads, wordsOf(d)], 'keys or values', 'u32');
        return store8bit(run, random([keys, heads * d]), { cache, tokensPerFrame: 1, firstFrame: 0, sink: 0, window: keys }); // prettier-ignore
      };
      const [q, k, v] = [random([M, heads * d]), kept(), kept()];
      return () => void attention(run, q, k, v, { heads });
    },
  };
}

function convCase(model: string, T: number, H: number, W: number, C: number, O: number, kt = 1): Case {
  const flops = 2 * T * H * W * C * O * 9 * kt;
  return {
    name: kt > 1 ? 'conv, two frames' : 'conv',
    shape: `${model} ${T}×${H}×${W}×${C} → ${O}`,
    flops,
    activations: T * H * W * (C + O),
    bytes: 4 * O * C * 9 * kt,
    large: flops > 2e8,
    // Two frames are twice the channels there.
    peer: peerOf(flops, {
      op: 'Conv',
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
      inputs: { x: [T, C * kt, H, W] },
      weights: { w: { dims: [O, C * kt, 3, 3] } },
      out: [T, O, H, W],
    }),
    prepare({ run, random }) {
      const [x, w] = [random([T, H, W, C]), random([O, kt, 3, 3, C], 'f32')];
      // A frame before the first is there: without one its taps are skipped, which the peer cannot.
      const before = kt > 1 ? { past: random([kt - 1, H, W, C]) } : {};
      return () => void conv(run, x, w, before);
    },
  };
}

/** Both with weights, LayerNorm with a bias, too: on both sides. */
function normCase(model: string, name: 'layerNorm' | 'rmsNorm', N: number, D: number): Case {
  const layer = name === 'layerNorm';
  const flops = 8 * N * D;
  const [weight, bias] = [{ weight: { dims: [D] } }, { bias: { dims: [D] } }];
  return {
    name,
    shape: `${model} ${N}×${D}`,
    flops,
    activations: 2 * N * D,
    bytes: 0,
    large: false,
    peer: peerOf(flops, {
      op: layer ? 'LayerNormalization' : 'SimplifiedLayerNormalization',
      attributes: { axis: -1, epsilon: { float: 1e-6 } },
      inputs: { x: [N, D] },
      weights: { ...weight, ...(layer && bias) },
      out: [N, D],
    }),
    prepare({ run, random }) {
      const [x, scale, shift] = [random([N, D]), random([D], 'f32'), random([D], 'f32')];
      return () =>
        void (layer ? layerNorm(run, x, 1e-6, { weight: scale, bias: shift }) : rmsNorm(run, x, scale, 1e-6));
    },
  };
}

/** What onnxruntime-web has no single operation for: the norm with its modulation, the turn of keys, the cache's own. */
function transformerOnly(
  model: string,
  { N, frames, heads, d }: Record<'N' | 'frames' | 'heads' | 'd', number>,
): Case[] {
  const D = heads * d;
  const common = { shape: `${model} ${N}×${D}`, activations: 2 * N * D, large: false };
  const cache = (make: Maker) => ({ cache: make.random([N, D]), tokensPerFrame: N / frames, firstFrame: 0, sink: 0, window: frames }); // prettier-ignore
  return [
    {
      ...common,
      name: 'layerNorm, modulated',
      flops: 8 * N * D,
      bytes: 4 * frames * 6 * D,
      prepare({ run, random }) {
        const [x, m] = [random([N, D]), random([frames, 6, D], 'f32')];
        return () => void layerNormModulated(run, x, 1e-6, m, 0, 1);
      },
    },
    {
      ...common,
      name: 'rope into the cache',
      flops: 3 * N * D,
      bytes: 4 * N * d,
      prepare(make) {
        const [x, angles, into] = [make.random([N, D]), make.random([N, d / 2, 2], 'f32'), cache(make)];
        return () => void rope(make.run, x, angles, heads, into);
      },
    },
    {
      ...common,
      name: 'store in the cache',
      flops: 0,
      bytes: 0,
      prepare(make) {
        const [x, into] = [make.random([N, D]), cache(make)];
        return () => void store(make.run, x, into);
      },
    },
  ];
}

/** A model's shapes, as a bench needs them. */
export interface BenchModel {
  name: string;
  /** Heads of the transformer and their size, its feed-forward width. */
  heads: number;
  head: number;
  ffn: number;
  /** Tokens of a latent frame, latent frames of a block and of the cache, rows of the text. */
  tokens: number;
  frames: number;
  window: number;
  text: number;
  weights: readonly WeightType[];
}

/** Of a checkpoint by its model.json. */
export function modelOf(manifest: ModelManifest): BenchModel {
  const { sampler, latent, sizes, components, name } = manifest;
  const wan = readWanConfig(components.transformer.config);
  const [, p, q] = wan.patch_size;
  const [, y, x] = latent.stride;
  const { width, height } = sizes[0]!;
  return {
    name,
    heads: wan.num_attention_heads,
    head: wan.attention_head_dim,
    ffn: wan.ffn_dim,
    tokens: (height / y / p) * (width / x / q),
    frames: sampler.num_frame_per_block,
    window: sampler.window,
    text: wan.text_len,
    weights: ['f32', 'f16', 'q8_0'],
  };
}

/** Wan 2.1 1.3B, causal: a block of three latents at 448×256, window 12. */
export const WAN: BenchModel = {
  name: '1.3B',
  heads: 12,
  head: 128,
  ffn: 8960,
  tokens: 16 * 28,
  frames: 3,
  window: 12,
  text: 65, // a prompt of 64 tokens and the pad key
  weights: ['f16', 'q8_0', 'q4_0', 'q4_k'],
};

/** The operations of a block of a transformer. */
function transformerCases(m: BenchModel): Case[] {
  const [N, D] = [m.tokens * m.frames, m.heads * m.head];
  return [
    ...m.weights.map((w) => matmulCase(m.name, N, D, D, w)),
    matmulCase(m.name, N, m.ffn, D, 'q8_0'),
    matmulCase(m.name, N, D, m.ffn, 'q8_0'),
    matmulCase(m.name, m.frames, 6 * D, D, 'q8_0'), // the modulations of a step
    attentionCase(m.name, N, m.tokens * m.window, m.heads, m.head),
    attention8Case(m.name, N, m.tokens * m.window, m.heads, m.head),
    attentionCase(m.name, N, m.text, m.heads, m.head, true),
    normCase(m.name, 'layerNorm', N, D),
    normCase(m.name, 'rmsNorm', N, D),
    ...transformerOnly(m.name, { N, frames: m.frames, heads: m.heads, d: m.head }),
  ];
}

/** Of the bundled model and the 1.3B one, and of their decoders. */
export function casesOf(pocket: ModelManifest | null): Case[] {
  return [
    ...(pocket ? [...transformerCases(modelOf(pocket)), ...decoderCases(pocket)] : []),
    ...transformerCases(WAN),
    convCase('TAEHV', 4, 64, 112, 64, 64),
  ];
}

function decoderCases({ components, latent, sizes, name }: ModelManifest): Case[] {
  const { decoder_channels: widths } = readTaehvConfig(components.autoencoder.config);
  const [H, W] = [sizes[0]!.height / latent.stride[1], sizes[0]!.width / latent.stride[2]];
  return [convCase(name, 1, H, W, widths[0], widths[0], 2), convCase(name, 4, H, W, widths[2], widths[2])];
}
