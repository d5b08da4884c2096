/** Looks for NaN and Inf. */
import code from '../../shaders/canary.wgsl?raw';
import type { Run } from '../gpu/run';
import { size, type Tensor } from '../gpu/tensor';
import { elemOf, kernel } from './kernels';

/** Values that a workgroup looks at, until there are MOST of them: enough to read as fast as a large GPU can. */
const VALUES = 4096;
const MOST = 256;

/** How many elements of an f32 or f16 tensor are NaN or Inf, in parts whose sum it is → u32 [parts]. */
export function notFinite(run: Run, t: Tensor): Tensor {
  const parts = Math.min(MOST, Math.max(1, Math.ceil(size(t) / VALUES)));
  const out = run.tensor([parts], `canary of ${t.label}`, 'u32');
  run.dispatch({
    kernel: kernel('canary', code, { types: { XT: elemOf('canary', t) } }),
    bindings: { x: t, out },
    params: { count: size(t) },
    workgroups: [parts],
  });
  return out;
}
