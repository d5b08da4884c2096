/** Rotary position embedding, and what goes into a KV cache. */
import ropeCode from '../../shaders/rope.wgsl?raw';
import storeCode from '../../shaders/store.wgsl?raw';
import slot from '../../shaders/lib/slot.wgsl?raw';
import { expectShape, grid, type Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { elemOf, expectAxes, kernel, refuse } from './kernels';

/**
 * Where rows go: frame f to slot f < sink ? f : sink + (f − sink) mod (window − sink). So the cache holds the
 * sink and the last frames; attention does not mind their order.
 */
export interface CacheSlot {
  /** [window · tokensPerFrame, D] */
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

function slotParams(op: string, x: Tensor, into: CacheSlot | undefined): typeof NOWHERE {
  if (!into) return NOWHERE;
  const { cache, tokensPerFrame, firstFrame, sink, window } = into;
  const [N, D] = x.shape as [number, number];
  expectShape(op, 'cache', cache, [window * tokensPerFrame, D]);
  if (N % tokensPerFrame !== 0 || N / tokensPerFrame > window)
    throw refuse(op, `${N} rows do not fit in ${window} frames of ${tokensPerFrame}`);
  if (sink >= window) throw refuse(op, `a sink of ${sink} frames leaves no room in a window of ${window}`);
  return { per_frame: tokensPerFrame, first_frame: firstFrame, sink, window };
}

/**
 * Turns interleaved pairs of each head.
 * @param x [N, heads·d]
 * @param angles [N, d/2, 2] f32: cosine and sine
 * @returns a new tensor, or the cache where `into` says so
 */
export function rope(run: Run, x: Tensor, angles: Tensor, heads: number, into?: CacheSlot): Tensor {
  expectAxes('rope', 'x', x, 'N,heads·d');
  const [N, width] = x.shape as [number, number];
  const half = width / heads / 2;
  if (!Number.isInteger(half)) throw refuse('rope', `${width} columns do not make ${heads} heads of pairs`);
  expectShape('rope', 'angles', angles, [N, half, 2]);
  const slots = slotParams('rope', x, into);
  const out = into?.cache ?? run.tensor(x.shape, 'rope');
  run.dispatch({
    kernel: kernel('rope', ropeCode, {
      types: { XT: elemOf('rope', x), OT: elemOf('rope', out) },
      lib: { slot },
    }),
    bindings: { x, angles, out },
    params: { N, heads, half, ...slots },
    workgroups: grid((N * width) / 2, 64),
  });
  return out;
}

/** Copies rows [N, D] into their slots of a cache, which it returns. */
export function store(run: Run, x: Tensor, into: CacheSlot): Tensor {
  expectAxes('store', 'x', x, 'N,D');
  const [N, D] = x.shape as [number, number];
  const slots = slotParams('store', x, into);
  run.dispatch({
    kernel: kernel('store', storeCode, {
      types: { XT: elemOf('store', x), OT: elemOf('store', into.cache) },
      lib: { slot },
    }),
    bindings: { x, out: into.cache },
    params: { N, D, ...slots },
    workgroups: grid(N * D, 64),
  });
  return into.cache;
}
