/** What a clip gives up when memory runs out, one after the other, by the plan alone. */
import { expect, test } from 'vitest';
import { estimateNeed, fittingTiles, moreTiles, type Room } from '../../src/pipeline/memory-plan';
import { lessMemory } from '../../src/pipeline/recover';
import type { GenerateRequest } from '../../src/worker/protocol/clip';
import { randomManifest } from '../helpers/random-manifest';

const ROOM: Room = { element: 4, buffer: 2 ** 30, total: 2 ** 33, speed: 1e12, scores: false, packs: true };
const REQUEST: GenerateRequest = { prompt: 'a boat', seed: 7, seconds: 3, width: 416, height: 240, steps: 2 };

/** Gives up whatever there is; `tiles 2`, `bits 8`, `window 3`. */
function retreat(manifest = randomManifest({ vae: true }), asked: Partial<GenerateRequest> = {}, room = ROOM): string[] {
  const steps: string[] = [];
  for (let wish = { ...REQUEST, ...asked }; ;) {
    const less = lessMemory({ manifest, room }, wish);
    if (!less) return steps;
    const { tiles, cacheBits, window } = less;
    expect(Object.keys(less).filter((key) => key !== 'sink')).toHaveLength(1); // one thing at a time
    steps.push(tiles ? `tiles ${tiles.rows * tiles.columns}` : cacheBits ? `bits ${cacheBits}` : `window ${window}`);
    wish = { ...wish, ...less };
    if (steps.length > 50) throw new Error('it goes on for ever');
  }
} // prettier-ignore

test('tiles first, for they change no picture; then keys and values of 8 bit, then a smaller window', () => {
  const steps = retreat();
  const tiles = steps.filter((step) => step.startsWith('tiles'));
  expect(tiles.length).toBeGreaterThan(1);
  expect(steps).toEqual([...tiles, 'bits 8', 'window 3']);
  const counts = tiles.map((step) => Number(step.slice(6)));
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  // What was asked for stays.
  expect(retreat(undefined, { cacheBits: 16, window: 12 })).toEqual([...tiles, 'window 6', 'window 3']);
  // TAEHV is not tiled, and the CPU backend neither tiles nor packs.
  expect(retreat(randomManifest())).toEqual(['bits 8', 'window 3']);
  expect(retreat(undefined, {}, { ...ROOM, packs: false })).toEqual(['window 3']);
});

test('each step needs less than the one before, and goes on from the tiles that memory asked for already', () => {
  const manifest = randomManifest({ vae: true });
  const first = fittingTiles(manifest, REQUEST, ROOM, 16);
  expect(first).toEqual({ rows: 1, columns: 1 });
  const second = moreTiles(manifest, REQUEST, ROOM, first)!;
  const need = (tiles: typeof first) => estimateNeed(manifest, REQUEST, ROOM, 16, tiles).total;
  expect(need(second)).toBeLessThan(need(first));
  const tight = { ...ROOM, total: need(second) };
  expect(fittingTiles(manifest, REQUEST, tight, 16)).toEqual(second);
  expect(lessMemory({ manifest, room: tight }, REQUEST)).toEqual({
    tiles: moreTiles(manifest, REQUEST, tight, second),
  });
});

test('tiles that no plan has, as of a journal that was written in, are not taken', () => {
  const manifest = randomManifest({ vae: true });
  const whole = { rows: 1, columns: 1 };
  for (const asked of [
    { rows: 0, columns: 99 },
    { rows: 7, columns: 1 },
  ])
    expect(fittingTiles(manifest, REQUEST, ROOM, 16, asked)).toEqual(whole);
});
