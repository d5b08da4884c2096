/**
 * The way of a clip. Read this file first.
 *
 *   script → shots → [per block: noise → denoising steps → clean latents → KV cache]
 *                            └→ frames → preview and encoder → MP4, beside the next block's denoising
 *                                 (but the first block's are shown before the second is begun)
 *
 * A block is a few latent frames (blocks.ts). It is made of noise in a few steps, and sees the blocks before it, as far
 * as the window reaches, through the cache of their keys and values. Between blocks the words may change: the cache is
 * then made again of the last clean latents with the new words, or dropped by a cut.
 * The clean latents of the finished blocks are the whole state of a clip: with them it goes on anywhere, to the bit.
 * What computes the networks is behind `ClipNetworks` (backend.ts): webgpu.ts, or src/onnx on the CPU.
 *
 * Nothing here holds memory when it is over, however it ends, and nothing grows with the clip's length.
 */
import { KinoraError, toEngineError } from '../errors';
import { planSteps, startScale, type SamplerPlan } from '../sampling/plan';
import { renoise } from '../sampling/steppers';
import { checkPrompt } from '../text/clean';
import type { BlockReport, CacheBits, Clip, GenerateEvent, GenerateRequest } from '../worker/protocol/clip';
import type { ClipNetworks, Latents, Model } from './backend';
import type { Block } from './blocks';
import type { Change } from './changes';
import { Clock } from './clock';
import { Conveyor } from './conveyor';
import { tokensWithDetails } from './details';
import { noiseOf, scaleOf, type Scale } from './draft';
import { makeId } from './journal';
import { inTurn } from './in-turn';
import { checkPlan } from './memory-plan';
import { openClip, type ClipOutput, type OpenOutput } from './output';
import { Progress } from './progress';
import { Recent } from './recent';
import { recipeOf } from './recipe';
import { checkRequest, checkSeconds } from './request';
import { Storyline } from './storyline';
import { seeing, windowOf } from './window';

/** Clean latents of a clip's first blocks, made before. */
export interface KnownBlocks {
  count: number;
  read(index: number): Promise<Latents>;
}

/** A clip that is made anew: its blocks are taken back to noise part of the way. */
export interface Remix {
  /** Above 0 and up to 1: how far. */
  strength: number;
  /** Blocks of the clip; the coming ones are made from noise alone. */
  source: KnownBlocks;
}

export interface GenerateOptions {
  /** Names the clip's files while it is made; default: a new one. */
  id?: string;
  emit: (event: GenerateEvent) => void;
  /** Looked at before every step and every piece of decoding. */
  isCancelled?: () => boolean;
  /** What the coming blocks shall show, if the person has said something since it was last asked. */
  steer?: () => string | null;
  /** Called before the first block that is made of a request that has changed meanwhile. */
  changed?: (change: Change, block: number) => Promise<void>;
  known?: KnownBlocks;
  /** Latent frames of the first block, where it is a picture and known. */
  firstSize?: number;
  remix?: Remix;
  /** Called with each block that is finished, before the next is begun; `text` is the script as it then stands. */
  keep?: (block: Block, latents: Latents, text: string) => Promise<void>;
  /** Where frames go; default: to the page and into an MP4. */
  openOutput?: OpenOutput;
}

/** How far the last block of a loop is taken back to noise from the first, which it must lead back to. */
const LOOP_STRENGTH = 0.75;
/** Blocks that may wait to be decoded, pieces of them that may wait to be encoded. */
const WAITING = { blocks: 1, pieces: 2 };

/**
 * Seconds of a piece of work for which the GPU is not kept busy ahead of time: what it idles between two such is nothing
 * beside them, and who cancels should not have to wait for another.
 */
const LONG = 0.25;

