import type { Values } from './elementwise';

/** Turns each pair (x[2i], x[2i+1]) of every head: x [N,H·d], angles [N,d/2,2] as (cos, sin) → [N,H·d]. */
export function rope([N, H, d]: readonly [number, number, number], x: Values, angles: Values): Float64Array {
  const out = new Float64Array(N * H * d);
  for (let n = 0; n < N; n++)
    for (let h = 0; h < H; h++)
      for (let i = 0; i < d / 2; i++) {
        const at = (n * H + h) * d + 2 * i;
        const [cos, sin] = [angles[n * d + 2 * i]!, angles[n * d + 2 * i + 1]!];
        out[at] = x[at]! * cos - x[at + 1]! * sin;
        out[at + 1] = x[at]! * sin + x[at + 1]! * cos;
      }
  return out;
}

/** Where frame f lives in a cache of `window` frames that always keeps the first `sink`. */
export function slotOf(frame: number, sink: number, window: number): number {
  return frame < sink ? frame : sink + ((frame - sink) % (window - sink));
}

/** Writes rows [N,D], frame by frame from `firstFrame`, into cache [window·tokens,D]; changes `cache`. */
export function storeRows(
  cache: Float64Array,
  rows: Values,
  slot: { firstFrame: number; sink: number; window: number; tokensPerFrame: number },
  D: number,
): void {
  for (let n = 0; n < rows.length / D; n++) {
    const frame = slot.firstFrame + Math.floor(n / slot.tokensPerFrame);
    const row = slotOf(frame, slot.sink, slot.window) * slot.tokensPerFrame + (n % slot.tokensPerFrame);
    for (let d = 0; d < D; d++) cache[row * D + d] = rows[n * D + d]!;
  }
}
