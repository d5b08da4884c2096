/** Previews as pictures that a canvas can draw, and drawing them to fill it. */
import type { GenerateEvent, Picture as Given, Size } from '../worker/protocol/clip';

/** Something that a canvas can draw. */
export type Picture = ImageBitmap | OffscreenCanvas;

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

/** What shows through a transparent picture, here and on the page: as on paper. */
export const GROUND = '#ffffff';

/**
 * A part of a picture in the shape of the clip, and of its size.
 * @param crop 0…1: where the part lies (`cropOf`)
 * @throws what the browser says of a broken file
 */
export async function cropPicture(file: Blob, size: Size, crop = 0.5): Promise<Given> {
  const bitmap = await createImageBitmap(file);
  try {
    const { x, y, width, height } = cropOf(bitmap, size, crop);
    const canvas = new OffscreenCanvas(size.width, size.height);
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    context.fillStyle = GROUND;
    context.fillRect(0, 0, size.width, size.height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, x, y, width, height, 0, 0, size.width, size.height);
    return { ...size, rgba: context.getImageData(0, 0, size.width, size.height).data as Given['rgba'] };
  } finally {
    bitmap.close();
  }
}

export interface Part extends Size {
  x: number;
  y: number;
}

/**
 * The largest part of `from` that has the shape of `to`. Pixels.
 * @param at where it lies along the side that is longer than needed: 0…1, 0.5 is the middle
 */
export function cropOf(from: Size, to: Size, at = 0.5): Part {
  const scale = Math.min(from.width / to.width, from.height / to.height);
  const [width, height] = [to.width * scale, to.height * scale];
  return { x: (from.width - width) * at, y: (from.height - height) * at, width, height };
}

/** Shapes that are shown whole: width to height. */
const [TALLEST, WIDEST] = [1 / 3, 4];

/** What is shown of `from` around a part of it: all, but of what is very wide or very high as much as can be told apart. */
export function sightOf(from: Size, part: Part): Part {
  const width = Math.min(from.width, Math.max(part.width, from.height * WIDEST));
  const height = Math.min(from.height, Math.max(part.height, from.width / TALLEST));
  const place = (all: number, shown: number, middle: number) =>
    Math.min(all - shown, Math.max(0, middle - shown / 2));
  return {
    x: place(from.width, width, part.x + part.width / 2),
    y: place(from.height, height, part.y + part.height / 2),
    width,
    height,
  };
}
