/** 2D and 3D convolution, causal in time, with the frames before as a cache. Channels last. */
import activations from '../../shaders/lib/activations.wgsl?raw';
import convTaps from '../../shaders/lib/conv-taps.wgsl?raw';
import pastScalar from '../../shaders/lib/past-scalar.wgsl?raw';
import pastVec4 from '../../shaders/lib/past-vec4.wgsl?raw';
import { expectShape, ranges, type Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { ACTIVATIONS, elemOf, expectAxes, kernel, readsW, readsX, refuse, type Activation } from './kernels';
import { choose, shapeClass, trialInput, type Trial } from './choose';
import { CONV } from './variants';

export interface ConvOptions {
  /** [O] f32. */
  bias?: Tensor;
  /** In height and width. */
  stride?: number;
  /** Zeros are put around x, or all behind it (below and to the right), as Wan's VAE does when it halves. */
  pad?: 'around' | 'behind';
  act?: Activation;
  /** Of the result's shape and type; added before the activation. */
  residual?: Tensor;
  /** [kt − 1, H, W, C]: the frames before x; zeros where absent. */
  past?: Tensor;
  /** Every pixel of x stands for 2 × 2: as if x had been enlarged to the nearest before, without that being stored. */
  doubled?: boolean;
  /** One of ops/variants by name; default: as chosen for this adapter and shape. */
  variant?: string;
}

/**
 * @param x [T, H, W, C]
 * @param w [O, kt, kh, kw, C] f32 or f16, kh and kw odd; padded with zeros by (kh − 1)/2, (kw − 1)/2
 * @returns [T, ⌈H/stride⌉, ⌈W/stride⌉, O], H and W doubled where that is asked for; frame t sees frames t − kt + 1 … t
 */
export function conv(run: Run, x: Tensor, w: Tensor, options: ConvOptions = {}): Tensor {
  const { bias, stride = 1, pad = 'around', act = 'none', residual, past, doubled = false } = options;
  expectAxes('conv', 'x', x, 'T,H,W,C');
  expectAxes('conv', 'w', w, 'O,kt,kh,kw,C');
  const [T, H, W, C] = x.shape as [number, number, number, number];
  const [O, KT, KH, KW] = w.shape as [number, number, number, number];
  expectShape('conv', 'w', w, [O, KT, KH, KW, C]);
  if (KH % 2 === 0 || KW % 2 === 0) throw refuse('conv', `a window of ${KH}×${KW} has no middle`);
  const scale = doubled ? 2 : 1;
  const [OH, OW] = [Math.ceil((H * scale) / stride), Math.ceil((W * scale) / stride)];
  const shape = [T, OH, OW, O];
  if (bias) expectShape('conv', 'bias', bias, [O]);
  if (residual) expectShape('conv', 'residual', residual, shape);
  if (past) expectShape('conv', 'past', past, [KT - 1, H, W, C]);
  const XT = elemOf('conv', x);
  if ((past && past.dtype !== XT) || (residual && residual.dtype !== run.elem))
    throw refuse('conv', `x is ${XT}, past ${past?.dtype}, residual ${residual?.dtype}`);
  const xs = readsX(C);
  const ws = readsW('conv', w, C);
  const pixels = T * OH * OW;
  const size = { pixels, C, O };
  const choice = choose('conv', run, CONV, size, options.variant, trialOf(x, w, options, pixels));
  const spec = kernel(choice.file, choice.code, {
    types: { XT, OT: run.elem },
    lib: {
      [xs.name]: xs.text,
      [`past for ${xs.name}`]: C % 4 === 0 ? pastVec4 : pastScalar,
      [ws.name]: ws.text,
      activations,
      convTaps,
      ...choice.lib,
    },
    consts: choice.consts(size),
    overrides: {
      HAS_PAST: past ? 1 : 0,
      HAS_BIAS: bias ? 1 : 0,
      HAS_RESIDUAL: residual ? 1 : 0,
      ACT: ACTIVATIONS[act],
    },
  });
  const out = run.tensor(shape, `conv ${w.label}`);
  const [py, px] = pad === 'behind' ? [0, 0] : [(KH - 1) / 2, (KW - 1) / 2];
  const [rows, columns] = choice.tile;
  for (const { start, count } of ranges(run.gpu, pixels, 2 * O * KT * KH * KW * C, rows))
    run.dispatch({
      kernel: spec,
      bindings: { x, past: past ?? x, w, bias: bias ?? w, residual: residual ?? x, out },
      params: {
        T,
        H,
        W,
        C,
        OH,
        OW,
        O,
        KT,
        KH,
        KW,
        stride,
        first_pixel: start,
        py,
        px,
        doubled: Number(doubled),
      },
      workgroups: [Math.ceil(O / columns), Math.ceil(count / rows)],
    });
  return out;
}

/** With the very weights; there is none where they are not in memory. */
function trialOf(x: Tensor, w: Tensor, options: ConvOptions, pixels: number): Trial | null {
  if (!w.storage.buffer) return null;
  const [T, H, W, C] = x.shape as [number, number, number, number];
  const [O, KT, KH, KW] = w.shape as [number, number, number, number];
  const { stride = 1, pad = 'around', doubled = false } = options;
  const steps = `${stride > 1 ? ` by ${stride}` : ''}${doubled ? ' doubled' : ''}`;
  return {
    key: `${x.dtype}·${w.dtype} ${KT}×${KH}×${KW}${steps} ${shapeClass(pixels, O, C)}`,
    prepare(run, flops) {
      // Of large frames a part, and fewer of them. They have frames before them: without, taps are skipped.
      const flopsPerRow = (2 * O * KT * KH * KW * C * pixels) / (T * H);
      const rows = Math.min(H, Math.max(1, Math.floor(flops / flopsPerRow)));
      const frames = Math.min(T, Math.max(1, Math.floor(flops / (flopsPerRow * rows))));
      const input = (count: number) => trialInput(run, [count, rows, W, C], elemOf('conv', x));
      const given = { stride, pad, doubled, ...(KT > 1 && { past: input(KT - 1) }) };
      const frame = input(frames);
      return {
        call: (variant) => conv(run, frame, w, { ...given, variant }),
        flops: flopsPerRow * rows * frames,
      };
    },
  };
}
