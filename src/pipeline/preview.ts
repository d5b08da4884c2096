/** The present guess of a block as a small picture, one frame a latent frame, at latent resolution. */
import type { Run } from '../gpu/run';
import { size, type Tensor } from '../gpu/tensor';
import { latentsToRgba } from '../ops/preview';
import type { Picture } from './backend';
import type { GpuModel } from './model';

/**
 * Recorded and submitted at once; what is promised is there when the GPU has got so far.
 * @param clean [C, F, h, w] f32, normalised. Only the picture's few bytes come back from the GPU.
 */
export async function makePreview(run: Run, model: GpuModel, clean: Tensor): Promise<Picture> {
  const { matrix, bias } = model.preview;
  const picture = latentsToRgba(run, clean, matrix, bias); // u32 [F, h, w]
  run.flush();
  const coming = run.gpu.readBytes(picture);
  run.release(picture); // the copy is queued before its memory is lent again
  const bytes = await coming;
  const [frames, height, width] = picture.shape as [number, number, number];
  const rgba = new Uint8ClampedArray(bytes.buffer.slice(0, size(picture) * 4));
  return { type: 'preview', frames, width, height, rgba };
}
