/** Frames as video encoders want them. */
import code from '../../shaders/i420.wgsl?raw';
import { expectShape, grid, type Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { elemOf, expectAxes, kernel, refuse } from './kernels';

/**
 * RGB to I420, bt709, limited range; values outside [0, 1] are clamped.
 * @param frames [T, H, W, 3], H and W even, H·W a multiple of 8
 * @returns u32 [T, H·W·3/8]: per frame the bytes of the planes Y [H, W], U and V [H/2, W/2]
 */
export function rgbToI420(run: Run, frames: Tensor): Tensor {
  expectAxes('rgbToI420', 'frames', frames, 'T,H,W,3');
  const [T, H, W] = frames.shape as [number, number, number];
  expectShape('rgbToI420', 'frames', frames, [T, H, W, 3]);
  if (H % 2 || W % 2 || (H * W) % 8)
    throw refuse(
      'rgbToI420',
      `a picture of ${W}×${H}; both sides must be even and their product a multiple of 8`,
    );
  const words = (H * W * 3) / 8;
  const out = run.tensor([T, words], 'i420', 'u32');
  run.dispatch({
    kernel: kernel('i420', code, { types: { XT: elemOf('rgbToI420', frames) } }),
    bindings: { x: frames, out },
    params: { T, H, W },
    workgroups: grid(T * words, 64),
  });
  return out;
}
