/** x · wᵀ with weights of any stored type, bias and activation. */
import code from '../../shaders/matmul.wgsl?raw';
import activations from '../../shaders/lib/activations.wgsl?raw';
import { expectShape, ranges, type Run } from '../gpu/run';
import type { Elem, Tensor } from '../gpu/tensor';
import { ACTIVATIONS, elemOf, expectAxes, kernel, readsW, readsX, type Activation } from './kernels';

export interface MatmulOptions {
  /** [N] f32. */
  bias?: Tensor;
  act?: Activation;
  /** Of the result; default: the run's element type. */
  dtype?: Elem;
}

/** Rows and columns of a workgroup. */
const TILE = 32;

/**
 * act(x · wᵀ + bias), accumulated in f32.
 * @param x [M, K] f32 or f16
 * @param w [N, K] f32, f16 or quantized (then K is whole blocks, see gpu/tensor)
 * @returns [M, N]
 */
export function matmul(run: Run, x: Tensor, w: Tensor, options: MatmulOptions = {}): Tensor {
  const { bias, act = 'none', dtype = run.elem } = options;
  expectAxes('matmul', 'x', x, 'M,K');
  const [M, K] = x.shape as [number, number];
  const N = w.shape[0] ?? 0;
  expectShape('matmul', 'w', w, [N, K]);
  if (bias) expectShape('matmul', 'bias', bias, [N]);
  const xs = readsX(K);
  const ws = readsW('matmul', w, K);
  const spec = kernel('matmul', code, {
    types: { XT: elemOf('matmul', x), OT: dtype },
    lib: { [xs.name]: xs.text, [ws.name]: ws.text, activations },
    overrides: { HAS_BIAS: bias ? 1 : 0, ACT: ACTIVATIONS[act] },
  });
  const out = run.tensor([M, N], `matmul ${w.label}`, dtype);
  for (const { start, count } of ranges(run.gpu, M, 2 * N * K, TILE))
    run.dispatch({
      kernel: spec,
      bindings: { x, w: w.storage, scales: w.scales ?? w.storage, bias: bias ?? w.storage, out },
      params: { M: start + count, N, K, first_row: start },
      workgroups: [Math.ceil(N / TILE), Math.ceil(count / TILE)],
    });
  return out;
}
