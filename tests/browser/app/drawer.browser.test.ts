/** Settings that will not do and stand in the drawer: it opens for them, at the field, as often as they are refused. */
import { flushSync, mount, tick, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import type { App } from '../../../src/app/app.svelte';
import type { TuningAnswer } from '../../../src/worker/protocol/machine';
import { REPORT, ScriptedEngine } from '../../app/helpers';
import { bareApp } from './bare';
import DrawerHarness from './DrawerHarness.svelte';

let [app, shown] = [null as unknown as App, {}];
const at = <E extends HTMLElement>(id: string) => document.querySelector<E>(`[data-testid=${id}]`)!;
const dialog = () => document.querySelector('dialog')!;

beforeEach(() => {
  app = bareApp();
  app.settings.offer = { ...app.settings.offer, sight: { block: 3, window: 12, sink: 0 } };
  app.settings.suggest('a red boat');
  app.studio.report = REPORT;
  shown = mount(DrawerHarness, { target: document.body, props: { app } });
  flushSync();
});
afterEach(() => unmount(shown));

async function refused() {
  expect(app.settings.request()).toBeNull();
  flushSync();
  await tick();
  expect(dialog().open).toBe(true);
}

test('a window that will not do opens the drawer at its field, and again after it was closed', async () => {
  app.settings.look('window', 2);
  flushSync();
  expect(dialog().open).toBe(false);
  await refused();
  expect(document.activeElement).toBe(at('window'));
  expect(at('window').getAttribute('aria-invalid')).toBe('true');
  expect(at('sight-hint').innerText).toMatch(/from 3 to 1024, but it is “2”/);
  await userEvent.keyboard('{Escape}');
  await expect.poll(() => app.drawer).toBe(false);
  await refused();
  expect(document.activeElement).toBe(at('window'));
});

test('window and sink are told beside the field while they are typed', async () => {
  app.drawer = true;
  flushSync();
  for (const [id, typed, says] of [
    ['window', '2', /from 3 to 1024, but it is “2”/],
    ['window', '-3', /but it is “-3”/],
    ['window', '4.5', /but it is “4.5”/],
    ['window', 'e', /whole number of latent frames from 3 to 1024\.$/],
    ['window', '9', /^How many latent frames/],
    ['sink', '7', /from 0 to 6, .*but it is “7”/],
    ['sink', '6', /^How many latent frames/],
  ] as const) {
    await userEvent.clear(at(id));
    await userEvent.type(at(id), typed);
    expect(at('sight-hint').innerText).toMatch(says);
    expect(at(id).getAttribute('aria-invalid')).toBe(String(says).startsWith('/^') ? null : 'true');
    expect(document.activeElement).toBe(at(id));
  }
});

test('of two fields the first is shown, and typing there does not lead to the other', async () => {
  app.settings.look('sink', 99);
  app.settings.type('steps', '0');
  await refused();
  expect(document.activeElement).toBe(at('steps'));
  await userEvent.keyboard('4');
  expect(document.activeElement).toBe(at('steps'));
  expect(app.settings.problems).toHaveProperty('sink');
});

test('what the engine refuses is shown the same way', async () => {
  app.settings.refuse({ field: 'sink', found: '7', least: 0, most: 3 });
  flushSync();
  await tick();
  expect(dialog().open).toBe(true);
  expect(document.activeElement).toBe(at('sink'));
  expect(at('sight-hint').innerText).toMatch(/from 0 to 3, .*but it is “7”/);
});

test('a model whose files are gone leads to where files are picked, as often as it is wanted', async () => {
  app.last.offer = { name: 'mine', download: null, paths: ['a.gguf'], sampling: null, quantize: null, strengths: {}, size: { width: 448, height: 256 }, trying: false }; // prettier-ignore
  for (let i = 0; i < 2; i++) {
    await app.choice.openLast();
    flushSync();
    await tick();
    expect(dialog().open).toBe(true);
    expect(app.last.lost).toBe(true);
    await expect.poll(() => document.activeElement).toBe(at('own-pick'));
    const [part, seen] = [at('own-model').getBoundingClientRect(), dialog().getBoundingClientRect()];
    expect(part.top).toBeGreaterThanOrEqual(seen.top - 1);
    expect(part.top).toBeLessThan(seen.top + seen.height / 3);
    dialog().scrollTop = 0;
    app.drawer = false;
    flushSync();
  }
  // Opened for anything else it begins at its top.
  app.drawer = true;
  flushSync();
  await tick();
  expect(document.activeElement).not.toBe(at('own-pick'));
});

test('how exactly earlier frames are kept is chosen there, with WebGPU', async () => {
  app.drawer = true;
  flushSync();
  const bits = [...at('cache-bits').querySelectorAll('label')];
  expect(bits.map((label) => label.innerText.trim())).toEqual(['as it fits', '16 bit', '8 bit']);
  bits[2]!.click();
  expect(app.settings.request()).toMatchObject({ cacheBits: 8 });
  app.studio.report = { ...REPORT, backend: 'cpu' };
  flushSync();
  expect(at('cache-bits')).toBeNull();
});

test.each([
  ['en', /Shift must be a number from 1 to 100/],
  ['zh', /时间步偏移必须是 1 到 100 的数/],
] as const)(
  'a shift and a guidance that will not do are marked where they are typed (%s)',
  async (language, range) => {
    app.settings.offer = { ...app.settings.offer, guidance: { scale: 5, negative: 'blurry', shift: 5 } };
    app.preferences.choose({ language });
    app.drawer = true;
    flushSync();
    for (const wrong of ['abc', '0.5', '101']) {
      await userEvent.fill(at('shift'), wrong);
      expect(at('shift').getAttribute('aria-invalid'), wrong).toBe('true');
      expect(at('shift-hint').innerText).toMatch(range);
      expect(at('shift-hint').innerText).toContain(wrong);
      await userEvent.fill(at('shift'), '8');
      expect(at('shift').getAttribute('aria-invalid'), 'mended').toBeNull();
    }
    await userEvent.fill(at('guidance'), '0');
    expect(at('guidance').getAttribute('aria-invalid')).toBe('true');
    expect(at('guidance-hint').innerText).toMatch(/1 (to|到) 100/);
    await userEvent.fill(at('guidance'), ''); // the model's own
    expect(at('guidance').getAttribute('aria-invalid')).toBeNull();
    expect(app.settings.refusals).toBe(0);
  },
);

test('base Wan’s shift is chosen where guidance is; one that will not do opens the drawer at its field', async () => {
  app.settings.offer = { ...app.settings.offer, guidance: { scale: 5, negative: 'blurry', shift: 5 } };
  flushSync();
  app.settings.guide('shift', 'far');
  await refused();
  expect(document.activeElement).toBe(at('shift'));
  expect(at('shift').getAttribute('aria-invalid')).toBe('true');
  expect(at('shift-hint').innerText).toMatch(/from 1 to 100, but it is “far”/);
  await userEvent.fill(at('shift'), '3');
  expect(at('shift-hint').innerText).toMatch(/5 where nothing is said/);
  expect(app.settings.request()).toMatchObject({ shift: 3 });
  at('guidance-reset').click();
  flushSync();
  expect(at<HTMLInputElement>('shift').value).toBe('5');
  expect(app.settings.request()).not.toHaveProperty('shift');
});

test('the kernels that were chosen by trial are told, and can be chosen anew', async () => {
  unmount(shown);
  let answers: TuningAnswer[] = [
    { key: 'matmul f16·q8_0→f16 1024×1024×1024', chosen: 'tiled 64', ms: { 'tiled 128': 2, 'tiled 64': 1.234, blocks: null } },
    { key: 'attention f16 12×128 1024 on many keys', chosen: 'tiled 64', ms: { 'tiled 64': 3, rows: 9.5 } },
  ]; // prettier-ignore
  const engine = Object.assign(new ScriptedEngine(), {
    tuning: async () => answers,
    resetTuning: async () => void (answers = []),
  });
  app = bareApp(engine);
  app.studio.report = REPORT;
  shown = mount(DrawerHarness, { target: document.body, props: { app } });
  app.drawer = true;
  flushSync();
  expect(at('tuning')).toBeNull(); // nothing is loaded
  app.studio.engine = 'ready';
  flushSync();
  await expect.poll(() => at('tuning')).not.toBeNull();
  const part = at<HTMLDetailsElement>('tuning');
  expect(part.querySelector('summary')!.innerText).toBe('Kernels chosen by trial: 2');
  part.open = true;
  const [first] = part.querySelectorAll('li');
  expect(first!.innerText).toContain(answers[0]!.key);
  const told = [...first!.querySelectorAll('span')].map((span) => span.innerText.trim());
  expect(told).toEqual(['tiled 128: 2.00 ms', 'tiled 64: 1.23 ms (chosen)', 'blocks: does not work here']);
  expect([...part.querySelectorAll('.chosen')]).toHaveLength(2);

  await userEvent.click(at('reset-tuning'));
  await expect.poll(() => at('tuning')).toBeNull();
  expect(answers).toEqual([]);
});
