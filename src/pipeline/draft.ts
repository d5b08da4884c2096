/**
 * A draft shows quickly what a clip will be like: smaller, a third of the steps, and the final's own noise seen from afar, so
 * that things stand where they will stand.
 */
import { noise, type NoiseStream } from '../sampling/noise';
import type { GenerateRequest, Size } from '../worker/protocol/clip';
import type { Latents } from './backend';

const FEWER_STEPS = 3;
/** How far the shape of a draft that is not half as large may be from the final's, and what of its pixels it may have. */
const [LIKE, SMALLER] = [1.1, 0.75];

export interface Scale {
  width: number;
  height: number;
  steps: number;
  /** The clip whose noise is taken: of a draft, the final. */
  final: Size;
}

/**
 * What is really made of a request. A draft is half as large; where that is no multiple of the grid, it is as the largest of
 * the model's own sizes that is smaller and of nearly the same shape; where there is none, it only takes fewer steps.
 * @param own sizes that the model was trained for
 */
export function scaleOf(
  { draft, width, height, steps }: GenerateRequest,
  grid: Size,
  own: readonly Size[],
): Scale {
  const final = { width, height };
  if (!draft) return { ...final, steps, final };
  const halves = width % (2 * grid.width) === 0 && height % (2 * grid.height) === 0;
  const fewer = Math.max(1, Math.round(steps / FEWER_STEPS));
  const small = halves ? { width: width / 2, height: height / 2 } : (smallerOf(final, own) ?? final);
  return { width: small.width, height: small.height, steps: fewer, final };
}

function smallerOf(of: Size, own: readonly Size[]): Size | undefined {
  const area = ({ width, height }: Size) => width * height;
  const likeness = (size: Size) => (size.width * of.height) / (size.height * of.width);
  return own
    .filter((size) => area(size) <= SMALLER * area(of) && size.width <= of.width && size.height <= of.height)
    .filter((size) => likeness(size) <= LIKE && likeness(size) >= 1 / LIKE)
    .sort((a, b) => area(b) - area(a))[0];
}

/**
 * Noise of a block, of that of the final.
 * @param shape [planes, rows, columns] of what is made; planes = channels · frames
 * @param final rows and columns of the final
 * @returns standard normal numbers, independent of each other: of half the size each is made of four of the final's, of any
 *   other each is the nearest one of the final's
 */
export function noiseOf(
  seed: number,
  stream: NoiseStream,
  [planes, rows, columns]: readonly [number, number, number],
  final: readonly [number, number],
): Latents {
  const [high, wide] = final;
  const full = noise(seed, stream, planes * high * wide);
  if (high === rows && wide === columns) return full;
  const halves = high === 2 * rows && wide === 2 * columns;
  const nearest = (i: number, count: number, all: number) => Math.floor(((i + 0.5) * all) / count);
  const out = new Float32Array(planes * rows * columns);
  for (let p = 0; p < planes; p++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        const plane = p * high * wide;
        const at = plane + 2 * y * wide + 2 * x;
        // The sum of four has twice the spread of one.
        out[(p * rows + y) * columns + x] = halves
          ? (full[at]! + full[at + 1]! + full[at + wide]! + full[at + wide + 1]!) / 2
          : full[plane + nearest(y, rows, high) * wide + nearest(x, columns, wide)]!;
      }
  return out;
}
