/** Frames → clean latents, with the encoder of the model's autoencoder. */
import { Run } from '../gpu/run';
import { taehvEncode, type TaehvSide } from '../models/taehv';
import type { Size } from '../worker/protocol';
import type { Latents } from './backend';
import type { GpuModel } from './model';

/**
 * The first latent frame stands for one frame, every later one for `stride`, as in the decoder; so the first frame is
 * repeated in front.
 * @param frames [T, height, width, 3] in [0, 1]
 * @returns [C, F, h, w], normalised
 */
export async function encodeFrames(
  { gpu, manifest }: GpuModel,
  encoder: TaehvSide,
  frames: Float32Array<ArrayBuffer>,
  { width, height }: Size,
): Promise<Latents> {
  const { stride, mean, std } = manifest.latent;
  const one = 3 * width * height;
  const T = frames.length / one;
  const all = new Float32Array((T + stride[0] - 1) * one);
  for (let t = 0; t < stride[0] - 1; t++) all.set(frames.subarray(0, one), t * one);
  all.set(frames, (stride[0] - 1) * one);
  const run = new Run(gpu);
  try {
    const input = run.input(all, [T + stride[0] - 1, height, width, 3], 'frames', 'f32');
    const made = taehvEncode(run, encoder, input); // [F, C, h, w]
    const [F, C, h, w] = made.shape as [number, number, number, number];
    const values = await run.read(made);
    const out = new Float32Array(values.length);
    const pixels = h * w;
    for (let f = 0; f < F; f++)
      for (let c = 0; c < C; c++)
        for (let p = 0; p < pixels; p++)
          out[(c * F + f) * pixels + p] = (values[(f * C + c) * pixels + p]! - mean[c]!) / std[c]!;
    return out;
  } finally {
    run.destroy();
  }
}
