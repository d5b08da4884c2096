import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import {
  checkPlan,
  estimateNeed,
  findFit,
  gridOf,
  roomOfGpu,
  ROOM_OF_CPU,
} from '../../src/pipeline/memory-plan';
import { readModelManifest } from '../../src/weights/manifest';

const POCKET = readModelManifest(JSON.parse(readFileSync('public/models/pocket/model.json', 'utf8')));
const GRID = { width: 16, height: 16 };
const adapter = { vendor: '', architecture: '', device: '', description: '', features: [] };
const REAL = roomOfGpu({ ...adapter, isFallback: false, maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 31 - 4 }, 2); // prettier-ignore
const SMALL = roomOfGpu({ ...adapter, isFallback: false, maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 }, 4); // prettier-ignore
const SOFTWARE = roomOfGpu({ ...adapter, isFallback: true, maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 }, 4); // prettier-ignore
const ROOMS = { REAL, SMALL, SOFTWARE, CPU: ROOM_OF_CPU };

function refusal(width: number, height: number, room = SOFTWARE): KinoraError | null {
  try {
    checkPlan(POCKET, { width, height }, GRID, room);
    return null;
  } catch (e) {
    return e as KinoraError;
  }
}

test('the grid is the token’s', () => expect(gridOf(POCKET)).toEqual(GRID));

test.each(Object.entries(ROOMS))(
  '%s: what Pocket was made for fits, thousands of pixels do not',
  (_, room) => {
    for (const [width, height] of [
      [96, 64],
      [64, 96],
      [160, 96],
      [256, 144],
    ] as const)
      // prettier-ignore
      expect(refusal(width, height, room), `${width} × ${height}`).toBeNull();
    const error = refusal(4096, 4096, room)!;
    expect(error.params.field).toBe('size');
    expect(error.message).toContain('4096 × 4096');
    const [width, height] = String(error.params.fits).split(' × ').map(Number) as [number, number];
    expect(refusal(width, height, room)).toBeNull();
    expect(refusal(width + 16, height + 16, room)).not.toBeNull(); // it is the largest
  },
);

test('the refusal names both numbers', () => {
  const error = refusal(4096, 4096, ROOM_OF_CPU)!;
  expect(error.code).toBe('out-of-memory');
  expect(error.message).toMatch(/need about [\d.]+ GB of memory, but 2\.1 GB can be counted on here\. \d+ × \d+ fits\./); // prettier-ignore
  expect(error.params.needed).toBeGreaterThan(error.params.limit as number);
});

test('a size that fits but would take for ever is refused, too', () => {
  const error = refusal(1280, 720, SOFTWARE)!;
  expect(error.code).toBe('bad-request');
  expect(error.message).toMatch(/some \d+ minutes a step/);
});

test('a size of the same shape is proposed, in whole tokens', () => {
  const fit = findFit(POCKET, { width: 3200, height: 1808 }, GRID, SOFTWARE)!;
  expect(fit.width % 16 + (fit.height % 16)).toBe(0); // prettier-ignore
  expect(Math.abs(fit.width / fit.height / (3200 / 1808) - 1)).toBeLessThan(0.1);
  expect(findFit(POCKET, { width: 96, height: 64 }, GRID, { ...SOFTWARE, total: 1 })).toBeNull();
});

test('half the bytes an element need less, and more pixels more', () => {
  const need = (side: number, room = REAL) => estimateNeed(POCKET, { width: side, height: side }, room);
  expect(need(512).total).toBeLessThan(need(512, { ...REAL, element: 4 }).total);
  expect(need(1024).total).toBeGreaterThan(3.9 * need(512).total);
});
