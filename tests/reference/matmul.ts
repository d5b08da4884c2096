import { ACTIVATIONS, type Activation, type Values } from './elementwise';

/** act(x·wᵀ + bias): x [M,K], w [N,K], bias [N] → [M,N]. */
export function matmul(
  [M, N, K]: readonly [number, number, number],
  x: Values,
  w: Values,
  { bias, act = 'none' }: { bias?: Values; act?: Activation } = {},
): Float64Array {
  const out = new Float64Array(M * N);
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++) {
      let sum = bias?.[n] ?? 0;
      for (let k = 0; k < K; k++) sum += x[m * K + k]! * w[n * K + k]!;
      out[m * N + n] = ACTIVATIONS[act](sum);
    }
  return out;
}
