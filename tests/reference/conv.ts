import { ACTIVATIONS, type Activation, type Values } from './elementwise';

export interface ConvSizes {
  T: number;
  H: number;
  W: number;
  C: number;
  /** Output channels and the kernel's size in time, height and width. */
  O: number;
  kernel: readonly [number, number, number];
  stride?: number;
  /** x is enlarged before, every pixel to 2 × 2. */
  doubled?: boolean;
}

/**
 * act(conv(x, w) + bias + residual), causal in time: output frame t sees frames t−kt+1…t, those before
 * the first from `past`. In space it is centred, with zeros around; output pixel (i, j) is at (i, j)·stride.
 * x [T,H,W,C], w [O,kt,kh,kw,C], bias [O], past [kt−1,H,W,C] → [T,⌈H/stride⌉,⌈W/stride⌉,O], as is the residual.
 */
export function conv(
  { T, H: rows, W: columns, C, O, kernel: [kt, kh, kw], stride = 1, doubled = false }: ConvSizes,
  x: Values,
  w: Values,
  {
    bias,
    residual,
    past,
    act = 'none',
  }: { bias?: Values; residual?: Values; past?: Values; act?: Activation } = {},
): Float64Array {
  const scale = doubled ? 2 : 1;
  const [H, W] = [rows * scale, columns * scale];
  const [oh, ow] = [Math.ceil(H / stride), Math.ceil(W / stride)];
  const out = new Float64Array(T * oh * ow * O);
  const pixel = (t: number, h: number, w: number, c: number): number => {
    if (h < 0 || h >= H || w < 0 || w >= W) return 0;
    const at = Math.floor(h / scale) * columns + Math.floor(w / scale);
    if (t < 0) return past?.[((t + kt - 1) * rows * columns + at) * C + c] ?? 0;
    return x[(t * rows * columns + at) * C + c]!;
  };
  let at = 0;
  for (let t = 0; t < T; t++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        for (let o = 0; o < O; o++, at++) {
          let sum = (bias?.[o] ?? 0) + (residual?.[at] ?? 0);
          for (let a = 0; a < kt; a++)
            for (let b = 0; b < kh; b++)
              for (let e = 0; e < kw; e++)
                for (let c = 0; c < C; c++)
                  sum +=
                    pixel(t + a - kt + 1, i * stride + b - (kh - 1) / 2, j * stride + e - (kw - 1) / 2, c) *
                    w[(((o * kt + a) * kh + b) * kw + e) * C + c]!;
          out[at] = ACTIVATIONS[act](sum);
        }
  return out;
}
