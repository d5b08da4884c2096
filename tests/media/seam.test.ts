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

test('the step from the last frame to the first, beside the middle of all steps', () => {
  expect(measure([10, 12, 14, 16, 40])).toEqual({ error: 30, typical: 2 });
  expect(measure([10, 14, 18, 14, 10])).toEqual({ error: 0, typical: 4 });
});

test('there is none where there are no steps', () => {
  expect(measure([])).toBeNull();
  expect(measure([1, 2])).toBeNull();
});
