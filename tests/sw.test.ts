/**
 * The service worker on a host, a network and caches of paper: what it serves, of which edition, and that several Kinoras
 * on one origin leave each other, and everybody else, alone. That a real browser does so, too, is in tests/e2e.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Order } from '../src/sw';

const ORIGIN = 'https://kinora.example';

/** CacheStorage of the origin: shared by all of its service workers. */
class PaperCaches {
  readonly all = new Map<string, Map<string, Response>>();
  async open(name: string) {
    const kept = this.all.get(name) ?? new Map<string, Response>();
    this.all.set(name, kept);
    return {
      match: async (address: string) => kept.get(address)?.clone(),
      put: async (address: string, response: Response) => void kept.set(address, response),
      keys: async () => [...kept.keys()].map((url) => ({ url })),
    };
  }
  keys = async () => [...this.all.keys()];
  has = async (name: string) => this.all.has(name);
  delete = async (name: string) => this.all.delete(name);
}

type Listener = (event: object) => void;

let caches: PaperCaches;
/** The host's files by address; null: it cannot be reached. */
let host: Map<string, string> | null;

beforeEach(() => {
  caches = new PaperCaches();
  host = new Map();
  vi.stubGlobal('caches', caches);
  vi.stubGlobal('fetch', async (what: string | { url: string }) => {
    const text = host?.get(typeof what === 'string' ? what : what.url);
    if (!host) throw new TypeError('Failed to fetch');
    return new Response(text ?? 'not here', { status: text === undefined ? 404 : 200 });
  });
});
afterEach(() => vi.unstubAllGlobals());

/** One deployment: a folder of the origin, and the build that is published there. */
class Deployment {
  #listeners = new Map<string, Listener>();
  #scope: object = {};
  constructor(readonly folder: string) {}

  /** Publishes a build whose every file says its name and this edition. */
  publish(edition: string): void {
    for (const name of [
      'index.html',
      'assets/index-1.js',
      'models/pocket/model.json',
      'models/own/model.json',
      `assets/ort-${edition}.wasm`,
    ])
      host!.set(ORIGIN + this.folder + name, `${name} of ${edition}`);
  }

  /** The browser fetches sw.js, and runs it. */
  async install(edition: string): Promise<void> {
    this.publish(edition);
    this.#listeners = new Map();
    this.#scope = {
      __WB_MANIFEST: [
        { url: 'index.html', revision: edition },
        { url: 'models/pocket/model.json', revision: edition },
        { url: 'assets/index-1.js', revision: null },
        { url: `assets/ort-${edition}.wasm`, revision: null },
      ],
      registration: { scope: ORIGIN + this.folder },
      clients: { claim: async () => {} },
      skipWaiting: async () => {},
      addEventListener: (name: string, listener: Listener) => this.#listeners.set(name, listener),
    };
    this.#enter();
    vi.resetModules();
    await import('../src/sw');
    await this.#fire('install');
    await this.#fire('activate');
  }

  /** Each service worker has a global of its own; here they take turns. */
  #enter = () => vi.stubGlobal('self', this.#scope);

  async #fire(name: string, event: object = {}): Promise<void> {
    this.#enter();
    const waits: Promise<unknown>[] = [];
    this.#listeners.get(name)!({ ...event, waitUntil: (work: Promise<unknown>) => waits.push(work) });
    await Promise.all(waits);
  }

  /** What the page gets for a file of the folder; null where the service worker keeps out of it. */
  async get(
    name: string,
    { mode = 'cors', range }: { mode?: string; range?: string } = {},
  ): Promise<Response | null> {
    this.#enter();
    let answer: Promise<Response> | null = null;
    const headers = new Headers(range ? { Range: range } : {});
    const request = { url: ORIGIN + this.folder + name, method: 'GET', mode, headers };
    this.#listeners.get('fetch')!({
      request,
      respondWith: (response: Promise<Response>) => (answer = response),
    });
    return answer;
  }
  text = async (name: string, how = {}) => (await this.get(name, how))?.text();

  async tell(order: Order): Promise<unknown> {
    let said: unknown;
    await this.#fire('message', { data: order, ports: [{ postMessage: (data: unknown) => (said = data) }] });
    return (said as { value: unknown }).value;
  }
}

