import type { Values } from './elementwise';

/** Rows of a table [V,D] by ids [L], each clamped to 0..V−1 → [L,D]. */
export function embedding([V, D]: readonly [number, number], table: Values, ids: Values): Float64Array {
  const out = new Float64Array(ids.length * D);
  for (let l = 0; l < ids.length; l++) {
    const id = Math.min(Math.max(ids[l]!, 0), V - 1);
    for (let d = 0; d < D; d++) out[l * D + d] = table[id * D + d]!;
  }
  return out;
}
