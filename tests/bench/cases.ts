/** The operations of Pocket and of the 1.3B model, with the operations and bytes that each needs at least. */
import type { Run } from '../../src/gpu/run';
import type { Tensor } from '../../src/gpu/tensor';
import { attention } from '../../src/ops/attention';
import { conv } from '../../src/ops/conv';
import { matmul } from '../../src/ops/matmul';
import { layerNorm, rmsNorm } from '../../src/ops/norm';
import type { PeerCase } from './peer';

/** Makes tensors of random numbers that live as long as the run. */
export interface Maker {
  run: Run;
  random(shape: number[], dtype?: 'f32' | 'f16'): Tensor;
  /** q8_0 [N, K] */
  quantised(shape: [number, number]): Tensor;
}

export interface Case {
  name: string;
  /** Of which model, and its shape in words. */
  shape: string;
  flops: number;
  bytes: number;
  /** Too long for a software adapter. */
  large: boolean;
  prepare(make: Maker): () => void;
  /** The same for onnxruntime-web; absent where it has no such operation. */
  peer?: PeerCase;
}

function matmulCase(model: string, M: number, N: number, K: number, weights: 'f32' | 'f16' | 'q8_0'): Case {
  const perWeight = { f32: 4, f16: 2, q8_0: 34 / 32 }[weights];
  return {
    name: `matmul ${weights}`,
    shape: `${model} ${M}×${N}×${K}`,
    flops: 2 * M * N * K,
    bytes: 4 * (M * K + M * N) + perWeight * N * K,
    large: 2 * M * N * K > 2e8,
    ...(weights === 'f32' && {
      peer: { model: 'matmul', inputs: { x: { dims: [M, K] }, w: { dims: [K, N] } } },
    }),
    ...(weights === 'q8_0' && {
      peer: {
        model: `matmul-q8-${N}x${K}`,
        inputs: {
          x: { dims: [M, K] },
          w: { dims: [N, K / 32, 32], type: 'uint8' as const },
          scales: { dims: [(N * K) / 32] },
        },
      },
    }),
    prepare({ run, random, quantised }) {
      const x = random([M, K]);
      const w = weights === 'q8_0' ? quantised([N, K]) : random([N, K], weights);
      return () => void matmul(run, x, w);
    },
  };
}

function attentionCase(model: string, M: number, keys: number, heads: number, d: number): Case {
  const flops = 4 * M * keys * heads * d;
  return {
    name: 'attention',
    shape: `${model} ${M} queries, ${keys} keys, ${heads}×${d}`,
    flops,
    bytes: 4 * heads * d * (2 * M + 2 * keys),
    large: flops > 2e8,
    peer: {
      model: `attention-${heads}`,
      inputs: {
        q: { dims: [1, M, heads * d] },
        k: { dims: [1, keys, heads * d] },
        v: { dims: [1, keys, heads * d] },
      },
    },
    prepare({ run, random }) {
      const [q, k, v] = [random([M, heads * d]), random([keys, heads * d]), random([keys, heads * d])];
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
    bytes: 4 * (T * H * W * (C + O) + O * C * 9 * kt),
    large: flops > 2e8,
    // Two frames are twice the channels there.
    peer: { model: 'conv', inputs: { x: { dims: [T, C * kt, H, W] }, w: { dims: [O, C * kt, 3, 3] } } },
    prepare({ run, random }) {
      const [x, w] = [random([T, H, W, C]), random([O, kt, 3, 3, C], 'f32')];
      return () => void conv(run, x, w);
    },
  };
}

function normCase(model: string, name: 'layerNorm' | 'rmsNorm', N: number, D: number): Case {
  return {
    name,
    shape: `${model} ${N}×${D}`,
    flops: 8 * N * D,
    bytes: 8 * N * D,
    large: false,
    peer: {
      model: name === 'layerNorm' ? 'layer-norm' : 'rms-norm',
      inputs: { x: { dims: [N, D] }, scale: { dims: [D] } },
    },
    prepare({ run, random }) {
      const x = random([N, D]);
      const weight = random([D], 'f32');
      return () => void (name === 'layerNorm' ? layerNorm(run, x, 1e-6) : rmsNorm(run, x, weight, 1e-6));
    },
  };
}

/** Pocket: a block of 3 latents at 96×64, window 6. 1.3B: a block at 448×256, window 12. */
export const CASES: readonly Case[] = [
  ...(['f32', 'f16', 'q8_0'] as const).map((w) => matmulCase('Pocket', 72, 192, 192, w)),
  matmulCase('Pocket', 72, 768, 192, 'q8_0'),
  matmulCase('Pocket', 72, 192, 768, 'q8_0'),
  attentionCase('Pocket', 72, 144, 3, 64),
  attentionCase('Pocket', 72, 32, 3, 64),
  normCase('Pocket', 'layerNorm', 72, 192),
  normCase('Pocket', 'rmsNorm', 72, 192),
  convCase('Pocket', 1, 8, 12, 96, 96, 2),
  convCase('Pocket', 4, 8, 12, 128, 192),
  matmulCase('1.3B', 1344, 1536, 1536, 'f16'),
  matmulCase('1.3B', 1344, 1536, 1536, 'q8_0'),
  matmulCase('1.3B', 1344, 8960, 1536, 'q8_0'),
  matmulCase('1.3B', 1344, 1536, 8960, 'q8_0'),
  attentionCase('1.3B', 1344, 5376, 12, 128),
  normCase('1.3B', 'layerNorm', 1344, 1536),
  convCase('TAEHV', 4, 64, 112, 64, 64),
];
