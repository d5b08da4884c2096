/** Previews as pictures that a canvas can draw, and drawing them to fill it. */
import type { GenerateEvent } from '../worker/protocol';
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
