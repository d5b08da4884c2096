/** The pipeline on a tiny model of random weights (helpers/random-model.ts): its pictures mean nothing. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { KinoraError } from '../../src/errors';
import type { Gpu } from '../../src/gpu/device';
import { i420Bytes, sha256Hex } from '../../src/media/frames';
import { generate, type GenerateOptions } from '../../src/pipeline/generate';
import { buildModel, type GpuModel as Model } from '../../src/pipeline/model';
import type { OpenOutput } from '../../src/pipeline/output';
import type { Clip, GenerateEvent, GenerateRequest } from '../../src/worker/protocol/clip';
import type { LoadEvent } from '../../src/worker/protocol/model';
import { openTestGpu } from '../helpers/gpu';
import {
  randomModel,
  TEXT_CONFIG,
  TRANSFORMER_CONFIG,
  type RandomModelOptions,
} from '../helpers/random-model';

/** 24 frames: 7 latents, 3 blocks, one more than the window holds. */
const REQUEST: GenerateRequest = {
  prompt: 'a red boat drifting on the sea at sunset',
  seed: 7,
  seconds: 1.5,
  width: 48,
  height: 32,
  steps: 2,
};

let gpu: Gpu;
beforeAll(async () => void (gpu = await openTestGpu()));
afterAll(() => gpu.destroy());

/** Node has no video encoder: frames are hashed and counted, and that is all. */
function outputOf(kept: { aborted: number; frames: Uint8Array[] }): OpenOutput {
  return async () => ({
    async write(_block, { first, i420 }) {
      expect(first).toBe(kept.frames.length);
      kept.frames.push(...i420);
    },
    async finish() {
      const frameHashes = await Promise.all(kept.frames.map(sha256Hex));
      return { mp4: new Blob(), poster: new Blob(), codec: 'none', frameHashes, seam: null };
    },
    abort: () => void kept.aborted++,
  });
}

interface Made {
  clip: Clip;
  events: GenerateEvent[];
}

const opened: Model[] = [];
afterEach(() => {
  for (const model of opened.splice(0)) model.free();
  expect(gpu.memory.bytes).toBe(0); // whatever happened, nothing is left
});

async function open(options: RandomModelOptions = {}): Promise<Model> {
  const model = await buildModel(gpu, randomModel(options), () => {});
  opened.push(model);
  return model;
}

/** Makes a clip and sees to it that it left nothing on the GPU. */
async function make(
  model: Model,
  change: Partial<GenerateRequest> = {},
  options: Partial<GenerateOptions> = {},
): Promise<Made> {
  const before = gpu.memory.bytes;
  const kept = { aborted: 0, frames: [] as Uint8Array[] };
  const events: GenerateEvent[] = [];
  const emit = (event: GenerateEvent) => {
    events.push(event);
    options.emit?.(event);
  };
  try {
    const openOutput = outputOf(kept);
    const clip = await generate(model, { ...REQUEST, ...change }, { ...options, emit, openOutput });
    for (const frame of kept.frames) expect(frame.length).toBe(i420Bytes(clip));
    expect(kept.frames).toHaveLength(clip.frames);
    return { clip, events };
  } catch (e) {
    expect(kept.aborted).toBeLessThanOrEqual(1);
    throw e;
  } finally {
    expect(gpu.memory.bytes).toBe(before);
  }
}

test('guidance: at scale 1 the negative prompt does not matter, above it does', async () => {
  const hashes = async (scale: number, negative_prompt: string) => {
    const model = await open({ sampler: { kind: 'unipc', guidance: { scale, negative_prompt } } });
    return (await make(model, { steps: 3, seconds: 1 })).clip.frameHashes;
  };
  const alone = await make(await open({ sampler: { kind: 'unipc' } }), { steps: 3, seconds: 1 });
  const plain = await hashes(1, 'blurry');
  expect(plain).toEqual(alone.clip.frameHashes);
  const guided = await hashes(4, 'blurry');
  expect(guided).not.toEqual(plain);
  expect(guided).toEqual(await hashes(4, 'blurry'));
  expect(guided).not.toEqual(await hashes(4, 'a blue car at night'));

  // A request may say otherwise, and its recipe says so.
  const model = await open({ sampler: { kind: 'unipc', guidance: { scale: 7, negative_prompt: 'rain' } } });
  const asked = { steps: 3, seconds: 1, guidance: 4, negative: 'blurry' };
  const { clip } = await make(model, asked);
  expect(clip.frameHashes).toEqual(guided);
  expect(clip.recipe).toMatchObject({ guidance: 4, negative: 'blurry' });
  expect((await make(model, { ...asked, guidance: 1 })).clip.frameHashes).toEqual(plain);
});

