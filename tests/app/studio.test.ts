import { describe, expect, test, vi } from 'vitest';
import { statusOf } from '../../src/app/status';
import { Studio } from '../../src/app/studio.svelte';
import { en } from '../../src/app/words/en';
import { zh } from '../../src/app/words/zh';
import type { Clip, GenerateEvent, GenerateRequest, JournalInfo } from '../../src/worker/protocol/clip';
import type { EngineError } from '../../src/worker/protocol/result';
import { clipOf, MODEL, Paper, settle } from './helpers';
import { frames, makeReady, makeStudio, preview, progress } from './scripted-studio';

describe('starting', () => {
  test('loads the model and offers what it can do', async () => {
    const { engine, studio, settings, names } = makeStudio();
    void studio.start();
    await settle();
    expect(studio.engine).toBe('loading');
    expect(engine.loading.request).toEqual({ model: 'models/pocket/', backend: 'webgpu' });
    engine.loading.say({ type: 'download', file: 'a', loaded: 12e6, total: 24e6 });
    expect(statusOf(studio, en, 'Pocket')).toMatchObject({
      text: 'Downloading Pocket · 12 MB of 24 MB, once',
      share: 0.4,
    });
    engine.loading.answer({ ok: true, value: { ...MODEL, seconds: { default: 4, max: 30 } } });
    await settle();
    expect(studio.engine).toBe('ready');
    expect(settings.effectiveSeconds).toBe(4);
    expect(names()).toEqual(['kinora:progress', 'kinora:loaded']);
  });

  test.each(['no-webgpu', 'no-adapter', 'no-webcodecs'] as const)('says that %s is missing', async (code) => {
    const { engine, studio, told } = makeStudio();
    engine.checked = { ok: false, error: { code, message: 'not here' } };
    await studio.start(true);
    expect(studio).toMatchObject({ engine: 'missing', phase: 'idle', missing: { code } });
    expect(told).toEqual([['kinora:error', { code, message: 'not here' }]]);
    expect(engine.loading.count).toBe(0);
  });

  test('a download that broke off with the network goes on when the network is back', async () => {
    const page = new EventTarget();
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('navigator', { onLine: false });
    try {
      const { engine, studio } = makeStudio();
      void studio.start();
      await settle();
      engine.loading.answer({ ok: false, error: { code: 'network', message: 'gone' } });
      await settle();
      expect(studio).toMatchObject({ engine: 'unloaded', error: { code: 'network' } });
      page.dispatchEvent(new Event('online'));
      await settle();
      expect([studio.engine, engine.loading.count]).toEqual(['loading', 2]);
      engine.loading.answer({ ok: true, value: MODEL });
      await settle();
      expect(studio).toMatchObject({ engine: 'ready', error: null });
      page.dispatchEvent(new Event('online'));
      expect(engine.loading.count).toBe(2);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('a browser without any encoder cannot make clips either', async () => {
    const { engine, studio } = makeStudio();
    engine.checked = {
      ok: true,
      value: { ...(engine.checked.ok && engine.checked.value), codecs: [] } as never,
    };
    await studio.start();
    expect(studio.missing?.code).toBe('no-encoder');
  });

  test('a clip that waited for the model is made again of all that it is made of', async () => {
    const it = makeStudio();
    let again = 0;
    const { engine, settings } = it;
    const options = { engine, settings, emit: () => {}, model: '', onClip: async (clip: Clip) => clip.mp4, toPictures: () => [] }; // prettier-ignore
    const studio = new Studio({ ...options, again: async () => void again++ });
    const started = studio.start(true);
    await settle();
    engine.loading.answer({ ok: true, value: MODEL });
    await started;
    expect([again, engine.making.count]).toEqual([1, 0]);
  });

  test('a setting that the engine refuses is told at its field, each time', async () => {
    const { engine, settings, studio } = await makeReady();
    const refuse = async (params: Record<string, string | number>) => {
      void studio.generate();
      await settle();
      engine.making.answer({ ok: false, error: { code: 'bad-request', message: 'no', params } });
      await settle();
    };
    await refuse({ field: 'window', found: '2', least: 3, most: 1024 });
    expect(settings.problems).toEqual({ window: { field: 'window', found: '2', least: 3, most: 1024 } });
    expect(studio.error?.message).toBe('no');
    const before = settings.refusals;
    await refuse({ field: 'window', found: '2', least: 3, most: 1024 });
    expect(settings.refusals).toBe(before + 1);
    settings.look('window', null);
    await refuse({ field: 'picture', found: 'x', most: 1 });
    await refuse({ field: 'size', found: '4096 × 4096', needed: 9e9 });
    expect(settings.problems).toEqual({});
  });

  test('a failed download can be tried again', async () => {
    const { engine, studio, told } = makeStudio();
    void studio.start(true);
    await settle();
    engine.loading.answer({ ok: false, error: { code: 'network', message: 'gone' } });
    await settle();
    expect(studio).toMatchObject({ engine: 'unloaded', phase: 'idle', error: { code: 'network' } });
    expect(told.filter(([name]) => name === 'kinora:error')).toHaveLength(1);
    void studio.generate();
    expect(studio).toMatchObject({ engine: 'loading', phase: 'queued', error: null });
    engine.loading.answer({ ok: true, value: MODEL });
    await settle();
    expect(studio.phase).toBe('working');
  });

  test('auto is checked when the model’s limits are known, not before', async () => {
    const { engine, studio, settings } = makeStudio();
    settings.choose({ seconds: 20 });
    void studio.start(true);
    await settle();
    engine.loading.answer({ ok: true, value: { ...MODEL, seconds: { default: 2, max: 60 } } });
    await settle();
    expect(engine.making.request.seconds).toBe(20);
  });
});

describe('generating', () => {
  test('asked for while loading, it waits for the model; cancelled then, nothing is made', async () => {
    const { engine, studio, told } = makeStudio();
    void studio.start();
    await settle();
    await studio.generate();
    expect(studio.phase).toBe('queued');
    await studio.cancel();
    expect(studio.phase).toBe('idle');
    expect(told.at(-1)).toMatchObject(['kinora:error', { code: 'cancelled' }]);
    engine.loading.answer({ ok: true, value: MODEL });
    await settle();
    expect(engine.making.count).toBe(0);
  });

  test('shows guesses, then frames, then the clip, and tells each', async () => {
    const { engine, studio, clips, names } = await makeReady();
    const done = studio.generate();
    expect(studio.phase).toBe('working');
    engine.making.say(progress(0, 1));
    expect(statusOf(studio, en, 'Pocket')).toMatchObject({
      text: 'Block 1 of 2 · step 2 of 4',
      aside: 'about 12 s left',
    });
    expect(studio.work.blocks.map(({ state }) => state)).toEqual(['next', 'next']);
    engine.making.say(preview(0));
    expect(studio.work.blocks.map(({ state }) => state)).toEqual(['now', 'next']);
    const papers = [new Paper('0'), new Paper('1'), new Paper('2')];
    engine.making.say(frames(0, 0, papers.slice(0, 2)));
    engine.making.say(frames(0, 2, papers.slice(2)));
    expect(studio.work.blocks[0]).toMatchObject({ state: 'done', frames: { first: 0, count: 3 } });
    expect(studio.work.blocks[0]?.picture).toBe(papers[0]);
    expect(studio.work.reel?.decoded).toBe(3);
    engine.making.answer({ ok: true, value: clipOf() });
    await done;
    expect(clips).toHaveLength(1);
    expect(names().at(-1)).toBe('kinora:done');
    expect(studio).toMatchObject({ phase: 'idle', ended: 'done' });
    // The reel stays until the film stands in its place.
    expect(papers.some(({ closed }) => closed)).toBe(false);
    studio.work.dropReel();
    expect(papers.every(({ closed }) => closed)).toBe(true);
  });

  test('words that leave something open are completed, but not those of a picture, a remix or what is gone on with', async () => {
    const { studio, engine } = await makeReady({ complete: (prompt, seed) => `${prompt} at sea ${seed}` });
    const asked = async (extra: Partial<GenerateRequest>) => {
      void studio.generate(extra);
      await settle();
      const { request } = engine.making;
      engine.making.answer({ ok: false, error: { code: 'cancelled', message: '' } });
      await settle();
      return request.completed;
    };
    const source = { recipe: { ...clipOf().recipe, completed: 'as it was told' }, latents: new Blob() };
    expect(await asked({})).toBe('a red boat at sea 5');
    expect(await asked({ source: { ...source, use: 'again' } })).toBe('a red boat at sea 5');
    expect(await asked({ source: { ...source, use: 'extend' } })).toBe('as it was told');
    expect(await asked({ source: { ...source, use: 'remix' } })).toBeUndefined();
    expect(await asked({ picture: { width: 16, height: 16, rgba: new Uint8ClampedArray(1024) } })).toBeUndefined(); // prettier-ignore
  });

  test('a second press while one is made does nothing', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    await studio.generate();
    expect(engine.making.count).toBe(1);
  });

  test('settings that will not do are told at once, and the engine is left alone', async () => {
    const { engine, studio, settings, told } = await makeReady();
    settings.type('steps', '99');
    await studio.generate();
    expect(engine.making.count).toBe(0);
    expect(studio.error).toBeNull(); // the field says it
    const [name, error] = told.at(-1) as [string, EngineError];
    expect(name).toBe('kinora:error');
    expect(error).toMatchObject({ code: 'bad-request', params: { field: 'steps' } });
    expect(error.message).toContain('99');
  });

  test('cancel asks the engine once and is no error; the next clip can be made', async () => {
    const { engine, studio, settings } = await makeReady();
    void studio.generate();
    const paper = new Paper();
    engine.making.say(frames(0, 0, [paper]));
    void studio.cancel();
    void studio.cancel();
    expect(studio.phase).toBe('stopping');
    expect(engine.cancels).toBe(1);
    engine.making.answer({ ok: false, error: { code: 'cancelled', message: 'stopped' } });
    await settle();
    expect(studio).toMatchObject({ phase: 'idle', ended: 'cancelled', error: null, work: { reel: null } });
    expect(paper.closed).toBe(true);
    expect(settings.prompt).toBe('a red boat');
    void studio.generate();
    expect(engine.making.count).toBe(2);
  });

  test('frames that come too late are freed', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    const { say } = engine.making;
    engine.making.answer({ ok: false, error: { code: 'cancelled', message: 'stopped' } });
    await settle();
    const late = new Paper();
    say(frames(0, 0, [late]));
    say(progress(1, 1));
    expect(late.closed).toBe(true);
    expect(studio.work).toMatchObject({ reel: null, progress: null, blocks: [] });
  });

  test('a clip that was mended tells its blocks again, from the first, and says what happened', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    const { say } = engine.making;
    const old = new Paper();
    say(progress(1, 3));
    say(frames(0, 0, [old]));
    say({ type: 'recover', reason: 'device-lost', block: 1 });
    expect(old.closed).toBe(true);
    expect(studio.work.recovered).toMatchObject({ reason: 'device-lost', block: 1 });
    expect(studio.work.blocks.every(({ state }) => state === 'next')).toBe(true);
    say(frames(0, 0, [new Paper(), new Paper()]));
    expect(studio.work.reel?.decoded).toBe(2);
    engine.making.answer({ ok: false, error: { code: 'cancelled', message: 'stopped' } });
    await settle();
    void studio.generate();
    expect(studio.work.recovered).toBeNull();
  });

  test('after a device that cannot be had the next press loads anew', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    engine.making.answer({ ok: false, error: { code: 'device-lost', message: 'oh' } });
    await settle();
    expect(studio).toMatchObject({ engine: 'unloaded', error: { code: 'device-lost' } });
    expect(engine.disposals).toBe(1);
    void studio.generate();
    expect(engine.loading.count).toBe(2);
  });

  test('full storage is told once, and costs nothing that is shown', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    const paper = new Paper();
    engine.making.say(frames(0, 0, [paper]));
    engine.making.say({ type: 'full' });
    expect(studio.work.full).toBe(true);
    expect(paper.closed).toBe(false);
    engine.making.answer({ ok: true, value: clipOf() });
    await settle();
    expect(studio.work.full).toBe(true); // the clip is still in memory
    void studio.generate();
    expect(studio.work.full).toBe(false);
  });

  test('a block that was there before is said to be that', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    engine.making.say({ ...progress(1, 0), stage: 'decode', known: true } as GenerateEvent);
    expect(statusOf(studio, en, 'Pocket').text).toBe('Block 2 of 2 is there already · developing its frames');
    expect(statusOf(studio, zh, 'Pocket').text).toContain('已有');
  });

  test('a clip without a journal cannot be paused', async () => {
    const { engine, studio } = await makeReady();
    void studio.generate();
    expect(studio.work.pausable).toBe(false);
    engine.making.say({ type: 'journal', id: 'mine' });
    expect(studio.work.pausable).toBe(true);
  });
});

