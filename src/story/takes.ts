/**
 * How long a clip really lasts: shots → takes, stretches without a cut, and their frames. A model makes whole blocks, so a
 * loop lasts as many of them as come nearest, and a shot at least one.
 *
 * A latent frame becomes `stride` frames, but the first latent of a take gives only one. Words change only between blocks: a
 * shot begins with the block that is nearest to its time, counted from the beginning, so that what comes later never moves
 * what comes before.
 */
import type { TimedShot } from './script';

export interface Counts {
  fps: number;
  /** Latent frames denoised together: a block. */
  perBlock: number;
  /** Frames of a latent frame. */
  stride: number;
  /** Latent frames of the first block, where it is shorter: a picture that the clip begins with. */
  first?: number;
  /** The end leads back to the beginning: one block more is made, and the first is shown last. Cuts do not count then. */
  loop?: boolean;
}

export interface PlannedTake {
  /** Index of its first shot. */
  firstShot: number;
  /** Block of the take that each of its shots begins with. */
  starts: number[];
  frames: number;
  /** Latent frames of its first block. */
  size: number;
}

/** Every shot has at least one block, a clip at least one frame. */
export function planTakes(
  shots: readonly Pick<TimedShot, 'seconds' | 'cut'>[],
  counts: Counts,
): PlannedTake[] {
  const { fps, perBlock, stride, loop = false } = counts;
  let { first: size = perBlock } = counts; // of the first block of the take
  const takes: PlannedTake[] = [];
  let [seconds, until] = [0, 0]; // the end of the take by the shots' own lengths, in seconds and frames
  for (let firstShot = 0; firstShot < shots.length;) {
    let next = firstShot + 1;
    while (next < shots.length && (loop || !shots[next]!.cut)) next++;
    const starts = [0];
    let since = 0; // seconds
    for (let shot = firstShot; shot < next; shot++) {
      since += shots[shot]!.seconds;
      if (shot + 1 === next) break;
      const nearest = 1 + Math.round((since * fps + stride - 1 - size * stride) / (stride * perBlock));
      starts.push(Math.max(starts.at(-1)! + 1, nearest));
    }
    seconds += since;
    // Rounded from the exact time each, so that nothing adds up.
    const asked = Math.round(seconds * fps) - until;
    until += asked;
    const before = latentsBefore(starts.at(-1)!, size, perBlock);
    const least = before > 0 ? before * stride - (stride - 1) + 1 : 1;
    const whole = perBlock * stride;
    const frames = loop ? Math.max(2, starts.at(-1)! + 1, Math.round(asked / whole)) * whole : Math.max(least, asked); // prettier-ignore
    takes.push({ firstShot, starts, frames, size });
    size = perBlock;
    firstShot = next;
  }
  return takes;
}

/** Latent frames of the first `block` blocks of a take, of which the first has `size`. */
export const latentsBefore = (block: number, size: number, perBlock: number): number =>
  block === 0 ? 0 : size + (block - 1) * perBlock;

/** What a clip of these shots really lasts, in seconds. */
export const lengthOf = (shots: readonly Pick<TimedShot, 'seconds' | 'cut'>[], counts: Counts): number =>
  planTakes(shots, counts).reduce((sum, { frames }) => sum + frames, 0) / counts.fps;
