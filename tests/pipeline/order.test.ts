/** In which order the work of a clip is done, with networks that only take notes. */
import { expect, test } from 'vitest';
import type { ClipNetworks, Model } from '../../src/pipeline/backend';
import { framesAt } from '../../src/pipeline/blocks';
import { generate } from '../../src/pipeline/generate';
import type { OpenOutput } from '../../src/pipeline/output';
import { Costs } from '../../src/pipeline/progress';
import type { GenerateEvent, GenerateRequest } from '../../src/worker/protocol/clip';
import { manifest } from '../weights/model';

const REQUEST: GenerateRequest = { prompt: 'a boat', seed: 1, seconds: 2, width: 32, height: 32, steps: 2 };

/** Time enough for anything that does not wait to go on. */
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 2));

/** Notes when each piece of work begins and ends; decoding takes longer than everything else. */
async function notes(queues = false, cancelAt?: string): Promise<string[]> {
  const log: string[] = [];
  let index = 0;
  const noted = async <T>(what: string, turns: number, result: T): Promise<T> => {
    log.push(`${what} begins`);
    for (let i = 0; i < turns; i++) await turn();
    log.push(`${what} ends`);
    return result;
  };
  const picture = {
    type: 'preview',
    frames: 1,
    width: 1,
    height: 1,
    rgba: new Uint8ClampedArray(4),
  } as const;
  const networks: ClipNetworks = {
    queues,
    say: async () => {},
    forget: () => {},
    start: (block) => void (index = block.index),
    take: () => {},
    step: (step) => noted(`step ${step.index} of ${index}`, 1, picture),
    settle: async () => new Float32Array(16 * 3 * 4 * 4),
    decode: (block, _latents, i) => {
      const { first, count } = framesAt({ stride: 4 }, block, i);
      const i420 = Array.from({ length: count }, () => new Uint8Array(32 * 32 * 1.5));
      return noted(`decode ${i} of ${block.index}`, 10, { first, i420 });
    },
    remember: () => noted(`remember ${index}`, 1, undefined),
    free: () => {},
  };
  const model = {
    backend: 'webgpu',
    adapter: null,
    manifest: manifest(),
    tokenizer: { encode: () => new Int32Array(1) },
    textLength: 8,
    costs: new Costs(),
    grid: { width: 16, height: 16 },
    room: { element: 4, buffer: 2 ** 40, total: 2 ** 40, speed: 1e15, scores: false },
    encode: null,
    loadSeconds: 0,
    gpuBytes: 0,
    peakGpuBytes: 0,
    open: async () => networks,
    free: () => {},
  } as unknown as Model;
  const openOutput: OpenOutput = async () => ({
    write: (block) => noted(`write of ${block}`, 3, undefined),
    finish: async () => ({ mp4: new Blob(), poster: new Blob(), codec: 'none', frameHashes: [], seam: null }),
    abort: () => {},
  });
  const isCancelled = () => cancelAt !== undefined && log.includes(cancelAt);
  const emit = (event: GenerateEvent) =>
    void (event.type === 'preview' && log.push(`picture ${event.step} of ${event.block}`));
  const made = generate(model, REQUEST, { emit, openOutput, isCancelled });
  if (cancelAt) await expect(made).rejects.toMatchObject({ code: 'cancelled' });
  else await made;
  return log;
}

test('the first block is decoded and delivered before the second is begun; later ones are decoded beside', async () => {
  const log = await notes();
  const at = (what: string) => {
    const found = log.indexOf(what);
    expect(found, what).toBeGreaterThanOrEqual(0);
    return found;
  };
  for (const begun of ['remember 0 begins', 'step 0 of 1 begins']) {
    expect(at(begun)).toBeGreaterThan(at('decode 2 of 0 ends'));
    expect(at(begun)).toBeGreaterThan(log.lastIndexOf('write of 0 ends'));
  }
  // The second block's frames are developed while the third is denoised.
  expect(at('step 0 of 2 begins')).toBeLessThan(at('decode 2 of 1 ends'));
});

test('on a GPU that takes less than a moment, the next step is queued before the one before is there', async () => {
  const one = await notes();
  expect(one.indexOf('step 1 of 1 begins')).toBeGreaterThan(one.indexOf('step 0 of 1 ends'));
  const queued = await notes(true);
  const at = (what: string) => queued.indexOf(what);
  // What the first step takes is not known yet.
  expect(at('step 1 of 0 begins')).toBeGreaterThan(at('step 0 of 0 ends'));
  expect(at('step 1 of 1 begins')).toBeLessThan(at('step 0 of 1 ends'));
  expect(at('decode 1 of 1 begins')).toBeLessThan(at('decode 0 of 1 ends'));
  expect(at('step 0 of 2 begins')).toBeGreaterThan(at('step 1 of 1 ends'));
});

test('who cancels hears no more of the step that was on its way, and no other is begun', async () => {
  const log = await notes(true, 'picture 0 of 1');
  expect(log).toContain('step 1 of 1 begins');
  expect(log).not.toContain('picture 1 of 1');
  expect(log.filter((what) => / of 2 begins/.test(what))).toEqual([]);
});
