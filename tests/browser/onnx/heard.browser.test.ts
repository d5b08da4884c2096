/** Is a message heard while the CPU backend computes? Nothing is held still here, and nothing else makes the engine wait. */
import { expect, test } from 'vitest';
import { makeClip } from '../../../src/pipeline/session';
import type { GenerateEvent } from '../../../src/worker/protocol/clip';
import { hashing, REQUEST } from '../../helpers/make-clip';
import { openTiny } from '../../helpers/tiny-onnx';

/** Makes a clip of five blocks; a message is sent when the second is in its first step, and answered by `hear`. */
async function make(hear: (text: string) => void, ask: { said: () => string | null; stop: () => boolean }) {
  const model = await openTiny();
  const { port1, port2 } = new MessageChannel();
  const events: GenerateEvent[] = [];
  let heardAt: GenerateEvent | undefined;
  port1.onmessage = ({ data }) => {
    heardAt = events.findLast(({ type }) => type === 'preview');
    hear(data as string);
  };
  const made = makeClip(model, { ...REQUEST, width: 48, height: 32, seconds: 3.3, steps: 4 }, {
    emit: (event) => {
      events.push(event);
      if (event.type === 'preview' && event.block === 1 && event.step === 0) port2.postMessage('a storm');
    },
    isCancelled: ask.stop,
    isPaused: () => false,
    steer: ask.said,
    reopen: () => Promise.reject(new Error('none')),
    openOutput: hashing,
  }); // prettier-ignore
  try {
    return { clip: await made.catch((e: unknown) => e), events, at: () => heardAt };
  } finally {
    port1.close();
    model.free();
  }
}

test('what is said in the second block is heard before its next step, and followed from the third on', async () => {
  let said: string | null = null;
  const take = () => {
    const text = said;
    said = null;
    return text;
  };
  const { clip, events, at } = await make((text) => (said = text), { said: take, stop: () => false });
  expect(at()).toMatchObject({ type: 'preview', block: 1, step: 0 });
  expect(events.find(({ type }) => type === 'told')).toMatchObject({ text: 'a storm', block: 2, problem: null });
  expect(clip).toMatchObject({ recipe: { prompt: expect.stringContaining('\n') }, blocks: { length: 5 } });
}, 180_000); // prettier-ignore

test('who presses stop in the second block waits for no other', async () => {
  let stopped = false;
  const { clip, events } = await make(() => (stopped = true), { said: () => null, stop: () => stopped });
  expect(clip).toMatchObject({ code: 'cancelled' });
  const last = events.findLast(({ type }) => type === 'preview');
  expect(last).toMatchObject({ block: 1 });
}, 180_000);
