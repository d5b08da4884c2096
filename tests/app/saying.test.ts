import { describe, expect, test } from 'vitest';
import type { GenerateEvent } from '../../src/worker/protocol/clip';
import type { EngineError } from '../../src/worker/protocol/result';
import { clipOf, MODEL, settle } from './helpers';
import { makeReady, progress } from './scripted-studio';

describe('what happens next, said while a clip is made', () => {
  const told = (text: string, block: number, problem: EngineError | null = null): GenerateEvent => ({ type: 'told', text, block, problem }); // prettier-ignore

  test('waits until the engine takes it up, and tells from which block on', async () => {
    const { engine, studio } = await makeReady();
    expect(studio.steer('too early')).toBe(false);
    void studio.generate();
    expect(studio.steer(' a storm ')).toBe(true);
    expect(studio.saying).toMatchObject({ told: 'a storm', taken: null });
    engine.making.say(told('a storm', 2));
    expect(studio.saying).toMatchObject({ told: '', taken: { text: 'a storm', block: 2 } });
    expect(studio.steer('the sun')).toBe(true);
    expect(studio.steer('the moon')).toBe(true);
    engine.making.say(told('the sun', 3)); // the newer words wait still
    expect(studio.saying.told).toBe('the moon');
    expect(engine.told).toEqual(['a storm', 'the sun', 'the moon']);
  });

  test.each(['', '  ', '[cut]', ' [4s] \n [cut]'])('%j says nothing, and is not sent', async (text) => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    expect(studio.steer(text)).toBe(false);
    expect(engine.told).toEqual([]);
  });

  test('the last block has none behind it that could follow', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    expect(studio.work.lastBlock).toBe(false);
    engine.making.say(progress(0, 0));
    expect(studio.work.lastBlock).toBe(false);
    engine.making.say(progress(1, 0));
    expect(studio.work.lastBlock).toBe(true);
  });

  test('what came too late for the clip stands in the field again, before what was typed meanwhile', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    studio.steer('a storm');
    studio.saying.text = ' and then the sun ';
    expect(studio.saying.late).toBe(false);
    engine.making.answer({ ok: true, value: clipOf() });
    await settle();
    expect(studio).toMatchObject({ ended: 'done', saying: { told: '', text: 'a storm and then the sun', late: true } }); // prettier-ignore
    void studio.generate(); // for the next clip it is not too late
    expect(studio.saying).toMatchObject({ text: 'a storm and then the sun', late: false });
    expect(studio.saying.told).toBe('');
  });

  test.each([
    ['cancelled', 'a storm'],
    ['internal', 'a storm'],
    ['paused', ''], // the engine took it up, for when the clip goes on
  ] as const)('of a clip that ended as %s, %j comes back', async (code, text) => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    studio.steer('a storm');
    engine.making.answer({ ok: false, error: { code, message: '' } });
    await settle();
    expect(studio.saying).toMatchObject({ told: '', text, late: false });
  });

  test('what a worker that died did not come to is told to the next; what it took up is in the journal', async () => {
    const { engine, studio } = await makeReady();
    const dies = async () => {
      engine.making.answer({ ok: false, error: { code: 'worker-dead', message: 'gone' } });
      await settle();
      engine.loading.answer({ ok: true, value: MODEL });
      await settle();
    };
    engine.interrupted = [
      {
        id: 'mine',
        request: { prompt: 'a red boat', seed: 5, seconds: 2, width: 96, height: 64, steps: 4 },
        ...{ model: 'pocket', edition: '1', backend: 'webgpu', created: '', done: 1, blocks: 4 },
      },
    ];
    void studio.generate();
    engine.making.say({ type: 'journal', id: 'mine' });
    studio.steer('a storm');
    engine.making.say(told('a storm', 2));
    await dies();
    engine.making.say({ type: 'journal', id: 'mine' });
    expect(engine.told).toEqual(['a storm']);
    studio.steer('the sun');
    await dies();
    expect(engine.told).toEqual(['a storm', 'the sun', 'the sun']);
  });
});
