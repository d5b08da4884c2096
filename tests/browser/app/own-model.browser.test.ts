/** Picked files in the drawer: what is said while a plan is counted, of files that cannot be read, and how one is left out. */
import { flushSync, mount, tick, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { App } from '../../../src/app/app.svelte';
import type { Size } from '../../../src/worker/protocol/clip';
import type { Finding, MemoryPlan, Recognition } from '../../../src/worker/protocol/files';
import type { EngineError } from '../../../src/worker/protocol/result';
import { Preferences } from '../../../src/app/preferences.svelte';
import { memoryStore, REPORT, ScriptedEngine } from '../../app/helpers';
import { bareApp } from './bare';
import DrawerHarness from './DrawerHarness.svelte';

const finding = (path: string, over: Partial<Finding> = {}): Finding => ({
  ...{ path, bytes: 1e9, part: null, layout: 'ours', types: ['BF16'], parameters: 1e9, sparse: false, used: false, problem: null },
  ...over,
}); // prettier-ignore
const plan = (size: Size, total: number): MemoryPlan => ({
  ...{ size, window: 12, cacheBits: 16, tiles: 1, items: [{ what: 'work', bytes: total }], total, limit: 2.1e9 },
  problem: null,
}); // prettier-ignore
const seen = (findings: Finding[], of: MemoryPlan | null): Recognition => ({
  ...{ findings, missing: [], problems: [], samplings: ['wan', 'rcm'], sampling: 'wan', ready: of !== null, name: 'mine' },
  plan: of,
}); // prettier-ignore
const cut: EngineError = {
  code: 'bad-model',
  message: 'cut.gguf: its header ends at byte 90, but the file has 80. It is cut off, or damaged.',
  params: { file: 'cut.gguf', why: 'file' },
};

/** Files are looked at when the test says so. */
class Looking extends ScriptedEngine {
  answer: ((seen: Recognition) => void)[] = [];
  asked: { files: string[]; size: Size }[] = [];
  recognise = ({ files }: { files: readonly { path: string }[] }, size: Size) => {
    this.asked.push({ files: files.map(({ path }) => path), size });
    return new Promise((done) => this.answer.push((value) => done({ ok: true, value })));
  };
}

let [app, engine, shown] = [null as unknown as App, null as unknown as Looking, {}];
const at = <E extends HTMLElement>(id: string) => document.querySelector<E>(`[data-testid=${id}]`)!;
const answer = async (value: Recognition) => {
  engine.answer.shift()!(value);
  await tick();
  await new Promise((done) => setTimeout(done));
  flushSync();
};

beforeEach(() => {
  engine = new Looking();
  app = bareApp(engine);
  app.studio.report = REPORT;
  shown = mount(DrawerHarness, { target: document.body, props: { app } });
  app.drawer = true;
  flushSync();
});
afterEach(() => unmount(shown));

const file = (path: string) => ({ path, file: new Blob(['x']), changed: 0 });
const good = finding('wan.gguf', { part: 'transformer', used: true, types: ['Q4_1', 'F32'] });

test('while a plan is counted the old one does not stand for it', async () => {
  void app.own.add([file('wan.gguf')]);
  await answer(seen([good], plan({ width: 832, height: 480 }, 5e8)));
  expect(at('own-fits').innerText).toBe('500 MB of the 2.1 GB that can be counted on here.');
  expect(at('own-use').matches(':disabled')).toBe(false);

  void app.own.choose({ size: { width: 448, height: 256 } });
  flushSync();
  expect(at<HTMLSelectElement>('own-size').value).toBe('448 × 256');
  expect(at('own-fits').innerText).toBe('Counting for this choice …');
  expect(at('own-plan').getAttribute('aria-busy')).toBe('true');
  expect(Number(getComputedStyle(at('own-plan').querySelector('dl')!).opacity)).toBeLessThan(0.5);
  expect(at('own-use').matches(':disabled')).toBe(true);

  await answer(seen([good], plan({ width: 448, height: 256 }, 3e8)));
  expect(at('own-fits').innerText).toBe('300 MB of the 2.1 GB that can be counted on here.');
  expect(at('own-plan').getAttribute('aria-busy')).toBe('false');
  expect(getComputedStyle(at('own-plan').querySelector('dl')!).opacity).toBe('1');
  expect(at('own-use').matches(':disabled')).toBe(false);
});

test('how much memory a real GPU has can be said: it is planned anew with it, and kept; a software adapter takes no such word', async () => {
  const select = () => at<HTMLSelectElement>('gpu-memory');
  expect([...select().options].map(({ text }) => text)).toEqual(['not said (1.1 GB)', '4 GB', '6 GB', '8 GB', '12 GB', '16 GB', '24 GB']); // prettier-ignore
  const hint = () => document.getElementById('gpu-memory-hint')!.innerText;
  expect(hint()).toContain('Kinora counts on 1.1 GB');
  void app.own.add([file('wan.gguf')]);
  await answer(seen([good], plan({ width: 832, height: 480 }, 5e8)));
  expect(engine.counted).toBeUndefined();
  const asked = engine.asked.length;
  select().value = '16';
  select().dispatchEvent(new Event('change', { bubbles: true }));
  await answer(seen([good], { ...plan({ width: 832, height: 480 }, 5e8), limit: 2 ** 34 }));
  expect([engine.counted, engine.asked.length]).toEqual([2 ** 34, asked + 1]);
  expect(hint()).toContain('Kinora counts on 17 GB');
  expect(at('own-fits').innerText).toBe('500 MB of the 17 GB that can be counted on here.');
  expect(at('own-plan').innerText).not.toContain('largest buffer');

  const store = memoryStore();
  new Preferences(store, ['en']).choose({ gpuMemory: 16 });
  expect(new Preferences(store, ['en'])).toMatchObject({ gpuMemory: 16, gpuBytes: 2 ** 34 });
  store.write('preferences', { gpuMemory: 1e9 });
  expect(new Preferences(store, ['en']).gpuBytes).toBeUndefined();

  app.studio.report = { ...REPORT, adapter: { ...REPORT.adapter!, isFallback: true } };
  flushSync();
  expect(select()).toBeNull();
  expect(at('own-plan').innerText).toContain('twice the largest buffer that the adapter allows');
});

test('types without kernels are said to be computed with in 8 bits', async () => {
  void app.own.add([file('wan.gguf')]);
  await answer(seen([good], null));
  expect(at('own-findings').innerText).toContain(
    'no kernels for Q4_1: those weights are computed with in 8 bits',
  );
});

test('a transformer of sparse attention is said to attend to everything; of one that is not used nothing is said', async () => {
  void app.own.add([file('fastwan.safetensors')]);
  const said = 'trained with sparse attention. Here it attends to everything';
  await answer(seen([{ ...good, sparse: true }], null));
  expect(at('own-findings').innerText).toContain(said);
  void app.own.choose({ sampling: 'rcm' });
  await answer(seen([{ ...good, sparse: true, used: false }], null));
  expect(at('own-findings').innerText).not.toContain(said);
});

test('a file that cannot be read says so, and each row can be left out', async () => {
  void app.own.add([file('cut.gguf'), file('wan.gguf')]);
  await answer(seen([finding('cut.gguf', { problem: cut, types: [], parameters: 0 }), good], null));
  const rows = [...at('own-findings').querySelectorAll('li')];
  expect(rows).toHaveLength(2);
  expect(rows[0]!.innerText).toContain('This file cannot be read. cut.gguf: its header ends at byte 90');
  expect(rows[0]!.innerText).toMatch(/^A file that cannot be read/);
  expect(rows[0]!.innerText).not.toContain('do not fit together');
  expect(rows.map((row) => row.querySelector<HTMLElement>('button')!.innerText)).toEqual([
    'Leave out',
    'Leave out',
  ]);
  rows[0]!.querySelector('button')!.click();
  await tick();
  expect(engine.asked.at(-1)!.files).toEqual(['wan.gguf']);
  await answer(seen([good], null));
  expect(at('own-findings').querySelectorAll('li')).toHaveLength(1);
});

test('the catalogue tells licence and the GPU that each model wants before it is opened', () => {
  const entry = at<HTMLDetailsElement>('hub-causal-forcing');
  expect(entry.open).toBe(false);
  const brief = entry.querySelector<HTMLElement>('[data-testid=hub-brief]')!;
  expect(brief.checkVisibility()).toBe(true);
  expect(brief.innerText.trim()).toBe('Apache-2.0 · wants 3.8 GB to 8.5 GB of GPU memory');
  expect(at('hub-wan').querySelector<HTMLElement>('[data-testid=hub-brief]')!.innerText).toContain(
    '5.6 GB to 16 GB',
  );
  expect(at('hub-longlive').querySelector<HTMLElement>('[data-testid=hub-brief]')!.innerText).toContain('licence: the hub says it'); // prettier-ignore
});