describe('a clip that was begun with an earlier edition of the model', () => {
  const info: JournalInfo = {
    id: 'mine',
    request: { prompt: 'a red boat', seed: 5, seconds: 2, width: 96, height: 64, steps: 4 },
    ...{ model: 'pocket', edition: '0', backend: 'webgpu', created: '', done: 1, blocks: 4 },
  };

  test('is gone on with in that edition, and the newest is loaded again behind it', async () => {
    const { engine, studio, clips } = await makeReady();
    expect(studio.isOfEarlier(info)).toBe(true);
    void studio.resume(info);
    await settle();
    expect(engine.loading.request).toMatchObject({ model: 'models/pocket/', edition: '0' });
    expect(engine.making.count).toBe(0);
    engine.loading.answer({ ok: true, value: { ...MODEL, edition: '0' } });
    await settle();
    expect(engine.making.request.resume).toBe('mine');
    engine.making.answer({ ok: true, value: clipOf() });
    await settle();
    expect([clips.length, engine.loading.count, engine.loading.request.edition]).toEqual([1, 3, undefined]);
    engine.loading.answer({ ok: true, value: MODEL });
    await settle();
    expect(studio).toMatchObject({ engine: 'ready', phase: 'idle', ended: 'done', error: null });
  });

  test('says why where that edition is gone; the newest is there again', async () => {
    const { engine, studio } = await makeReady();
    void studio.resume(info);
    await settle();
    const error = { code: 'storage', message: 'gone', params: { edition: '0' } } as const;
    engine.loading.answer({ ok: false, error });
    await settle();
    engine.loading.answer({ ok: true, value: MODEL });
    await settle();
    expect(studio).toMatchObject({ engine: 'ready', phase: 'idle', error });
    expect(engine.making.count).toBe(0);
  });

  test('one of the present edition, or of another model, needs no other', async () => {
    const { engine, studio } = await makeReady();
    expect(studio.isOfEarlier({ ...info, edition: '1' })).toBe(false);
    expect(studio.isOfEarlier({ ...info, model: 'wan' })).toBe(false);
    void studio.resume({ ...info, edition: '1' });
    await settle();
    expect([engine.loading.count, engine.making.request.resume]).toEqual([1, 'mine']);
  });
});
