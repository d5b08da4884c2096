/** When the page may begin its workers: as soon as they get a content policy, and not later than that. */
import { beforeEach, expect, test, vi } from 'vitest';
import { Offline } from '../../src/app/offline.svelte';

/** A browser's service workers, as far as a page sees them. */
class Container extends EventTarget {
  controller: object | null = null;
  readonly ready = new Promise(() => {});
  constructor(readonly registered: () => Promise<object>) {
    super();
  }
  register = () => this.registered();
}
const coming = () => Object.assign(new EventTarget(), { state: 'installing' });
const start = (container: Container): Offline => {
  const offline = new Offline();
  offline.start(container as unknown as ServiceWorkerContainer);
  return offline;
};
/** Whether it lets the page through by now. */
const through = async (offline: Offline, isolated = false) => {
  let done = false;
  void offline.guarded(60_000, isolated).then(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve, 5));
  return done;
};

beforeEach(() => {
  vi.stubGlobal('document', { baseURI: 'https://kinora.example/' });
  vi.stubGlobal('location', { origin: 'https://kinora.example' });
  vi.stubGlobal('navigator', { serviceWorker: { getRegistration: async () => undefined } });
  return () => vi.unstubAllGlobals();
});

test('at a first visit it waits until the service worker has taken the page over', async () => {
  const container = new Container(async () => ({ installing: coming() }));
  const offline = start(container);
  expect(await through(offline)).toBe(false);
  container.dispatchEvent(new Event('controllerchange'));
  expect(await through(offline)).toBe(true);
});

test('it does not wait where the host sets the headers', async () => {
  expect(await through(start(new Container(async () => ({ installing: coming() }))), true)).toBe(true);
});

test.each<[string, () => Container]>([
  ['a later visit', () => Object.assign(new Container(async () => ({ installing: coming() })), { controller: {} })],
  ['a page that was reloaded past the service worker', () => new Container(async () => ({ installing: null, waiting: null, active: {} }))],
  ['a browser that refuses', () => new Container(() => Promise.reject(new DOMException('no', 'SecurityError')))],
])('nor at %s', async (_, container) => expect(await through(start(container()))).toBe(true)); // prettier-ignore

test('nor for one that could not be installed, or for ever', async () => {
  const worker = coming();
  const offline = start(new Container(async () => ({ installing: worker })));
  expect(await through(offline)).toBe(false);
  worker.state = 'redundant';
  worker.dispatchEvent(new Event('statechange'));
  expect(await through(offline)).toBe(true);
  await start(new Container(async () => ({ installing: coming() }))).guarded(5, false);
});
