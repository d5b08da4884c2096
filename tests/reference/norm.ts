import type { Values } from './elementwise';

/** Applies `f` to each row of x [N,D]. */
function rows(D: number, x: Values, f: (row: number[], n: number) => number[]): Float64Array {
  const out = new Float64Array(x.length);
  for (let n = 0; n < x.length / D; n++)
    out.set(f(Array.from({ length: D }, (_, d) => x[n * D + d]!), n), n * D); // prettier-ignore
  return out;
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** x / √(mean(x²) + eps) · weight: x [N,D], weight [D] → [N,D]. */
export function rmsNorm(D: number, x: Values, weight: Values, eps: number): Float64Array {
  return rows(D, x, (row) => {
    const scale = 1 / Math.sqrt(mean(row.map((a) => a * a)) + eps);
    return row.map((a, d) => a * scale * weight[d]!);
  });
}

/** (x − mean) / √(variance + eps), then · weight + bias where given: x [N,D] → [N,D]. */
export function layerNorm(
  D: number,
  x: Values,
  eps: number,
  affine?: { weight: Values; bias: Values },
): Float64Array {
  return rows(D, x, (row) => {
    const middle = mean(row);
    const scale = 1 / Math.sqrt(mean(row.map((a) => (a - middle) ** 2)) + eps);
    return row.map((a, d) => (a - middle) * scale * (affine?.weight[d] ?? 1) + (affine?.bias[d] ?? 0));
  });
}

/** LN(x)·(1 + m[f,scale]) + m[f,shift]: x [N,D], m [F,P,D]; N/F rows a frame → [N,D]. */
export function layerNormModulated(
  [N, D, F, P]: readonly [number, number, number, number],
  x: Values,
  eps: number,
  m: Values,
  shift: number,
  scale: number,
): Float64Array {
  return layerNorm(D, x, eps).map((value, i) => {
    const frame = Math.floor(Math.floor(i / D) / (N / F));
    const at = (index: number) => m[(frame * P + index) * D + (i % D)]!;
    return value * (1 + at(scale)) + at(shift);
  });
}