/** Makes one clip. Throws a KinoraError (`bad-request`, `cancelled`, `not-finite`, `out-of-memory`, …). */
export async function generate(
  model: Model,
  asked: GenerateRequest,
  options: GenerateOptions,
): Promise<Clip> {
  const { emit, isCancelled = () => false, known = NOTHING, openOutput = openClip } = options;
  const { manifest } = model;
  const { fps, latent, sampler } = manifest;
  checkRequest(asked, model.grid);
  const scale = scaleOf(asked, model.grid, manifest.sizes);
  const { width, height, steps } = scale;
  const window = windowOf(manifest, asked);
  const cacheBits = checkPlan(seeing(manifest, window), scale, model.grid, model.room, asked.cacheBits);
  const request = { ...asked, width, height, steps, cacheBits };
  const perBlock = sampler.num_frame_per_block;
  const counts = { fps, perBlock, stride: latent.stride[0], loop: request.loop, first: options.firstSize };
  const line = new Storyline(request.prompt, request.seconds, counts);
  checkSeconds(line.seconds);
  const { blocks, decoded } = line.plan;
  const progress = new Progress({
    costs: model.costs,
    // Every block but the last takes one pass more, for the cache.
    pieces: { text: 1, pass: blocks.length * (request.steps + 1) - 1, decode: decoded, finish: 1 },
    pixels: width * height,
    blocks: blocks.length,
    steps: request.steps,
    secondsOfBlock: (perBlock * latent.stride[0]) / fps,
    emit,
  });
  const job: Job = {
    model,
    networks: null!,
    output: null!,
    line,
    // Only a model that is guided was taught all noise levels; the others know those of their list alone.
    sampler: sampler.guidance && asked.shift !== undefined ? { ...sampler, shift: asked.shift } : sampler,
    steps: request.steps,
    seed: request.seed,
    completed: request.completed === undefined ? null : checkPrompt(request.completed),
    scale,
    cacheBits,
    remix: options.remix ?? null,
    fresh: !options.remix && options.firstSize === undefined,
    head: null,
    renoises: sampler.kind === 'renoise',
    size: { h: height / latent.stride[1], w: width / latent.stride[2] },
    recent: new Recent(window.window),
    decoding: new Conveyor(WAITING.blocks),
    writing: new Conveyor(WAITING.pieces),
    reports: [],
    clock: new Clock(),
    ahead: (work) => {
      const seconds = model.costs.measured(work, width * height);
      return (job.networks.queues ?? false) && seconds !== null && seconds < LONG;
    },
    guard: () => {
      if (isCancelled()) throw new KinoraError('cancelled', 'The clip was cancelled.');
    },
    progress,
    emit,
  };
  const id = options.id ?? makeId();
  job.output = await openOutput(recipeOf(job, asked), emit, id);
  try {
    job.guard();
    job.networks = await model.open(request, line.plan);
    // What is known need not go through the networks before the words that the first unknown block follows.
    const from = line.plan.blocks.findLastIndex((b) => b.enter && b.index <= known.count);
    if (known.count > 0) progress.skip('pass', known.count * request.steps);
    for (let index = 0; index < line.plan.blocks.length; index++) {
      job.guard();
      if (index > 0 && index >= known.count) await steer(job, index, options);
      await makeBlock(job, line.plan.blocks[index]!, { known, from, keep: options.keep });
    }
    await job.decoding.drain();
    await job.writing.drain();
    const finished = progress.begin('finish', 'encode');
    const recipe = recipeOf(job, asked);
    const made = await job.output.finish(recipe);
    finished();
    progress.done();
    const { load, firstFrame, total } = { load: model.loadSeconds, ...job.clock.ended() };
    return {
      id,
      latents: null,
      ...made,
      recipe,
      width,
      height,
      frames: line.plan.frames,
      fps,
      backend: model.backend,
      adapter: model.adapter,
      timings: { load, firstFrame, total },
      peakGpuBytes: model.peakGpuBytes,
      blocks: job.reports,
    };
  } catch (e) {
    job.output.abort();
    throw e;
  } finally {
    // What is being decoded or written still uses the networks.
    await Promise.all([job.decoding.stop(), job.writing.stop()]);
    job.networks?.free();
  }
}

