/** Weights made smaller. */
import numbers from '../../shaders/lib/numbers.wgsl?raw';
import code from '../../shaders/quantize.wgsl?raw';
import { grid, type Run } from '../gpu/run';
import { size, type Tensor } from '../gpu/tensor';
import { kernel, refuse } from './kernels';

/** How numbers lie in whole words, and how many of them a word holds. */
export const FROM = {
  F32: { id: 0, perWord: 1 },
  F16: { id: 1, perWord: 2 },
  BF16: { id: 2, perWord: 2 },
} as const;
export type QuantizedFrom = keyof typeof FROM;
/** Bytes of a block of 32 in a file. */
const BLOCK = { q8_0: 34, q4_0: 18 } as const;

/**
 * Numbers → GGUF's blocks, to the bit as weights/pack.ts makes them. A block with NaN or infinity gets NaN as its scale.
 * @param x u32: the numbers' own bits, two to a word for F16 and BF16, the first in the low half; a multiple of 64
 * @returns u32: blocks one behind the other, as in a file
 */
export function quantize(run: Run, x: Tensor, from: QuantizedFrom, to: keyof typeof BLOCK): Tensor {
  const { id, perWord } = FROM[from];
  const count = size(x) * perWord;
  if (x.dtype !== 'u32') throw refuse('quantize', `x is ${x.dtype}, expected u32`);
  if (count % 64) throw refuse('quantize', `${count} numbers, expected a multiple of 64`);
  const out = run.tensor([(count / 128) * BLOCK[to]], 'blocks', 'u32');
  run.dispatch({
    kernel: kernel('quantize', code, {
      lib: { numbers },
      overrides: { FROM: id, BITS: to === 'q8_0' ? 8 : 4 },
    }),
    bindings: { x, out },
    params: { pairs: count / 64 },
    workgroups: grid(count / 64, 64),
  });
  return out;
}
