/** A new edition is agreed to between clips only, whichever tab makes them. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { App } from '../../src/app/app.svelte';
import { en } from '../../src/app/words/en';
import { Locks } from '../helpers/locks';
import { clipOf, memoryStore, MODEL, ScriptedEngine, settle } from './helpers';

/** What the tabs of one browser share. */
let locks: Locks | undefined;
let accepted: number;
beforeEach(() => {
  locks = new Locks();
  accepted = 0;
  const baseURI = 'https://kinora.example/app/?x';
  vi.stubGlobal('document', Object.assign(new EventTarget(), { baseURI }));
  vi.stubGlobal('location', { origin: 'https://kinora.example' });
});
afterEach(() => vi.unstubAllGlobals());

/** A tab that has its model. */
async function open() {
  vi.stubGlobal('navigator', { locks });
  const engine = new ScriptedEngine();
  const parts = { engine, store: memoryStore(), languages: ['en'], hash: '', search: '' };
  const app = new App(parts);
  app.offline.accept = async () => ++accepted > 0;
  app.settings.type('prompt', 'a red boat');
  const started = app.studio.start();
  await settle();
  engine.loading.answer({ ok: true, value: MODEL });
  await started;
  return { app, engine };
}

test('while another tab makes a clip nothing is agreed to, and the person is told why; afterwards it is', async () => {
  const [here, other] = [await open(), await open()];
  void other.app.studio.generate();
  await settle();
  let reloads = 0;
  const accept = () => here.app.acceptUpdate(() => void reloads++);
  await accept();
  expect([accepted, reloads, here.app.toast?.text]).toEqual([0, 0, en.notice.updateElsewhere]);
  other.engine.making.answer({ ok: true, value: clipOf() });
  await settle();
  await accept();
  expect([accepted, reloads]).toEqual([1, 1]);
});

test('two tabs may make a clip at once, and both must be done', async () => {
  const tabs = [await open(), await open(), await open()] as const;
  for (const { app } of tabs.slice(1)) void app.studio.generate();
  await settle();
  tabs[1].engine.making.answer({ ok: false, error: { code: 'cancelled', message: 'stopped' } });
  await settle();
  await tabs[0].app.acceptUpdate(() => {});
  expect(accepted).toBe(0);
  tabs[2].engine.making.answer({ ok: false, error: { code: 'cancelled', message: 'stopped' } });
  await settle();
  await tabs[0].app.acceptUpdate(() => {});
  expect(accepted).toBe(1);
});

test('a tab that makes one does not agree itself; without Web Locks a tab knows of itself', async () => {
  locks = undefined;
  const { app, engine } = await open();
  void app.studio.generate();
  await settle();
  await app.acceptUpdate(() => {});
  expect(accepted).toBe(0);
  engine.making.answer({ ok: false, error: { code: 'cancelled', message: 'stopped' } });
  await settle();
  let reloads = 0;
  await app.acceptUpdate(() => void reloads++);
  expect([accepted, reloads]).toEqual([1, 1]);
});
