/** A worker that hangs: played by one that answers what it is told to. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EngineClient } from '../../src/worker/client';
import { HubClient } from '../../src/worker/hub';
import type { HubOrder } from '../../src/worker/protocol/hub';

const REQUEST = { prompt: 'x', seed: 1, seconds: 1, width: 96, height: 64, steps: 1 };
const PATIENCE = { tick: 10, unanswered: 3, stopping: 1, withoutEvent: 200 };

class Puppet extends EventTarget {
  static all: Puppet[] = [];
  ended = false;
  /** Names of methods that are answered. */
  answers = new Set<string>();
  asked: string[] = [];
  onerror: unknown;
  onmessageerror: unknown;

  constructor() {
    super();
    Puppet.all.push(this);
  }
  postMessage({ id, path = [] }: { id: string; path?: string[] }) {
    const name = path.join('.');
    this.asked.push(name);
    if (!this.answers.has(name)) return;
    const value = { type: 'RAW', value: name === 'generate' ? { ok: true, value: 'a clip' } : undefined };
    queueMicrotask(() => this.dispatchEvent(new MessageEvent('message', { data: { id, ...value } })));
  }
  start() {}
  terminate() {
    this.ended = true;
  }
}

beforeEach(() => {
  Puppet.all = [];
  vi.stubGlobal('Worker', Puppet);
  vi.stubGlobal('document', { baseURI: 'https://kinora.example/' });
  vi.stubGlobal('location', { origin: 'https://kinora.example' });
});
afterEach(() => vi.unstubAllGlobals());

/** A worker is begun when it is known what policy it comes with. */
const begun = (count = 1) => vi.waitFor(() => expect(Puppet.all).toHaveLength(count), { interval: 1 });

test('a worker that answers nothing is ended, and the caller is told', async () => {
  const client = new EngineClient(null, PATIENCE);
  const made = await client.generate(REQUEST, () => {});
  expect(made).toMatchObject({
    ok: false,
    error: { code: 'worker-dead', detail: 'it did not answer for 0.03 s' },
  });
  expect(Puppet.all[0]!.ended).toBe(true);
});

test('what is said of the GPU’s memory is told to every worker before anything else, and begins none', async () => {
  const client = new EngineClient(null, { ...PATIENCE, unanswered: 1000 });
  const asked = (i: number) => Puppet.all[i]!.asked.filter((name) => name !== 'ping');
  client.countOn(2 ** 34);
  expect(Puppet.all).toHaveLength(0);
  void client.load({ model: 'models/pocket/' }, () => {});
  await begun();
  await vi.waitFor(() => expect(asked(0)).toEqual(['countOn', 'load']));
  Puppet.all[0]!.answers.add('dispose');
  await client.dispose();
  void client.load({ model: 'models/pocket/' }, () => {});
  await begun(2);
  await vi.waitFor(() => expect(asked(1)).toEqual(['countOn', 'load']));
  client.countOn(undefined);
  expect(asked(1)).toEqual(['countOn', 'load', 'countOn']);
  Puppet.all[1]!.answers.add('dispose');
  await client.dispose();
});

test('one that answers questions but does nothing is ended later', async () => {
  const client = new EngineClient(null, PATIENCE);
  const making = client.generate(REQUEST, () => {});
  await begun();
  Puppet.all[0]!.answers.add('ping');
  expect(await making).toMatchObject({ ok: false, error: { detail: 'nothing happened for 0.2 s' } });
});

test('one that is asked to stop has less time to answer', async () => {
  const client = new EngineClient(null, { ...PATIENCE, unanswered: 1000 });
  const making = client.generate(REQUEST, () => {});
  void client.cancel();
  expect(await making).toMatchObject({ ok: false, error: { detail: 'it did not answer for 0.01 s' } });
});

test('a worker that hangs while it loads a model is ended, too; one that only takes long is not', async () => {
  const client = new EngineClient(null, PATIENCE);
  const loading = client.load({ model: 'models/pocket/' }, () => {});
  expect(await loading).toMatchObject({ ok: false, error: { code: 'worker-dead' } });
  const patient = client.load({ model: 'models/pocket/' }, () => {});
  await begun(2);
  Puppet.all[1]!.answers.add('ping');
  expect(await Promise.race([patient, new Promise((done) => setTimeout(() => done('waits'), 400))])).toBe(
    'waits',
  );
  await client.dispose();
  expect(await patient).toMatchObject({ ok: false });
});

test('a worker that hangs while it looks at the browser, or tidies up, is ended', async () => {
  const client = new EngineClient(null, PATIENCE);
  expect(await client.check()).toMatchObject({ ok: false, error: { code: 'worker-dead' } });
  await client.settle('a-1'); // resolves: the clip is kept, and must not wait for this
  expect(Puppet.all.map(({ ended }) => ended)).toEqual([true, true]);
});

test('a download whose worker does not hear that it shall pause is ended, and can be gone on with', async () => {
  const hub = new HubClient(null, 50);
  const order = { id: 'wan', files: [] } as unknown as HubOrder;
  const fetched = hub.fetch(order, () => {});
  await hub.pause();
  expect(await fetched).toMatchObject({ ok: false, error: { code: 'cancelled' } });
  expect(Puppet.all[0]!.ended).toBe(true);
  void hub.fetch(order, () => {});
  await begun(2);
});

test('a worker that was ended before it had begun is not left behind; two calls begin one', async () => {
  const client = new EngineClient(null, PATIENCE);
  const calls = [client.journals(), client.models()];
  await client.dispose();
  for (const call of calls) expect(await call).toMatchObject({ ok: false, error: { code: 'worker-dead' } });
  await begun();
  expect(Puppet.all[0]!.ended).toBe(true);
});

test('an answer that the page has done with is let go, while the worker lives on', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const answers: WeakRef<object>[] = [];
  class Telling extends Puppet {
    override postMessage({ id }: { id: string }) {
      const value = { ok: true, value: ['a clip'] };
      answers.push(new WeakRef(value));
      queueMicrotask(() =>
        this.dispatchEvent(new MessageEvent('message', { data: { id, type: 'RAW', value } })),
      );
    }
  }
  vi.stubGlobal('Worker', Telling);
  const client = new EngineClient(null, PATIENCE);
  for (let i = 0; i < 5; i++) expect(await client.journals()).toMatchObject({ ok: true });
  await new Promise((done) => setTimeout(done, 20));
  collect();
  // The last one may still be on its way out.
  expect(answers.slice(0, 4).map((answer) => answer.deref())).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(Puppet.all[0]!.ended).toBe(false);
});

test('the next call gets another worker', async () => {
  const client = new EngineClient(null, PATIENCE);
  expect(await client.generate(REQUEST, () => {})).toMatchObject({ ok: false });
  vi.stubGlobal('Worker', class extends Puppet { override answers = new Set(['ping', 'generate']); }); // prettier-ignore
  expect(await client.generate(REQUEST, () => {})).toEqual({ ok: true, value: 'a clip' });
  expect(Puppet.all.map(({ ended }) => ended)).toEqual([true, false]);
});
