/** Videos that were not made here, read by the browser's own player: frames at a clip's size and frame rate. */
import type { Footage, Size } from '../worker/protocol/clip';
import { cropOf, GROUND } from './pictures';

/** Of a video no more is read than so much. */
const LONGEST = 30; // seconds
const MOST_BYTES = 256 * 2 ** 20;
/** Milliseconds that the browser is given for a frame. */
const PATIENCE = 20_000;
/** Milliseconds after which a picture that was not told of is taken for the one before. */
const SAME_PICTURE = 100;

export interface VideoFacts extends Size {
  seconds: number;
}

/** Loads a video; throws when the browser cannot play it. The caller closes it. */
async function open(file: Blob): Promise<{ video: HTMLVideoElement; close(): void }> {
  const url = URL.createObjectURL(file);
  const video = document.createElement('video');
  video.muted = true;
  video.preload = 'auto';
  const close = () => {
    video.removeAttribute('src');
    video.load();
    URL.revokeObjectURL(url);
  };
  try {
    await heard(video, 'loadeddata', () => (video.src = url));
    if (!(video.videoWidth > 0)) throw new Error('it has no picture');
    // What a browser recorded itself does not say its length until its end was seen.
    if (!Number.isFinite(video.duration))
      await heard(video, 'durationchange', () => (video.currentTime = 1e7));
    if (!(video.duration > 0 && video.duration < Infinity)) throw new Error('it does not say how long it is');
    return { video, close };
  } catch (e) {
    close();
    throw e;
  }
}

/** Does something and waits for what comes of it. */
function heard(video: HTMLVideoElement, event: string, act: () => unknown): Promise<void> {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => end(new Error('the browser does not answer')), PATIENCE);
    const end = (error?: Error) => {
      clearTimeout(timer);
      video.removeEventListener(event, good);
      video.removeEventListener('error', broken);
      if (error) failed(error);
      else done();
    };
    const good = () => end();
    const broken = () => end(new Error(video.error?.message || 'it cannot be played'));
    video.addEventListener(event, good);
    video.addEventListener('error', broken);
    act();
  });
}

/**
 * Goes to a time, in seconds, and waits until its picture can be drawn. `seeked` alone is told a little earlier: now and
 * then the picture before would be drawn once more. Where the picture stays the same, nothing new is told of it.
 */
async function show(video: HTMLVideoElement, at: number): Promise<void> {
  let id: number | undefined;
  const drawn = new Promise<void>((done) => (id = video.requestVideoFrameCallback?.(() => done())));
  await heard(video, 'seeked', () => (video.currentTime = at));
  if (id === undefined) return;
  await Promise.race([drawn, new Promise((late) => setTimeout(late, SAME_PICTURE))]);
  video.cancelVideoFrameCallback(id);
}

/** Throws what the browser says of a file that it cannot play. */
export async function lookAtVideo(file: Blob): Promise<VideoFacts> {
  const { video, close } = await open(file);
  const facts = { width: video.videoWidth, height: video.videoHeight, seconds: video.duration };
  close();
  return facts;
}

/** How many frames of a video are used, and the time of the first. Seconds. */
export function spanOf(seconds: number, size: Size, fps: number, part: 'beginning' | 'end') {
  const most = Math.min(LONGEST * fps, Math.floor(MOST_BYTES / (4 * size.width * size.height)));
  const frames = Math.max(1, Math.min(most, Math.floor(seconds * fps + 1e-3)));
  return { frames, from: part === 'end' ? Math.max(0, seconds - frames / fps) : 0 };
}

/** Frames of a latent frame: Wan's temporal stride. */
export const STRIDE = 4;

/** How many of so many frames the engine uses: only whole blocks of `block` latent frames, of which the first is one frame. */
export function wholeBlocks(frames: number, block: number): number {
  const whole = STRIDE * block;
  return Math.max(0, Math.floor((frames + STRIDE - 1) / whole) * whole - (STRIDE - 1));
}

/**
 * The beginning or the end of a video, cut to the clip's shape.
 * @param fps frames a second to take
 * @param at 0…1: where the part lies (`cropOf`)
 */
export async function readFootage(
  file: Blob,
  size: Size,
  fps: number,
  part: 'beginning' | 'end',
  at = 0.5,
): Promise<Footage> {
  const { video, close } = await open(file);
  try {
    const { frames, from } = spanOf(video.duration, size, fps, part);
    const crop = cropOf({ width: video.videoWidth, height: video.videoHeight }, size, at);
    const canvas = new OffscreenCanvas(size.width, size.height);
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    context.imageSmoothingQuality = 'high';
    context.fillStyle = GROUND;
    const one = 4 * size.width * size.height;
    const rgba = new Uint8ClampedArray(frames * one);
    for (let i = 0; i < frames; i++) {
      // The middle of a frame, so that rounding cannot miss it.
      const at = Math.min(video.duration, from + (i + 0.5) / fps);
      await show(video, at);
      context.fillRect(0, 0, size.width, size.height);
      context.drawImage(video, crop.x, crop.y, crop.width, crop.height, 0, 0, size.width, size.height);
      rgba.set(context.getImageData(0, 0, size.width, size.height).data, i * one);
    }
    return { ...size, frames, rgba };
  } finally {
    close();
  }
}
