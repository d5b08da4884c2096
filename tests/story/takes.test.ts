import { expect, test } from 'vitest';
import { planClip } from '../../src/pipeline/blocks';
import { parseScript, timeShots } from '../../src/story/script';
import { lengthOf } from '../../src/story/takes';

const counts = { fps: 16, perBlock: 3, stride: 4 };

test.each([
  ['a boat', 2, {}, 2],
  ['a boat', 2, { loop: true }, 2.25], // three blocks of twelve frames
  ['a boat', 1, { loop: true }, 1.5], // two at least
  ['[0.1s] a boat\n[0.1s] a car\n[0.2s] a star', 9, {}, 1.375], // blocks of nine and twelve frames, and one frame at least
  ['[0.3s] a boat\n[cut] [0.4s] a car', 9, {}, 0.6875], // each take rounded to whole frames from the exact time
] as const)('%j of %d s, %j, lasts %d s, as the engine counts', (script, seconds, more, real) => {
  const shots = timeShots(parseScript(script), seconds);
  expect(lengthOf(shots, { ...counts, ...more })).toBe(planClip(shots, { ...counts, ...more }).frames / 16);
  expect(lengthOf(shots, { ...counts, ...more })).toBe(real);
});
