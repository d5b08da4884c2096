/** Which variant of a list serves a call on this adapter: by trial where there was one (gpu/tuner), else the best guess. */
import type { Gpu } from '../gpu/device';
import { floatToHalf, type Run } from '../gpu/run';
import { size, type Elem, type Tensor } from '../gpu/tensor';
import type { Question } from '../gpu/tuner';
import { refuse } from './kernels';
import type { Choice } from './variants';

/** The variants that compute this shape rightly on this adapter. */
export function possible<Shape, C extends Choice<Shape>>(gpu: Gpu, all: readonly C[], shape: Shape): C[] {
  return all.filter((c) => (c.can?.(shape) ?? true) && (c.needs ?? []).every((f) => gpu.features.has(f)));
}

/**
 * Of these the ones that may be the fastest, best guess first. Software adapters pay most for barriers, so there the
 * plain one is first.
 */
export function offered<Shape, C extends Choice<Shape>>(gpu: Gpu, all: readonly C[], shape: Shape): C[] {
  const list = possible(gpu, all, shape).filter((c) => c.suits(shape));
  return gpu.adapter.isFallback ? [...list.slice(-1), ...list.slice(0, -1)] : list;
}

/** What a trial of variants needs to know. */
export interface Trial {
  /** Types and shape class; the operation's name goes before it. */
  readonly key: string;
  readonly prepare: Question['prepare'];
}

/** Shapes of one class, up to a power of four, share a choice. */
export const shapeClass = (...sizes: number[]) =>
  sizes.map((n) => 4 ** Math.ceil(Math.log2(n) / 2)).join('×');

/** As many numbers for trials as are made one by one; a whole number of words, and no divisor of common widths. */
const NUMBERS = 65_522;
const numbers = new Map<Elem, Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>();

/** In (−0.5, 0.5), as `elem` is stored. */
function numbersOf(elem: Elem): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  let made = numbers.get(elem);
  if (!made) {
    let state = 1;
    const values = Float32Array.from({ length: NUMBERS }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      return state / 2 ** 32;
    });
    made = elem === 'f16' ? Uint16Array.from(values, floatToHalf) : values;
    numbers.set(elem, made);
  }
  return made;
}

/** Numbers for a trial's inputs, in (−0.5, 0.5); they come again and again. */
export function trialInput(run: Run, shape: readonly number[], dtype: Elem = run.elem): Tensor {
  const t = run.tensor(shape, 'trial', dtype);
  if (run.dry) return t;
  run.flush(); // what still uses the buffer goes first
  const values = numbersOf(dtype);
  for (let at = 0, n = size(t); at < n; at += NUMBERS)
    run.gpu.memory.write(t.storage, values.subarray(0, n - at), at * values.BYTES_PER_ELEMENT);
  return t;
}

/**
 * The variant for a call.
 * @param name of the one that is wanted; by default the winner of a trial, or the best guess before one
 * @throws when the adapter or the shape rules it out
 */
export function choose<Shape, C extends Choice<Shape>>(
  op: string,
  run: Run,
  all: readonly C[],
  shape: Shape,
  name: string | undefined,
  trial: Trial | null,
): C {
  const { gpu } = run;
  const choices = name === undefined ? offered(gpu, all, shape) : possible(gpu, all, shape);
  let wanted = name ?? choices[0]?.name;
  if (name === undefined && trial && choices.length > 1) {
    const candidates = choices.map((c) => c.name);
    const { key, prepare } = trial;
    wanted = run.choose({ key: `${op} ${key}`, candidates, plain: all.at(-1)!.name, prepare });
  }
  const found = choices.find((c) => c.name === wanted);
  if (found) return found;
  const asked = name === undefined ? 'no variant' : `no variant "${name}"`;
  throw refuse(op, `${asked} for ${JSON.stringify(shape)} here, of ${choices.map((c) => c.name).join(', ')}`);
}
