/**
 * A tensor is a shape over a GPU buffer. It owns nothing: buffers belong to `Memory` (weights, caches)
 * or to a `Run`'s arena (activations).
 *
 * Axis order is PyTorch's: outermost first, row-major, no strides, no offsets.
 *
 * | dtype  | in memory                                                                              |
 * |--------|----------------------------------------------------------------------------------------|
 * | f32    | array<f32>                                                                             |
 * | f16    | two halves per 32-bit word; as activations array<f16> (needs shader-f16), as weights    |
 * |        | array<u32> read with unpack2x16float, which every adapter has                           |
 * | q8_0   | `storage`: int8, four per word, row-major [N, K]; `scales`: one f16 per 32 along K      |
 * | q4_0, q4_k, q5_k, q6_k | ggml's blocks taken apart: `storage` and `scales` as weights/pack says |
 * | f8_e4m3, f8_e5m2 | `storage`: 8-bit floats, four per word; `scales`: one f32 for the tensor    |
 * | u32, i32 | as they are                                                                          |
 */
export type Elem = 'f32' | 'f16';
/** Weights that kernels dequantize as they read them. */
export type Quantized = 'q8_0' | 'q4_0' | 'q4_k' | 'q5_k' | 'q6_k' | 'f8_e4m3' | 'f8_e5m2';
/** Types whose values are alone in their storage. */
export type Plain = Elem | 'u32' | 'i32';
export type DType = Plain | Quantized;

/** Bits of an element in `storage`. */
const BITS: Readonly<Record<DType, number>> = {
  f32: 32,
  f16: 16,
  u32: 32,
  i32: 32,
  q8_0: 8,
  q4_0: 4,
  q4_k: 4,
  q5_k: 5,
  q6_k: 6,
  f8_e4m3: 8,
  f8_e5m2: 8,
};

/** A buffer, or in a dry run only its size. */
export interface Storage {
  readonly bytes: number;
  readonly buffer: GPUBuffer | null;
  /** Unique in its `Memory`; keys the bind-group cache. */
  readonly id: number;
}

export interface Tensor {
  readonly storage: Storage;
  /** Only for quantized types. */
  readonly scales?: Storage;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly label: string;
}

/** Number of elements. */
export function size(t: { shape: readonly number[] }): number {
  return t.shape.reduce((a, b) => a * b, 1);
}

/** Bytes of the storage that `shape` needs, rounded up to whole words, without scales. */
export function bytesOf(shape: readonly number[], dtype: DType): number {
  const bytes = (size({ shape }) * BITS[dtype]) / 8;
  return Math.max(4, Math.ceil(bytes / 4) * 4);
}

/** The same storage under another shape. Throws when the number of elements differs. */
export function reshape(t: Tensor, shape: readonly number[]): Tensor {
  if (size(t) !== size({ shape })) {
    throw new RangeError(`reshape: ${t.label} has shape [${t.shape}], which is not [${shape}]`);
  }
  return { ...t, shape };
}
