import { describe, expect, test } from 'vitest';
import { countFrames, framesAt, planClip } from '../../src/pipeline/blocks';

test('seconds become whole frames, at least one', () => {
  expect(countFrames(2, 16)).toBe(32);
  expect(countFrames(0.5, 16)).toBe(8);
  expect(countFrames(0.1, 16)).toBe(2);
  expect(countFrames(0.001, 16)).toBe(1);
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
  const plan = planClip(frames, 3, 4);
  expect(plan).toMatchObject({ frames, decoded, latents: blocks * 3 });
  expect(plan.blocks.map((b) => b.firstLatent)).toEqual(Array.from({ length: blocks }, (_, i) => i * 3));
  expect(plan.blocks.map((b) => b.last)).toEqual(plan.blocks.map((_, i) => i === blocks - 1));
  expect(plan.blocks.reduce((sum, b) => sum + b.decode, 0)).toBe(decoded);
});

describe('frames of latents', () => {
  test('the first gives one, the others four, the last what is left', () => {
    const plan = planClip(16, 3, 4);
    const at = Array.from({ length: plan.decoded }, (_, i) => framesAt(plan, i));
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
          const plan = planClip(frames, perBlock, stride);
          let next = 0;
          for (let latent = 0; latent < plan.decoded; latent++) {
            const { first, skip, count } = framesAt(plan, latent);
            expect(first).toBe(next);
            expect(count).toBeGreaterThan(0);
            expect(skip + count).toBeLessThanOrEqual(stride);
            next += count;
          }
          expect(next).toBe(frames);
          expect(plan.latents - plan.decoded).toBeLessThan(perBlock);
        }
  });
});
