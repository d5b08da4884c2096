import type { Values } from './elementwise';

/** Rows [N, heads·d] rounded to 8 bit, a scale for each head of each row: the whole numbers, and the scales [N·heads]. */
export function round8bit(x: Values, heads: number, d: number): { whole: Int32Array; scales: Float64Array } {
  const count = x.length / d;
  const whole = new Int32Array(x.length);
  const scales = new Float64Array(count);
  for (let h = 0; h < count; h++) {
    let most = 0;
    for (let i = 0; i < d; i++) most = Math.max(most, Math.abs(x[h * d + i]!));
    scales[h] = most / 127;
    for (let i = 0; i < d; i++) whole[h * d + i] = most === 0 ? 0 : Math.round(x[h * d + i]! / scales[h]!);
  }
  if (count % heads) throw new RangeError(`${x.length} values are no rows of ${heads} heads of ${d}`);
  return { whole, scales };
}

/** What a cache [rows, heads, ⌈d/4⌉ + 1] of words holds, each head's scale behind it: its whole numbers and scales. */
export function unpack8bit(words: Uint32Array, d: number): { whole: Int32Array; scales: Float64Array } {
  const n = Math.ceil(d / 4) + 1;
  const bytes = new Int8Array(words.buffer, words.byteOffset, 4 * words.length);
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  const whole = new Int32Array((words.length / n) * d);
  const scales = new Float64Array(words.length / n);
  for (let h = 0; h < scales.length; h++) {
    scales[h] = floats[h * n + n - 1]!;
    for (let i = 0; i < d; i++) whole[h * d + i] = bytes[4 * h * n + i]!;
  }
  return { whole, scales };
}

/** The values that whole numbers and scales stand for. */
export const valuesOf = ({ whole, scales }: { whole: Int32Array; scales: Float64Array }): Float64Array =>
  Float64Array.from(whole, (n, i) => n * scales[Math.floor((i * scales.length) / whole.length)]!);
