import { expect, test } from 'vitest';
import { spanOf, wholeBlocks } from '../../src/app/footage';

const size = { width: 96, height: 64 };

test('a short video is used whole, of a long one the end or the beginning', () => {
  expect(spanOf(1.5, size, 16, 'end')).toEqual({ frames: 24, from: 0 });
  expect(spanOf(40, size, 16, 'beginning')).toEqual({ frames: 480, from: 0 });
  expect(spanOf(40, size, 16, 'end')).toEqual({ frames: 480, from: 10 });
  expect(spanOf(0.01, size, 16, 'end').frames).toBe(1);
});

test('no more is read than fits into memory', () => {
  const { frames, from } = spanOf(20, { width: 832, height: 480 }, 16, 'end');
  expect(frames * 832 * 480 * 4).toBeLessThanOrEqual(256 * 2 ** 20);
  expect(from).toBeCloseTo(20 - frames / 16);
});

test('whole blocks are used, and the first latent is one frame', () => {
  expect([8, 9, 20, 21, 24, 33].map((n) => wholeBlocks(n, 3))).toEqual([0, 9, 9, 21, 21, 33]);
  expect(wholeBlocks(5, 1)).toBe(5);
});
