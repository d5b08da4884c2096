/** The networks on WebGPU: our own kernels. One object a clip; it owns the clip's run, cache and frame memory. */
import { KinoraError } from '../errors';
import { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { umt5 } from '../models/umt5';
import { createKvCache, encodeText, wanTransformer, type KvCache, type TextContext } from '../models/wan-transformer'; // prettier-ignore
import { eulerStep, predictClean, renoiseStep } from '../ops/sampler';
import type { Step } from '../sampling/schedule';
import type { GenerateRequest } from '../worker/protocol';
import type { ClipNetworks, Frames, Picture } from './backend';
import type { Block, ClipPlan } from './blocks';
import { allFinite, findFirstBad, notFiniteError } from './canary';
import { Decoder, denormalise } from './decode';
import type { GpuModel } from './model';
import { makePreview } from './preview';
import { warmUp } from './warm-up';
import { windowOf, type Window } from './window';

type Values = Float32Array<ArrayBuffer>;

/** A step as it was taken, so that a block that broke down can be gone through again. */
interface Taken {
  step: Step;
  fresh: Values | null;
}

export class GpuClip implements ClipNetworks {
  readonly #model: GpuModel;
  readonly #run: Run;
  /** Latent height and width. */
  readonly #size: { h: number; w: number };
  readonly #owned: { free(): void }[] = [];
  #text!: TextContext;
  #cache!: KvCache;
  #decoder!: Decoder;
  #block: Block | null = null;
  /** The present block, [C, F, h, w], at the noise level that the steps so far have reached. */
  #x: Tensor | null = null;
  /** [F, C, h, w] as the autoencoder has them; made when the first latent is decoded. */
  #latents: Tensor | null = null;
  #noise: Values | null = null;
  #taken: Taken[] = [];

  private constructor(model: GpuModel, { width, height }: GenerateRequest) {
    const [, y, x] = model.manifest.latent.stride;
    this.#model = model;
    this.#size = { h: height / y, w: width / x };
    this.#run = new Run(model.gpu);
  }

  /** Compiles what this size needs and earlier ones did not, encodes the prompt, makes room. */
  static async open(
    model: GpuModel,
    request: GenerateRequest,
    plan: ClipPlan,
    ids: Int32Array<ArrayBuffer>,
  ): Promise<GpuClip> {
    await warmUp(model, request);
    const clip = new GpuClip(model, request);
    try {
      clip.#text = embedText(clip.#run, model, ids);
      await clip.#run.sync();
      const { h, w } = clip.#size;
      clip.#owned.push(
        (clip.#cache = openCache(model, windowOf(model.manifest, request), plan.latents, h, w)),
      );
      clip.#owned.push((clip.#decoder = new Decoder(model, plan, h, w)));
      return clip;
    } catch (e) {
      clip.free();
      throw e;
    }
  }

  start(block: Block, noise: Values): void {
    this.#letGo();
    this.#block = block;
    this.#noise = noise;
    this.#taken = [];
    this.#x = this.#startNoise(this.#run);
  }

  async step(step: Step, fresh: Values | null): Promise<Picture> {
    const run = this.#run;
    const x = this.#x!;
    this.#taken.push({ step, fresh });
    const { clean, next } = this.#takeStep(run, x, step, fresh);
    const picture = await makePreview(run, this.#model, clean);
    run.release(x);
    if (next !== clean) run.release(clean);
    this.#x = next;
    await run.sync(); // lets a call to cancel get through
    return picture;
  }

  async settle(): Promise<void> {
    if (!(await allFinite(this.#run, this.#x!))) throw await this.#explain();
  }

  decode(i: number): Promise<Frames> {
    this.#latents ??= denormalise(this.#run, this.#model, this.#x!);
    return this.#decoder.decode(this.#run, this.#latents, this.#block!, i);
  }

  async remember(): Promise<void> {
    this.#run.release(this.#predictFlow(this.#run, this.#x!, 0));
    await this.#run.sync();
  }

  free(): void {
    for (const thing of this.#owned.splice(0)) thing.free();
    this.#run.destroy();
  }

  #letGo(): void {
    for (const t of [this.#x, this.#latents]) if (t) this.#run.release(t);
    this.#x = this.#latents = null;
  }

  #shape(): number[] {
    const { latent, sampler } = this.#model.manifest;
    return [latent.channels, sampler.num_frame_per_block, this.#size.h, this.#size.w];
  }

  #startNoise(run: Run): Tensor {
    return run.input(this.#noise!, this.#shape(), `block ${this.#block!.index}`, 'f32');
  }

  /**
   * One denoising step of x: the clean block that the prediction points to, and x at the next noise level,
   * which after the last step is the clean block itself.
   */
  #takeStep(run: Run, x: Tensor, step: Step, noise: Values | null): { clean: Tensor; next: Tensor } {
    const { sigma, next } = step;
    const v = this.#predictFlow(run, x, step.timestep);
    const clean = predictClean(run, x, v, sigma);
    let after = clean;
    if (next > 0 && noise) {
      const fresh = run.input(noise, x.shape, 'fresh noise', 'f32');
      after = renoiseStep(run, x, v, fresh, sigma, next);
      run.release(fresh);
    } else if (next > 0) after = eulerStep(run, x, v, sigma, next);
    run.release(v);
    return { clean, next: after };
  }

  /** The flow v = noise − x0; leaves the block's keys and values in the cache. */
  #predictFlow(run: Run, x: Tensor, timestep: number): Tensor {
    const { weights, config } = this.#model.transformer;
    return wanTransformer(run, weights, config, {
      latents: x,
      timesteps: Array<number>(x.shape[1]!).fill(timestep),
      text: this.#text,
      cache: this.#cache,
      firstFrame: this.#block!.firstLatent,
    });
  }

  /** Goes through the block again, kernel by kernel, to say where its numbers broke down. */
  async #explain(): Promise<KinoraError> {
    const { index } = this.#block!;
    for (const count of [1, this.#taken.length]) {
      const found = await findFirstBad(this.#model.gpu, (run) => {
        let x = this.#startNoise(run);
        for (const { step, fresh } of this.#taken.slice(0, count))
          x = this.#takeStep(run, x, step, fresh).next;
      });
      if (found) return notFiniteError(index, found, 'transformer');
    }
    return notFiniteError(index, null, 'transformer');
  }
}

/** Token ids → what the transformer's cross-attention needs of the text, for as long as the run lasts. */
function embedText(
  run: Run,
  { textEncoder, transformer }: GpuModel,
  ids: Int32Array<ArrayBuffer>,
): TextContext {
  const input = run.input(ids, [ids.length], 'token ids');
  const hidden = umt5(run, textEncoder.weights, textEncoder.config, input); // [L, D]
  const text = encodeText(run, transformer.weights, transformer.config, hidden);
  run.release(input);
  run.release(hidden);
  return text;
}

/** A clip that fits into the window as a whole needs no more cache than it has frames. */
function openCache(
  { gpu, transformer }: GpuModel,
  { window, sink, positions }: Window,
  latents: number,
  h: number,
  w: number,
): KvCache {
  const held = latents <= window ? { frames: latents, sink: 0 } : { frames: window, sink, positions };
  return createKvCache(gpu, transformer.config, { ...held, height: h, width: w });
}