test.each(['unipc', 'flow-match'] as const)(
  '%s of another shift, where the model is guided',
  async (kind) => {
    const sampler = { kind, guidance: { scale: 4, negative_prompt: 'rain' } };
    const few = { steps: 3, seconds: 0.5 };
    const three = await make(await open({ sampler: { ...sampler, shift: 3 } }), few);
    const model = await open({ sampler: { ...sampler, shift: 5 } });
    const five = await make(model, few);
    const asked = await make(model, { ...few, shift: 3 });
    expect(five.clip.frameHashes).not.toEqual(three.clip.frameHashes);
    expect(asked.clip.frameHashes).toEqual(three.clip.frameHashes);
    expect(asked.clip.recipe).toMatchObject({ shift: 3 });
    expect(five.clip.recipe).not.toHaveProperty('shift');
  },
);

test('a model that is not guided keeps its own shift, whatever is asked', async () => {
  const model = await open();
  const few = { steps: 2, seconds: 0.5 };
  const own = await make(model, few);
  expect((await make(model, { ...few, shift: 3 })).clip.frameHashes).toEqual(own.clip.frameHashes);
});

async function failure(work: Promise<unknown>): Promise<KinoraError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (e: KinoraError) => e,
  );
}

describe.each(['euler', 'renoise', 'flow-match', 'unipc'] as const)('%s', (kind) => {
  test('makes every frame; twice the same, another seed or prompt others', async () => {
    const model = await open({ sampler: { kind } });
    const { clip } = await make(model);
    expect(clip).toMatchObject({ width: 48, height: 32, frames: 24, fps: 16, backend: 'webgpu' });
    expect(clip.recipe).toMatchObject({ ...REQUEST, model: 'random', frames: 24 });
    expect(new Set(clip.frameHashes).size).toBe(24);
    expect(clip.timings.firstFrame).toBeGreaterThan(0);
    expect(clip.timings.total).toBeGreaterThan(clip.timings.firstFrame);
    expect(clip.peakGpuBytes).toBeGreaterThan(0);

    expect((await make(model)).clip.frameHashes).toEqual(clip.frameHashes);
    expect((await make(model, { seed: 8 })).clip.frameHashes[0]).not.toBe(clip.frameHashes[0]);
    expect((await make(model, { prompt: 'a blue car' })).clip.frameHashes[0]).not.toBe(clip.frameHashes[0]);
  });

  test('a shorter clip is the beginning of a longer one', async () => {
    const model = await open({ sampler: { kind } });
    const { clip: long } = await make(model);
    const { clip: short } = await make(model, { seconds: 0.5 }); // one block, a smaller cache
    expect(short.frameHashes).toEqual(long.frameHashes.slice(0, 8));
  });
});

test('a window and a sink change the third block and nothing before it', async () => {
  const all = (await make(await open({ sampler: { window: 9 } }))).clip.frameHashes;
  const some = (await make(await open({ sampler: { window: 6 } }))).clip.frameHashes;
  const sink = (await make(await open({ sampler: { window: 6, sink: 1 } }))).clip.frameHashes;
  expect(some.slice(0, 21)).toEqual(all.slice(0, 21));
  expect(sink.slice(0, 21)).toEqual(all.slice(0, 21));
  expect(new Set([all[21], some[21], sink[21]]).size).toBe(3);
});

