/**
 * A draft shows quickly what a clip will be like: half the size, a third of the steps, and the final's own noise seen
 * from afar, so that things stand where they will stand.
 */
import { noise, type NoiseStream } from '../sampling/noise';
import type { GenerateRequest, Size } from '../worker/protocol';
import type { Latents } from './backend';

const FEWER_STEPS = 3;

export interface Scale {
  width: number;
  height: number;
  steps: number;
  /** Pixels of the final that are one of the draft, along a side: 1 or 2. */
  factor: 1 | 2;
}

/** What is really made of a request. Where half the size is no multiple of the grid, a draft only takes fewer steps. */
export function scaleOf({ draft, width, height, steps }: GenerateRequest, grid: Size): Scale {
  if (!draft) return { width, height, steps, factor: 1 };
  const halves = width % (2 * grid.width) === 0 && height % (2 * grid.height) === 0;
  const fewer = Math.max(1, Math.round(steps / FEWER_STEPS));
  return halves
    ? { width: width / 2, height: height / 2, steps: fewer, factor: 2 }
    : { width, height, steps: fewer, factor: 1 };
}

/**
 * Noise of a block.
 * @param shape [planes, rows, columns] of what is made; planes = channels · frames
 * @returns standard normal numbers; with factor 2 each is made of four of the final's noise
 */
export function noiseOf(
  seed: number,
  stream: NoiseStream,
  [planes, rows, columns]: readonly [number, number, number],
  factor: 1 | 2,
): Latents {
  const full = noise(seed, stream, planes * rows * columns * factor * factor);
  if (factor === 1) return full;
  const out = new Float32Array(planes * rows * columns);
  const wide = 2 * columns;
  for (let p = 0; p < planes; p++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        const at = (p * 2 * rows + 2 * y) * wide + 2 * x;
        // The sum of four has twice the spread of one.
        out[(p * rows + y) * columns + x] = (full[at]! + full[at + 1]! + full[at + wide]! + full[at + wide + 1]!) / 2; // prettier-ignore
      }
  return out;
}
