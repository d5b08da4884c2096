/** Pictures and videos from outside → blocks of clean latents. What they are asked for with is checked here. */
import { KinoraError } from '../errors';
import type { Footage, GenerateRequest } from '../worker/protocol/clip';
import type { Latents, Model } from './backend';
import { scaleOf, type Scale } from './draft';
import { sliceLatents } from './latents';

const bad = (message: string, field: 'picture' | 'footage') =>
  new KinoraError('bad-request', message, { field });

/** The clip's size, after it is known that the model can take frames at all. A draft's come in the size of the final. */
function checkFrames(
  model: Model,
  asked: GenerateRequest,
  { width, height, rgba, frames }: Footage,
  field: 'picture' | 'footage',
): Scale {
  const what = field === 'picture' ? 'picture' : 'video';
  if (!model.encode) throw bad(`${model.manifest.name} cannot begin with a ${what}: it has no encoder here.`, field); // prettier-ignore
  if (asked.loop) throw bad(`A loop cannot begin with a ${what}.`, field);
  if (width !== asked.width || height !== asked.height || rgba.length !== 4 * width * height * frames)
    throw bad(`The ${what} is ${width} × ${height}, but the clip ${asked.width} × ${asked.height}.`, field);
  return scaleOf(asked, model.grid, model.manifest.sizes);
}

/**
 * [T, final height, final width, 4] in 0…255 → [T, height, width, 3] in 0…1: each the mean of what it covers; where shapes
 * differ a little, of the largest part in the middle that has the shape.
 */
export function toRgb(rgba: Uint8ClampedArray, { width, height, final }: Scale): Float32Array<ArrayBuffer> {
  const frames = rgba.length / (4 * final.width * final.height);
  const scale = Math.min(final.width / width, final.height / height);
  const across = spans(width, scale, (final.width - width * scale) / 2);
  const down = spans(height, scale, (final.height - height * scale) / 2);
  const rgb = new Float32Array(frames * height * width * 3);
  const whole = 255 * scale * scale;
  for (let t = 0; t < frames; t++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const to = 3 * ((t * height + y) * width + x);
        for (const [row, high] of down[y]!)
          for (const [column, wide] of across[x]!) {
            const from = 4 * ((t * final.height + row) * final.width + column);
            for (let c = 0; c < 3; c++) rgb[to + c]! += (rgba[from + c]! * high * wide) / whole;
          }
      }
  return rgb;
}

/** Of each of `count` places, `size` long from `first` on: the whole numbers that it covers, and how much of each. */
function spans(count: number, size: number, first: number): [at: number, share: number][][] {
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [first + i * size, first + (i + 1) * size];
    const covered: [number, number][] = [];
    for (let at = Math.floor(from + 1e-6); at < to - 1e-6; at++)
      covered.push([at, Math.min(at + 1, to) - Math.max(at, from)]);
    return covered;
  });
}

/** The one latent frame of the picture. Throws `bad-request` (field `picture`). */
export async function encodePicture(model: Model, asked: GenerateRequest): Promise<Latents> {
  const picture = { ...asked.picture!, frames: 1 };
  const size = checkFrames(model, asked, picture, 'picture');
  return model.encode!(toRgb(picture.rgba, size), size);
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
  const one = 4 * footage.width * footage.height;
  const first = footage.use === 'extend' ? footage.frames - frames : 0;
  if (isCancelled()) throw new KinoraError('cancelled', 'The clip was cancelled.');
  const latents = await model.encode!(toRgb(footage.rgba.subarray(first * one, (first + frames) * one), size), size); // prettier-ignore
  const shape = [latent.channels, count * perBlock] as const;
  const blocks = Array.from({ length: count }, (_, b) =>
    sliceLatents(latents, shape, b * perBlock, perBlock),
  );
  return { blocks, seconds: frames / fps };
}
