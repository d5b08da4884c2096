/** Normalisation of rows: RMSNorm, and LayerNorm plain, affine, or modulated by Wan's shift and scale. */
import layer from '../../shaders/layer-norm.wgsl?raw';
import rms from '../../shaders/rms-norm.wgsl?raw';
import rowSum from '../../shaders/lib/row-sum.wgsl?raw';
import { expectShape, grid, type Run } from '../gpu/run';
import type { Elem, Tensor } from '../gpu/tensor';
import { elemOf, expectAxes, kernel, refuse } from './kernels';

/** x / √(mean(x²) + eps) · weight. x [N, D], weight [D] f32 → [N, D]. */
export function rmsNorm(run: Run, x: Tensor, weight: Tensor, eps: number, dtype: Elem = run.elem): Tensor {
  expectAxes('rmsNorm', 'x', x, 'N,D');
  const [rows, D] = x.shape as [number, number];
  expectShape('rmsNorm', 'weight', weight, [D]);
  const out = run.tensor(x.shape, `rmsNorm ${weight.label}`, dtype);
  run.dispatch({
    kernel: kernel('rms-norm', rms, { types: { XT: elemOf('rmsNorm', x), OT: dtype }, lib: { rowSum } }),
    bindings: { x, weight, out },
    params: { D, rows, eps },
    workgroups: grid(rows, 1),
  });
  return out;
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
}

function dispatchLayerNorm(run: Run, x: Tensor, eps: number, b: LayerNormBindings): Tensor {
  const { mode, weight, bias, ...params } = b;
  const [rows, D] = x.shape as [number, number];
  const out = run.tensor(x.shape, 'layerNorm');
  run.dispatch({
    kernel: kernel('layer-norm', layer, {
      types: { XT: elemOf('layerNorm', x), OT: run.elem },
      lib: { rowSum },
      overrides: { MODE: mode },
    }),
    bindings: { x, weight, bias, out },
    params: { D, rows, eps, ...params },
    workgroups: grid(rows, 1),
  });
  return out;
}

/** (x − mean) / √(variance + eps), then · weight + bias where given ([D] f32). x [N, D] → [N, D]. */
export function layerNorm(
  run: Run,
  x: Tensor,
  eps: number,
  affine?: { weight: Tensor; bias: Tensor },
): Tensor {
  expectAxes('layerNorm', 'x', x, 'N,D');
  for (const [name, t] of Object.entries(affine ?? {})) expectShape('layerNorm', name, t, [x.shape[1]!]);
  const { weight, bias } = affine ?? { weight: x, bias: x };
  const rest = { per_frame: 1, P: 1, shift: 0, scale: 0 };
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
  });
}
