/** Number formats on the CPU. All data little-endian, as in the files. */
import { damaged, type TensorInfo } from './source';

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

/** Elements of a Q8_0 block. */
export const Q8_BLOCK = 32;
/** Bytes of a Q8_0 block in a file: an f16 scale, then 32 int8. */
export const Q8_BYTES = 34;

/** Q8_0 blocks to floats: scale · quant, rounded to f32. The reference of the GPU's dequantization. */
export function dequantizeQ8(blocks: Uint8Array): Float32Array<ArrayBuffer> {
  const n = countBlocks(blocks);
  const out = new Float32Array(n * Q8_BLOCK);
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  for (let b = 0; b < n; b++) {
    const scale = f16ToF32(view.getUint16(b * Q8_BYTES, true));
    for (let i = 0; i < Q8_BLOCK; i++) out[b * Q8_BLOCK + i] = scale * view.getInt8(b * Q8_BYTES + 2 + i);
  }
  return out;
}

/**
 * Q8_0 blocks taken apart for the GPU.
 * - `quants`: int8, four per word, the first in the lowest byte; row-major [N, K/4] words.
 * - `scales`: f16 bits, two per word, the first in the low half; row-major [N, K/32], padded at the
 *   very end with a zero when their number is odd.
 */
export interface Q8Parts {
  quants: Uint32Array<ArrayBuffer>;
  scales: Uint32Array<ArrayBuffer>;
}

/** Takes Q8_0 blocks apart; see `Q8Parts`. */
export function repackQ8(blocks: Uint8Array): Q8Parts {
  const n = countBlocks(blocks);
  const quants = new Uint8Array(n * Q8_BLOCK);
  const scales = new Uint8Array(Math.ceil(n / 2) * 4);
  for (let b = 0; b < n; b++) {
    const at = b * Q8_BYTES;
    scales[b * 2] = blocks[at]!;
    scales[b * 2 + 1] = blocks[at + 1]!;
    quants.set(blocks.subarray(at + 2, at + Q8_BYTES), b * Q8_BLOCK);
  }
  return { quants: new Uint32Array(quants.buffer), scales: new Uint32Array(scales.buffer) };
}

function countBlocks(blocks: Uint8Array): number {
  if (blocks.byteLength % Q8_BYTES !== 0)
    throw new RangeError(`q8_0: ${blocks.byteLength} bytes are not whole blocks of ${Q8_BYTES}`);
  return blocks.byteLength / Q8_BYTES;
}

/** Raw bytes of F32, F16, BF16 or Q8_0 values as floats. Throws `bad-model` for other types. */
export function toF32(
  info: Pick<TensorInfo, 'name' | 'dtype'>,
  bytes: Uint8Array,
  file = '',
): Float32Array<ArrayBuffer> {
  const { byteLength } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, byteLength);
  switch (info.dtype) {
    case 'F32':
      return new Float32Array(bytes.slice().buffer);
    case 'F16':
      return Float32Array.from({ length: byteLength / 2 }, (_, i) => f16ToF32(view.getUint16(i * 2, true)));
    case 'BF16':
      return Float32Array.from({ length: byteLength / 2 }, (_, i) => bf16ToF32(view.getUint16(i * 2, true)));
    case 'Q8_0':
      return dequantizeQ8(bytes);
    default:
      throw damaged(
        file,
        `tensor "${info.name}" is ${info.dtype}; Kinora computes with F32, F16, BF16 and Q8_0.`,
        {
          tensor: info.name,
          dtype: info.dtype,
        },
      );
  }
}

/** Raw BF16 values as the nearest F16 bits. Null when a finite value is too large for f16 (65504). */
export function bf16ToF16(bytes: Uint8Array): Uint16Array<ArrayBuffer> | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Uint16Array(bytes.byteLength / 2);
  for (let i = 0; i < out.length; i++) {
    const value = bf16ToF32(view.getUint16(i * 2, true));
    const half = f32ToF16(value);
    if ((half & 0x7fff) === 0x7c00 && Number.isFinite(value)) return null;
    out[i] = half;
  }
  return out;
}
