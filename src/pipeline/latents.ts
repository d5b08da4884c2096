/** Latents in plain numbers: pieces of a block. */
import type { Latents } from './backend';

/**
 * Some frames of a block.
 * @param block [C, F, pixels]
 * @param shape C and F
 * @returns [C, count, pixels]
 */
export function sliceLatents(
  block: Latents,
  [C, F]: readonly [number, number],
  first: number,
  count: number,
): Latents {
  const pixels = block.length / (C * F);
  const out = new Float32Array(C * count * pixels);
  for (let c = 0; c < C; c++) {
    const from = (c * F + first) * pixels;
    out.set(block.subarray(from, from + count * pixels), c * count * pixels);
  }
  return out;
}
