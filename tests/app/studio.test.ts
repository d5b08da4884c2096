import { describe, expect, test, vi } from 'vitest';
import { Settings } from '../../src/app/settings.svelte';
import { statusOf } from '../../src/app/status';
import { Studio, type Emit } from '../../src/app/studio.svelte';
import { en } from '../../src/app/words/en';
import { zh } from '../../src/app/words/zh';
import type { Clip, GenerateEvent, JournalInfo } from '../../src/worker/protocol/clip';
import type { EngineError } from '../../src/worker/protocol/result';
import { clipOf, memoryStore, MODEL, Paper, ScriptedEngine, settle } from './helpers';

function make() {
  const engine = new ScriptedEngine();
  const settings = new Settings(memoryStore(), () => 5);
  settings.type('prompt', 'a red boat');
  const told: [string, unknown][] = [];
  const emit: Emit = (name, detail) => void told.push([name, detail]);
  const clips: Clip[] = [];
  const studio = new Studio({
    engine,
    settings,
    emit,
    model: 'models/pocket/',
    onClip: async (clip) => (clips.push(clip), clip.mp4),
    toPictures: ({ frames }) => Array.from({ length: frames }, () => new Paper().picture),
  });
  return { engine, settings, studio, told, clips, names: () => told.map(([name]) => name) };
}

async function makeReady() {
  const it = make();
  const started = it.studio.start();
  await settle();
  it.engine.loading.answer({ ok: true, value: MODEL });
  await started;
  return it;
}

const progress = (block: number, step: number): GenerateEvent => ({
  type: 'progress',
  stage: 'denoise',
  ...{ block, blocks: 2, step, steps: 4, fraction: (block * 4 + step) / 8, secondsLeft: 12, realTime: null },
});
const preview = (block: number): GenerateEvent => ({
  type: 'preview',
  ...{ block, step: 0, frames: 3, width: 12, height: 8, rgba: new Uint8ClampedArray(3 * 12 * 8 * 4) },
});
const frames = (block: number, firstFrame: number, papers: Paper[]): GenerateEvent => ({
  type: 'frames',
  ...{ block, firstFrame, fps: 16, bitmaps: papers.map((paper) => paper.picture) },
});

describe('starting', () => {
  test('loads the model and offers what it can do', async () => {
    const { engine, studio, settings, names } = make();
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
    const { engine, studio, told } = make();
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
      const { engine, studio } = make();
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
    const { engine, studio } = make();
    engine.checked = {
      ok: true,
      value: { ...(engine.checked.ok && engine.checked.value), codecs: [] } as never,
    };
    await studio.start();
    expect(studio.missing?.code).toBe('no-encoder');
  });

  test('a clip that waited for the model is made again of all that it is made of', async () => {
    const it = make();
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
    const { engine, studio, told } = make();
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
    const { engine, studio, settings } = make();
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
    const { engine, studio, told } = make();
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
});

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
      const it = make();
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
    const { engine, studio } = make();
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
