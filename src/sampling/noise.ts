/**
 * Seeded Gaussian noise: one seed, one noise, on every machine, to the bit. Philox numbers through
 * Box–Muller in exact arithmetic (exact.ts), rounded to f32.
 *
 * Every number has an address: seed, block, step, purpose, index. So the noise of a block does not depend
 * on the length of the clip, on what was made before, or on where one starts.
 */
import { logUniform, sinCosTurn } from './exact';
import { philox, type Words } from './philox';

/** What noise is for; numbers are part of what a seed means and never change. */
const PURPOSES = { start: 0, renoise: 1, choice: 2 } as const;

export interface NoiseStream {
  /** Counts from 0. */
  block: number;
  /** Denoising step, from 0. */
  step: number;
  /** start: what a block is made from; renoise: fresh noise after a step. */
  purpose: 'start' | 'renoise';
}

/** "Kino" in ASCII: the second half of the key. */
const KEY = 0x4b696e6f;

/**
 * Standard normal numbers.
 * @param seed unsigned 32-bit integer
 * @param count how many; a longer request begins with the same numbers
 * @throws RangeError when a number is no unsigned 32-bit integer
 */
export function noise(seed: number, stream: NoiseStream, count: number): Float32Array<ArrayBuffer> {
  const { block, step } = stream;
  for (const [name, n] of Object.entries({ seed, block, step, count }))
    if (n >>> 0 !== n) throw new RangeError(`noise: ${name} is ${n}, not an unsigned 32-bit integer`);
  const purpose = PURPOSES[stream.purpose];
  const out = new Float32Array(count);
  const words: Words = [0, 0, 0, 0];
  const turn: [number, number] = [0, 0];
  for (let i = 0; i < count; i += 4) {
    philox(words, i / 4, block, step, purpose, seed, KEY);
    for (let pair = 0; pair < 2; pair++) {
      const radius = Math.sqrt(-2 * logUniform(words[pair * 2]!));
      sinCosTurn(turn, words[pair * 2 + 1]!);
      // Writes past the end of a typed array are ignored.
      out[i + pair * 2] = radius * turn[1];
      out[i + pair * 2 + 1] = radius * turn[0];
    }
  }
  return out;
}

/**
 * What a seed chooses for a block: one of each count, evenly.
 * @param counts how many there are to choose from, each
 * @returns for each count an integer in [0, count)
 */
export function choices(seed: number, block: number, counts: number[]): number[] {
  const words: Words = [0, 0, 0, 0];
  return counts.map((count, i) => {
    if (i % 4 === 0) philox(words, i / 4, block, 0, PURPOSES.choice, seed, KEY);
    return Math.floor((words[i % 4]! / 2 ** 32) * count);
  });
}
