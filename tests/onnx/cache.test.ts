import { expect, test } from 'vitest';
import { keptFrames, PastCache } from '../../src/onnx/cache';
import { ropeAngles } from '../../src/models/wan-positions';

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

test('a sink that moves along is turned by the frames that have fallen out, from its first place each time', () => {
  const d = 12; // 4 of them by frame, in two pairs
  const cache = new PastCache({ groups: 1, tokensPerFrame: 1, d }, 4, 1, true);
  const one = (n: number) => Float32Array.from({ length: 2 * d }, (_, i) => n + i);
  for (let block = 0; block < 4; block++) cache.add(one(100 * block), one(0), 2);
  const { k } = cache.forBlock(2); // 10 frames, 4 in sight: 6 are gone
  const turned = ropeAngles(d, 1, 1, 1, 6);
  for (let pair = 0; pair < d / 2; pair++) {
    const [cos, sin] = [turned[2 * pair]!, turned[2 * pair + 1]!];
    const [a, b] = [2 * pair, 2 * pair + 1];
    expect(k[a]).toBeCloseTo(a * cos - b * sin, 4);
    expect(k[b]).toBeCloseTo(a * sin + b * cos, 4);
  }
  expect([...k.subarray(d)]).toEqual([...one(300).subarray(d)]); // the last frame stands where it was made
  cache.add(one(400), one(0), 2);
  const again = ropeAngles(d, 1, 1, 1, 8);
  expect(cache.forBlock(2).k[1]).toBeCloseTo(again[0]!, 4);
});

test('an emptied cache begins anew', () => {
  const cache = new PastCache({ groups: 1, tokensPerFrame: 1, d: 1 }, 4, 1);
  cache.add(Float32Array.of(1, 2), Float32Array.of(1, 2), 2);
  cache.clear();
  expect([cache.past, cache.forBlock(2).rows]).toEqual([0, 0]);
});
