/** Clips that survive their GPU: real devices, destroyed in the middle. */
import { afterEach, expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { openGpu, type Gpu } from '../../src/gpu/device';
import type { Model } from '../../src/pipeline/backend';
import { buildModel } from '../../src/pipeline/model';
import { generateSafely, nextWindow, type RecoverOptions } from '../../src/pipeline/recover';
import type { GenerateEvent, GenerateRequest } from '../../src/worker/protocol/clip';
import { testEntry } from '../helpers/gpu';
import { hashing, REQUEST } from '../helpers/make-clip';
import { randomModel } from '../helpers/random-model';

const gpus: Gpu[] = [];
afterEach(() => gpus.splice(0).forEach((gpu) => gpu.destroy()));

async function open(): Promise<Model> {
  const gpu = await openGpu(await testEntry(), { f16: false });
  gpus.push(gpu);
  return buildModel(gpu, randomModel(), () => {});
}

async function make(
  options: Partial<RecoverOptions> = {},
  change: Partial<GenerateRequest> = {},
  model?: Model,
) {
  const events: GenerateEvent[] = [];
  const clip = await generateSafely(model ?? (await open()), { ...REQUEST, ...change }, {
    openOutput: hashing,
    reopen: open,
    isLost: async () => gpus.at(-1)!.isLost(),
    ...options,
    emit: (event) => void events.push(event),
  }); // prettier-ignore
  return { clip, events, recovered: events.filter((event) => event.type === 'recover') };
}

test('a device destroyed in the middle costs nothing: the same frames come out of a new one', async () => {
  const whole = await make();
  expect(whole.recovered).toEqual([]);
  const kept: number[] = [];
  let blows = 1;
  const mended = await make({
    keep: async ({ index }) => {
      kept.push(index);
      if (index === 1 && blows-- > 0) gpus.at(-1)!.device.destroy();
    },
  });
  expect(mended.recovered).toEqual([{ type: 'recover', reason: 'device-lost', block: 2 }]);
  expect(mended.clip.frameHashes).toEqual(whole.clip.frameHashes);
  expect(kept).toEqual([0, 1, 2]); // each block is told once
});

test('in the middle of a block’s steps, too', async () => {
  const whole = await make();
  let steps = 0;
  const mended = await make({ isCancelled: () => (++steps === 5 && gpus.at(-1)!.device.destroy(), false) });
  expect(mended.recovered).toHaveLength(1);
  expect(mended.clip.frameHashes).toEqual(whole.clip.frameHashes);
});

test('words that were said for the block in which the device went are followed all the same', async () => {
  const saying = () => {
    let asked = 0;
    return () => (++asked === 1 ? 'a storm' : null);
  };
  const whole = await make({ steer: saying() });
  let blows = 1;
  const mended = await make({
    steer: saying(),
    changed: async () => void (blows-- > 0 && gpus.at(-1)!.device.destroy()),
  });
  expect(mended.recovered).toEqual([{ type: 'recover', reason: 'device-lost', block: 1 }]);
  expect(mended.clip.recipe.prompt).toMatch(/\n.*a storm$/);
  expect(mended.clip.frameHashes).toEqual(whole.clip.frameHashes);
});

test('a device that is lost again and again is given up, with its reason', async () => {
  let opened = 0;
  const failing = make({
    reopen: () => (opened++, open()),
    isCancelled: () => (gpus.at(-1)!.device.destroy(), false),
  });
  await expect(failing).rejects.toMatchObject({ code: 'device-lost' });
  expect(opened).toBe(3);
});

/** Runs out of memory behind each of these blocks, once. */
const fullAt = (...blocks: number[]): Partial<RecoverOptions> => ({
  keep: async ({ index }) => {
    if (index !== blocks[0]) return;
    blocks.shift();
    throw new KinoraError('out-of-memory', 'The GPU has no room for key cache 1.');
  },
});
const out = { type: 'recover', reason: 'out-of-memory' };

test('when memory runs out, keys and values become 8 bit, then the window smaller; the finished blocks stay', async () => {
  const whole = await make();
  const once = await make(fullAt(0));
  expect(once.recovered).toEqual([{ ...out, block: 1, cacheBits: 8 }]);
  expect(once.clip.recipe).toMatchObject({ cacheBits: 8 });
  expect(once.clip.recipe.window).toBeUndefined();
  const mended = await make(fullAt(0, 1));
  expect(mended.recovered).toEqual([{ ...out, block: 1, cacheBits: 8 }, { ...out, block: 2, window: 3 }]); // prettier-ignore
  expect(mended.clip.frames).toBe(whole.clip.frames);
  expect(mended.clip.recipe).toMatchObject({ cacheBits: 8, window: 3 });
  // With these settings the second block would come out another way, so they alone do not make the clip again.
  expect([once.clip.recipe.begins, mended.clip.recipe.begins]).toEqual([undefined, 'clip']);
  const asked = await make(fullAt(0), { cacheBits: 16 });
  expect(asked.recovered).toEqual([{ ...out, block: 1, window: 3 }]);
  expect(asked.clip.recipe).toMatchObject({ cacheBits: 16, window: 3 });
  // The first block sees nothing but itself in either.
  expect(mended.clip.frameHashes.slice(0, 9)).toEqual(whole.clip.frameHashes.slice(0, 9));
});

test('an error scope that catches a lack of memory is answered with the next smaller plan, on the same device', async () => {
  const model = await open();
  const { device } = gpus.at(-1)!;
  const [create, pop] = [device.createBuffer.bind(device), device.popErrorScope.bind(device)];
  let label = '';
  let scarce = 1;
  device.createBuffer = (descriptor) => create({ ...descriptor, label: (label = descriptor.label ?? '') });
  device.popErrorScope = async () => {
    const short = label.startsWith('key cache') && scarce-- > 0;
    return (await pop()) ?? (short ? new GPUOutOfMemoryError('not enough memory') : null);
  };
  const { clip, recovered } = await make({}, {}, model);
  expect(recovered).toEqual([{ ...out, block: 0, cacheBits: 8 }]);
  expect(clip.recipe).toMatchObject({ cacheBits: 8 });
  expect([gpus.length, await gpus[0]!.isLost()]).toEqual([1, false]);
});

test('a sink that was asked for does not outgrow the smaller window', async () => {
  const mended = await make(fullAt(0), { window: 9, sink: 4, cacheBits: 8 });
  expect(mended.recovered).toEqual([{ ...out, block: 1, window: 3 }]);
  expect(mended.clip.recipe).toMatchObject({ window: 3, sink: 0 });
});

test('the smallest window is the end: the error stands', async () => {
  const full = make(
    { keep: () => Promise.reject(new KinoraError('out-of-memory', 'full')) },
    { window: 3, cacheBits: 8 },
  );
  await expect(full).rejects.toMatchObject({ code: 'out-of-memory' });
  const manifest = randomModel().manifest;
  expect([6, 9, 21].map((window) => nextWindow({ manifest }, { ...REQUEST, window }))).toEqual([3, 3, 9]);
});

test('what the plan refuses has not run out of memory: nothing smaller is tried', async () => {
  const model = await open();
  Object.defineProperty(model, 'room', { value: { ...model.room, total: 1e5 } });
  const changes: unknown[] = [];
  const refused = make({ changed: async (change) => void changes.push(change) }, {}, model);
  await expect(refused).rejects.toMatchObject({
    code: 'out-of-memory',
    params: { field: 'size', limit: 1e5 },
  });
  expect(changes).toEqual([]);
});

test('what is wrong with the request is no accident', async () => {
  await expect(make({}, { steps: 0 })).rejects.toMatchObject({ code: 'bad-request' });
});
