import { describe, expect, test } from 'vitest';
import { framesAt, planClip, type ClipPlan } from '../../src/pipeline/blocks';

const POCKET = { fps: 16, perBlock: 3, stride: 4 };
/** A clip of one shot of so many frames. */
const one = (frames: number, perBlock = 3, stride = 4) =>
  planClip([{ seconds: frames, cut: false }], { fps: 1, perBlock, stride });
const plan = (...shots: [seconds: number, cut?: 'cut'][]) =>
  planClip(
    shots.map(([seconds, cut]) => ({ seconds, cut: cut === 'cut' })),
    POCKET,
  );
/** `shot:entrance` of each block. */
const story = ({ blocks }: ClipPlan) => blocks.map(({ shot, enter }) => (enter ? `${shot}:${enter}` : `${shot}`)).join(' '); // prettier-ignore

function expectNoGaps(made: ClipPlan): void {
  let next = 0;
  for (const block of made.blocks)
    for (let i = 0; i < block.decode; i++) {
      const { first, skip, count } = framesAt(made, block, i);
      expect(first).toBe(next);
      expect(count).toBeGreaterThan(0);
      expect(skip + count).toBeLessThanOrEqual(made.stride);
      next += count;
    }
  expect(next).toBe(made.frames);
}

test('seconds become whole frames, at least one', () => {
  expect([2, 0.5, 0.1, 0.001].map((s) => plan([s]).frames)).toEqual([32, 8, 2, 1]);
});

test.each([
  // frames, latents to decode, blocks of 3
  [1, 1, 1],
  [2, 2, 1],
  [5, 2, 1],
  [6, 3, 1],
  [9, 3, 1],
  [10, 4, 2],
  [16, 5, 2],
  [21, 6, 2],
  [32, 9, 3],
  [33, 9, 3],
  [34, 10, 4],
])('%i frames take %i latents in %i blocks', (frames, decoded, blocks) => {
  const made = one(frames);
  expect(made).toMatchObject({ frames, decoded, latents: blocks * 3 });
  expect(made.blocks.map((b) => b.firstLatent)).toEqual(Array.from({ length: blocks }, (_, i) => i * 3));
  expect(made.blocks.map((b) => b.last)).toEqual(made.blocks.map((_, i) => i === blocks - 1));
  expect(made.blocks.reduce((sum, b) => sum + b.decode, 0)).toBe(decoded);
});

describe('frames of latents', () => {
  test('the first gives one, the others four, the last what is left', () => {
    const made = one(16);
    const at = made.blocks.flatMap((b) => Array.from({ length: b.decode }, (_, i) => framesAt(made, b, i)));
    expect(at).toEqual([
      { first: 0, skip: 3, count: 1 },
      { first: 1, skip: 0, count: 4 },
      { first: 5, skip: 0, count: 4 },
      { first: 9, skip: 0, count: 4 },
      { first: 13, skip: 0, count: 3 },
    ]);
  });

  test('they follow each other without gaps, for any length, block and stride', () => {
    for (const stride of [1, 2, 4])
      for (const perBlock of [1, 3])
        for (let frames = 1; frames < 50; frames++) {
          const made = one(frames, perBlock, stride);
          expectNoGaps(made);
          expect(made.latents - made.decoded).toBeLessThan(perBlock);
        }
  });
});

describe('shots', () => {
  test('begin with the nearest block; a cut begins a take of its own', () => {
    const made = plan([2], [2], [1.5, 'cut'], [1]);
    expect(story(made)).toBe('0:start 0 0 1:switch 1 1 2:cut 2 3:switch 3');
    expect(made.frames).toBe(104);
    expect(made.blocks[6]!.take).toEqual({ firstLatent: 18, firstFrame: 64, frames: 40, lead: 0 });
    expect(made.blocks[5]!.decode).toBe(2); // 64 frames are 17 latents
    expectNoGaps(made);
  });

  test('have a block each, however short they are', () => {
    const made = plan([0.1], [0.1], [0.1], [0.1, 'cut']);
    expect(story(made)).toBe('0:start 1:switch 2:switch 3:cut');
    expectNoGaps(made);
  });

  test('rounding does not add up', () => {
    const made = plan(...Array.from({ length: 40 }, (): [number] => [1.03]));
    expect(made.frames).toBe(Math.round(40 * 1.03 * 16));
    const cuts = plan(...Array.from({ length: 40 }, (): [number, 'cut'] => [1.03, 'cut']));
    expect(cuts.frames).toBe(Math.round(40 * 1.03 * 16));
    expectNoGaps(made);
    expectNoGaps(cuts);
  });

  test('what comes later never moves what comes before', () => {
    const before = plan([2], [1.7], [2], [1, 'cut'], [2]);
    for (const third of [0.3, 1, 5, 12.4]) {
      const after = plan([2], [1.7], [third], [1, 'cut'], [2]);
      const same = (made: ClipPlan) => made.blocks.filter((b) => b.shot < 2).map(({ index, shot, enter, firstLatent }) => ({ index, shot, enter, firstLatent })); // prettier-ignore
      expect(same(after)).toEqual(same(before));
      expectNoGaps(after);
    }
  });
});

test('a loop has a block more than it shows, and whole blocks', () => {
  const made = planClip([{ seconds: 2, cut: false }], { ...POCKET, loop: true });
  expect(made.frames).toBe(36); // 2 s are 2.7 blocks
  expect(made.blocks).toHaveLength(4);
  const counts = made.blocks.map((b) => [0, 1, 2].map((i) => framesAt(made, b, i).count));
  expect(counts).toEqual([[0, 0, 0], [4, 4, 4], [4, 4, 4], [4, 4, 4]]); // prettier-ignore
  expect(framesAt(made, made.blocks[1]!, 0)).toEqual({ first: 0, skip: 0, count: 4 });
  expect(framesAt(made, made.blocks[3]!, 2)).toEqual({ first: 32, skip: 0, count: 4 });
});
