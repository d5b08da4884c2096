import { describe, expect, test, vi } from 'vitest';
import { en } from '../../src/app/words/en';
import { zh } from '../../src/app/words/zh';
import type { JournalInfo } from '../../src/worker/protocol/clip';
import { clipOf, MODEL, Paper, settle } from './helpers';
import { frames, makeReady, makeStudio } from './scripted-studio';

describe('a worker that hangs or dies in the middle of a clip', () => {
  const DEAD = { ok: false, error: { code: 'worker-dead', message: 'it did not answer' } } as const;
  const journal = (id: string, done: number, prompt = 'a red boat'): JournalInfo => ({
    id,
    request: { prompt, seed: 5, seconds: 2, width: 96, height: 64, steps: 4 },
    ...{ model: 'pocket', edition: '1', backend: 'webgpu', created: '', done, blocks: 4 },
  });

  test('is followed by another, which goes on from the journal; a line says so', async () => {
    const { engine, studio, clips } = await makeReady();
    void studio.generate();
    const { say } = engine.making;
    const old = new Paper();
    say({ type: 'journal', id: 'mine' });
    say(frames(0, 0, [old]));
    engine.interrupted = [journal('other', 3), journal('mine', 1, 'a red boat, then night')];
    engine.making.answer(DEAD);
    await settle();
    expect(studio).toMatchObject({ phase: 'working', engine: 'loading', error: null });
    engine.loading.answer({ ok: true, value: MODEL });
    await settle();
    expect(engine.making.count).toBe(2);
    expect(engine.making.request).toMatchObject({ resume: 'mine', prompt: 'a red boat, then night' });
    expect(old.closed).toBe(true);
    expect(studio.work.recovered).toEqual({ type: 'recover', reason: 'worker-dead', block: 1 });
    expect(en.notice.recovered({ reason: 'worker-dead', block: 1 })).toMatch(
      /started anew.*behind its finished block; nothing was lost/,
    );
    const full = { reason: 'out-of-memory', block: 2 } as const;
    expect(en.notice.recovered(full)).toMatch(/less exactly, or fewer of them.*2 finished blocks/);
    expect(en.notice.recovered({ ...full, tiles: 4 })).toMatch(/in 4 tiles.*changes nothing/);
    say(frames(0, 0, [old])); // of the worker that is gone
    expect(studio.work.blocks.every(({ state }) => state === 'next')).toBe(true);
    engine.making.answer({ ok: true, value: clipOf() });
    await settle();
    expect(clips).toHaveLength(1);
    expect(studio).toMatchObject({ phase: 'idle', ended: 'done', error: null });
  });

  test('whose finished blocks cannot be had again: they are made again, the line says so, and what was said is said again', async () => {
    vi.useFakeTimers();
    try {
      const it = makeStudio();
      const { engine, studio } = it;
      void studio.start();
      await vi.advanceTimersByTimeAsync(0);
      engine.loading.answer({ ok: true, value: MODEL });
      await vi.advanceTimersByTimeAsync(0);
      void studio.generate();
      const { say } = engine.making;
      say({ type: 'journal', id: 'mine' });
      say(frames(0, 0, [new Paper()]));
      say(frames(1, 1, [new Paper()]));
      studio.steer('a storm');
      say({ type: 'told', text: 'a storm', block: 1, problem: null });
      engine.making.answer(DEAD);
      await vi.advanceTimersByTimeAsync(0);
      engine.loading.answer({ ok: true, value: MODEL });
      await vi.advanceTimersByTimeAsync(29_000); // the browser may close the files of the dead one still
      expect(engine.making.count).toBe(1);
      await vi.advanceTimersByTimeAsync(2000);
      expect(engine.making.count).toBe(2);
      expect(engine.making.request.resume).toBeUndefined();
      expect(studio.work.recovered).toEqual({ type: 'recover', reason: 'worker-dead', block: 0, again: 2 });
      expect(engine.told).toEqual(['a storm', 'a storm']);
      const line = en.notice.recovered({ reason: 'worker-dead', block: 0, again: 2 });
      expect(line).toContain('2 finished blocks could not be had, so they are made again');
      expect(line).not.toContain('nothing was lost');
      expect(zh.notice.recovered({ reason: 'worker-dead', block: 0, again: 2 })).not.toContain('没有丢失');
    } finally {
      vi.useRealTimers();
    }
  });

  test('of which some blocks were in memory only: those behind the journal are made again', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    engine.making.say({ type: 'journal', id: 'mine' });
    engine.making.say(frames(0, 0, [new Paper()]));
    engine.making.say({ type: 'full' });
    engine.making.say(frames(1, 1, [new Paper()]));
    engine.interrupted = [journal('mine', 1)];
    engine.making.answer(DEAD);
    await settle();
    engine.loading.answer({ ok: true, value: MODEL });
    await settle();
    expect(studio.work.recovered).toMatchObject({ block: 1, again: 1 });
    expect(en.notice.recovered({ reason: 'worker-dead', block: 1, again: 1 })).toMatch(/a finished block could not be had, so it is made again/); // prettier-ignore
  });

  test('before a block is finished, the clip is begun again as it was asked for', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    const { request } = engine.making;
    engine.making.say({ type: 'journal', id: 'mine' });
    engine.interrupted = [journal('other', 3)];
    engine.making.answer(DEAD);
    await settle();
    engine.loading.answer({ ok: true, value: MODEL });
    await settle();
    expect(engine.making.request).toEqual(request);
    expect(studio.work.recovered).toMatchObject({ reason: 'worker-dead', block: 0 });
  });

  test('three times, it is given up with the reason; the next press tries anew', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    for (let i = 0; i < 3; i++) {
      engine.making.answer(DEAD);
      await settle();
      engine.loading.answer({ ok: true, value: MODEL });
      await settle();
    }
    expect(engine.making.count).toBe(3);
    expect(studio).toMatchObject({ phase: 'idle', engine: 'unloaded', error: { code: 'worker-dead' } });
    void studio.generate();
    expect(engine.loading.count).toBe(4);
  });

  test.each([
    ['cancelled', 'cancel', ['mine']],
    ['paused', 'pause', []],
  ] as const)('that was asked to stop: the clip is %s, and not begun again', async (ended, ask, settled) => {
    const { engine, studio, told } = await makeReady();
    void studio.generate();
    engine.making.say({ type: 'journal', id: 'mine' });
    void studio[ask]();
    engine.making.answer(DEAD);
    await settle();
    engine.loading.answer({ ok: true, value: MODEL });
    await settle();
    expect(studio).toMatchObject({ phase: 'idle', engine: 'ready', ended, error: null });
    expect(engine.making.count).toBe(1);
    expect(engine.settled).toEqual(settled);
    expect(told.at(-1)).toMatchObject(['kinora:error', { code: ended }]);
  });

  test('the model is loaded by another in the edition that the clip was begun with', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    engine.making.answer(DEAD);
    await settle();
    expect(engine.loading.request.edition).toBe('1');
    // Nobody has it any more: the clip is begun again with the newest.
    engine.loading.answer({ ok: false, error: { code: 'storage', message: 'gone', params: { edition: '1' } } }); // prettier-ignore
    await settle();
    expect(engine.loading.request.edition).toBeUndefined();
    engine.interrupted = [journal('mine', 1)];
    engine.loading.answer({ ok: true, value: { ...MODEL, edition: '2' } });
    await settle();
    expect([engine.making.count, engine.making.request.resume]).toEqual([2, undefined]);
  });

  test('while nobody waited: the next clip is made without a word', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    engine.making.answer({ ok: false, error: { code: 'not-loaded', message: 'no model' } });
    await settle();
    engine.loading.answer({ ok: true, value: MODEL });
    await settle();
    expect(engine.making.count).toBe(2);
    expect(studio.work.recovered).toBeNull();
  });

  test('while the model is loaded: it is loaded by another', async () => {
    const { engine, studio } = makeStudio();
    void studio.start();
    await settle();
    engine.loading.answer(DEAD);
    await settle();
    expect(studio).toMatchObject({ engine: 'loading', error: null });
    engine.loading.answer({ ok: true, value: MODEL });
    await settle();
    expect(studio.engine).toBe('ready');
  });
});
