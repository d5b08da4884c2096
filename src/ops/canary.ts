/** Looks for NaN and Inf. */
import code from '../../shaders/canary.wgsl?raw';
import type { Run } from '../gpu/run';
import { size, type Tensor } from '../gpu/tensor';
import { elemOf, kernel } from './kernels';

/** How many elements of an f32 or f16 tensor are NaN or Inf → u32 [1]. */
export function notFinite(run: Run, t: Tensor): Tensor {
  const out = run.tensor([1], `canary of ${t.label}`, 'u32');
  run.dispatch({
    kernel: kernel('canary', code, { types: { XT: elemOf('canary', t) } }),
    bindings: { x: t, out },
    params: { count: size(t) },
    workgroups: [1],
  });
  return out;
}
