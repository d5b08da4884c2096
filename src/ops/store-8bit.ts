/**
 * A KV cache of 8 bit. Keys and values differ much from head to head and from token to token, less within a head, so
 * each head of each row has a scale of its own: the largest magnitude / 127. A head of d values is ⌈d/4⌉ words of four
 * int8, and behind them the scale as an f32: 132 bytes for a head of 128, 52 % of those in 16 bit; 36 for one of 32, 56 %.
 * The rounding is at most half a scale. Attention reads it as it is (shaders/lib/kv-8bit.wgsl).
 */
import code from '../../shaders/store-8bit.wgsl?raw';
import slot from '../../shaders/lib/slot.wgsl?raw';
import { grid, type Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { expectCache, slotParams, type CacheSlot } from './cache-slot';
import { elemOf, expectAxes, kernel, refuse } from './kernels';

/** u32 words of a head of d values, its scale included. */
export const wordsOf = (d: number): number => Math.ceil(d / 4) + 1;

/**
 * Rounds rows [N, heads·d] into their slots of a cache of 8 bit, u32 [window · tokensPerFrame, heads, wordsOf(d)].
 * @returns the cache
 */
export function store8bit(run: Run, x: Tensor, into: CacheSlot): Tensor {
  const op = 'store-8bit';
  expectAxes(op, 'x', x, 'N,heads·d');
  const [N, width] = x.shape as [number, number];
  const { cache } = into;
  const heads = cache.shape[1] ?? 0;
  const HEAD = width / heads;
  if (cache.dtype !== 'u32' || !Number.isInteger(HEAD))
    throw refuse(
      op,
      `${cache.label} is ${cache.dtype} [${cache.shape}], no cache of 8 bit for rows of ${width}`,
    );
  const slots = slotParams(op, x, into);
  expectCache(op, into, heads, wordsOf(HEAD));
  run.dispatch({
    kernel: kernel(op, code, {
      types: { XT: elemOf(op, x) },
      lib: { slot },
      consts: { HEAD, HEAD4: Math.ceil(HEAD / 4) },
    }),
    bindings: { x, out: cache },
    params: { N, heads, ...slots },
    workgroups: grid(N * heads, 8),
  });
  return cache;
}
