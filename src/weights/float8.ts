/**
 * 8-bit floats as PyTorch and safetensors have them: E4M3 is `float8_e4m3fn` (no infinities, 0x7f and 0xff
 * are NaN, largest 448), E5M2 is the upper half of an IEEE half.
 */
import { f16ToF32 } from './half';

/** float8_e4m3fn to float, exact. */
export function e4m3ToF32(b: number): number {
  const sign = b & 0x80 ? -1 : 1;
  const exponent = (b >> 3) & 15;
  const fraction = b & 7;
  if (exponent === 15 && fraction === 7) return NaN;
  return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (8 + fraction) * 2 ** (exponent - 10);
}

/** float8_e5m2 to float, exact. */
export const e5m2ToF32 = (b: number): number => f16ToF32(b << 8);

const tableOf = (convert: (b: number) => number) => Float32Array.from({ length: 256 }, (_, b) => convert(b));

/** Every value of each type, by its bits. */
export const E4M3 = tableOf(e4m3ToF32);
export const E5M2 = tableOf(e5m2ToF32);
