/**
 * The way of a clip. Read this file first.
 *
 *   prompt → token ids → text embedding
 *          → [per block: noise → denoising steps → clean latents → KV cache]
 *          → frames → preview and encoder → MP4
 *
 * A block is a few latent frames (blocks.ts). It is made of noise in a few steps, sees the blocks before it
 * through the cache of their keys and values, and is decoded and shown before the next one is begun.
 *
 * Nothing here holds GPU memory when it is over, however it ends.
 */
import { version } from '../../package.json';
import { KinoraError } from '../errors';
import { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { umt5 } from '../models/umt5';
import { createKvCache, encodeText, wanTransformer, type KvCache, type TextContext } from '../models/wan-transformer'; // prettier-ignore
import { eulerStep, predictClean, renoiseStep } from '../ops/sampler';
import { noise } from '../sampling/noise';
import { resample, steps, warp, type Step } from '../sampling/schedule';
import type { Clip, GenerateEvent, GenerateRequest, Recipe } from '../worker/protocol';
import { countFrames, planClip, type Block } from './blocks';
import { allFinite, findFirstBad, notFiniteError } from './canary';
import { Decoder, denormalise } from './decode';
import type { Model } from './model';
import { openClip, type OpenOutput } from './output';
import { makePreview } from './preview';
import { Progress } from './progress';
import { checkRequest } from './request';
import { warmUp } from './warm-up';

export interface GenerateOptions {
  emit: (event: GenerateEvent) => void;
  /** Looked at before every step and every piece of decoding. */
  isCancelled?: () => boolean;
  /** Where frames go; default: to the page and into an MP4. */
  openOutput?: OpenOutput;
}

/** Makes one clip. Throws a KinoraError (`bad-request`, `cancelled`, `not-finite`, `out-of-memory`, …). */
export async function generate(
  model: Model,
  request: GenerateRequest,
  { emit, isCancelled = () => false, openOutput = openClip }: GenerateOptions,
): Promise<Clip> {
  const began = performance.now();
  const secondsSince = () => (performance.now() - began) / 1000;
  const { gpu, manifest, tokenizer, transformer } = model;
  const { fps, latent, sampler } = manifest;
  const { width, height, seed } = request;
  const prompt = checkRequest(request, { maxSeconds: manifest.seconds.max, grid: model.grid });
  const plan = planClip(countFrames(request.seconds, fps), sampler.num_frame_per_block, latent.stride[0]);
  const schedule = steps(warp(resample(sampler.timesteps, request.steps), sampler.shift));
  const recipe = makeRecipe(model, request, plan.frames);
  const blocks = plan.blocks.length;
  const progress = new Progress({
    costs: model.costs,
    // Every block but the last takes one pass more, for the cache.
    pieces: { text: 1, pass: blocks * (request.steps + 1) - 1, decode: plan.decoded, finish: 1 },
    pixels: width * height,
    blocks,
    steps: request.steps,
    emit,
  });
  const guard = () => {
    if (isCancelled()) throw new KinoraError('cancelled', 'The clip was cancelled.');
  };

  await warmUp(model, request); // only what this size needs and earlier ones did not
  const output = await openOutput(recipe, emit);
  const run = new Run(gpu);
  const owned: { free(): void }[] = [];
  try {
    guard();
    progress.begin('text', 'text');
    const text = embedText(run, model, tokenizer.encode(prompt, transformer.config.text_len));
    await run.sync();

    const [h, w] = [height / latent.stride[1], width / latent.stride[2]];
    const cache = openCache(model, plan.latents, h, w);
    owned.push(cache);
    const decoder = new Decoder(model, plan, h, w);
    owned.push(decoder);
    const shape = [latent.channels, sampler.num_frame_per_block, h, w];
    const job: Job = { model, text, cache, schedule, seed, shape, guard, progress, emit };
    let firstFrame: number | null = null;
    for (const block of plan.blocks) {
      const clean = await denoise(run, job, block); // [C, F, h, w]

      const latents = denormalise(run, model, clean); // [F, C, h, w]
      for (let i = 0; i < block.decode; i++) {
        guard();
        progress.begin('decode', 'decode');
        await output.write(block.index, await decoder.decode(run, latents, block, i));
        firstFrame ??= secondsSince();
      }
      run.release(latents);

      if (!block.last) await remember(run, job, block, clean);
      run.release(clean);
    }

    progress.begin('finish', 'encode');
    const finished = await output.finish();
    progress.done();
    return {
      ...finished,
      recipe,
      width,
      height,
      frames: plan.frames,
      fps,
      backend: 'webgpu',
      adapter: gpu.adapter,
      timings: { load: model.loadSeconds, firstFrame: firstFrame!, total: secondsSince() },
      peakGpuBytes: gpu.memory.peak,
    };
  } catch (e) {
    output.abort();
    throw e;
  } finally {
    for (const thing of owned) thing.free();
    run.destroy();
  }
}

/** What all blocks have in common. */
interface Job {
  model: Model;
  text: TextContext;
  cache: KvCache;
  schedule: readonly Step[];
  seed: number;
  /** Of a block: [C, F, h, w] */
  shape: readonly number[];
  /** Throws when the clip was cancelled. */
  guard: () => void;
  progress: Progress;
  emit: (event: GenerateEvent) => void;
}

/** Token ids → what the transformer's cross-attention needs of the text, for as long as the run lasts. */
function embedText(run: Run, { textEncoder, transformer }: Model, ids: Int32Array): TextContext {
  const input = run.input(ids, [ids.length], 'token ids');
  const hidden = umt5(run, textEncoder.weights, textEncoder.config, input); // [L, D]
  const text = encodeText(run, transformer.weights, transformer.config, hidden);
  run.release(input);
  run.release(hidden);
  return text;
}

/** Noise → clean latents [C, F, h, w] of a block, a preview after each step. */
async function denoise(run: Run, job: Job, block: Block): Promise<Tensor> {
  let x = startNoise(run, job, block);
  for (const step of job.schedule) {
    job.guard();
    job.progress.begin('pass', 'denoise', { block: block.index, step: step.index });
    const { clean, next } = takeStep(run, job, block, x, step);
    const picture = await makePreview(run, job.model, clean);
    job.emit({ ...picture, block: block.index, step: step.index });
    run.release(x);
    if (next !== clean) run.release(clean);
    x = next;
    await run.sync(); // lets a call to cancel get through
  }
  if (!(await allFinite(run, x))) throw await explain(job, block);
  return x;
}

function startNoise(run: Run, { seed, shape }: Job, block: Block): Tensor {
  const values = noise(seed, { block: block.index, step: 0, purpose: 'start' }, product(shape));
  return run.input(values, shape, `block ${block.index}`, 'f32');
}

/**
 * One denoising step of x: the clean block that the prediction points to, and x at the next noise level,
 * which after the last step is the clean block itself.
 */
function takeStep(run: Run, job: Job, block: Block, x: Tensor, step: Step): { clean: Tensor; next: Tensor } {
  const { sigma, next } = step;
  const v = predictFlow(run, job, block, x, step.timestep);
  const clean = predictClean(run, x, v, sigma);
  let after = clean;
  if (next > 0 && job.model.manifest.sampler.kind === 'euler') after = eulerStep(run, x, v, sigma, next);
  else if (next > 0) {
    const stream = { block: block.index, step: step.index, purpose: 'renoise' } as const;
    const fresh = run.input(noise(job.seed, stream, product(x.shape)), x.shape, 'fresh noise', 'f32');
    after = renoiseStep(run, x, v, fresh, sigma, next);
    run.release(fresh);
  }
  run.release(v);
  return { clean, next: after };
}

/** The flow v = noise − x0; leaves the block's keys and values in the cache. */
function predictFlow(run: Run, job: Job, block: Block, x: Tensor, timestep: number): Tensor {
  const { text, cache } = job;
  const { weights, config } = job.model.transformer;
  const timesteps = Array<number>(x.shape[1]!).fill(timestep);
  const input = { latents: x, timesteps, text, cache, firstFrame: block.firstLatent };
  return wanTransformer(run, weights, config, input);
}

/** One more pass over the clean block overwrites its keys and values: the next blocks see it without noise. */
async function remember(run: Run, job: Job, block: Block, clean: Tensor): Promise<void> {
  job.guard();
  job.progress.begin('pass', 'denoise', { block: block.index + 1, step: 0 });
  run.release(predictFlow(run, job, block, clean, 0));
  await run.sync();
}

/** Goes through a block again, kernel by kernel, to say where its numbers broke down. */
async function explain(job: Job, block: Block): Promise<KinoraError> {
  for (const count of [1, job.schedule.length]) {
    const found = await findFirstBad(job.model.gpu, (run) => {
      let x = startNoise(run, job, block);
      for (const step of job.schedule.slice(0, count)) x = takeStep(run, job, block, x, step).next;
    });
    if (found) return notFiniteError(block.index, found, 'transformer');
  }
  return notFiniteError(block.index, null, 'transformer');
}

/** A clip that fits into the window as a whole needs no more cache than it has frames. */
function openCache({ gpu, manifest, transformer }: Model, latents: number, h: number, w: number): KvCache {
  const { window, sink } = manifest.sampler;
  const held = latents <= window ? { frames: latents, sink: 0 } : { frames: window, sink };
  return createKvCache(gpu, transformer.config, { ...held, height: h, width: w });
}

function makeRecipe({ manifest }: Model, request: GenerateRequest, frames: number): Recipe {
  const { prompt, seed, seconds, width, height, steps } = request;
  const { id: model, edition, fps } = manifest;
  const app = `Kinora ${version}`;
  const created = new Date().toISOString();
  return { prompt, seed, seconds, width, height, steps, model, edition, fps, frames, app, created };
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
