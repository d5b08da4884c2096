/** Rotary position embedding, and what goes into a KV cache. */
import ropeCode from '../../shaders/rope.wgsl?raw';
import storeCode from '../../shaders/store.wgsl?raw';
import pairHalves from '../../shaders/lib/pair-halves.wgsl?raw';
import pairPlain from '../../shaders/lib/pair-plain.wgsl?raw';
import slot from '../../shaders/lib/slot.wgsl?raw';
import { expectShape, grid, type Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { expectCache, slotParams, type CacheSlot } from './cache-slot';
import { elemOf, expectAxes, kernel, refuse } from './kernels';
import { store8bit } from './store-8bit';

/** Halves on a device that does not compute with them: two in a word. */
const inWords = (run: Run, t: Tensor) => t.dtype === 'f16' && run.elem === 'f32';
const written = (op: string, run: Run, t: Tensor) => ({
  OT: inWords(run, t) ? ('u32' as const) : elemOf(op, t),
});
const putter = (run: Run, t: Tensor): Record<string, string> =>
  inWords(run, t) ? { pairHalves } : { pairPlain };

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
  if (into?.cache.dtype === 'u32') return run.scope(() => store8bit(run, rope(run, x, angles, heads), into));
  const slots = slotParams('rope', x, into);
  if (into) expectCache('rope', into, width);
  const out = into?.cache ?? run.tensor(x.shape, 'rope');
  run.dispatch({
    kernel: kernel('rope', ropeCode, {
      types: { XT: elemOf('rope', x), ...written('rope', run, out) },
      lib: { slot, ...putter(run, out) },
    }),
    bindings: { x, angles, out },
    params: { N, heads, half, ...slots },
    workgroups: grid((N * width) / 2, 64),
  });
  return out;
}

/** Copies rows [N, D] into their slots of a cache, which it returns. One of 8 bit is u32; see store-8bit.ts. */
export function store(run: Run, x: Tensor, into: CacheSlot): Tensor {
  expectAxes('store', 'x', x, 'N,D');
  const [N, D] = x.shape as [number, number];
  if (into.cache.dtype === 'u32') return store8bit(run, x, into);
  const slots = slotParams('store', x, into);
  expectCache('store', into, D);
  const PER = D % 2 === 0 ? 2 : 1;
  if (PER === 1 && inWords(run, into.cache))
    throw refuse('store', `rows of ${D} halves are no whole words, and this device computes with no halves`);
  run.dispatch({
    kernel: kernel('store', storeCode, {
      types: { XT: elemOf('store', x), ...written('store', run, into.cache) },
      lib: { slot, ...putter(run, into.cache) },
      consts: { PER },
    }),
    bindings: { x, out: into.cache },
    params: { N, D, ...slots },
    workgroups: grid((N * D) / PER, 64),
  });
  return into.cache;
}
