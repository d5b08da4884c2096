/** Multi-head attention over any number of keys, in the flash form. */
import code from '../../shaders/attention.wgsl?raw';
import scalar from '../../shaders/lib/qkv-scalar.wgsl?raw';
import vec4 from '../../shaders/lib/qkv-vec4.wgsl?raw';
import { expectShape, ranges, type Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { elemOf, expectAxes, kernel, refuse } from './kernels';

export interface AttentionOptions {
  heads: number;
  /** Of the scores; default 1/√(head size). T5 uses 1. */
  scale?: number;
  /** Attend to the first `keys` rows of k and v only; default: all. */
  keys?: number;
  /** Added to the scores: f32 [keys], or [heads, M, keys]. */
  bias?: Tensor;
}

/** Keys and values of a tile share the 16 KiB of workgroup memory that every adapter has. */
const TILE_BYTES = 16_384;

/**
 * softmax(q·kᵀ·scale + bias)·v for each head.
 * @param q [M, heads·d]
 * @param k,v [S, heads·d], of the same type as q
 * @returns [M, heads·d]
 */
export function attention(run: Run, q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  expectAxes('attention', 'q', q, 'M,heads·d');
  const [M, width] = q.shape as [number, number];
  const { heads, bias } = options;
  const HEAD = width / heads;
  if (!Number.isInteger(HEAD)) throw refuse('attention', `${width} columns do not make ${heads} heads`);
  const rows = k.shape[0] ?? 0;
  const { keys = rows, scale = 1 / Math.sqrt(HEAD) } = options;
  expectShape('attention', 'k', k, [rows, width]);
  expectShape('attention', 'v', v, [rows, width]);
  if (keys < 1 || keys > rows) throw refuse('attention', `${keys} keys of ${rows} rows`);
  const elem = elemOf('attention', q);
  if (k.dtype !== elem || v.dtype !== elem)
    throw refuse('attention', `q is ${elem}, but k is ${k.dtype} and v is ${v.dtype}`);
  const shared = bias?.shape.length === 1;
  if (bias) expectShape('attention', 'bias', bias, shared ? [keys] : [heads, M, keys]);
  const HEAD4 = Math.ceil(HEAD / 4);
  const ROWS = M > 128 ? 64 : 32;
  const TILE = Math.min(16, Math.floor(TILE_BYTES / (2 * 16 * HEAD4)));
  if (TILE < 1) throw refuse('attention', `a head of ${HEAD} does not fit in workgroup memory`);
  const whole = HEAD % 4 === 0;
  const spec = kernel('attention', code, {
    elem,
    lib: whole ? { vec4 } : { scalar },
    consts: { HEAD, HEAD4, ROWS, TILE },
    overrides: { HAS_BIAS: bias ? 1 : 0 },
  });
  const out = run.tensor([M, width], 'attention', elem);
  for (const { start, count } of ranges(run.gpu, M, 4 * keys * width, ROWS))
    run.dispatch({
      kernel: spec,
      bindings: { q, k, v, bias: bias ?? q, out },
      params: {
        M,
        keys,
        heads,
        first_row: start,
        bias_head: shared ? 0 : M * keys,
        bias_row: shared ? 0 : keys,
        scale,
      },
      workgroups: [Math.ceil(count / ROWS), heads],
    });
  return out;
}
