/** Normalisation of rows: RMSNorm, and LayerNorm plain, affine, or modulated by Wan's shift and scale. */
import { expectShape, grid, type Run } from '../gpu/run';
import type { Elem, Tensor } from '../gpu/tensor';
import { elemOf, expectAxes, kernel, refuse } from './kernels';
import { choose, shapeClass, trialInput, type Trial } from './choose';
import { LAYER_NORM, RMS_NORM } from './variants';

interface NormOptions {
  /** One of ops/variants by name; default: as chosen for this adapter and shape. */
  variant?: string;
}

/** x / √(mean(x²) + eps) · weight. x [N, D], weight [D] f32 → [N, D]. */
export function rmsNorm(
  run: Run,
  x: Tensor,
  weight: Tensor,
  eps: number,
  dtype: Elem = run.elem,
  options: NormOptions = {},
): Tensor {
  expectAxes('rmsNorm', 'x', x, 'N,D');
  const [rows, D] = x.shape as [number, number];
  expectShape('rmsNorm', 'weight', weight, [D]);
  const {
    file,
    code,
    perGroup,
    lib = {},
  } = choose('rmsNorm', run, RMS_NORM, { rows, D }, options.variant, rmsTrial(x, dtype));
  const out = run.tensor(x.shape, `rmsNorm ${weight.label}`, dtype);
  run.dispatch({
    kernel: kernel(file, code, { types: { XT: elemOf('rmsNorm', x), OT: dtype }, lib }),
    bindings: { x, weight, out },
    params: { D, rows, eps },
    workgroups: grid(rows, perGroup),
  });
  return out;
}

const TRIAL_ROWS = 2048;

function rmsTrial(x: Tensor, dtype: Elem): Trial {
  const [rows, D] = x.shape as [number, number];
  const from = elemOf('rmsNorm', x);
  return {
    key: `${from}→${dtype} ${shapeClass(rows, D)}`,
    prepare(run) {
      const input = trialInput(run, [Math.min(rows, TRIAL_ROWS), D], from);
      const weight = trialInput(run, [D], 'f32');
      return { call: (variant) => rmsNorm(run, input, weight, 1e-6, dtype, { variant }) };
    },
  };
}

function layerTrial(x: Tensor): Trial {
  const [rows, D] = x.shape as [number, number];
  const from = elemOf('layerNorm', x);
  return {
    key: `${from} ${shapeClass(rows, D)}`,
    prepare(run) {
      const input = trialInput(run, [Math.min(rows, TRIAL_ROWS), D], from);
      return { call: (variant) => layerNorm(run, input, 1e-6, undefined, { variant }) };
    },
  };
}

interface LayerNormBindings {
  mode: 0 | 1 | 2;
  weight: Tensor;
  bias: Tensor;
  /** Rows of x that share a row of the modulation. */
  per_frame: number;
  P: number;
  shift: number;
  scale: number;
  variant: string | undefined;
}

function dispatchLayerNorm(run: Run, x: Tensor, eps: number, b: LayerNormBindings): Tensor {
  const { mode, weight, bias, variant, ...params } = b;
  const [rows, D] = x.shape as [number, number];
  const {
    file,
    code,
    perGroup,
    lib = {},
  } = choose('layerNorm', run, LAYER_NORM, { rows, D }, variant, layerTrial(x));
  const out = run.tensor(x.shape, 'layerNorm');
  run.dispatch({
    kernel: kernel(file, code, {
      types: { XT: elemOf('layerNorm', x), OT: run.elem },
      lib,
      overrides: { MODE: mode },
    }),
    bindings: { x, weight, bias, out },
    params: { D, rows, eps, ...params },
    workgroups: grid(rows, perGroup),
  });
  return out;
}

/** (x − mean) / √(variance + eps), then · weight + bias where given ([D] f32). x [N, D] → [N, D]. */
export function layerNorm(
  run: Run,
  x: Tensor,
  eps: number,
  affine?: { weight: Tensor; bias: Tensor },
  options: NormOptions = {},
): Tensor {
  expectAxes('layerNorm', 'x', x, 'N,D');
  for (const [name, t] of Object.entries(affine ?? {})) expectShape('layerNorm', name, t, [x.shape[1]!]);
  const { weight, bias } = affine ?? { weight: x, bias: x };
  const rest = { per_frame: 1, P: 1, shift: 0, scale: 0, variant: options.variant };
  return dispatchLayerNorm(run, x, eps, { mode: affine ? 1 : 0, weight, bias, ...rest });
}

/**
 * LayerNorm(x) · (1 + m[frame, scale]) + m[frame, shift]: Wan's adaptive norm.
 * @param x [N, D], the rows of a frame together
 * @param m [F, P, D] f32; N is a multiple of F
 * @param shift,scale rows of m, 0…P−1
 */
export function layerNormModulated(
  run: Run,
  x: Tensor,
  eps: number,
  m: Tensor,
  shift: number,
  scale: number,
  options: NormOptions = {},
): Tensor {
  expectAxes('layerNormModulated', 'x', x, 'N,D');
  expectAxes('layerNormModulated', 'm', m, 'F,P,D');
  const [rows, D] = x.shape as [number, number];
  const [F, P] = m.shape as [number, number];
  expectShape('layerNormModulated', 'm', m, [F, P, D]);
  if (rows % F !== 0) throw refuse('layerNormModulated', `${rows} rows are not whole rows of ${F} frames`);
  if (!(shift < P && scale < P))
    throw refuse('layerNormModulated', `shift ${shift}, scale ${scale}, but m has ${P} rows a frame`);
  return dispatchLayerNorm(run, x, eps, {
    mode: 2,
    weight: m,
    bias: m,
    per_frame: rows / F,
    P,
    shift,
    scale,
    variant: options.variant,
  });
}
