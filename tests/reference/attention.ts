import type { Values } from './elementwise';

export interface AttentionSizes {
  /** Queries, rows of k and v, heads, head size. */
  M: number;
  S: number;
  H: number;
  d: number;
}

/**
 * softmax(scale·q·kᵀ + bias)·v for each head, over the first `keys` rows of k and v.
 * q [M,H·d], k and v [S,H·d], bias [H,M,keys] or [keys] → [M,H·d].
 */
export function attention(
  { M, S, H, d }: AttentionSizes,
  q: Values,
  k: Values,
  v: Values,
  { scale = 1 / Math.sqrt(d), keys = S, bias }: { scale?: number; keys?: number; bias?: Values } = {},
): Float64Array {
  const out = new Float64Array(M * H * d);
  const row = H * d;
  for (let h = 0; h < H; h++)
    for (let m = 0; m < M; m++) {
      const scores = Array.from({ length: keys }, (_, s) => {
        let dot = 0;
        for (let i = 0; i < d; i++) dot += q[m * row + h * d + i]! * k[s * row + h * d + i]!;
        const added = !bias ? 0 : bias.length === keys ? bias[s]! : bias[(h * M + m) * keys + s]!;
        return dot * scale + added;
      });
      const most = scores.reduce((a, b) => Math.max(a, b));
      const weights = scores.map((x) => Math.exp(x - most));
      const sum = weights.reduce((a, b) => a + b);
      for (let i = 0; i < d; i++) {
        let mixed = 0;
        for (let s = 0; s < keys; s++) mixed += weights[s]! * v[s * row + h * d + i]!;
        out[m * row + h * d + i] = mixed / sum;
      }
    }
  return out;
}
