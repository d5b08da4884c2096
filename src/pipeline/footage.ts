/** Pictures and videos from outside → blocks of clean latents. What they are asked for with is checked here. */
import { KinoraError } from '../errors';
import type { Footage, GenerateRequest, Size } from '../worker/protocol';
import type { Latents, Model } from './backend';
import { scaleOf } from './draft';
import { sliceLatents } from './latents';

const bad = (message: string, field: 'picture' | 'footage') =>
  new KinoraError('bad-request', message, { field });

/** The clip's size, after it is known that the model can take frames at all. */
function checkFrames(
  model: Model,
  asked: GenerateRequest,
  { width, height, rgba, frames }: Footage,
  field: 'picture' | 'footage',
): Size {
  const what = field === 'picture' ? 'picture' : 'video';
  if (!model.encode) throw bad(`${model.manifest.name} cannot begin with a ${what}: it has no encoder here.`, field); // prettier-ignore
  if (asked.loop) throw bad(`A loop cannot begin with a ${what}.`, field);
  const size = scaleOf(asked, model.grid);
  if (width !== size.width || height !== size.height || rgba.length !== 4 * width * height * frames)
    throw bad(`The ${what} is ${width} × ${height}, but the clip ${size.width} × ${size.height}.`, field);
  return { width, height };
}

/** [T, height, width, 4] in 0…255 → [T, height, width, 3] in 0…1 */
function toRgb(rgba: Uint8ClampedArray): Float32Array<ArrayBuffer> {
  const rgb = new Float32Array((rgba.length / 4) * 3);
  for (let i = 0, at = 0; i < rgba.length; i++) if (i % 4 !== 3) rgb[at++] = rgba[i]! / 255;
  return rgb;
}

/** The one latent frame of the picture. Throws `bad-request` (field `picture`). */
export async function encodePicture(model: Model, asked: GenerateRequest): Promise<Latents> {
  const picture = { ...asked.picture!, frames: 1 };
  const size = checkFrames(model, asked, picture, 'picture');
  return model.encode!(toRgb(picture.rgba), size);
}

/**
 * Whole blocks of a video: of its end where it is extended, of its beginning where it is remixed.
 * @returns the blocks, and how long they last
 * @throws KinoraError `bad-request` (field `footage`)
 */
export async function encodeFootage(
  model: Model,
  asked: GenerateRequest,
  isCancelled: () => boolean,
): Promise<{ blocks: Latents[]; seconds: number }> {
  const footage = asked.footage!;
  const size = checkFrames(model, asked, footage, 'footage');
  const { latent, sampler, fps } = model.manifest;
  const [stride, perBlock] = [latent.stride[0], sampler.num_frame_per_block];
  // A block more takes so many frames; the first stride − 1 of all are not shown.
  const whole = stride * perBlock;
  const count = Math.floor((footage.frames + stride - 1) / whole);
  if (count === 0)
    throw bad(`The video has ${footage.frames} frames at ${fps} a second, but at least ${whole - stride + 1} are needed. Choose a longer one.`, 'footage'); // prettier-ignore
  const frames = count * whole - (stride - 1);
  const one = 4 * size.width * size.height;
  const first = footage.use === 'extend' ? footage.frames - frames : 0;
  if (isCancelled()) throw new KinoraError('cancelled', 'The clip was cancelled.');
  const latents = await model.encode!(toRgb(footage.rgba.subarray(first * one, (first + frames) * one)), size); // prettier-ignore
  const shape = [latent.channels, count * perBlock] as const;
  const blocks = Array.from({ length: count }, (_, b) =>
    sliceLatents(latents, shape, b * perBlock, perBlock),
  );
  return { blocks, seconds: frames / fps };
}
