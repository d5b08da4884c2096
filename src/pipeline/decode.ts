/**
 * Clean latents → frames, one latent frame at a time: the decoder's memory of the frame before makes that
 * the same as decoding the clip whole, its scratch memory does not grow with the block, and the first
 * frames can be shown at once.
 */
import type { KinoraError } from '../errors';
import { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { affine } from '../ops/elementwise';
import { notFinite } from '../ops/canary';
import { rgbToI420 } from '../ops/i420';
import { permute } from '../ops/strided';
import type { Tiling } from '../models/tiling';
import type { FrameMemory } from './autoencoder';
import type { Frames, Latents } from './backend';
import { findFirstBad, foundBad, notFiniteError } from './canary';
import { sliceLatents } from './latents';
import { framesAt, type Block } from './blocks';
import type { GpuModel } from './model';

/** Decodes the latents of one clip, in order. Owns the frame cache and a run of its own, so that it can work beside others. */
export class Decoder {
  readonly #run: Run;
  readonly #model: GpuModel;
  readonly #size: { h: number; w: number };
  readonly #tiling: Tiling;
  readonly #memory: FrameMemory;
  /** Why the numbers broke down: told once, though pieces that were asked for ahead meet the same. */
  #broken: Promise<KinoraError> | null = null;

  /** @param h,w of the latents @param tiling the tiles of a picture */
  constructor(model: GpuModel, h: number, w: number, tiling: Tiling) {
    this.#model = model;
    this.#size = { h, w };
    this.#run = new Run(model.gpu);
    this.#tiling = tiling;
    this.#memory = model.decoder.open(h, w, { tiling });
  }

  /**
   * The frames of latent `i` of a block, [C, F, h, w]: at least one. Recorded and submitted at once; the GPU is waited
   * for once. Throws `not-finite`.
   */
  async decode(block: Block, latents: Latents, i: number): Promise<Frames> {
    const { gpu, decoder, manifest } = this.#model;
    const run = this.#run;
    const { h, w } = this.#size;
    if (i === 0 && block.firstLatent === block.take.firstLatent) this.#memory.reset();
    const { channels, stride } = manifest.latent;
    const values = sliceLatents(latents, [channels, block.size], i, 1);
    const clean = run.input(values, [channels, 1, h, w], 'latent', 'f32');
    const one = denormalise(run, this.#model, clean); // [1, C, h, w]
    run.release(clean);
    const rgb = decoder.decode(run, one, this.#memory); // [T, H, W, 3]
    const i420 = rgbToI420(run, rgb); // [T, words]
    const counts = notFinite(run, rgb);
    run.flush();
    const coming = Promise.all([foundBad(gpu, counts), gpu.readBytes(i420)]);
    for (const t of [one, counts, rgb, i420]) run.release(t); // the copies are queued before their memory is lent again
    const [bad, bytes] = await coming;
    if (bad) throw await (this.#broken ??= this.#explain(block, values));

    const [T, words] = i420.shape as [number, number];
    const all = Array.from({ length: T }, (_, t) => bytes.subarray(t * words * 4, (t + 1) * words * 4));
    const { first, skip, count } = framesAt({ stride: stride[0] }, block, i);
    // Some decoders leave out the frames that are dropped anyway.
    const from = Math.max(0, skip - (stride[0] - T));
    return { first, i420: all.slice(from, from + count) };
  }

  /** Decodes the latent again, kernel by kernel, to say where its numbers broke down. */
  async #explain(block: Block, values: Latents): Promise<KinoraError> {
    const { gpu, decoder, manifest } = this.#model;
    const { h, w } = this.#size;
    const memory = decoder.open(h, w, { tiling: this.#tiling });
    try {
      const found = await findFirstBad(gpu, (run) => {
        const clean = run.input(values, [manifest.latent.channels, 1, h, w], 'latent', 'f32');
        decoder.decode(run, denormalise(run, this.#model, clean), memory);
      });
      return notFiniteError(block.index, found, 'decoder');
    } finally {
      memory.free();
    }
  }

  free(): void {
    this.#memory.free();
    this.#run.destroy();
  }
}

/** [C, F, h, w] normalised → [F, C, h, w] as the autoencoder has them. */
export function denormalise(run: Run, { latent }: GpuModel, clean: Tensor): Tensor {
  return run.scope(() => permute(run, affine(run, clean, latent.std, latent.mean), [1, 0, 2, 3], { dtype: 'f32' })); // prettier-ignore
}
