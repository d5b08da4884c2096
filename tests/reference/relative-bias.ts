import type { Values } from './elementwise';

/**
 * T5's bucket of `key − query`, both directions: half of the buckets are for keys that come later. In
 * each half the first half counts distances one by one, the rest is logarithmic up to `maxDistance`.
 */
export function bucketOf(distance: number, buckets: number, maxDistance: number): number {
  const half = buckets / 2;
  const exact = half / 2;
  const later = distance > 0 ? half : 0;
  const d = Math.abs(distance);
  if (d < exact) return later + d;
  // 2^-40 against rounding where the quotient of logarithms is a whole number.
  const steps = (Math.log(d / exact) / Math.log(maxDistance / exact)) * (half - exact);
  return later + Math.min(exact + Math.floor(steps + 2 ** -40), half - 1);
}

/** table [buckets,H] → bias [H,L,L], of head, query, key. */
export function relativeBias(
  [buckets, H, L]: readonly [number, number, number],
  table: Values,
  maxDistance: number,
): Float64Array {
  const out = new Float64Array(H * L * L);
  for (let h = 0; h < H; h++)
    for (let query = 0; query < L; query++)
      for (let key = 0; key < L; key++)
        out[(h * L + query) * L + key] = table[bucketOf(key - query, buckets, maxDistance) * H + h]!;
  return out;
}
