import { expect, test } from 'vitest';
import { rgbToI420 } from '../../src/ops/i420';
import { onEveryElem } from '../helpers/tensors';
import { rgbToI420 as reference } from '../reference/i420';

await onEveryElem((kit) => {
  // 4×6: chroma rows of 3 bytes, so that words of U and V run over row ends.
  test.each([
    [1, 2, 4],
    [3, 4, 6],
    [2, 6, 4],
    [1, 2, 12],
    [2, 36, 50],
    [1, 64, 96],
  ])('%d frames of %d×%d: every byte is the nearest code, or its neighbour', async (T, H, W) => {
    const frames = kit.from(
      kit.random([T, H, W, 3], 'f32', 0.7).x.map((x) => x + 0.5),
      [T, H, W, 3],
    );
    const out = rgbToI420(kit.run, frames.t);
    expect(out.shape).toEqual([T, (H * W * 3) / 8]);
    expect(out.dtype).toBe('u32');
    const codes = new Uint8Array((await kit.readWords(out)).buffer);
    const want = reference([T, H, W], frames.x);
    expect(codes.length).toBe(want.length);
    // Rounded, ties either way: half a code, and what f32 may err.
    want.forEach((code, i) =>
      expect(Math.abs(codes[i]! - code), `byte ${i}`).toBeLessThanOrEqual(0.5 + 1e-3),
    );
  });

  /** Y, U, V of a flat colour, after ITU-R BT.709, limited range. */
  test.each([
    ['black', [0, 0, 0], [16, 128, 128]],
    ['white', [1, 1, 1], [235, 128, 128]],
    ['over white', [7, 1.5, 1e4], [235, 128, 128]],
    ['under black', [-1, -1e4, 0], [16, 128, 128]],
    ['red', [1, 0, 0], [63, 102, 240]],
    ['green', [0, 1, 0], [173, 42, 26]],
    ['blue', [0, 0, 1], [32, 240, 118]],
  ])('%s', async (_, rgb, yuv) => {
    const frames = kit.from(Array.from({ length: 8 }, () => rgb).flat(), [1, 2, 4, 3]);
    const bytes = new Uint8Array((await kit.readWords(rgbToI420(kit.run, frames.t))).buffer);
    const [y, u, v] = yuv as [number, number, number];
    expect([...bytes]).toEqual([y, y, y, y, y, y, y, y, u, u, v, v]);
  });

  test('takes f32 frames', async () => {
    const frames = kit.random([1, 4, 4, 3], 'f32');
    const codes = new Uint8Array((await kit.readWords(rgbToI420(kit.run, frames.t))).buffer);
    reference([1, 4, 4], frames.x).forEach((code, i) =>
      expect(Math.abs(codes[i]! - code)).toBeLessThan(0.51),
    );
  });

  test.each([[[1, 3, 8, 3]], [[1, 8, 3, 3]], [[1, 2, 6, 3]], [[1, 4, 4, 4]], [[4, 4, 3]]])(
    'refuses %j',
    (shape) => {
      const frames = kit.random(shape).t;
      expect(() => rgbToI420(kit.run, frames)).toThrow(/^rgbToI420: /);
    },
  );
});
