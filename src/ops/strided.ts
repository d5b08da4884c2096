/** Rearranging: permutation, patches, pixel shuffle and nearest upsampling are all a copy of a strided view. */
import code from '../../shaders/strided.wgsl?raw';
import packed from '../../shaders/lib/value-packed.wgsl?raw';
import plain from '../../shaders/lib/value-plain.wgsl?raw';
import { expectShape, grid, type Run } from '../gpu/run';
import { size, type Elem, type Tensor } from '../gpu/tensor';
import { elemOf, kernel, refuse } from './kernels';

/** An axis of a view: how many, and how far apart in elements of the source. Stride 0 repeats. */
export interface Axis {
  size: number;
  stride: number;
}

const AXES = 8;

export interface StridedOptions {
  /** Of the result; default: the run's element type. */
  dtype?: Elem;
  /** Element of x where the view begins; strides may be negative. */
  offset?: number;
  /** Write here, a tensor of the result's shape, instead of into a new one. */
  into?: Tensor;
}

/** How x is read: weights in f16 are pairs in words where the adapter has no shader-f16. */
function reads(run: Run, x: Tensor): { types: Record<string, Elem | 'u32'>; lib: Record<string, string> } {
  const XT = elemOf('strided', x);
  if (XT === 'f16' && run.elem !== 'f16') return { types: { XT: 'u32' }, lib: { packed } };
  return { types: { XT }, lib: { plain } };
}

/**
 * A dense copy of a view of x.
 * @param axes of the view, outermost first, at most 8
 * @param shape of the result, with as many elements as the view
 */
export function strided(
  run: Run,
  x: Tensor,
  axes: readonly Axis[],
  shape: readonly number[],
  options: StridedOptions = {},
): Tensor {
  const { into, offset = 0, dtype = into ? elemOf('strided', into) : run.elem } = options;
  const count = axes.reduce((n, a) => n * a.size, 1);
  const reach = axes.map((a) => (a.size - 1) * a.stride);
  const first = reach.reduce((n, r) => n + Math.min(0, r), offset);
  const last = reach.reduce((n, r) => n + Math.max(0, r), offset);
  if (axes.length > AXES) throw refuse('strided', `${axes.length} axes, at most ${AXES}`);
  if (count !== size({ shape })) throw refuse('strided', `a view of ${count} elements for shape [${shape}]`);
  if (count > 0 && (first < 0 || last >= size(x)))
    throw refuse('strided', `a view of elements ${first} to ${last}, but ${x.label} has ${size(x)}`);
  if (into) expectShape('strided', 'into', into, shape);
  const padded = [...Array.from({ length: AXES - axes.length }, () => ({ size: 1, stride: 0 })), ...axes];
  const params: Record<string, number> = { count, offset };
  padded.forEach((axis, i) => {
    if (i > 0) params[`size${i}`] = axis.size;
    params[`stride${i}`] = axis.stride;
  });
  const out = into ?? run.tensor(shape, `view of ${x.label}`, dtype);
  const { types, lib } = reads(run, x);
  run.dispatch({
    kernel: kernel('strided', code, { types: { ...types, OT: dtype }, lib }),
    bindings: { x: x.storage, out },
    params,
    workgroups: grid(count, 64),
  });
  return out;
}

/** The axes of a dense tensor of this shape. */
export function axesOf(shape: readonly number[]): Axis[] {
  let stride = 1;
  return shape
    .toReversed()
    .map((n) => {
      const axis = { size: n, stride };
      stride *= n;
      return axis;
    })
    .reverse();
}

/**
 * x seen as `split` (its own shape with axes cut in pieces), axes in a new order, then as `shape`.
 * `rearrange(run, x, [F, 2, H], [1, 0, 2], [2, F·H])` swaps the first two.
 */
export function rearrange(
  run: Run,
  x: Tensor,
  split: readonly number[],
  order: readonly number[],
  shape: readonly number[],
  options: StridedOptions = {},
): Tensor {
  if (size({ shape: split }) !== size(x))
    throw refuse('strided', `${x.label} [${x.shape}] seen as [${split}]`);
  const axes = axesOf(split);
  return strided(
    run,
    x,
    order.map((i) => axes[i]!),
    shape,
    options,
  );
}

/** The axes in a new order, as PyTorch's `permute`. */
export function permute(run: Run, x: Tensor, order: readonly number[], options: StridedOptions = {}): Tensor {
  const shape = order.map((i) => x.shape[i]!);
  if (order.toSorted((a, b) => a - b).join() !== Object.keys(x.shape).join())
    throw refuse('permute', `[${order}] is no order of the ${x.shape.length} axes of ${x.label}`);
  return rearrange(run, x, x.shape, order, shape, options);
}
