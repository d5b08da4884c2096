import { expect, test } from 'vitest';
import { keptFrames, PastCache } from '../../src/onnx/cache';

test.each([
  // past, block, window, sink
  [0, 3, 6, 0, []],
  [3, 3, 6, 0, [0, 1, 2]],
  [6, 3, 6, 0, [3, 4, 5]],
  [9, 3, 12, 3, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  [12, 3, 12, 3, [0, 1, 2, 6, 7, 8, 9, 10, 11]],
  [7, 2, 6, 2, [0, 1, 5, 6]],
  [4, 3, 3, 0, []],
] as const)('%i frames before a block of %i, window %i, sink %i: %j', (past, block, window, sink, kept) => {
  expect(keptFrames(past, block, window, sink)).toEqual(kept);
});

/** Keys of a block: value = frame·100 + group·10 + token, for 2 groups, 2 tokens, d = 1. */
function rows(first: number, frames: number): Float32Array {
  const out: number[] = [];
  for (let g = 0; g < 2; g++)
    for (let f = 0; f < frames; f++) for (let t = 0; t < 2; t++) out.push((first + f) * 100 + g * 10 + t);
  return Float32Array.from(out);
}

test('gives each group its kept frames in order, and forgets what no block can see', () => {
  const cache = new PastCache({ groups: 2, tokensPerFrame: 2, d: 1 }, 4, 1);
  for (let block = 0; block < 4; block++) {
    const k = rows(block * 2, 2);
    cache.add(k, k.map((n) => -n), 2); // prettier-ignore
  }
  expect(cache.past).toBe(8);
  const { k, v, rows: count } = cache.forBlock(2);
  expect(count).toBe(4); // frame 0 and frame 7, two tokens each
  expect([...k]).toEqual([0, 1, 700, 701, 10, 11, 710, 711]);
  expect([...v]).toEqual([...k].map((n) => -n));
});

test('an empty past has no rows', () => {
  const { k, rows: count } = new PastCache({ groups: 2, tokensPerFrame: 2, d: 1 }, 4, 0).forBlock(2);
  expect([k.length, count]).toEqual([0, 0]);
});
