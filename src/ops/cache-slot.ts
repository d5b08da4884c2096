/** Where rows go in a KV cache. */
import { expectShape } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { refuse } from './kernels';

/**
 * Frame f goes to slot f < sink ? f : sink + (f − sink) mod (window − sink). So the cache holds the
 * sink and the last frames; attention does not mind their order.
 */
export interface CacheSlot {
  /** [window · tokensPerFrame, D], or of 8 bit [window · tokensPerFrame, heads, words] (store-8bit.ts) */
  cache: Tensor;
  tokensPerFrame: number;
  /** Number in the clip of the first frame that is written. */
  firstFrame: number;
  /** First frames that stay. */
  sink: number;
  /** Frames that fit. */
  window: number;
}

const NOWHERE = { per_frame: 1, first_frame: 0, sink: 0, window: 0 };

/** What lib/slot.wgsl needs to place rows [N, …]; without a cache they stay where they are. */
export function slotParams(op: string, x: Tensor, into: CacheSlot | undefined): typeof NOWHERE {
  if (!into) return NOWHERE;
  const { tokensPerFrame, firstFrame, sink, window } = into;
  const N = x.shape[0]!;
  if (N % tokensPerFrame !== 0 || N / tokensPerFrame > window)
    throw refuse(op, `${N} rows do not fit in ${window} frames of ${tokensPerFrame}`);
  if (sink >= window) throw refuse(op, `a sink of ${sink} frames leaves no room in a window of ${window}`);
  return { per_frame: tokensPerFrame, first_frame: firstFrame, sink, window };
}

/** Throws unless the cache has room for `window` frames of rows of this shape. */
export function expectCache(
  op: string,
  { cache, window, tokensPerFrame }: CacheSlot,
  ...row: number[]
): void {
  expectShape(op, 'cache', cache, [window * tokensPerFrame, ...row]);
}
