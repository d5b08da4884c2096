import { expect, test } from 'vitest';
import { noiseOf, scaleOf } from '../../src/pipeline/draft';
import type { GenerateRequest } from '../../src/worker/protocol/clip';
import { noise } from '../../src/sampling/noise';

const GRID = { width: 16, height: 16 };
const request = { prompt: 'x', seed: 1, seconds: 1, width: 96, height: 64, steps: 8 };
const STREAM = { block: 2, step: 0, purpose: 'start' } as const;

const OWN = [{ width: 128, height: 80 }, { width: 96, height: 64 }, { width: 64, height: 64 }]; // prettier-ignore
const scale = (change: Partial<GenerateRequest>) => scaleOf({ ...request, ...change }, GRID, OWN);

test('a draft is half the size where that is possible, and takes a third of the steps', () => {
  const final = { width: 96, height: 64 };
  expect(scale({})).toEqual({ ...final, steps: 8, final });
  expect(scale({ draft: true })).toEqual({ width: 48, height: 32, steps: 3, final });
});

test('else it is as large as a smaller one of the model’s own sizes, if there is one of nearly the same shape', () => {
  const draft = (width: number, height: number) => scale({ draft: true, width, height, steps: 4 });
  expect(draft(128, 80)).toEqual({ width: 96, height: 64, steps: 1, final: { width: 128, height: 80 } });
  expect(draft(112, 80)).toMatchObject({ width: 96, height: 64 });
  // Too long, of the same size, or not smaller enough: only fewer steps.
  for (const [width, height] of [[208, 80], [80, 80], [96, 80]] as const) // prettier-ignore
    expect(draft(width, height)).toMatchObject({ width: width === 80 ? 64 : width, height: width === 80 ? 64 : height, steps: 1 }); // prettier-ignore
});

test('its noise is the final’s, seen from afar', () => {
  const [planes, rows, columns] = [30, 8, 12] as const;
  const full = noise(7, STREAM, planes * 4 * rows * columns);
  expect(noiseOf(7, STREAM, [planes, 2 * rows, 2 * columns], [2 * rows, 2 * columns])).toEqual(full);
  const half = noiseOf(7, STREAM, [planes, rows, columns], [2 * rows, 2 * columns]);
  const at = (p: number, y: number, x: number) => full[(p * 2 * rows + y) * 2 * columns + x]!;
  expect(half[(5 * rows + 3) * columns + 7]).toBeCloseTo((at(5, 6, 14) + at(5, 6, 15) + at(5, 7, 14) + at(5, 7, 15)) / 2, 5); // prettier-ignore
  const variance = half.reduce((sum, n) => sum + n * n, 0) / half.length;
  expect(variance).toBeGreaterThan(0.9);
  expect(variance).toBeLessThan(1.1);
});

test('of another size, each number is the nearest of the final’s, and none is taken twice', () => {
  const [planes, rows, columns, high, wide] = [2, 8, 12, 10, 16] as const;
  const full = noise(7, STREAM, planes * high * wide);
  const small = noiseOf(7, STREAM, [planes, rows, columns], [high, wide]);
  expect(small[(rows + 3) * columns + 7]).toBe(full[(high + 4) * wide + 10]); // 3.5 · 10/8 = 4.4, 7.5 · 16/12 = 10
  expect(new Set(small).size).toBe(small.length);
});
