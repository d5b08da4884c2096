/** The networks on WebGPU: our own kernels. One object a clip; it owns the clip's run, cache and frame memory. */
import { KinoraError } from '../errors';
import { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { umt5 } from '../models/umt5';
import { createKvCache, encodeText, wanTransformer, type KvCache, type TextContext } from '../models/wan-transformer'; // prettier-ignore
import { eulerStep, predictClean, renoiseStep } from '../ops/sampler';
import type { Step } from '../sampling/schedule';
import type { GenerateRequest } from '../worker/protocol';
import type { ClipNetworks, Frames, Latents, Picture } from './backend';
import type { Block, ClipPlan } from './blocks';
import { findFirstBad, notFiniteError } from './canary';
import { Decoder } from './decode';
import type { GpuModel } from './model';
import { makePreview } from './preview';
import { warmUp } from './warm-up';
import { windowOf, type Window } from './window';

/** A step as it was taken, so that a block that broke down can be gone through again. */
interface Taken {
  step: Step;
  fresh: Latents | null;
}

export class GpuClip implements ClipNetworks {
  readonly #model: GpuModel;
  readonly #run: Run;
  /** Latent height and width. */
  readonly #size: { h: number; w: number };
  readonly #owned: { free(): void }[] = [];
  #text: TextContext | null = null;
  #cache!: KvCache;
  #decoder!: Decoder;
  /** Latent frames in the cache: those that it was given, whether it still holds them or not. */
  #held = 0;
  #block: Block | null = null;
  /** The present block, [C, F, h, w], at the noise level that the steps so far have reached. */
  #x: Tensor | null = null;
  #noise: Latents | null = null;
  #taken: Taken[] = [];

  private constructor(model: GpuModel, { width, height }: GenerateRequest) {
    const [, y, x] = model.manifest.latent.stride;
    this.#model = model;
    this.#size = { h: height / y, w: width / x };
    this.#run = new Run(model.gpu);
  }

  /** Compiles what this size needs and earlier ones did not, and makes room. */
  static async open(model: GpuModel, request: GenerateRequest, plan: ClipPlan): Promise<GpuClip> {
    await warmUp(model, request);
    const clip = new GpuClip(model, request);
    try {
      const { h, w } = clip.#size;
      const window = windowOf(model.manifest, request);
      clip.#owned.push((clip.#cache = openCache(model, window, plan.latents, h, w)));
      clip.#owned.push((clip.#decoder = new Decoder(model, h, w)));
      return clip;
    } catch (e) {
      clip.free();
      throw e;
    }
  }

  async say(ids: Int32Array<ArrayBuffer>): Promise<void> {
    const { k = [], v = [], bias } = this.#text ?? {};
    for (const t of [...k, ...v, ...(bias ? [bias] : [])]) this.#run.release(t);
    this.#text = embedText(this.#run, this.#model, ids);
    await this.#run.sync();
  }

  forget(): void {
    this.#held = 0;
  }

  start(block: Block, noise: Latents): void {
    this.#begin(block);
    this.#noise = noise;
    this.#x = this.#input(this.#run, noise);
  }

  take(block: Block, latents: Latents): void {
    this.#begin(block);
    this.#x = this.#input(this.#run, latents);
  }

  async step(step: Step, fresh: Latents | null): Promise<Picture> {
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

  async settle(): Promise<Latents> {
    const latents = await this.#run.read(this.#x!);
    if (!latents.every(Number.isFinite)) throw await this.#explain();
    return latents;
  }

  decode(block: Block, latents: Latents, i: number): Promise<Frames> {
    return this.#decoder.decode(block, latents, i);
  }

  async remember(): Promise<void> {
    this.#run.release(this.#predictFlow(this.#run, this.#x!, 0));
    this.#held += this.#block!.size;
    await this.#run.sync();
  }

  free(): void {
    for (const thing of this.#owned.splice(0)) thing.free();
    this.#run.destroy();
  }

  #begin(block: Block): void {
    if (this.#x) this.#run.release(this.#x);
    this.#x = null;
    this.#block = block;
    this.#taken = [];
  }

  #input(run: Run, values: Latents): Tensor {
    const { index, size } = this.#block!;
    const shape = [this.#model.manifest.latent.channels, size, this.#size.h, this.#size.w];
    return run.input(values, shape, `block ${index}`, 'f32');
  }

  /**
   * One denoising step of x: the clean block that the prediction points to, and x at the next noise level,
   * which after the last step is the clean block itself.
   */
  #takeStep(run: Run, x: Tensor, step: Step, noise: Latents | null): { clean: Tensor; next: Tensor } {
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
      text: this.#text!,
      cache: this.#cache,
      firstFrame: this.#held,
    });
  }

  /** Goes through the block again, kernel by kernel, to say where its numbers broke down. */
  async #explain(): Promise<KinoraError> {
    const { index } = this.#block!;
    for (const count of [1, this.#taken.length]) {
      const found = await findFirstBad(this.#model.gpu, (run) => {
        let x = this.#input(run, this.#noise!);
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
