/** Previews as pictures that a canvas can draw, and drawing them to fill it. */
import type { GenerateEvent, Picture as Given, Size } from '../worker/protocol';
import type { Picture } from './studio.svelte';

/** One canvas a latent frame. rgba: RGBA, 8 bit, row by row, frame after frame. */
export function toPictures({
  frames,
  width,
  height,
  rgba,
}: Extract<GenerateEvent, { type: 'preview' }>): Picture[] {
  const size = width * height * 4;
  return Array.from({ length: frames }, (_, i) => {
    const canvas = new OffscreenCanvas(width, height);
    const pixels = new ImageData(rgba.slice(i * size, (i + 1) * size), width, height);
    canvas.getContext('2d')?.putImageData(pixels, 0, 0);
    return canvas;
  });
}

/** Fills the canvas, smoothly: pictures are small, and previews have one pixel where the clip has 8 × 8. */
export function draw(canvas: HTMLCanvasElement, picture: Picture): void {
  if (picture.width === 0) return; // closed
  const scale = Math.min(2, devicePixelRatio || 1);
  const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
  if (width === 0 || height === 0) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) return;
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, width, height);
}

/** The middle of a picture in the shape of the clip, and of its size. Throws what the browser says of a broken file. */
export async function cropPicture(file: Blob, size: Size): Promise<Given> {
  const bitmap = await createImageBitmap(file);
  try {
    const { x, y, width, height } = cropOf(bitmap, size);
    const canvas = new OffscreenCanvas(size.width, size.height);
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, x, y, width, height, 0, 0, size.width, size.height);
    return { ...size, rgba: context.getImageData(0, 0, size.width, size.height).data as Given['rgba'] };
  } finally {
    bitmap.close();
  }
}

/** The largest part in the middle of `from` that has the shape of `to`. */
export function cropOf(from: Size, to: Size): Size & { x: number; y: number } {
  const scale = Math.min(from.width / to.width, from.height / to.height);
  const [width, height] = [to.width * scale, to.height * scale];
  return { x: (from.width - width) / 2, y: (from.height - height) / 2, width, height };
}
