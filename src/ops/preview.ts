/** A cheap look at latents: a linear map to RGB, fitted to the checkpoint. */
import code from '../../shaders/preview.wgsl?raw';
import { expectShape, grid, type Run } from '../gpu/run';
import { expectAxes, kernel } from './kernels';
import type { Tensor } from '../gpu/tensor';

/**
 * @param x [C, F, h, w] f32, normalised latents
 * @param matrix [C, 3] f32
 * @param bias [3] f32: rgb = x · matrix + bias, in [0, 1]
 * @returns u32 [F, h, w]: bytes R, G, B, 255
 */
export function latentsToRgba(run: Run, x: Tensor, matrix: Tensor, bias: Tensor): Tensor {
  expectAxes('latentsToRgba', 'x', x, 'C,F,h,w');
  const [C, F, h, w] = x.shape as [number, number, number, number];
  expectShape('latentsToRgba', 'matrix', matrix, [C, 3]);
  expectShape('latentsToRgba', 'bias', bias, [3]);
  const out = run.tensor([F, h, w], 'preview', 'u32');
  run.dispatch({
    kernel: kernel('preview', code),
    bindings: { x, rgb_of: matrix, bias, out },
    params: { C, pixels: F * h * w },
    workgroups: grid(F * h * w, 64),
  });
  return out;
}
