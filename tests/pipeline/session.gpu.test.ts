/**
 * Clips that are broken off and gone on with, through the journal, on a tiny model of random weights: whatever became
 * different while they were made, they come out as they would have at once. What is said meanwhile: session.test.ts.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import { buildModel, type GpuModel } from '../../src/pipeline/model';
import { openTestGpu } from '../helpers/gpu';
import { Locks } from '../helpers/locks';
import { randomModel } from '../helpers/random-model';
import { DIES, FULL, sessionsOf } from '../helpers/make-session';
import { FakeDisk } from '../weights/opfs';

let gpu: Gpu;
let model: GpuModel;
let before: number;
const load = () => buildModel(gpu, randomModel({ sampler: { window: 6, sink: 1 } }), () => {});
beforeAll(async () => {
  gpu = await openTestGpu();
  model = await load();
  before = gpu.memory.bytes;
});
afterAll(() => (model.free(), gpu.destroy()));

beforeEach(() => {
  vi.stubGlobal('navigator', { storage: { getDirectory: new FakeDisk().storage }, locks: new Locks() });
});
afterEach(() => {
  vi.unstubAllGlobals();
  expect(gpu.memory.bytes).toBe(before); // however it ended, the GPU holds the weights and nothing else
});

const { failing, make, goOn } = sessionsOf(() => model);

describe('memory ran out in the fourth block, and the browser died in the sixth', () => {
  test.each([
    ['keys and values become 8 bit', {}, { cacheBits: 8 }],
    ['the window becomes smaller, and the sink with it', { cacheBits: 8, window: 9, sink: 4 }, { window: 3, sink: 0 }], // prettier-ignore
  ] as const)('%s: gone on with, to the bit', async (_, asked, change) => {
    const plain = await make(asked);
    const whole = await make(asked, failing(FULL));
    expect(whole.recipe).toMatchObject({ ...change, begins: 'clip' });
    expect(whole.frameHashes).not.toEqual(plain.frameHashes);
    dropAll();
    await expect(make(asked, failing(FULL, DIES))).rejects.toMatchObject({ code: 'internal' });
    const { found, frameHashes, recipe } = await goOn();
    expect(found).toMatchObject({ done: 5, request: { ...asked, ...change } });
    expect(frameHashes).toEqual(whole.frameHashes);
    expect(recipe).toMatchObject({ ...change, begins: 'clip' });
  });
});

describe('paused', () => {
  /** Pauses in block `at`. */
  async function pause(at: number) {
    let block = -1;
    const watching: GpuModel = {
      ...model,
      open: async (request, plan) => {
        const clip = await model.open(request, plan);
        const start = clip.start.bind(clip);
        clip.start = (b, noise) => (start(b, noise), (block = b.index));
        return clip;
      },
    };
    const stops = () => block === at;
    const made = make({}, watching, { isCancelled: stops, isPaused: stops });
    await expect(made).rejects.toMatchObject({ code: 'paused' });
    expect(gpu.memory.bytes).toBe(before);
  }

  test.each([0, 3])('in block %i: gone on with, to the bit', async (at) => {
    const whole = await make({});
    dropAll();
    await pause(at);
    const { found, frameHashes } = await goOn();
    expect(found.done).toBe(at);
    expect(frameHashes).toEqual(whole.frameHashes);
  });

  test('and all weights freed and brought back meanwhile, as the worker does it: to the bit', async () => {
    const whole = await make({});
    dropAll();
    await pause(3);
    model.free();
    expect(gpu.memory.bytes).toBe(0);
    model = await load();
    expect((await goOn()).frameHashes).toEqual(whole.frameHashes);
  });
});

/** Another disk, so that no journal of a finished clip is in the way. */
function dropAll(): void {
  vi.stubGlobal('navigator', { storage: { getDirectory: new FakeDisk().storage }, locks: new Locks() });
}