test('tells what it does: previews after each step, progress up to 1', async () => {
  const model = await open();
  const { events } = await make(model);
  const previews = events.filter((e) => e.type === 'preview');
  expect(previews.map((e) => [e.block, e.step])).toEqual([0, 1, 2].flatMap((b) => [0, 1].map((s) => [b, s])));
  for (const { frames, width, height, rgba } of previews) {
    expect([frames, width, height]).toEqual([3, 6, 4]);
    expect(rgba).toHaveLength(3 * 6 * 4 * 4);
    expect(rgba.filter((_, i) => i % 4 === 3)).toEqual(new Uint8ClampedArray(3 * 6 * 4).fill(255));
  }
  const progress = events.filter((e) => e.type === 'progress');
  expect(new Set(progress.map((e) => e.stage))).toEqual(
    new Set(['text', 'denoise', 'decode', 'encode', 'finish']),
  );
  const shares = progress.map((e) => e.fraction);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect([shares[0], shares.at(-1)]).toEqual([0, 1]);
});

test('other sizes, and a prompt that is longer than the text', async () => {
  const model = await open();
  const { clip } = await make(model, { width: 16, height: 64, seconds: 0.2 });
  expect(clip).toMatchObject({ width: 16, height: 64, frames: 3 });
  await make(model, { prompt: 'a red boat and a blue car '.repeat(20), seconds: 0.1 });
});

test('cancel takes effect before the next step, and the next clip is made', async () => {
  const model = await open();
  const { clip } = await make(model, { seconds: 0.5 });
  for (const type of ['preview', 'progress']) {
    const heard: GenerateEvent[] = [];
    const isCancelled = () => heard.some((e) => e.type === type);
    const error = await failure(make(model, {}, { isCancelled, emit: (e) => heard.push(e) }));
    expect(error.code).toBe('cancelled');
    expect(heard.filter((e) => e.type === 'preview').length).toBeLessThanOrEqual(1);
  }
  expect((await make(model, { seconds: 0.5 })).clip.frameHashes).toEqual(clip.frameHashes);
});

test.each([
  ['blocks.1.ffn.net.2.bias', 'matmul', 'blocks.1.ffn.net.2'],
  ['blocks.0.attn1.norm_k.weight', 'rms-norm', 'rmsNorm'],
  ['decoder.22.bias', 'conv', 'decoder.22'],
])('the canary names the kernel that first met a damaged %s', async (name, operation, output) => {
  const model = await open({ spoil: { name, value: NaN } });
  const error = await failure(make(model));
  expect(error).toMatchObject({ code: 'not-finite', params: { operation, block: 1 } });
  expect(error.message).toContain(operation);
  expect(error.detail).toContain(output);
});

test('what cannot be asked for is refused before any work', async () => {
  const model = await open();
  expect(await failure(make(model, { prompt: '  ' }))).toMatchObject({ code: 'bad-request' });
  expect(await failure(make(model, { width: 40 }))).toMatchObject({ params: { field: 'width' } });
});

test('loading tells its stages, each up to its end', async () => {
  const events: LoadEvent[] = [];
  opened.push(await buildModel(gpu, randomModel(), (e) => events.push(e)));
  const last = (type: string) => events.filter((e) => e.type === type).at(-1)!;
  expect(last('upload')).toMatchObject({ loaded: expect.any(Number) });
  const upload = last('upload') as Extract<LoadEvent, { type: 'upload' }>;
  expect(upload.loaded).toBe(upload.total);
  const compile = last('compile') as Extract<LoadEvent, { type: 'compile' }>;
  expect(compile.done).toBe(compile.total);
});

test('parts that do not fit together are refused, and nothing stays on the GPU', async () => {
  const text = (change: object) => ({
    text_encoder: {
      network: 'umt5' as const,
      config: { ...TEXT_CONFIG, ...change },
      file: 'text.safetensors',
    },
  });
  expect(await failure(open({ components: text({ vocab_size: 100 }) }))).toMatchObject({
    code: 'bad-model',
    message: expect.stringMatching(/576 ids.*100 rows/),
  });
  expect(await failure(open({ components: text({ d_model: 48 }) }))).toMatchObject({ code: 'bad-model' });
  const transformer = {
    network: 'wan-transformer-causal' as const,
    config: { ...TRANSFORMER_CONFIG, num_layers: 3 },
    file: 'dit.safetensors',
  };
  expect(await failure(open({ components: { transformer } }))).toMatchObject({
    code: 'bad-model',
    message: expect.stringContaining('blocks.2'),
  });
});
