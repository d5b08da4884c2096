/** Makes weights smaller on the GPU, piece by piece, for weights/small. Owns a run, whose scratch a piece needs. */
import type { Gpu } from '../gpu/device';
import { Run } from '../gpu/run';
import { quantize, type QuantizedFrom } from '../ops/quantize';
import { quantizeQ4K } from '../ops/quantize-q4-k';
import { LAYOUTS } from '../weights/dtypes';
import type { SmallType } from '../weights/small';

const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

/** Null: the CPU is quicker than an adapter that is software. */
export const quantizerOf = (gpu: Gpu): GpuQuantizer | null =>
  gpu.adapter.isFallback ? null : new GpuQuantizer(gpu);

/**
 * The same for a model that makes weights smaller for as long as it lives (a streamed encoder's layers, at each prompt):
 * nothing is owned between two pieces. Undefined where the CPU is to do it.
 */
export function quantizeByPiece(gpu: Gpu): GpuQuantizer['quantize'] | undefined {
  if (gpu.adapter.isFallback) return undefined;
  return async (...piece) => {
    const quantizer = new GpuQuantizer(gpu);
    try {
      return await quantizer.quantize(...piece);
    } finally {
      quantizer.free();
    }
  };
}

export class GpuQuantizer {
  readonly #run: Run;

  constructor(gpu: Gpu) {
    this.#run = new Run(gpu);
  }

  /**
   * @param raw whole blocks of 32 numbers (of 256 for Q4_K), as a file has them
   * @returns the blocks, as a file has them; null for a type that is left to the CPU
   */
  async quantize(raw: Uint8Array, from: string, to: SmallType): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!(from in BYTES)) return null;
    const run = this.#run;
    const numbers = raw.byteLength / BYTES[from as QuantizedFrom];
    // Of 32 a thread owns two blocks: behind an odd last one come zeros.
    const words = new Uint32Array((Math.ceil(numbers / 64) * 64 * BYTES[from as QuantizedFrom]) / 4);
    new Uint8Array(words.buffer).set(raw);
    const x = run.input(words, [words.length], 'numbers');
    const blocks = to === 'Q4_K' ? quantizeQ4K(run, x, from as QuantizedFrom) : quantize(run, x, from as QuantizedFrom, to === 'Q8_0' ? 'q8_0' : 'q4_0'); // prettier-ignore
    run.flush();
    const bytes = await run.gpu.readBytes(blocks);
    for (const t of [x, blocks]) run.release(t);
    return bytes.subarray(0, (numbers / LAYOUTS[to].elements) * LAYOUTS[to].bytes);
  }

  free(): void {
    this.#run.destroy();
  }
}
