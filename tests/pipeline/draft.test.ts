import { expect, test } from 'vitest';
import { noiseOf, scaleOf } from '../../src/pipeline/draft';
import { noise } from '../../src/sampling/noise';

const GRID = { width: 16, height: 16 };
const request = { prompt: 'x', seed: 1, seconds: 1, width: 96, height: 64, steps: 8 };
const STREAM = { block: 2, step: 0, purpose: 'start' } as const;

test('a draft is half the size where that is possible, and takes a third of the steps', () => {
  expect(scaleOf(request, GRID)).toEqual({ width: 96, height: 64, steps: 8, factor: 1 });
  expect(scaleOf({ ...request, draft: true }, GRID)).toEqual({ width: 48, height: 32, steps: 3, factor: 2 });
  expect(scaleOf({ ...request, draft: true, height: 80, steps: 1 }, GRID)).toEqual({ width: 96, height: 80, steps: 1, factor: 1 }); // prettier-ignore
});

test('its noise is the final’s, seen from afar', () => {
  const [planes, rows, columns] = [30, 8, 12] as const;
  const full = noise(7, STREAM, planes * 4 * rows * columns);
  expect(noiseOf(7, STREAM, [planes, 2 * rows, 2 * columns], 1)).toEqual(full);
  const half = noiseOf(7, STREAM, [planes, rows, columns], 2);
  const at = (p: number, y: number, x: number) => full[(p * 2 * rows + y) * 2 * columns + x]!;
  expect(half[(5 * rows + 3) * columns + 7]).toBeCloseTo((at(5, 6, 14) + at(5, 6, 15) + at(5, 7, 14) + at(5, 7, 15)) / 2, 5); // prettier-ignore
  const variance = half.reduce((sum, n) => sum + n * n, 0) / half.length;
  expect(variance).toBeGreaterThan(0.9);
  expect(variance).toBeLessThan(1.1);
});
