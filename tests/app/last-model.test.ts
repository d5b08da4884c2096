/** The model that was used last, when the page is opened again. */
import { beforeEach, describe, expect, test } from 'vitest';
import { App } from '../../src/app/app.svelte';
import { knowHandle, type HandleStore, type KeptFile } from '../../src/app/handles';
import type { Shelved } from '../../src/app/shelf.svelte';
import type { Size } from '../../src/worker/protocol/clip';
import type { OpenedFiles, PickedFile, Recognition } from '../../src/worker/protocol/files';
import type { Download } from '../../src/worker/protocol/hub';
import type { CheckReport } from '../../src/worker/protocol/machine';
import type { Result } from '../../src/worker/protocol/result';
import { memoryStore, MODEL, REPORT, ScriptedEngine, settle } from './helpers';

const SIZE = { width: 448, height: 256 };
const ORDER = { id: 'longlive', name: 'LongLive', sampling: 'longlive', license: '', hub: '', files: [] };

/** An engine that knows files, and has a download. */
class Engine extends ScriptedEngine {
  downloaded: PickedFile[] | null = [{ path: 'a/b/c.gguf', file: new Blob(['abc']), changed: 1 }];
  problem = false;
  recognised: OpenedFiles[] = [];
  recognise = async (opened: OpenedFiles, size: Size): Promise<Result<Recognition>> => {
    this.recognised.push(opened);
    const plan = { size, window: 12, cacheBits: 16 as const, tiles: 1, items: [], total: 1, limit: 1, problem: this.problem ? { code: 'out-of-memory' as const, message: '' } : null }; // prettier-ignore
    return { ok: true, value: { findings: [], missing: [], problems: [], samplings: ['longlive'], sampling: 'longlive', ready: true, name: 'mine', plan } }; // prettier-ignore
  };
  downloads = async (): Promise<Result<Download[]>> => ({ ok: true, value: this.downloaded ? [{ order: ORDER, loaded: 3, total: 3, whole: true }] : [] }); // prettier-ignore
  openDownload = async (): Promise<Result<PickedFile[]>> =>
    this.downloaded ? { ok: true, value: this.downloaded } : { ok: false, error: { code: 'no-model', message: '' } }; // prettier-ignore
  models = async () => ({ ok: true as const, value: [] });
}

/** What IndexedDB does, without it. */
class Handles implements HandleStore {
  kept: readonly KeptFile[] = [];
  read = async () => this.kept;
  write = async (files: readonly KeptFile[]) => void (this.kept = files);
}

/** A handle of a file, which can be read once the person gave leave in answer to a press. */
function handleOf(name: string, leave: { state: PermissionState; asked: number }): FileSystemFileHandle {
  return {
    kind: 'file',
    name,
    getFile: async () => new File(['abc'], name, { lastModified: 5 }),
    queryPermission: async () => leave.state,
    requestPermission: async () => (leave.asked++, (leave.state = 'granted')),
  } as unknown as FileSystemFileHandle;
}

const store = memoryStore();
let handles: Handles;
let engine: Engine;
beforeEach(() => {
  for (const key of Object.keys(store.values)) delete store.values[key];
  handles = new Handles();
});

/** The page, opened anew; the store is that of before. */
function open(hash = '') {
  engine = new Engine();
  const openShelf = async () => { throw new Error('no shelf'); }; // prettier-ignore
  const app = new App({ engine, store, handles, languages: ['en'], hash, search: '', openShelf: openShelf as () => Promise<Shelved> }); // prettier-ignore
  return app;
}

async function begin(app: App) {
  void app.studio.start();
  for (let i = 0; i < 20 && engine.loading.count === 0; i++) await settle();
}

/** Answers the load that is under way. */
async function loaded() {
  engine.loading.answer({ ok: true, value: { ...MODEL, name: 'mine' } });
  for (let i = 0; i < 20; i++) await settle();
}

const asked = () => (engine.loading.request as { opened?: OpenedFiles }).opened;

async function useDownload() {
  const app = open();
  void begin(app);
  for (let i = 0; i < 20 && engine.loading.count === 0; i++) await settle();
  await loaded();
  await app.downloads.refresh();
  app.own.size = SIZE;
  await app.choice.useDownload('longlive');
  for (let i = 0; i < 20 && engine.loading.count === 1; i++) await settle();
  return app;
}