test('with the host gone, the page and what its model is are here', async () => {
  const pages = new Deployment('/a/');
  await pages.install('1');
  host = null;
  expect(await pages.text('', { mode: 'navigate' })).toBe('index.html of 1');
  expect(await pages.text('models/pocket/model.json')).toBe('models/pocket/model.json of 1');
  const { headers } = (await pages.get('', { mode: 'navigate' }))!;
  expect(headers.get('Cross-Origin-Embedder-Policy')).toBe('require-corp');
  expect(headers.get('Content-Security-Policy')).toContain("frame-ancestors 'none'");
  expect(await pages.get('models/pocket/transformer.gguf')).toBeNull(); // weights have their own store
});

test('a new edition of page and model waits until the person agrees, however often the browser starts anew', async () => {
  const pages = new Deployment('/a/');
  await pages.install('1');
  for (let starts = 0; starts < 2; starts++) {
    await pages.install('2');
    expect(await pages.tell({ order: 'versions' })).toMatchObject({ agreed: expect.any(String) });
    expect(await pages.text('', { mode: 'navigate' })).toBe('index.html of 1');
    expect(await pages.text('models/pocket/model.json')).toBe('models/pocket/model.json of 1');
  }
  const { agreed, newest } = (await pages.tell({ order: 'versions' })) as Record<string, string>;
  expect(agreed).not.toBe(newest);
  await pages.tell({ order: 'update' });
  expect(await pages.text('', { mode: 'navigate' })).toBe('index.html of 2');
  expect(await pages.text('models/pocket/model.json')).toBe('models/pocket/model.json of 2');
});

test('the CPU backend’s libraries of the edition that is agreed to are kept as they are used, while a newer one waits', async () => {
  const pages = new Deployment('/a/');
  await pages.install('1');
  await pages.install('2');
  const keep = () => pages.tell({ order: 'keep', files: [], runtime: true });
  expect(await keep()).toBe(false); // nothing says that everything is here
  expect(await pages.text('assets/ort-1.wasm')).toBe('assets/ort-1.wasm of 1');
  expect(await keep()).toBe(true);
  host = null;
  expect(await pages.text('assets/ort-1.wasm')).toBe('assets/ort-1.wasm of 1');
});

test('a model that was put beside the build is asked for anew, and kept for when the host is gone', async () => {
  const pages = new Deployment('/a/');
  await pages.install('1');
  await pages.tell({
    order: 'keep',
    files: ['models/own/model.json', 'models/pocket/model.json'],
    runtime: false,
  });
  pages.publish('2');
  expect(await pages.text('models/own/model.json')).toBe('models/own/model.json of 2');
  expect(await pages.text('models/pocket/model.json')).toBe('models/pocket/model.json of 1'); // the build's
  host = null;
  expect(await pages.text('models/own/model.json')).toBe('models/own/model.json of 1');
});

test('a part of a kept file, as players ask for it', async () => {
  const pages = new Deployment('/a/');
  await pages.install('1');
  const part = (await pages.get('assets/index-1.js', { range: 'bytes=7-11' }))!;
  expect([part.status, part.headers.get('Content-Range'), await part.text()]).toEqual([
    206,
    'bytes 7-11/22',
    'index',
  ]);
  expect((await pages.get('assets/index-1.js', { range: 'bytes=99-' }))!.status).toBe(416);
});

test('several Kinoras on one origin, and other people’s pages there, keep what is theirs', async () => {
  caches.all.set('workbox-precache-of-somebody-else', new Map());
  const [a, b, c] = ['/a/', '/b/', '/c/'].map((folder) => new Deployment(folder)) as [Deployment, Deployment, Deployment]; // prettier-ignore
  await a.install('1');
  await b.install('2');
  await c.install('3');
  for (const edition of ['4', '5', '6']) {
    await c.install(edition);
    await c.tell({ order: 'update' });
  }
  host = null;
  expect(await c.text('', { mode: 'navigate' })).toBe('index.html of 6');
  expect(await b.text('', { mode: 'navigate' })).toBe('index.html of 2');
  expect(await a.text('', { mode: 'navigate' })).toBe('index.html of 1');
  expect(await caches.keys()).toContain('workbox-precache-of-somebody-else');
  // Of its own it keeps the one that is served, and the one before, which another tab may run still.
  expect((await caches.keys()).filter((name) => name.includes('/c/'))).toHaveLength(2);
});
