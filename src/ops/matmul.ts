/** x · wᵀ with weights of any stored type; bias, activation, gate and residual on the way out. */
import activations from '../../shaders/lib/activations.wgsl?raw';
import epilogue from '../../shaders/lib/epilogue.wgsl?raw';
import { expectShape, ranges, type Run } from '../gpu/run';
import type { Elem, Tensor } from '../gpu/tensor';
import { ACTIVATIONS, elemOf, expectAxes, kernel, readsW, readsX, refuse, type Activation } from './kernels';
import { choose, shapeClass, trialInput, type Trial } from './choose';
import { MATMUL } from './variants';

export interface MatmulOptions {
  /** [N] f32. */
  bias?: Tensor;
  act?: Activation;
  /** Of the result; default: the residual's, or the run's element type. */
  dtype?: Elem;
  /** [M, N]: the result is added to it, as to the residual stream. */
  residual?: Tensor;
  /** The result times m[frame, index] first: Wan's gate. m [F, P, N] f32; M is a multiple of F. */
  gate?: { m: Tensor; index: number };
  /** One of ops/variants by name; default: as chosen for this adapter and shape. */
  variant?: string;
}

/**
 * residual + act(x · wᵀ + bias) · gate, accumulated in f32.
 * @param x [M, K] f32 or f16
 * @param w [N, K] f32, f16 or quantized (then K is whole blocks, see gpu/tensor)
 * @returns [M, N]
 */
export function matmul(run: Run, x: Tensor, w: Tensor, options: MatmulOptions = {}): Tensor {
  const { bias, act = 'none', residual, gate, variant } = options;
  expectAxes('matmul', 'x', x, 'M,K');
  const [M, K] = x.shape as [number, number];
  const N = w.shape[0] ?? 0;
  expectShape('matmul', 'w', w, [N, K]);
  if (bias) expectShape('matmul', 'bias', bias, [N]);
  if (residual) expectShape('matmul', 'residual', residual, [M, N]);
  const RT = residual ? elemOf('matmul', residual) : 'f32';
  const { dtype = residual ? RT : run.elem } = options;
  const gated = gate ? gateParams(gate, M, N) : { per_frame: 1, P: 1, index: 0 };
  const xs = readsX(K);
  const ws = readsW('matmul', w, K);
  const XT = elemOf('matmul', x);
  const shape = { M, N, K, x: XT, w: w.dtype };
  const choice = choose('matmul', run, MATMUL, shape, variant, trialOf(x, w, dtype));
  const spec = kernel(choice.file, choice.code, {
    types: { XT, OT: dtype, RT, ...choice.types },
    lib: { [xs.name]: xs.text, [ws.name]: ws.text, activations, epilogue, ...choice.lib },
    consts: choice.consts(shape),
    overrides: {
      HAS_BIAS: bias ? 1 : 0,
      ACT: ACTIVATIONS[act],
      GATED: gate ? 1 : 0,
      HAS_RESIDUAL: residual ? 1 : 0,
    },
  });
  const out = run.tensor([M, N], `matmul ${w.label}`, dtype);
  const none = w.storage;
  const [rows, columns] = choice.tile;
  for (const { start, count } of ranges(run.gpu, M, 2 * N * K, rows))
    run.dispatch({
      kernel: spec,
      bindings: {
        x,
        w: w.storage,
        scales: w.scales ?? none,
        bias: bias ?? none,
        gate: gate?.m ?? none,
        residual: residual ?? none,
        out,
      },
      params: { M: start + count, N, K, first_row: start, ...gated },
      workgroups: [Math.ceil(N / columns), Math.ceil(count / rows)],
    });
  return out;
}

function gateParams({ m, index }: { m: Tensor; index: number }, M: number, N: number) {
  expectAxes('matmul', 'gate', m, 'F,P,N');
  const [F, P] = m.shape as [number, number];
  expectShape('matmul', 'gate', m, [F, P, N]);
  if (M % F !== 0 || index >= P) throw refuse('matmul', `${M} rows, row ${index} of the gate [${m.shape}]`);
  return { per_frame: M / F, P, index };
}

/** With the very weights; there is none where they are not in memory. */
function trialOf(x: Tensor, w: Tensor, dtype: Elem): Trial | null {
  if (!w.storage.buffer) return null;
  const [M, K] = x.shape as [number, number];
  const N = w.shape[0]!;
  return {
    key: `${x.dtype}·${w.dtype}→${dtype} ${shapeClass(M, N, K)}`,
    prepare(run, flops) {
      const rows = Math.min(M, Math.max(256, Math.floor(flops / (2 * N * K))));
      const input = trialInput(run, [rows, K], elemOf('matmul', x));
      return { call: (variant) => matmul(run, input, w, { dtype, variant }), flops: 2 * rows * N * K };
    },
  };
}
