/** Looks for NaN and Inf. */
import code from '../../shaders/canary.wgsl?raw';
import valuePacked from '../../shaders/lib/value-packed.wgsl?raw';
import valuePlain from '../../shaders/lib/value-plain.wgsl?raw';
import type { Run } from '../gpu/run';
import { size, type Tensor } from '../gpu/tensor';
import { elemOf, kernel } from './kernels';

/** Values that a workgroup looks at, until there are MOST of them: enough to read as fast as a large GPU can. */
const VALUES = 4096;
const MOST = 256;

/** How many elements of an f32 or f16 tensor are NaN or Inf, in parts whose sum it is → u32 [parts]. */
export function notFinite(run: Run, t: Tensor): Tensor {
  const parts = Math.min(MOST, Math.max(1, Math.ceil(size(t) / VALUES)));
  const inWords = t.dtype === 'f16' && run.elem === 'f32'; // a cache of 16 bit where nothing computes with halves
  const out = run.tensor([parts], `canary of ${t.label}`, 'u32');
  run.dispatch({
    kernel: kernel('canary', code, {
      types: { XT: inWords ? 'u32' : elemOf('canary', t) },
      lib: inWords ? { valuePacked } : { valuePlain },
    }),
    bindings: { x: t, out },
    params: { count: size(t) },
    workgroups: [parts],
  });
  return out;
}
