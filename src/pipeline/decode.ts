/**
 * Clean latents → frames, one latent frame at a time: the decoder's memory of the frame before makes that
 * the same as decoding the clip whole, its scratch memory does not grow with the block, and the first
 * frames can be shown at once.
 */
import { createTaehvMemory, taehvDecode, type TaehvMemory } from '../models/taehv';
import type { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { affine } from '../ops/elementwise';
import { rgbToI420 } from '../ops/i420';
import { axesOf, permute, strided } from '../ops/strided';
import type { Frames } from './backend';
import { allFinite, findFirstBad, notFiniteError } from './canary';
import { framesAt, type Block, type ClipPlan } from './blocks';
import type { GpuModel } from './model';

/** Decodes the latents of one clip, in order. Owns the frame cache. */
export class Decoder {
  readonly #model: GpuModel;
  readonly #plan: ClipPlan;
  readonly #memory: TaehvMemory;

  /** @param h,w of the latents */
  constructor(model: GpuModel, plan: ClipPlan, h: number, w: number) {
    this.#model = model;
    this.#plan = plan;
    this.#memory = createTaehvMemory(model.gpu, model.decoder, h, w);
  }

  /** The frames of latent `i` of a block: at least one. Throws `not-finite`. */
  async decode(run: Run, latents: Tensor, block: Block, i: number): Promise<Frames> {
    const { gpu, decoder } = this.#model;
    const one = latentAt(run, latents, i); // [1, C, h, w]
    const rgb = taehvDecode(run, decoder, one, this.#memory); // [T, H, W, 3]
    const i420 = rgbToI420(run, rgb); // [T, words]
    if (!(await allFinite(run, rgb))) {
      const found = await findFirstBad(gpu, (trace) => void taehvDecode(trace, decoder, one));
      throw notFiniteError(block.index, found, 'decoder');
    }
    const bytes = await gpu.readBytes(i420);
    for (const t of [one, rgb, i420]) run.release(t);

    const [T, words] = i420.shape as [number, number];
    const all = Array.from({ length: T }, (_, t) => bytes.subarray(t * words * 4, (t + 1) * words * 4));
    const { first, skip, count } = framesAt(this.#plan, block.firstLatent + i);
    return { first, i420: all.slice(skip, skip + count) };
  }

  free(): void {
    this.#memory.free();
  }
}

/** [C, F, h, w] normalised → [F, C, h, w] as the autoencoder has them. */
export function denormalise(run: Run, { latent }: GpuModel, clean: Tensor): Tensor {
  return run.scope(() => permute(run, affine(run, clean, latent.std, latent.mean), [1, 0, 2, 3], { dtype: 'f32' })); // prettier-ignore
}

/** [F, C, h, w] → [1, C, h, w] */
export function latentAt(run: Run, latents: Tensor, i: number): Tensor {
  const [, ...rest] = latents.shape as [number, number, number, number];
  const shape = [1, ...rest];
  const axes = axesOf(shape);
  return strided(run, latents, axes, shape, { dtype: 'f32', offset: i * axes[0]!.stride });
}
