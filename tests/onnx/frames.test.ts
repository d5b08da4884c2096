import { expect, test } from 'vitest';
import { latentsToRgba, rgbToI420, toPlanes } from '../../src/onnx/frames';
import { yuv, type Rgb } from '../helpers/clips';

test('latents become pictures by a linear map, clamped', () => {
  const x = Float32Array.of(0, 1, 2, 1, 0, -9); // [C = 2, 3 pixels]
  const rgba = latentsToRgba(x, [[0.5, 0, 0], [0, 0.25, 1]], [0, 0.5, 0]); // prettier-ignore
  expect([...rgba]).toEqual([0, 191, 255, 255, 128, 128, 0, 255, 255, 0, 0, 255]);
});

test('pixels of three become planes, picture by picture', () => {
  const two = Float32Array.of(1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60);
  expect([...toPlanes(two, 2)]).toEqual([1, 4, 2, 5, 3, 6, 10, 40, 20, 50, 30, 60]);
});

test.each<Rgb>([
  [0, 0, 0],
  [255, 255, 255],
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [12, 200, 77],
])('%i %i %i becomes bt709 limited', (...colour) => {
  const [width, height] = [6, 4];
  const rgb = Float32Array.from({ length: 3 * width * height }, (_, i) => colour[Math.floor(i / 24)]! / 255);
  const i420 = rgbToI420(rgb, width, height);
  const [y, u, v] = yuv(colour);
  expect([...i420]).toEqual([...Array<number>(24).fill(y), ...Array<number>(6).fill(u), ...Array<number>(6).fill(v)]); // prettier-ignore
});

test('chroma is the mean of four pixels, and values outside [0, 1] are clamped', () => {
  const rgb = new Float32Array(3 * 4);
  rgb.fill(5, 0, 2); // two of four pixels far too red
  const [, , , , u, v] = rgbToI420(rgb, 2, 2);
  const mean: Rgb = [127.5, 0, 0];
  expect([u, v]).toEqual(yuv(mean).slice(1));
});
