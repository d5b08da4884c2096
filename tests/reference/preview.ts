import type { Values } from './elementwise';

/**
 * Latents as small pictures: x0 [C,F,h,w], matrix [C,3], bias [3] → channels [F·h·w, 3] from 0 to 255,
 * before rounding.
 */
export function latentsToRgb(C: number, x0: Values, matrix: Values, bias: Values): Float64Array {
  const pixels = x0.length / C;
  const out = new Float64Array(pixels * 3);
  for (let p = 0; p < pixels; p++)
    for (let k = 0; k < 3; k++) {
      let sum = bias[k]!;
      for (let c = 0; c < C; c++) sum += x0[c * pixels + p]! * matrix[c * 3 + k]!;
      out[p * 3 + k] = 255 * Math.min(Math.max(sum, 0), 1);
    }
  return out;
}
