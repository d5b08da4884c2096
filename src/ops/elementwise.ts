/** Element by element: activations, sums, modulations. */
import activateCode from '../../shaders/activate.wgsl?raw';
import addCode from '../../shaders/add.wgsl?raw';
import addModulationCode from '../../shaders/add-modulation.wgsl?raw';
import affineCode from '../../shaders/affine.wgsl?raw';
import gatedGeluCode from '../../shaders/gated-gelu.wgsl?raw';
import activations from '../../shaders/lib/activations.wgsl?raw';
import { expectShape, grid, type Run } from '../gpu/run';
import { size, type Elem, type Tensor } from '../gpu/tensor';
import { ACTIVATIONS, elemOf, expectAxes, kernel, refuse, type Activation } from './kernels';

/** act(x), any shape. */
export function activate(run: Run, x: Tensor, act: Activation, dtype: Elem = run.elem): Tensor {
  const out = run.tensor(x.shape, act, dtype);
  run.dispatch({
    kernel: kernel('activate', activateCode, {
      types: { XT: elemOf('activate', x), OT: dtype },
      lib: { activations },
      overrides: { ACT: ACTIVATIONS[act] },
    }),
    bindings: { x, out },
    params: { count: size(x) },
    workgroups: grid(size(x), 64),
  });
  return out;
}

/** The largest f16. */
const MOST_F16 = 65504;

/** gelu(a) · b, of one shape and of the run's element type; in f16 cut off at ±65504. */
export function gatedGelu(run: Run, a: Tensor, b: Tensor): Tensor {
  expectShape('gatedGelu', 'b', b, a.shape);
  const elem = elemOf('gatedGelu', a);
  if (b.dtype !== elem) throw refuse('gatedGelu', `a is ${elem}, but b is ${b.dtype}`);
  const out = run.tensor(a.shape, 'gatedGelu', elem);
  run.dispatch({
    kernel: kernel('gated-gelu', gatedGeluCode, {
      elem,
      lib: { activations },
      ...(elem === 'f16' && { overrides: { TOP: MOST_F16 } }),
    }),
    bindings: { a, b, out },
    params: { count: size(a) },
    workgroups: grid(size(a), 64),
  });
  return out;
}

/** x + y, of x's type. (To a matmul's result it is added on the way out: `residual` there.) */
export function add(run: Run, x: Tensor, y: Tensor): Tensor {
  expectShape('add', 'y', y, x.shape);
  const out = run.tensor(x.shape, 'add', elemOf('add', x));
  run.dispatch({
    kernel: kernel('add', addCode, { types: { XT: elemOf('add', x), YT: elemOf('add', y) } }),
    bindings: { x, y, out },
    params: { count: size(x) },
    workgroups: grid(size(x), 64),
  });
  return out;
}

/** table [1, P, D] + e [F, P, D] or [F, 1, D] → f32 [F, P, D]: a layer's modulation by frame. */
export function addModulation(run: Run, table: Tensor, e: Tensor): Tensor {
  expectAxes('addModulation', 'e', e, 'F,P,D');
  const [F, e_rows, D] = e.shape as [number, number, number];
  const P = table.shape[1] ?? 0;
  expectShape('addModulation', 'table', table, [1, P, D]);
  if (e_rows !== 1 && e_rows !== P) throw refuse('addModulation', `e [${e.shape}] for ${P} rows`);
  const out = run.tensor([F, P, D], `modulation ${table.label}`, 'f32');
  run.dispatch({
    kernel: kernel('add-modulation', addModulationCode),
    bindings: { table, e, out },
    params: { F, P, D, e_rows },
    workgroups: grid(F * P * D, 64),
  });
  return out;
}

/** x[c, …] · scale[c] + shift[c], f32; scale and shift [C]. */
export function affine(run: Run, x: Tensor, scale: Tensor, shift: Tensor): Tensor {
  const C = x.shape[0] ?? 0;
  expectShape('affine', 'scale', scale, [C]);
  expectShape('affine', 'shift', shift, [C]);
  const out = run.tensor(x.shape, 'affine', 'f32');
  run.dispatch({
    kernel: kernel('affine', affineCode),
    bindings: { x, scale, shift, out },
    params: { count: size(x), per_channel: size(x) / C },
    workgroups: grid(size(x), 64),
  });
  return out;
}
