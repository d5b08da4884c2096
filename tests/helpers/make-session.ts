/** Clips of seven blocks through the journal, which may be broken off and gone on with; nothing is encoded. */
import { expect } from 'vitest';
import { KinoraError } from '../../src/errors';
import type { Model } from '../../src/pipeline/backend';
import { listJournals } from '../../src/pipeline/journal';
import { makeClip, type SessionOptions } from '../../src/pipeline/session';
import type { GenerateEvent, GenerateRequest } from '../../src/worker/protocol/clip';
import type { ErrorCode } from '../../src/worker/protocol/result';
import { hashing, REQUEST } from './make-clip';

/** Seven blocks. */
const LONG: Partial<GenerateRequest> = { seconds: 5, steps: 1 };

export const FULL = { at: 3, code: 'out-of-memory' } as const;
export const DIES = { at: 5, code: 'internal' } as const;

/** What the tests of sessions do with one model. */
export function sessionsOf<M extends Model>(model: () => M) {
  /** The model, but something happens when these blocks are begun: each once. */
  function failing(...blows: { at: number; code: ErrorCode }[]): M {
    return {
      ...model(),
      open: async (request, plan) => {
        const clip = await model().open(request, plan);
        const start = clip.start.bind(clip);
        clip.start = (block, noise) => {
          if (block.index === blows[0]?.at) throw new KinoraError(blows.shift()!.code, 'as told by the test');
          start(block, noise);
        };
        return clip;
      },
    };
  }

  async function make(
    request: Partial<GenerateRequest>,
    on = model(),
    options: Partial<SessionOptions> = {},
  ) {
    const events: GenerateEvent[] = [];
    const clip = await makeClip(on, { ...REQUEST, ...LONG, ...request }, {
      isCancelled: () => false,
      isPaused: () => false,
      steer: () => null,
      reopen: () => Promise.reject(new Error('none')),
      openOutput: hashing,
      ...options,
      emit: (event) => void events.push(event),
    }); // prettier-ignore
    return { ...clip, events };
  }

  /** Goes on with the one clip that was broken off. */
  async function goOn() {
    await new Promise((done) => setTimeout(done)); // locks are let go
    const [found, ...more] = await listJournals();
    expect(more).toEqual([]);
    return { found: found!, ...(await make({ resume: found!.id })) };
  }

  return { failing, make, goOn };
}
