/** Frames → clean latents, one latent at a time, whatever computes the encoder. */
import { KinoraError } from '../errors';
import type { ModelManifest } from '../weights/manifest';
import type { Size } from '../worker/protocol/clip';
import type { Latents } from './backend';

/**
 * The first latent frame stands for one frame, every later one for `stride`, as in the decoder; so the first frame is
 * repeated in front. Memory does not grow with the clip, but for the result.
 * @param frames [T, height, width, 3] in [0, 1], T = 1 + stride·(F − 1)
 * @param encode called with the [stride, height, width, 3] of each latent, in order; its values [C, h, w], normalised
 * @returns [C, F, h, w], normalised
 * @throws KinoraError `not-finite`
 */
export async function encodePieces(
  { latent }: Pick<ModelManifest, 'latent'>,
  frames: Float32Array<ArrayBuffer>,
  { width, height }: Size,
  encode: (piece: Float32Array<ArrayBuffer>) => Promise<Float32Array>,
): Promise<Latents> {
  const { stride, channels: C } = latent;
  const one = 3 * width * height;
  const F = 1 + (frames.length / one - 1) / stride[0];
  if (!Number.isInteger(F))
    throw new KinoraError('internal', `${frames.length / one} frames are no whole number of latents.`);
  const pixels = (height / stride[1]) * (width / stride[2]);
  const out = new Float32Array(C * F * pixels);
  for (let f = 0; f < F; f++) {
    const piece = new Float32Array(stride[0] * one);
    for (let t = 0; t < stride[0]; t++) {
      const at = Math.max(0, f * stride[0] + t - (stride[0] - 1));
      piece.set(frames.subarray(at * one, (at + 1) * one), t * one);
    }
    const values = await encode(piece);
    for (let c = 0; c < C; c++) out.set(values.subarray(c * pixels, (c + 1) * pixels), (c * F + f) * pixels);
  }
  if (out.every(Number.isFinite)) return out;
  throw new KinoraError('not-finite', 'The picture could not be encoded: the numbers ran away.', { operation: 'encoder' }); // prettier-ignore
}
