/**
 * Decoded frames on their way out of the engine. A frame is tightly packed I420: the Y plane
 * [height][width], then U and V [height/2][width/2], 8 bit, bt709, limited range (Y 16…235, chroma 16…240),
 * as src/ops/rgb-to-i420 writes it. Works in workers and on the page.
 */
import { KinoraError } from '../errors';
import type { Size } from '../worker/protocol/clip';

/** What the samples of every frame mean. */
export const BT709_LIMITED = {
  primaries: 'bt709',
  transfer: 'bt709',
  matrix: 'bt709',
  fullRange: false,
} as const satisfies VideoColorSpaceInit;

/** Bytes of one frame. */
export const i420Bytes = ({ width, height }: Size) => (width * height * 3) / 2;

/** Throws unless both sides are even and the bytes are exactly one frame. */
export function guardI420(i420: Uint8Array, size: Size): void {
  guardEven(size);
  const { width, height } = size;
  const expected = i420Bytes(size);
  if (i420.byteLength !== expected)
    throw new KinoraError(
      'internal',
      `A frame of ${width} × ${height} takes ${expected} bytes as I420, but ${i420.byteLength} were given.`,
      { width, height, expected, found: i420.byteLength },
    );
}

/** Throws `bad-request` unless both sides are even, whole and from 2 to 16384 px: 4:2:0 halves both. */
export function guardEven({ width, height }: Size): void {
  const fits = (side: number) => Number.isInteger(side) && side >= 2 && side <= 16_384 && side % 2 === 0;
  if (!fits(width) || !fits(height))
    throw new KinoraError(
      'bad-request',
      `Video needs an even width and height from 2 to 16384 pixels, but ${width} × ${height} was asked for. ` +
        'Choose a multiple of 16.',
      { width, height },
    );
}

/** A frame for WebCodecs; times in whole microseconds. The caller closes it. The bytes are copied. */
export function videoFrame(i420: Uint8Array, size: Size, timestamp = 0, duration = 0): VideoFrame {
  guardI420(i420, size);
  return new VideoFrame(unshared(i420), {
    format: 'I420',
    codedWidth: size.width,
    codedHeight: size.height,
    timestamp,
    duration,
    colorSpace: BT709_LIMITED,
  });
}

/** Frames as bitmaps to draw; the colours are converted by the browser. The receiver closes them. */
export function toImageBitmaps(frames: readonly Uint8Array[], size: Size): Promise<ImageBitmap[]> {
  return Promise.all(
    frames.map(async (i420) => {
      const frame = videoFrame(i420, size);
      try {
        return await createImageBitmap(frame);
      } finally {
        frame.close();
      }
    }),
  );
}

/** A frame as a picture file: WebP where the browser writes it, else PNG (see the blob's `type`). */
export async function poster(i420: Uint8Array, size: Size): Promise<Blob> {
  const [bitmap] = await toImageBitmaps([i420], size);
  try {
    const canvas = new OffscreenCanvas(size.width, size.height);
    const context = canvas.getContext('2d');
    if (!context) throw new KinoraError('internal', 'The browser gave no 2D canvas for the poster.');
    context.drawImage(bitmap!, 0, 0);
    return await canvas.convertToBlob({ type: 'image/webp', quality: 0.95 });
  } finally {
    bitmap!.close();
  }
}

/** SHA-256 as 64 lower-case hex digits. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', unshared(bytes));
  return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** The same bytes in memory that no other thread writes, which is what the browser's APIs ask for. */
function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
}
