/** T5's relative position bias, bidirectional. */
import code from '../../shaders/relative-bias.wgsl?raw';
import { grid, type Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { expectAxes, kernel } from './kernels';

/**
 * Bucket of each distance key − query from −(L−1) to L−1: half of the buckets for either sign, of those half
 * exact and half logarithmic up to `maxDistance`. In f32 as PyTorch computes it, where a boundary may depend on it.
 */
export function relativeBuckets(L: number, count: number, maxDistance: number): Int32Array<ArrayBuffer> {
  const half = count >> 1;
  const exact = half >> 1;
  const f = Math.fround;
  return Int32Array.from({ length: 2 * L - 1 }, (_, i) => {
    const distance = Math.abs(i - (L - 1));
    const sign = i > L - 1 ? half : 0;
    if (distance < exact) return sign + distance;
    const log = f(f(Math.log(f(distance / exact))) / f(Math.log(maxDistance / exact)));
    return sign + Math.min(half - 1, exact + Math.trunc(f(log * (half - exact))));
  });
}

/** table [buckets, H] f32 → f32 [H, L, L], added to the scores of query and key. */
export function relativeBias(run: Run, table: Tensor, L: number, maxDistance: number): Tensor {
  expectAxes('relativeBias', 'table', table, 'buckets,H');
  const [count, heads] = table.shape as [number, number];
  const out = run.tensor([heads, L, L], 'relativeBias', 'f32');
  const buckets = run.input(relativeBuckets(L, count, maxDistance), [2 * L - 1], 'relative buckets');
  run.dispatch({
    kernel: kernel('relative-bias', code),
    bindings: { table, buckets, out },
    params: { L, heads },
    workgroups: grid(heads * L * L, 64),
  });
  return out;
}
