/** Pictures in plain numbers: what the kernels preview and i420 do on a GPU. */

/**
 * Normalised latents → a picture at latent resolution: rgb = latent · matrix + bias.
 * @param x [C, pixels]
 * @returns RGBA, [pixels]
 */
export function latentsToRgba(
  x: Float32Array,
  matrix: readonly (readonly number[])[],
  bias: readonly number[],
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = x.length / matrix.length;
  const out = new Uint8ClampedArray(4 * pixels).fill(255);
  for (let i = 0; i < pixels; i++)
    for (let rgb = 0; rgb < 3; rgb++) {
      let value = bias[rgb]!;
      for (let c = 0; c < matrix.length; c++) value += x[c * pixels + i]! * matrix[c]![rgb]!;
      out[4 * i + rgb] = 255 * value; // clamps and rounds
    }
  return out;
}

/**
 * One picture to I420, bt709, limited range.
 * @param rgb [3, H, W] in [0, 1]; H and W even
 * @returns the planes Y [H, W], U and V [H/2, W/2]
 */
export function rgbToI420(rgb: Float32Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const size = width * height;
  const out = new Uint8Array((size * 3) / 2);
  const at = (i: number): [number, number, number] => [clamp(rgb[i]!), clamp(rgb[size + i]!), clamp(rgb[2 * size + i]!)]; // prettier-ignore
  const luma = ([r, g, b]: readonly number[]) => 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  for (let i = 0; i < size; i++) out[i] = Math.floor(16.5 + 219 * luma(at(i)));
  for (let y = 0; y < height; y += 2)
    for (let x = 0; x < width; x += 2) {
      const i = y * width + x;
      const four = [at(i), at(i + 1), at(i + width), at(i + width + 1)];
      const mean = [0, 1, 2].map((c) => four.reduce((sum, p) => sum + p[c]!, 0) / 4);
      const chroma = size + ((y / 2) * width) / 2 + x / 2;
      out[chroma] = Math.floor(128.5 + (224 * (mean[2]! - luma(mean))) / 1.8556);
      out[chroma + size / 4] = Math.floor(128.5 + (224 * (mean[0]! - luma(mean))) / 1.5748);
    }
  return out;
}

/** Pictures [T, pixels, 3] → [T, 3, pixels]. */
export function toPlanes(rgb: Float32Array, pixels: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(rgb.length);
  for (let t = 0; t < rgb.length; t += 3 * pixels)
    for (let i = 0; i < pixels; i++)
      for (let c = 0; c < 3; c++) out[t + c * pixels + i] = rgb[t + 3 * i + c]!;
  return out;
}

const clamp = (v: number) => Math.min(1, Math.max(0, v));
