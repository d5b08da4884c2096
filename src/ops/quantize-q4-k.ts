/** Weights made smaller, to 4 bits with scales of scales. */
import numbers from '../../shaders/lib/numbers.wgsl?raw';
import code from '../../shaders/quantize-q4-k.wgsl?raw';
import { grid, type Run } from '../gpu/run';
import { size, type Tensor } from '../gpu/tensor';
import { kernel, refuse } from './kernels';
import { FROM, type QuantizedFrom } from './quantize';

/** Numbers of a super-block, and words of it in a file. */
const SUPER = 256;
const WORDS = 36;

/**
 * Numbers → GGUF's Q4_K, as weights/pack-q4k.ts makes it but for how sums round. A block with NaN or infinity gets NaN as its d.
 * @param x u32: the numbers' own bits, two to a word for F16 and BF16, the first in the low half; a multiple of 256
 * @returns u32: super-blocks one behind the other, as in a file
 */
export function quantizeQ4K(run: Run, x: Tensor, from: QuantizedFrom): Tensor {
  const { id, perWord } = FROM[from];
  const count = size(x) * perWord;
  if (x.dtype !== 'u32') throw refuse('quantize', `x is ${x.dtype}, expected u32`);
  if (count % SUPER) throw refuse('quantize', `${count} numbers, expected a multiple of ${SUPER}`);
  const blocks = count / SUPER;
  const out = run.tensor([blocks * WORDS], 'blocks', 'u32');
  run.dispatch({
    kernel: kernel('quantize-q4-k', code, { lib: { numbers }, overrides: { FROM: id } }),
    bindings: { x, out },
    params: { blocks },
    workgroups: grid(blocks, 64),
  });
  return out;
}
