/** What the GPU is asked for ahead of time, and what it is asked for at all, on a tiny model of random weights. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Gpu, openGpu } from '../../src/gpu/device';
import { noiseOf } from '../../src/pipeline/draft';
import { buildModel, type GpuModel } from '../../src/pipeline/model';
import { Storyline } from '../../src/pipeline/storyline';
import { planSteps } from '../../src/sampling/plan';
import { openTestGpu, testEntry } from '../helpers/gpu';
import { REQUEST } from '../helpers/make-clip';
import { randomModel } from '../helpers/random-model';

let gpu: Gpu;
beforeAll(async () => void (gpu = await openTestGpu()));
afterAll(() => gpu.destroy());
type Method = (...args: unknown[]) => unknown;

/** Calls of these methods of the device while `work` goes on; buffers only where they are for reading back. */
async function calls(
  { device }: Gpu,
  names: readonly (keyof GPUDevice)[],
  work: () => Promise<unknown>,
): Promise<string[]> {
  const made: string[] = [];
  for (const name of names) {
    const real = (device[name] as Method).bind(device);
    const noted: Method = (...args) => {
      const usage = (args[0] as Partial<GPUBufferDescriptor>).usage ?? GPUBufferUsage.MAP_READ;
      if (usage & GPUBufferUsage.MAP_READ) made.push(name);
      return real(...args);
    };
    Object.defineProperty(device, name, { configurable: true, value: noted });
  }
  try {
    await work();
  } finally {
    for (const name of names) delete (device as unknown as Record<string, unknown>)[name];
  }
  return made;
}

function planOf({ manifest: { fps, latent, sampler } }: GpuModel) {
  const counts = { fps, perBlock: sampler.num_frame_per_block, stride: latent.stride[0] };
  return new Storyline(REQUEST.prompt, REQUEST.seconds, counts).plan;
}

/** The first two blocks as pipeline/generate makes them, and what of `watched` was called meanwhile. */
async function makeBlocks(
  model: GpuModel,
  watched: readonly (keyof GPUDevice)[],
  { prompt = REQUEST.prompt, queued = false } = {},
) {
  const { latent, sampler } = model.manifest;
  const plan = planOf(model);
  const made = {
    pictures: [] as number[][],
    latents: [] as number[][],
    inSay: [] as string[],
    inSteps: [] as string[],
    after: [] as string[],
  };
  const networks = await model.open(REQUEST, plan);
  expect(networks.queues).toBe(true);
  try {
    const saying = await calls(model.gpu, watched, () =>
      networks.say(model.tokenizer.encode(prompt, model.textLength)),
    );
    made.inSay.push(...saying);
    for (const block of plan.blocks.slice(0, 2)) {
      const shape = [latent.channels * block.size, 4, 6] as const;
      const noise = (step: number, purpose: 'start' | 'renoise') =>
        noiseOf(7, { block: block.index, step, purpose }, shape, [4, 6]);
      const steps = await calls(model.gpu, watched, async () => {
        networks.start(block, noise(0, 'start'));
        const coming = [];
        for (const step of planSteps(sampler, 3)) {
          const picture = networks.step(step, step.next > 0 ? noise(step.index, 'renoise') : null);
          if (!queued) await picture;
          coming.push(picture);
        }
        for (const { rgba } of await Promise.all(coming)) made.pictures.push([...rgba]);
      });
      made.inSteps.push(...steps);
      const after = await calls(model.gpu, watched, async () => {
        const latents = await networks.settle();
        made.latents.push([...latents]);
        for (let i = 0; i < block.decode; i++) await networks.decode(block, latents, i);
        await networks.remember();
      });
      made.after.push(...after);
    }
  } finally {
    networks.free();
  }
  return made;
}

test('steps that are asked for all at once give the same pictures and latents to the bit', async () => {
  const model = await buildModel(gpu, randomModel(), () => {});
  try {
    const one = await makeBlocks(model, ['createBuffer']);
    const queued = await makeBlocks(model, ['createBuffer'], { queued: true });
    expect(queued).toEqual(one);
    expect(new Set(one.latents.map(String)).size).toBe(2);
    // A step's small picture comes back, and nobody waits for it. Then the latents, and two of each piece that is decoded.
    expect(one.inSteps).toHaveLength(2 * 3);
    expect(one.after).toHaveLength(2 * (1 + 3 * 2));
  } finally {
    model.free();
  }
  expect(gpu.memory.bytes).toBe(0);
});

test('nothing is compiled from the first step on, whatever the prompt is', async () => {
  // With the kernels of a graphics card, of which more depend on the length, and its first guesses.
  const { device, adapter, features } = await openGpu(await testEntry(), { f16: false });
  const card = new Gpu(device, { ...adapter, isFallback: false }, 'f32', features);
  card.tuner.settle = async () => false;
  const compiling = ['createComputePipeline', 'createComputePipelineAsync', 'createShaderModule'] as const;
  const models: GpuModel[] = [];
  try {
    const warm = await calls(card, compiling, async () => {
      models.push(await buildModel(card, randomModel(), () => {}));
    });
    expect(warm.length).toBeGreaterThan(40); // text and pipeline of each
    const late: string[] = [];
    for (const prompt of ['a red boat', REQUEST.prompt, 'boats '.repeat(40)]) {
      const { inSay, inSteps, after, latents } = await makeBlocks(models[0]!, compiling, { prompt });
      expect([...inSteps, ...after], prompt).toEqual([]);
      // What its length needs is compiled beside the page's other work, several at a time.
      expect(inSay, prompt).not.toContain('createComputePipeline');
      late.push(...inSay);
      expect(latents.flat().every(Number.isFinite)).toBe(true);
    }
    expect(late).toContain('createComputePipelineAsync'); // else this shows nothing
  } finally {
    for (const model of models) model.free();
    card.destroy();
  }
});
