/**
 * The way of a clip. Read this file first.
 *
 *   prompt → token ids → text embedding
 *          → [per block: noise → denoising steps → clean latents → KV cache]
 *          → frames → preview and encoder → MP4
 *
 * A block is a few latent frames (blocks.ts). It is made of noise in a few steps, sees the blocks before it
 * through the cache of their keys and values, and is decoded and shown before the next one is begun.
 * What computes the networks is behind `ClipNetworks` (backend.ts): webgpu.ts, or src/onnx on the CPU.
 *
 * Nothing here holds memory when it is over, however it ends.
 */
import { version } from '../../package.json';
import { KinoraError } from '../errors';
import { noise } from '../sampling/noise';
import { resample, steps, warp, type Step } from '../sampling/schedule';
import type { Clip, GenerateEvent, GenerateRequest, Recipe } from '../worker/protocol';
import type { ClipNetworks, Model } from './backend';
import { countFrames, planClip, type Block } from './blocks';
import { openClip, type OpenOutput } from './output';
import { Progress } from './progress';
import { checkPlan } from './memory-plan';
import { checkRequest } from './request';
import { windowOf } from './window';

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
  const { manifest, tokenizer } = model;
  const { fps, latent, sampler } = manifest;
  const { width, height, seed } = request;
  const prompt = checkRequest(request, { maxSeconds: manifest.seconds.max, grid: model.grid });
  const seen = windowOf(manifest, request);
  checkPlan({ ...manifest, sampler: { ...sampler, ...seen } }, request, model.grid, model.room);
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

  const output = await openOutput(recipe, emit);
  let networks: ClipNetworks | null = null;
  try {
    guard();
    progress.begin('text', 'text');
    networks = await model.open(request, plan, tokenizer.encode(prompt, model.textLength));

    const pixels = (height / latent.stride[1]) * (width / latent.stride[2]);
    const size = latent.channels * sampler.num_frame_per_block * pixels;
    const job: Job = {
      networks,
      schedule,
      seed,
      size,
      renoises: sampler.kind === 'renoise',
      guard,
      progress,
      emit,
    };
    let firstFrame: number | null = null;
    for (const block of plan.blocks) {
      await denoise(job, block);

      for (let i = 0; i < block.decode; i++) {
        guard();
        progress.begin('decode', 'decode');
        await output.write(block.index, await networks.decode(i));
        firstFrame ??= secondsSince();
      }

      if (!block.last) {
        guard();
        progress.begin('pass', 'denoise', { block: block.index + 1, step: 0 });
        await networks.remember();
      }
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
      backend: model.backend,
      adapter: model.adapter,
      timings: { load: model.loadSeconds, firstFrame: firstFrame!, total: secondsSince() },
      peakGpuBytes: model.peakGpuBytes,
    };
  } catch (e) {
    output.abort();
    throw e;
  } finally {
    networks?.free();
  }
}

/** What all blocks have in common. */
interface Job {
  networks: ClipNetworks;
  schedule: readonly Step[];
  seed: number;
  /** Numbers of a block: C·F·h·w. */
  size: number;
  /** The sampler adds fresh noise after each step. */
  renoises: boolean;
  /** Throws when the clip was cancelled. */
  guard: () => void;
  progress: Progress;
  emit: (event: GenerateEvent) => void;
}

/** Noise → clean latents of a block, a preview after each step. */
async function denoise(job: Job, block: Block): Promise<void> {
  const { networks, schedule, seed, size, renoises, guard, progress, emit } = job;
  networks.start(block, noise(seed, { block: block.index, step: 0, purpose: 'start' }, size));
  for (const step of schedule) {
    guard();
    progress.begin('pass', 'denoise', { block: block.index, step: step.index });
    const stream = { block: block.index, step: step.index, purpose: 'renoise' } as const;
    const picture = await networks.step(step, renoises && step.next > 0 ? noise(seed, stream, size) : null);
    emit({ ...picture, block: block.index, step: step.index });
  }
  await networks.settle();
}

function makeRecipe({ manifest }: Model, request: GenerateRequest, frames: number): Recipe {
  const { prompt, seed, seconds, width, height, steps, window, sink } = request;
  const { id: model, edition, fps } = manifest;
  const app = `Kinora ${version}`;
  const created = new Date().toISOString();
  const own = { ...(window !== undefined && { window }), ...(sink !== undefined && { sink }) };
  return { prompt, seed, seconds, width, height, steps, ...own, model, edition, fps, frames, app, created };
}
