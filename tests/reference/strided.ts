import type { Values } from './elementwise';

/** Copies x[Σ index·stride] for every index of the dims, the last dim fastest, into a dense array. */
export function strided(x: Values, dims: readonly { size: number; stride: number }[]): Float64Array {
  let offsets = [0];
  for (const { size, stride } of dims)
    offsets = offsets.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * stride));
  return Float64Array.from(offsets, (at) => x[at]!);
}

/** Axes of x in a new order, as torch.permute. */
export function permute(x: Values, shape: readonly number[], order: readonly number[]): Float64Array {
  const stride = (axis: number) => shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return strided(
    x,
    order.map((axis) => ({ size: shape[axis]!, stride: stride(axis) })),
  );
}
