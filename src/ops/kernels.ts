/** Kernels of this folder: WGSL texts with the element types and snippets that a call wants, each made once. */
import xScalar from '../../shaders/lib/x-scalar.wgsl?raw';
import xVec4 from '../../shaders/lib/x-vec4.wgsl?raw';
import f16Scalar from '../../shaders/lib/w-f16-scalar.wgsl?raw';
import f16Vec4 from '../../shaders/lib/w-f16-vec4.wgsl?raw';
import f32Scalar from '../../shaders/lib/w-f32-scalar.wgsl?raw';
import f32Vec4 from '../../shaders/lib/w-f32-vec4.wgsl?raw';
import f8E4m3 from '../../shaders/lib/w-f8-e4m3.wgsl?raw';
import f8E5m2 from '../../shaders/lib/w-f8-e5m2.wgsl?raw';
import q4 from '../../shaders/lib/w-q4-0.wgsl?raw';
import q4K from '../../shaders/lib/w-q4-k.wgsl?raw';
import q5K from '../../shaders/lib/w-q5-k.wgsl?raw';
import q6K from '../../shaders/lib/w-q6-k.wgsl?raw';
import q8 from '../../shaders/lib/w-q8.wgsl?raw';
import { KinoraError } from '../errors';
import type { KernelSpec } from '../gpu/kernel';
import type { Elem, Quantized, Tensor } from '../gpu/tensor';

export interface Variant {
  /** What the text's type aliases stand for, e.g. { XT: 'f32' }. */
  types?: Readonly<Record<string, Elem | 'u32'>>;
  /** Snippets of shaders/lib by a name that tells them apart. */
  lib?: Readonly<Record<string, string>>;
  elem?: Elem;
  consts?: Readonly<Record<string, number>>;
  overrides?: Readonly<Record<string, number>>;
}

const made = new Map<string, KernelSpec>();

/** The kernel `name` with the text `code` in this variant: always the same object for the same variant. */
export function kernel(name: string, code: string, variant: Variant = {}): KernelSpec {
  const { types = {}, lib = {}, elem = 'f32', consts, overrides } = variant;
  const key = JSON.stringify([name, types, Object.keys(lib), elem, consts, overrides]);
  let spec = made.get(key);
  if (!spec) {
    const aliases = Object.entries(types).map(([alias, type]) => `alias ${alias} = ${type};`);
    spec = {
      name,
      code,
      elem,
      lib: [...aliases, ...Object.values(lib)],
      ...(consts && { consts }),
      ...(overrides && { overrides }),
    };
    made.set(key, spec);
  }
  return spec;
}

/** Numbers of the activations in shaders/lib/activations.wgsl. gelu is the tanh form, softclamp 3·tanh(x/3). */
export const ACTIVATIONS = { none: 0, gelu: 1, silu: 2, relu: 3, softclamp: 4, clamp01: 5 } as const;
export type Activation = keyof typeof ACTIVATIONS;

/** For refused arguments: `bad('conv', 'x', …)`. */
export function refuse(op: string, problem: string): KinoraError {
  return new KinoraError('internal', `${op}: ${problem}`, { operation: op });
}

/** f32 or f16, or an error that names the tensor. */
export function elemOf(op: string, t: Tensor): Elem {
  if (t.dtype === 'f32' || t.dtype === 'f16') return t.dtype;
  throw refuse(op, `${t.label} is ${t.dtype}, expected f32 or f16`);
}

/** Throws unless the tensor has as many axes as `axes` (named for the message) and is f32 or f16. */
export function expectAxes(op: string, what: string, t: Tensor, axes: string): void {
  const count = axes.split(',').length;
  if (t.shape.length !== count)
    throw refuse(op, `${what} (${t.label}) has shape [${t.shape}], expected [${axes}]`);
}

/** The snippet that reads four values of x in a row of `length`. */
export function readsX(length: number): { name: string; text: string } {
  return length % 4 === 0 ? { name: 'x-vec4', text: xVec4 } : { name: 'x-scalar', text: xScalar };
}

/** Snippets of quantized weights, and the elements of a block: rows must be whole blocks. */
const QUANTIZED: Readonly<Record<Quantized, { block: number; text: string }>> = {
  q8_0: { block: 32, text: q8 },
  q4_0: { block: 32, text: q4 },
  q4_k: { block: 256, text: q4K },
  q5_k: { block: 256, text: q5K },
  q6_k: { block: 256, text: q6K },
  f8_e4m3: { block: 4, text: f8E4m3 },
  f8_e5m2: { block: 4, text: f8E5m2 },
};

/** The snippet that reads four weights in a row of `length`, by how they are stored. */
export function readsW(op: string, w: Tensor, length: number): { name: string; text: string } {
  const whole = length % 4 === 0;
  switch (w.dtype) {
    case 'f32':
      return whole ? { name: 'f32-vec4', text: f32Vec4 } : { name: 'f32-scalar', text: f32Scalar };
    case 'f16':
      return whole ? { name: 'f16-vec4', text: f16Vec4 } : { name: 'f16-scalar', text: f16Scalar };
    case 'u32':
    case 'i32':
      throw refuse(op, `${w.label} is ${w.dtype}, expected f32, f16 or a quantized type`);
    default: {
      const { block, text } = QUANTIZED[w.dtype];
      if (length % block !== 0 || !w.scales)
        throw refuse(
          op,
          `${w.label} is ${w.dtype} with rows of ${length}, expected a multiple of ${block} and scales`,
        );
      return { name: w.dtype, text };
    }
  }
}