/** What all blocks have in common. */
interface Job {
  model: Model;
  networks: ClipNetworks;
  output: ClipOutput;
  line: Storyline;
  sampler: SamplerPlan;
  steps: number;
  seed: number;
  /** In place of the first shot's words. */
  completed: string | null;
  /** The sampler adds fresh noise after each step. */
  renoises: boolean;
  scale: Scale;
  /** Of the keys and values of earlier frames. */
  cacheBits: CacheBits;
  remix: Remix | null;
  /** Made from words alone: of no picture and no other clip. */
  fresh: boolean;
  /** Of a loop: the first block. */
  head: Latents | null;
  /** Of a latent frame. */
  size: { h: number; w: number };
  recent: Recent;
  decoding: Conveyor;
  writing: Conveyor;
  reports: BlockReport[];
  clock: Clock;
  /** Whether the next piece of such work is asked for before this one is there. */
  ahead: (work: 'pass' | 'decode') => boolean;
  /** Throws when the clip was cancelled. */
  guard: () => void;
  progress: Progress;
  emit: (event: GenerateEvent) => void;
}

/** Takes up what the person has said since the block before. What cannot be told changes nothing. */
async function steer({ line, emit }: Job, block: number, options: GenerateOptions): Promise<void> {
  const text = options.steer?.();
  if (!text) return;
  try {
    line.steer(text, block);
  } catch (e) {
    if (!(e instanceof KinoraError) || e.code !== 'bad-request') throw e;
    return emit({ type: 'told', text, block, problem: toEngineError(e) });
  }
  await options.changed?.({ prompt: line.text }, block);
  emit({ type: 'told', text, block, problem: null });
}

interface Past {
  known: KnownBlocks;
  /** The first block that must go through the networks. */
  from: number;
  keep?: GenerateOptions['keep'];
}

/** Words, latents, and the cache for what comes after; decoding goes on beside. */
async function makeBlock(job: Job, block: Block, { known, from, keep }: Past): Promise<void> {
  const { networks, progress, line, recent } = job;
  const began = job.clock.seconds;
  const isKnown = block.index < known.count;
  const seen = block.index >= from;
  if (seen && block.enter) await enter(job, block);
  let latents: Latents;
  if (isKnown) latents = await known.read(block.index);
  else latents = await (line.loops && block.last ? closeLoop(job, block) : denoise(job, block, await sourceOf(job, block))); // prettier-ignore
  if (line.loops) job.head ??= latents;
  if (isKnown && seen) networks.take(block, latents);
  await keep?.(block, latents, line.text);
  recent.add(block, latents);
  await job.decoding.push(() => develop(job, block, latents, { began, isKnown }));
  if (block.index === 0) await firstPictures(job);
  const next = line.plan.blocks[block.index + 1];
  if (!seen || !next || next.enter) return; // nobody sees this block, or not through these words
  job.guard();
  const before = next.index < known.count ? next.index : null;
  const done = progress.begin('pass', 'denoise', { block: next.index, step: 0, known: before });
  await networks.remember();
  done();
}

/**
 * The clip's first pictures are what the person waits for: on one GPU, denoising the second block beside their decoding
 * would only hold them up. Of later blocks there is something to see while they are decoded.
 */
async function firstPictures({ decoding, writing }: Job): Promise<void> {
  await decoding.drain();
  await writing.drain();
}

/** Other words from now on. Without a cut, the last blocks are seen with them. */
async function enter(job: Job, block: Block): Promise<void> {
  const { networks, progress, recent, guard } = job;
  await say(job, block);
  networks.forget();
  if (block.enter !== 'switch') return recent.clear();
  for (const { block: before, latents } of recent.list) {
    guard();
    const again = progress.begin('pass', 'denoise', { block: block.index, step: 0 });
    networks.take(before, latents);
    await networks.remember();
    again();
  }
}

/** The words from a block on; with the details of its scene, where that began of noise alone. */
async function say(
  { model, networks, progress, line, seed, completed, fresh, guard }: Job,
  block: Block,
): Promise<void> {
  const done = progress.begin('text', 'text', { block: block.index, step: 0 });
  const prompt = (block.shot === 0 && completed) || line.shots[block.shot]!.prompt;
  const groups = fresh && model.manifest.details;
  const begins = ({ index, enter }: Block) => index <= block.index && enter && enter !== 'switch';
  const scene = groups && { groups, seed, block: line.plan.blocks.findLast(begins)!.index };
  const ids = scene
    ? tokensWithDetails(model.tokenizer, prompt, model.textLength, scene)
    : model.tokenizer.encode(prompt, model.textLength);
  await networks.say(ids, (share) => {
    guard();
    progress.part('text', share);
  });
  done();
}

