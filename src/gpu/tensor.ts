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
 * | u32, i32 | as they are                                                                          |
 */
export type Elem = 'f32' | 'f16';
export type DType = Elem | 'q8_0' | 'u32' | 'i32';

/** A buffer, or in a dry run only its size. */
export interface Storage {
  readonly bytes: number;
  readonly buffer: GPUBuffer | null;
  /** Unique in its `Memory`; keys the bind-group cache. */
  readonly id: number;
}

export interface Tensor {
  readonly storage: Storage;
  /** Only for q8_0: f16 scales [N, K/32], two per word. */
  readonly scales?: Storage;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly label: string;
}

/** Number of elements. */
export function size(t: { shape: readonly number[] }): number {
  return t.shape.reduce((a, b) => a * b, 1);
}

/** Bytes of the storage that `shape` needs, rounded up to whole words. q8_0: without its scales. */
export function bytesOf(shape: readonly number[], dtype: DType): number {
  const n = size({ shape });
  const bytes = dtype === 'f16' ? n * 2 : dtype === 'q8_0' ? n : n * 4;
  return Math.max(4, Math.ceil(bytes / 4) * 4);
}

/** The same storage under another shape. Throws when the number of elements differs. */
export function reshape(t: Tensor, shape: readonly number[]): Tensor {
  if (size(t) !== size({ shape })) {
    throw new RangeError(`reshape: ${t.label} has shape [${t.shape}], which is not [${shape}]`);
  }
  return { ...t, shape };
}
