import { expect, test } from 'vitest';
import { latentsToRgba } from '../../src/ops/preview';
import { onEveryElem } from '../helpers/tensors';
import { latentsToRgb } from '../reference/preview';

await onEveryElem((kit) => {
  test.each([
    [1, 1, 1, 1],
    [3, 2, 5, 7],
    [16, 3, 9, 13],
    [48, 1, 20, 31],
  ])('%d channels of %d frames of %d×%d', async (C, F, h, w) => {
    // Spread so that many values lie outside of 0…1 and are clamped.
    const x = kit.random([C, F, h, w], 'f32', 2);
    const matrix = kit.random([C, 3], 'f32', 0.5);
    const bias = kit.from([0.5, 0.25, 0.75], [3], 'f32');
    const out = latentsToRgba(kit.run, x.t, matrix.t, bias.t);
    expect(out.shape).toEqual([F, h, w]);
    expect(out.dtype).toBe('u32');
    const words = await kit.readWords(out);
    latentsToRgb(C, x.x, matrix.x, bias.x).forEach((want, i) => {
      const got = (words[Math.floor(i / 3)]! >>> (8 * (i % 3))) & 255;
      // Half a step of rounding, and what f32 sums may err.
      expect(Math.abs(got - want)).toBeLessThanOrEqual(0.5 + 1e-3);
    });
    for (const word of words) expect(word >>> 24).toBe(255);
  });

  test('refuses what does not fit', () => {
    const f32 = (...shape: number[]) => kit.random(shape, 'f32').t;
    expect(() => latentsToRgba(kit.run, f32(4, 1, 2, 3), f32(5, 3), f32(3))).toThrow(
      /^latentsToRgba: .*\[5,3\], expected \[4,3\]/,
    );
    expect(() => latentsToRgba(kit.run, f32(4, 2, 3), f32(4, 3), f32(3))).toThrow(
      /^latentsToRgba: .*\[4,2,3\]/,
    );
    expect(() => latentsToRgba(kit.run, f32(4, 1, 2, 3), f32(4, 3), f32(4))).toThrow(
      /^latentsToRgba: .*\[4\], expected \[3\]/,
    );
  });
});
