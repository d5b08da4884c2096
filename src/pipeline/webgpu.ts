/** The networks on WebGPU: our own kernels. One object a clip; it owns the clip's run, cache and frame memory. */
import { KinoraError } from '../errors';
import { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { createKvCache, type KvCache } from '../models/kv-cache';
import { encodeText, wanTransformer, type TextContext } from '../models/wan-transformer';
import { guide } from '../ops/sampler';
import type { Step } from '../sampling/schedule';
import { cleanPrompt } from '../text/clean';
import type { ModelManifest } from '../weights/manifest';
import type { CacheBits, GenerateRequest } from '../worker/protocol/clip';
import type { ClipNetworks, Frames, Latents, Picture } from './backend';
import type { Block, ClipPlan } from './blocks';
import { findFirstBad, notFiniteError } from './canary';
import { Decoder } from './decode';
import { fittingTiles } from './memory-plan';
import type { GpuModel } from './model';
import { makePreview } from './preview';
import { Stepper } from './stepper';
import type { OnLayer } from './text-encoder';
import { warmUp } from './warm-up';
import { seeing, windowOf, type Window } from './window';

/** A step as it was taken, so that a block that broke down can be gone through again. */
interface Taken {
  step: Step;
  fresh: Latents | null;
}

interface Guidance {
  scale: number;
  negative: string;
}

/** The request's, or the model's; null where one pass a step will do. Only a model that was taught so is guided. */
export function guidanceOf(
  { sampler }: ModelManifest,
  { guidance, negative }: Pick<GenerateRequest, 'guidance' | 'negative'>,
): Guidance | null {
  if (!sampler.guidance) return null;
  const scale = guidance ?? sampler.guidance.scale;
  return scale === 1 ? null : { scale, negative: negative ?? sampler.guidance.negative_prompt };
}

/** A text and what the blocks so far look like through it. */
interface View {
  cache: KvCache;
  text: TextContext | null;
}

export class GpuClip implements ClipNetworks {
  readonly #model: GpuModel;
  readonly #run: Run;
  /** Latent height and width. */
  readonly #size: { h: number; w: number };
  readonly #owned: { free(): void }[] = [];
  /** The prompt, and for guidance the negative one: each sees a cache of its own. */
  readonly #views: View[] = [];
  readonly #guidance: Guidance | null;
  #decoder!: Decoder;
  /** Latent frames in the cache: those that it was given, whether it still holds them or not. */
  #held = 0;
  #block: Block | null = null;
  #stepper: Stepper | null = null;
  #noise: Latents | null = null;
  #taken: Taken[] = [];
  readonly queues = true;
  launches = 0;

  private constructor(model: GpuModel, request: GenerateRequest) {
    const { width, height } = request;
    const [, y, x] = model.manifest.latent.stride;
    this.#model = model;
    this.#size = { h: height / y, w: width / x };
    this.#run = new Run(model.gpu);
    this.#guidance = guidanceOf(model.manifest, request);
  }

  /** Compiles what this size needs and earlier ones did not, and makes room. */
  static async open(model: GpuModel, request: GenerateRequest, plan: ClipPlan): Promise<GpuClip> {
    const { cacheBits = 16, tiles } = request;
    const window = windowOf(model.manifest, request);
    const tiling = fittingTiles(seeing(model.manifest, window), request, model.room, cacheBits, tiles);
    await warmUp(model, request, { bits: cacheBits, tiling });
    const clip = new GpuClip(model, request);
    try {
      const { h, w } = clip.#size;
      for (let i = 0; i < (clip.#guidance ? 2 : 1); i++) {
        const cache = openCache(model, { ...window, bits: cacheBits }, plan.latents, h, w);
        clip.#owned.push(cache);
        clip.#views.push({ cache, text: null });
      }
      clip.#owned.push((clip.#decoder = new Decoder(model, h, w, tiling)));
      return clip;
    } catch (e) {
      clip.free();
      throw e;
    }
  }

  async say(ids: Int32Array<ArrayBuffer>, onPart: (share: number) => void = () => {}): Promise<void> {
    const { tokenizer, textLength } = this.#model;
    const [wanted, unwanted] = this.#views;
    const prompts: [View, Int32Array<ArrayBuffer>][] = [[wanted!, ids]];
    if (unwanted && !unwanted.text)
      prompts.push([unwanted, tokenizer.encode(cleanPrompt(this.#guidance!.negative), textLength)]);
    for (const [i, [view, words]] of prompts.entries())
      await this.#embed(view, words, (done, total) => onPart((i + done / total) / prompts.length));
  }

  async #embed(view: View, ids: Int32Array<ArrayBuffer>, onLayer: OnLayer): Promise<void> {
    const { k = [], v = [], bias } = view.text ?? {};
    for (const t of [...k, ...v, ...(bias ? [bias] : [])]) this.#run.release(t);
    view.text = null; // what is given back must not be given back again, should the reading end here
    await this.#compileFor(view, ids.length);
    view.text = await embedText(this.#run, this.#model, ids, onLayer);
    await this.#run.sync();
  }

  /** Warm-up has tried two lengths of text; another may take other kernels. A stall in a block would be worse than here. */
  async #compileFor({ cache }: View, length: number): Promise<void> {
    const { gpu, manifest, textEncoder, transformer } = this.#model;
    const { weights, config } = transformer;
    const { channels } = manifest.latent;
    const frames = Math.min(manifest.sampler.num_frame_per_block, cache.window); // a clip may be one picture
    const dry = new Run(gpu, { dry: true });
    try {
      const hidden = textEncoder.dry(dry, length) ?? dry.tensor([length, config.text_dim], 'text', 'f32');
      const text = encodeText(dry, weights, config, hidden);
      const latents = dry.tensor([channels, frames, this.#size.h, this.#size.w], 'latents', 'f32');
      const timesteps = Array<number>(frames).fill(0);
      wanTransformer(dry, weights, config, { latents, timesteps, text, cache, firstFrame: 0 });
      await dry.compile();
    } finally {
      dry.destroy();
    }
  }

  forget(): void {
    this.#held = 0;
  }

  start(block: Block, noise: Latents): void {
    this.#begin(block);
    this.#noise = noise;
    this.#stepper = this.#stepperOf(this.#run, noise);
  }

  take(block: Block, latents: Latents): void {
    this.#begin(block);
    this.#stepper = this.#stepperOf(this.#run, latents);
  }

  step(step: Step, fresh: Latents | null): Promise<Picture> {
    this.#taken.push({ step, fresh });
    let picture: Promise<Picture> | null = null;
    const before = this.#run.launches;
    this.#stepper!.step(step, fresh, (clean) => {
      picture = makePreview(this.#run, this.#model, clean);
    });
    this.launches = this.#run.launches - before;
    this.#run.flush();
    return picture!;
  }

  async settle(): Promise<Latents> {
    const latents = await this.#run.read(this.#stepper!.x);
    if (!latents.every(Number.isFinite)) throw await this.#explain();
    return latents;
  }

  decode(block: Block, latents: Latents, i: number): Promise<Frames> {
    return this.#decoder.decode(block, latents, i);
  }

  async remember(): Promise<void> {
    for (const view of this.#views) this.#run.release(this.#flowOf(this.#run, view, this.#stepper!.x, 0));
    this.#held += this.#block!.size;
    await this.#run.sync();
  }

  free(): void {
    for (const thing of this.#owned.splice(0)) thing.free();
    this.#run.destroy();
  }

  #begin(block: Block): void {
    this.#stepper?.free();
    this.#stepper = null;
    this.#block = block;
    this.#taken = [];
  }

  #stepperOf(run: Run, values: Latents): Stepper {
    const { index, size } = this.#block!;
    const shape = [this.#model.manifest.latent.channels, size, this.#size.h, this.#size.w];
    const x = run.input(values, shape, `block ${index}`, 'f32');
    return new Stepper(run, x, (r, at, timestep) => this.#predictFlow(r, at, timestep));
  }

  /** The flow v = noise − x0, guided away from the negative prompt where there is one. */
  #predictFlow(run: Run, x: Tensor, timestep: number): Tensor {
    const [wanted, unwanted] = this.#views;
    const v = this.#flowOf(run, wanted!, x, timestep);
    if (!unwanted) return v;
    const without = this.#flowOf(run, unwanted, x, timestep);
    const guided = guide(run, v, without, this.#guidance!.scale);
    for (const t of [v, without]) run.release(t);
    return guided;
  }

  /** Leaves the block's keys and values in the view's cache. */
  #flowOf(run: Run, { cache, text }: View, x: Tensor, timestep: number): Tensor {
    const { weights, config } = this.#model.transformer;
    return wanTransformer(run, weights, config, {
      latents: x,
      timesteps: Array<number>(x.shape[1]!).fill(timestep),
      text: text!,
      cache,
      firstFrame: this.#held,
    });
  }

  /** Goes through the block again, kernel by kernel, to say where its numbers broke down. */
  async #explain(): Promise<KinoraError> {
    const { index } = this.#block!;
    for (const count of [1, this.#taken.length]) {
      const found = await findFirstBad(this.#model.gpu, (run) => {
        const stepper = this.#stepperOf(run, this.#noise!);
        for (const { step, fresh } of this.#taken.slice(0, count)) stepper.step(step, fresh);
      });
      if (found) return notFiniteError(index, found, 'transformer');
    }
    return notFiniteError(index, null, 'transformer');
  }
}

/** Token ids → what the transformer's cross-attention needs of the text, for as long as the run lasts. */
async function embedText(
  run: Run,
  { textEncoder, transformer }: GpuModel,
  ids: Int32Array<ArrayBuffer>,
  onLayer: OnLayer,
): Promise<TextContext> {
  const hidden = await textEncoder.encode(run, ids, onLayer); // [L, D]
  const text = encodeText(run, transformer.weights, transformer.config, hidden);
  run.release(hidden);
  return text;
}

/** A clip that fits into the window as a whole needs no more cache than it has frames. */
function openCache(
  { gpu, transformer }: GpuModel,
  { window, sink, positions, bits }: Window & { bits: CacheBits },
  latents: number,
  h: number,
  w: number,
): KvCache {
  const held = latents <= window ? { frames: latents, sink: 0 } : { frames: window, sink, positions };
  return createKvCache(gpu, transformer.config, { ...held, bits, height: h, width: w });
}
