/** 16-bit floats on the CPU: IEEE half and bfloat16. */

const scratch = new DataView(new ArrayBuffer(4));

/** IEEE half to float, exact. `h` is the 16-bit pattern. */
export function f16ToF32(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** bfloat16 to float, exact. */
export function bf16ToF32(b: number): number {
  scratch.setUint32(0, b << 16);
  return scratch.getFloat32(0);
}

/**
 * Float to the nearest half, ties to even; values of 65520 and more become infinity, NaN stays NaN.
 * `x` is rounded to f32 first.
 */
export function f32ToF16(x: number): number {
  scratch.setFloat32(0, x);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 255;
  const fraction = bits & 0x7fffff;
  if (exponent === 255) return sign | (fraction ? 0x7e00 : 0x7c00);
  const e = exponent - 112; // exponent of the half
  if (e >= 31) return sign | 0x7c00;
  if (e < -10) return sign; // below half of the least subnormal
  // A normal half drops 13 bits of the fraction; a subnormal one more, and shows the hidden bit.
  const drop = e > 0 ? 13 : 14 - e;
  const whole = e > 0 ? (e << 23) | fraction : fraction | 0x800000;
  const kept = whole >>> drop;
  const rest = whole & ((1 << drop) - 1);
  const half = 1 << (drop - 1);
  // A carry runs into the exponent, which is just right, up to infinity.
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}
