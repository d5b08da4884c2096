import { expect, test } from 'vitest';
import { SeamMeter } from '../../src/media/seam';

const SIZE = { width: 4, height: 2 };
/** A grey frame; its chroma must not matter. */
const grey = (luma: number, chroma = 128) => new Uint8Array(12).fill(luma, 0, 8).fill(chroma, 8);

function measure(lumas: number[]) {
  const meter = new SeamMeter(SIZE);
  for (const [i, luma] of lumas.entries()) meter.add(grey(luma, i));
  return meter.seam;
}

test('the step from the last frame to the first, beside the middle of the largest quarter of steps', () => {
  expect(measure([10, 14, 18, 14, 10])).toEqual({ error: 0, typical: 4 });
  // Four frames of a latent: small steps within, larger ones between. One that is larger still is a stray.
  const lumas = [0, 1, 2, 3].flatMap((latent) => [0, 1, 2, 3].map((frame) => 20 * latent + frame));
  expect(measure(lumas)).toEqual({ error: 63, typical: 17 });
  expect(measure([...lumas, 64, 65, 66, 67, 255])).toEqual({ error: 255, typical: 17 });
});

test('there is none where there are no steps', () => {
  expect(measure([])).toBeNull();
  expect(measure([1, 2])).toBeNull();
});
