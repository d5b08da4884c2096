/** Pocket's encoder of patches, in plain loops: a linear map of each patch, plus what MemBlocks see of it. */
import { conv } from './conv';
import type { Values } from './elementwise';

export interface PatchSizes {
  /** Latent frames, rows and columns; frames and pixels of a patch; channels; MemBlocks. */
  F: number;
  h: number;
  w: number;
  t: number;
  p: number;
  C: number;
  width: number;
  blocks: number;
}

/**
 * @param frames [F·t, h·p, w·p, 3]
 * @param weights by PyTorch's names and in its order, [O, I, k, k]
 * @returns [F, C, h, w]
 */
export function patchEncode(
  { F, h, w, t, p, C, width, blocks }: PatchSizes,
  frames: Values,
  weights: (name: string) => Values,
): Float64Array {
  const n = t * 3 * p * p;
  const x = new Float64Array(F * h * w * n);
  for (let f = 0, at = 0; f < F; f++)
    for (let i = 0; i < h; i++)
      for (let j = 0; j < w; j++)
        for (let a = 0; a < t; a++)
          for (let c = 0; c < 3; c++)
            for (let y = 0; y < p; y++)
              for (let z = 0; z < p; z++, at++)
                x[at] = frames[(((f * t + a) * h * p + i * p + y) * w * p + j * p + z) * 3 + c]!;
  const layer = (name: string, input: Values, from: number, to: number, k: number, extra: object = {}) =>
    conv(
      { T: F, H: h, W: w, C: from, O: to, kernel: [1, k, k] },
      input,
      channelsLast(weights(`encoder.${name}.weight`), to, from, k),
      { bias: weights(`encoder.${name}.bias`), ...extra },
    );
  let y: Values = layer('wide', x, n, width, 1, { act: 'relu' });
  const frame = h * w * width;
  for (let b = 0; b < blocks; b++) {
    // Beside each frame, the one before; nothing before the first.
    const both = new Float64Array(2 * F * frame);
    for (let i = 0; i < F * h * w; i++)
      for (let c = 0; c < width; c++) {
        both[i * 2 * width + c] = y[i * width + c]!;
        both[(2 * i + 1) * width + c] = i < h * w ? 0 : y[(i - h * w) * width + c]!;
      }
    const one = layer(`blocks.${b}.conv.0`, both, 2 * width, width, 3, { act: 'relu' });
    const two = layer(`blocks.${b}.conv.2`, one, width, width, 3, { act: 'relu' });
    y = layer(`blocks.${b}.conv.4`, two, width, width, 3, { residual: y, act: 'relu' });
  }
  const out = layer('out', y, width, C, 3, { residual: layer('linear', x, n, C, 1) });
  const latents = new Float64Array(out.length);
  const pixels = h * w;
  for (let f = 0; f < F; f++)
    for (let i = 0; i < pixels; i++)
      for (let c = 0; c < C; c++) latents[(f * C + c) * pixels + i] = out[(f * pixels + i) * C + c]!;
  return latents;
}

/** [O, I, k, k] → [O, 1, k, k, I] */
function channelsLast(w: Values, O: number, I: number, k: number): Float64Array {
  const out = new Float64Array(w.length);
  for (let o = 0; o < O; o++)
    for (let i = 0; i < I; i++)
      for (let s = 0; s < k * k; s++) out[(o * k * k + s) * I + i] = w[(o * I + i) * k * k + s]!;
  return out;
}
