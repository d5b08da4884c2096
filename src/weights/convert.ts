/** Number formats on the CPU. All data little-endian, as in the files. */
import { LAYOUTS, type FileDType } from './dtypes';
import { E4M3, E5M2 } from './float8';
import { bf16ToF32, f16ToF32, f32ToF16 } from './half';
import { dequantizers, isQuantized } from './quants';
import { damaged, type TensorInfo } from './source';

export { bf16ToF32, f16ToF32, f32ToF16 } from './half';

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

/** Types whose values can be computed with, for messages. */
export const COMPUTED =
  'F32, F16, BF16, F64, F8_E4M3, F8_E5M2, I8, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q2_K to Q6_K';

/**
 * Raw bytes of values as floats, without their scale tensor (see scaled.ts). Whole blocks of quantized types.
 * Throws `bad-model` for types that hold no weights.
 */
export function toF32(
  info: Pick<TensorInfo, 'name' | 'dtype'>,
  bytes: Uint8Array,
  file = '',
): Float32Array<ArrayBuffer> {
  const { byteLength } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, byteLength);
  const { dtype } = info;
  const each = (value: (at: number) => number): Float32Array<ArrayBuffer> => {
    const step = LAYOUTS[dtype].bytes;
    const out = new Float32Array(byteLength / step);
    for (let i = 0; i < out.length; i++) out[i] = value(i * step);
    return out;
  };
  if (isQuantized(dtype)) return dequantize(dtype, bytes);
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes.slice().buffer);
    case 'F64':
      return each((at) => view.getFloat64(at, true));
    case 'F16':
      return each((at) => f16ToF32(view.getUint16(at, true)));
    case 'BF16':
      return each((at) => bf16ToF32(view.getUint16(at, true)));
    case 'F8_E4M3':
      return each((at) => E4M3[bytes[at]!]!);
    case 'F8_E5M2':
      return each((at) => E5M2[bytes[at]!]!);
    case 'I8':
      return each((at) => view.getInt8(at));
    case 'Q8_0':
      return dequantizeQ8(bytes);
    default:
      throw damaged(file, `tensor "${info.name}" is ${dtype}; Kinora computes with ${COMPUTED}.`, {
        tensor: info.name,
        dtype,
      });
  }
}

/**
 * The one value of a tensor such as a LoRA's alpha, which may be a whole number; NaN where there are no bytes.
 * Throws `bad-model` for types that hold no numbers.
 */
export function toNumber(
  info: Pick<TensorInfo, 'name' | 'dtype'>,
  bytes: Uint8Array<ArrayBuffer>,
  file = '',
): number {
  const { buffer, byteOffset: at, byteLength } = bytes;
  const get = whole(info.dtype);
  if (!get) return toF32(info, bytes, file)[0] ?? NaN;
  return byteLength > 0 ? Number(get(new DataView(buffer, at, byteLength))) : NaN;
}

/** Reads a whole number of this type; null for other types. */
function whole(dtype: FileDType): ((view: DataView) => number | bigint) | null {
  switch (dtype) {
    case 'I64':
      return (view) => view.getBigInt64(0, true);
    case 'U64':
      return (view) => view.getBigUint64(0, true);
    case 'I32':
      return (view) => view.getInt32(0, true);
    case 'U32':
      return (view) => view.getUint32(0, true);
    case 'I16':
      return (view) => view.getInt16(0, true);
    case 'U16':
      return (view) => view.getUint16(0, true);
    case 'U8':
      return (view) => view.getUint8(0);
    default:
      return null;
  }
}

/** Whole blocks of a ggml type as floats. */
function dequantize(dtype: keyof typeof dequantizers, bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const { bytes: step, elements } = LAYOUTS[dtype as FileDType];
  if (bytes.byteLength % step !== 0)
    throw new RangeError(`${dtype}: ${bytes.byteLength} bytes are not whole blocks of ${step}`);
  const out = new Float32Array((bytes.byteLength / step) * elements);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const block = dequantizers[dtype];
  for (let at = 0, to = 0; at < bytes.byteLength; at += step, to += elements) block(view, at, out, to);
  return out;
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