/** What a block is remixed of, null where there is nothing. */
async function sourceOf(
  { remix }: Job,
  block: Block,
): Promise<{ latents: Latents; strength: number } | null> {
  if (!remix || block.index >= remix.source.count) return null;
  return { latents: await remix.source.read(block.index), strength: remix.strength };
}

/** The last block of a loop: made of the first, seen after what came before it, and turning into it. */
async function closeLoop(job: Job, block: Block): Promise<Latents> {
  const tail = await denoise(job, block, { latents: job.head!, strength: LOOP_STRENGTH });
  const pixels = job.size.h * job.size.w;
  // [C, F, pixels]; the last latent frame is the first block's own.
  return tail.map((value, i) => {
    const share = ((Math.floor(i / pixels) % block.size) + 1) / block.size;
    return share * job.head![i]! + (1 - share) * value;
  });
}

/** Noise, or a source taken back to it part of the way → clean latents of a block, a preview after each step. */
async function denoise(
  job: Job,
  block: Block,
  source: { latents: Latents; strength: number } | null,
): Promise<Latents> {
  const { networks, seed, renoises, guard, progress, emit, model, size, scale } = job;
  const shape = [model.manifest.latent.channels * block.size, size.h, size.w] as const;
  const [, y, x] = model.manifest.latent.stride;
  const noise = (step: number, purpose: 'start' | 'renoise') =>
    noiseOf(seed, { block: block.index, step, purpose }, shape, [
      scale.final.height / y,
      scale.final.width / x,
    ]);
  const { sampler, steps } = job;
  const skipped = source ? Math.min(steps - 1, Math.floor((1 - source.strength) * steps)) : 0;
  const schedule = planSteps(sampler, steps, skipped);
  progress.skip('pass', skipped);
  const start = noise(0, 'start');
  const share = startScale(sampler, schedule);
  if (source) networks.start(block, renoise(source.latents, start, schedule[0]!.sigma));
  else networks.start(block, share === 1 ? start : start.map((x) => x * share));
  const placeOf = (i: number) => ({ block: block.index, step: skipped + schedule[i]!.index });
  await inTurn(schedule.length, {
    ahead: () => job.ahead('pass'),
    begin: (i) => {
      guard(); // what is on its way then is dropped
      return progress.begin('pass', 'denoise', placeOf(i));
    },
    start: async (i) => {
      const step = schedule[i]!;
      return networks.step(step, renoises && step.next > 0 ? noise(placeOf(i).step, 'renoise') : null);
    },
    end: (i, picture) => emit({ ...picture, ...placeOf(i) }),
  });
  return networks.settle();
}

/** Clean latents of a block → frames → page and file. */
async function develop(
  job: Job,
  block: Block,
  latents: Latents,
  { began, isKnown }: { began: number; isKnown: boolean },
): Promise<void> {
  const { networks, output, writing, progress, clock, model } = job;
  await inTurn(block.decode, {
    ahead: () => job.ahead('decode'),
    begin: () => {
      job.guard();
      return progress.begin('decode', 'decode', { known: isKnown ? block.index : null });
    },
    start: (i) => networks.decode(block, latents, i),
    end: (_, frames) =>
      writing.push(async () => {
        if (frames.i420.length > 0) await output.write(block.index, frames);
        clock.sawFrame();
      }),
  });
  progress.blockDone(!isKnown);
  const ended = clock.seconds;
  job.reports.push({
    block: block.index,
    shot: block.shot,
    began,
    seconds: ended - began,
    gpuBytes: model.gpuBytes,
    launches: networks.launches ?? 0,
  });
}

const NOTHING: KnownBlocks = {
  count: 0,
  read: () => Promise.reject(new Error('no block is known')),
};
