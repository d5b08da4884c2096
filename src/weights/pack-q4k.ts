/**
 * Floats as Q4_K super-blocks: 256 numbers in eight parts of 32, each with a scale and a minimum of 6 bits, x ≈ d·s·q − dm·m
 * [ggml-org/llama.cpp `ggml/src/ggml-quants.c` `quantize_row_q4_K_ref`, whose search this is with fewer tries].
 * As many bits as Q4_0, and nearer. The reference of shaders/quantize-q4-k.wgsl, to which it is equal but for how sums round.
 */
import { f16ToF32, f32ToF16 } from './half';
import { BLOCK_FORMS } from './pack';

/** How far the tries go beyond the scale that just spans a part, and in which steps; ggml has 21 of 0.1. */
const TRIES = 9;
const STEP = 0.25;

const { elements: SUPER, bytes: BYTES } = BLOCK_FORMS.Q4_K;
const round = Math.fround;
const nearest = (v: number) => Math.floor(v + 0.5);
const clamp = (v: number, most: number) => Math.min(most, Math.max(0, v));

/** @param x whole super-blocks of 256. A block with NaN or infinity gets NaN as its scale. */
export function quantizeQ4_K(x: Float32Array): Uint8Array<ArrayBuffer> {
  const n = x.length / SUPER;
  if (!Number.isInteger(n)) throw new RangeError(`q4_k: ${x.length} values are not whole blocks of ${SUPER}`);
  const out = new Uint8Array(n * BYTES);
  const view = new DataView(out.buffer);
  const scales = new Float32Array(8);
  const minima = new Float32Array(8);
  for (let b = 0; b < n; b++) {
    const at = b * BYTES;
    let bad = false;
    for (let j = 0; j < 8; j++) {
      const part = x.subarray(b * SUPER + 32 * j, b * SUPER + 32 * j + 32);
      [scales[j], minima[j]] = fit(part) as [number, number];
      bad ||= !Number.isFinite(scales[j]!) || !Number.isFinite(minima[j]!);
    }
    const mostScale = Math.max(...scales);
    const mostMinimum = Math.max(...minima);
    const d = f32ToF16(round(mostScale / 63));
    const dm = f32ToF16(round(mostMinimum / 63));
    bad ||= (dm & 0x7c00) === 0x7c00;
    view.setUint16(at, bad ? 0x7e00 : d, true);
    view.setUint16(at + 2, dm, true);
    for (let j = 0; j < 8; j++) {
      const s = mostScale > 0 ? clamp(nearest((63 / mostScale) * scales[j]!), 63) : 0;
      const m = mostMinimum > 0 ? clamp(nearest((63 / mostMinimum) * minima[j]!), 63) : 0;
      putScale(out, at + 4, j, s, m);
      // With the scale and the minimum as they will be read.
      const scale = round(f16ToF32(d) * s);
      const minimum = round(f16ToF32(dm) * m);
      const inverse = scale > 0 ? 1 / scale : 0;
      for (let i = 0; i < 32; i++) {
        const q = clamp(nearest((x[b * SUPER + 32 * j + i]! + minimum) * inverse), 15);
        out[at + 16 + (j >> 1) * 32 + i]! |= q << ((j & 1) * 4);
      }
    }
  }
  return out;
}

/** The scale and the minimum (both at least 0) of a part by which it is told best; large numbers count more. */
function fit(x: Float32Array): [scale: number, minimum: number] {
  let least = 0;
  let most = -Infinity;
  let squares = 0;
  for (const v of x) {
    least = Math.min(least, v);
    most = Math.max(most, v);
    squares += v * v;
  }
  if (!Number.isFinite(squares)) return [NaN, NaN];
  if (most <= least) return [0, -least];
  const even = Math.sqrt(squares / 32);
  let [scale, minimum] = [(most - least) / 15, -least];
  let best = errorOf(x, even, scale, minimum, 15 / (most - least), least);
  for (let t = 0; t < TRIES; t++) {
    const inverse = (15 - 1 + STEP * t) / (most - least);
    let [w, l, l2, wx, xl] = [0, 0, 0, 0, 0];
    for (const v of x) {
      const q = clamp(nearest(inverse * (v - least)), 15);
      const weight = even + Math.abs(v);
      w += weight;
      l += weight * q;
      l2 += weight * q * q;
      wx += weight * v;
      xl += weight * q * v;
    }
    const determinant = w * l2 - l * l;
    if (!(determinant > 0)) continue;
    let s = (w * xl - wx * l) / determinant;
    let m = (l2 * wx - l * xl) / determinant;
    if (m > 0) [s, m] = [xl / l2, 0];
    const error = errorOf(x, even, s, -m, inverse, least);
    if (error < best && s > 0) [best, scale, minimum] = [error, s, -m];
  }
  return [scale, minimum];
}

function errorOf(
  x: Float32Array,
  even: number,
  scale: number,
  minimum: number,
  inverse: number,
  least: number,
): number {
  let sum = 0;
  for (const v of x) {
    const q = clamp(nearest(inverse * (v - least)), 15);
    sum += (even + Math.abs(v)) * (scale * q - minimum - v) ** 2;
  }
  return sum;
}

/** Six bits each into the 12 bytes at `at`, as `scaleMinK` reads them. */
function putScale(out: Uint8Array, at: number, j: number, s: number, m: number): void {
  if (j < 4) {
    out[at + j]! |= s;
    out[at + j + 4]! |= m;
  } else {
    out[at + j + 4]! |= (s & 15) | ((m & 15) << 4);
    out[at + j - 4]! |= (s >> 4) << 6;
    out[at + j]! |= (m >> 4) << 6;
  }
}
