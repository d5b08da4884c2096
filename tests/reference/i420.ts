import type { Values } from './elementwise';

/**
 * Frames [T,H,W,3] of RGB in 0..1 → [T, H·W·3/2] codes before rounding: planes Y, U, V of bt709 in
 * limited range (Y 16..235, U and V 16..240). U and V are of the mean of each 2×2 pixels.
 */
export function rgbToI420([T, H, W]: readonly [number, number, number], frames: Values): Float64Array {
  const out: number[] = [];
  const clamp = (x: number) => Math.min(Math.max(x, 0), 1);
  const luma = ([r, g, b]: readonly number[]) => 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  for (let t = 0; t < T; t++) {
    const pixel = (h: number, w: number) =>
      [0, 1, 2].map((c) => clamp(frames[((t * H + h) * W + w) * 3 + c]!));
    for (let h = 0; h < H; h++) for (let w = 0; w < W; w++) out.push(16 + 219 * luma(pixel(h, w)));
    const chroma = (code: (rgb: number[]) => number) => {
      for (let h = 0; h < H; h += 2)
        for (let w = 0; w < W; w += 2) {
          const four = [pixel(h, w), pixel(h, w + 1), pixel(h + 1, w), pixel(h + 1, w + 1)];
          out.push(code([0, 1, 2].map((c) => four.reduce((sum, p) => sum + p[c]! / 4, 0))));
        }
    };
    chroma((rgb) => 128 + (224 * (rgb[2]! - luma(rgb))) / (2 * (1 - 0.0722)));
    chroma((rgb) => 128 + (224 * (rgb[0]! - luma(rgb))) / (2 * (1 - 0.2126)));
  }
  return Float64Array.from(out);
}