describe('a download', () => {
  test('is opened again by itself, as it was used', async () => {
    const first = await useDownload();
    expect(asked()).toMatchObject({ name: 'LongLive', sampling: 'longlive', quantize: 'q8_0' });
    await loaded();
    expect(first.last.read()).toMatchObject({ download: 'longlive', trying: false, size: SIZE });

    const again = open();
    void begin(again);
    for (let i = 0; i < 20 && engine.loading.count === 0; i++) await settle();
    expect(asked()).toMatchObject({ name: 'LongLive', sampling: 'longlive', quantize: 'q8_0' });
    expect(asked()!.files.map(({ path }) => path)).toEqual(['a/b/c.gguf']);
    expect(again.last.read()!.trying).toBe(true);
    await loaded();
    expect(again.studio.opened).not.toBeNull();
    expect(again.last.read()!.trying).toBe(false);
    expect(again.last.offer).toBeNull();
  });

  test('is offered, not opened, where the last try did not come to an end', async () => {
    await useDownload(); // and the tab dies
    const again = open();
    void begin(again);
    for (let i = 0; i < 20 && engine.loading.count === 0; i++) await settle();
    expect(asked()).toBeUndefined();
    expect(again.last.offer).toMatchObject({ name: 'LongLive', trying: true });
    await loaded();
    void again.choice.openLast();
    for (let i = 0; i < 20 && engine.loading.count === 1; i++) await settle();
    expect(asked()).toMatchObject({ name: 'LongLive' });
    expect(again.last.offer).toBeNull();
  });

  test('that was deleted is forgotten, and the page’s own model loaded', async () => {
    await useDownload();
    await loaded();
    const again = open();
    engine.downloaded = null;
    void begin(again);
    for (let i = 0; i < 20 && engine.loading.count === 0; i++) await settle();
    expect([asked(), again.last.offer, again.last.read()]).toEqual([undefined, null, null]);
  });

  const CPU: Result<CheckReport> = { ok: true, value: { ...REPORT, backend: 'cpu' } };
  const GPU: Result<CheckReport> = { ok: true, value: REPORT };
  test.each([
    ['the CPU computes', CPU, ''],
    ['the address names another', GPU, '#model=other'],
  ] as const)('is left alone where %s', async (_, checked, hash) => {
    await useDownload();
    await loaded();
    const again = open(hash);
    engine.checked = checked;
    void begin(again);
    for (let i = 0; i < 20 && engine.loading.count === 0; i++) await settle();
    expect(asked()).toBeUndefined();
    expect(again.last.read()).not.toBeNull();
  });

  test('is not opened again once the person went back', async () => {
    const first = await useDownload();
    await loaded();
    void first.choice.use(null);
    for (let i = 0; i < 20 && engine.loading.count === 2; i++) await settle();
    expect(first.last.read()).toBeNull();
  });
});

describe('files from the disk', () => {
  /** Uses a file, at an earlier visit. */
  async function earlier(leave: { state: PermissionState; asked: number } | null) {
    const app = open();
    void begin(app);
    for (let i = 0; i < 20 && engine.loading.count === 0; i++) await settle();
    await loaded();
    const file = new File(['abc'], 'wan.gguf', { lastModified: 5 });
    if (leave) knowHandle(file, handleOf('wan.gguf', leave));
    await app.own.add([{ path: 'wan.gguf', file, changed: 5 }]);
    void app.choice.use(app.own.opened);
    for (let i = 0; i < 20 && engine.loading.count === 1; i++) await settle();
    await loaded();
    const again = open();
    void begin(again);
    for (let i = 0; i < 20 && engine.loading.count === 0; i++) await settle();
    return again;
  }

  test('are opened again by themselves where the browser still lets them be read', async () => {
    const leave = { state: 'granted' as PermissionState, asked: 0 };
    await earlier(leave);
    expect(asked()!.files).toMatchObject([{ path: 'wan.gguf', changed: 5 }]);
    expect(leave.asked).toBe(0);
  });

  test('are offered where it wants the person’s leave, and opened when it is given', async () => {
    const leave = { state: 'prompt' as PermissionState, asked: 0 };
    const again = await earlier(leave);
    expect(asked()).toBeUndefined();
    expect(leave.asked).toBe(0); // only in answer to a press
    expect(again.last.offer).toMatchObject({ name: 'mine', download: null, trying: false });
    await loaded();
    void again.choice.openLast();
    for (let i = 0; i < 20 && engine.loading.count === 1; i++) await settle();
    expect(leave.asked).toBe(1);
    expect(asked()!.files).toMatchObject([{ path: 'wan.gguf' }]);
  });

  test('that no browser keeps open are named, to be picked again', async () => {
    const again = await earlier(null);
    expect(again.last.offer).toMatchObject({ paths: ['wan.gguf'] });
    await loaded();
    await again.choice.openLast();
    expect([again.drawer, again.last.lost]).toEqual([true, true]);
    expect(engine.loading.count).toBe(1);
  });
});

test('what cannot be understood is as if it were not there', () => {
  for (const value of [
    7,
    'x',
    {},
    { paths: [1] },
    { paths: [], quantize: 'q9', size: SIZE },
    { paths: [] },
  ]) {
    store.values['last-model'] = value;
    expect(open().last.read()).toBeNull();
  }
});

test('strengths that the page cannot give are left out: with them no model would open again', () => {
  const strengths = {
    'a.safetensors': -2,
    'b.safetensors': 2.05,
    'c.safetensors': 1e9,
    'd.safetensors': 'x',
  };
  store.values['last-model'] = { paths: [], size: SIZE, strengths };
  expect(open().last.read()!.strengths).toEqual({ 'a.safetensors': -2 });
});
