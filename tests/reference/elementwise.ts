/** Numbers of any array type; the references compute in f64. */
export type Values = ArrayLike<number>;

const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

export const ACTIVATIONS = {
  none: (x: number) => x,
  gelu,
  silu: (x: number) => x / (1 + Math.exp(-x)),
  relu: (x: number) => Math.max(x, 0),
  softclamp: (x: number) => 3 * Math.tanh(x / 3),
  clamp01: (x: number) => Math.min(Math.max(x, 0), 1),
};
export type Activation = keyof typeof ACTIVATIONS;

/** gelu(a)·b, element by element. */
export function gatedGelu(a: Values, b: Values): Float64Array {
  return Float64Array.from(a, (x, i) => gelu(x) * b[i]!);
}

/** x + y·m[f,index]: x, y [N,D], m [F,P,D]; the N rows belong to F frames, N/F each, in order. */
export function addGated(
  [N, D, F, P]: readonly [number, number, number, number],
  x: Values,
  y: Values,
  m: Values,
  index: number,
): Float64Array {
  return Float64Array.from(x, (value, i) => {
    const frame = Math.floor(Math.floor(i / D) / (N / F));
    return value + y[i]! * m[(frame * P + index) * D + (i % D)]!;
  });
}

/** table [1,P,D] + e [F,E,D], where E is P or 1 → [F,P,D]. */
export function addModulation(
  [F, P, E, D]: readonly [number, number, number, number],
  table: Values,
  e: Values,
): Float64Array {
  const out = new Float64Array(F * P * D);
  for (let f = 0; f < F; f++)
    for (let p = 0; p < P; p++)
      for (let d = 0; d < D; d++)
        out[(f * P + p) * D + d] = table[p * D + d]! + e[(f * E + (E === 1 ? 0 : p)) * D + d]!;
  return out;
}

/** x·scale[c] + shift[c]: x [C,…], each channel of `inner` elements. */
export function affine(inner: number, x: Values, scale: Values, shift: Values): Float64Array {
  return Float64Array.from(x, (value, i) => {
    const c = Math.floor(i / inner);
    return value * scale[c]! + shift[c]!;
  });
}
