/**
 * Clips that are broken off and gone on with, through the journal, on a toy model: whatever became different while they
 * were made, they come out as they would have at once.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Model } from '../../src/pipeline/backend';
import { Locks } from '../helpers/locks';
import { toyModel } from '../helpers/toy-model';
import { DIES, FULL, sessionsOf } from '../helpers/make-session';
import { FakeDisk } from '../weights/opfs';

const model = toyModel({ sampler: { window: 6, sink: 1 } });

beforeEach(() => dropAll());
afterEach(() => vi.unstubAllGlobals());

const { failing, make, goOn } = sessionsOf(() => model);

/** Says these words when it is asked for the n-th time: before block n. */
function saying(n: number, text: string): () => string | null {
  let asked = 0;
  return () => (++asked === n ? text : null);
}

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

test('words that were said for the block in which the browser died are followed', async () => {
  const whole = await make({}, model, { steer: saying(5, 'a storm') });
  dropAll();
  const dying = make({}, failing(DIES), { steer: saying(5, 'a storm') });
  await expect(dying).rejects.toMatchObject({ code: 'internal' });
  const { found, frameHashes, recipe } = await goOn();
  expect(found.done).toBe(5);
  expect(recipe.prompt).toBe(whole.recipe.prompt);
  expect(recipe.prompt).toMatch(/\n.*a storm$/);
  expect(frameHashes).toEqual(whole.frameHashes);
});

describe('paused', () => {
  /** Pauses in block `at`, in whose middle `text` is said. */
  async function pause(at: number, text: string | null = null) {
    let [block, told] = [-1, text];
    const watching: Model = {
      ...model,
      open: async (request, plan) => {
        const clip = await model.open(request, plan);
        const start = clip.start.bind(clip);
        clip.start = (b, noise) => (start(b, noise), (block = b.index));
        return clip;
      },
    };
    const stops = () => block === at;
    const steer = () => {
      if (!stops()) return null;
      const said = told;
      told = null;
      return said;
    };
    const made = make({}, watching, { isCancelled: stops, isPaused: stops, steer });
    await expect(made).rejects.toMatchObject({ code: 'paused' });
  }

  test.each([0, 1, 3])('in block %i: gone on with, to the bit', async (at) => {
    const whole = await make({});
    dropAll();
    await pause(at);
    const { found, frameHashes } = await goOn();
    expect(found.done).toBe(at);
    expect(frameHashes).toEqual(whole.frameHashes);
  });

  test.each([0, 3])('in block %i, with words just said: they are followed', async (at) => {
    const whole = await make({}, model, { steer: saying(Math.max(1, at), 'a storm') });
    dropAll();
    await pause(at, 'a storm');
    const { frameHashes, recipe } = await goOn();
    expect(recipe.prompt).toBe(whole.recipe.prompt);
    expect(frameHashes).toEqual(whole.frameHashes);
  });
});

test.each(['[cut]', '[4s]', '[9999s] a storm', 'x'.repeat(5000)])(
  'words that cannot be told cost nothing: %.20s',
  async (text) => {
    const whole = await make({});
    dropAll();
    const { frameHashes, recipe, events } = await make({}, model, { steer: saying(2, text) });
    expect(frameHashes).toEqual(whole.frameHashes);
    expect(recipe.prompt).toBe(whole.recipe.prompt);
    const told = events.filter((event) => event.type === 'told');
    expect(told).toEqual([{ type: 'told', text, block: 2, problem: expect.objectContaining({ code: 'bad-request' }) }]); // prettier-ignore
  },
);

/** Another disk, so that no journal of a finished clip is in the way. */
function dropAll(): void {
  vi.stubGlobal('navigator', { storage: { getDirectory: new FakeDisk().storage }, locks: new Locks() });
}
