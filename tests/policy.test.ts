import { describe, expect, test } from 'vitest';
import { Egress } from '../src/app/egress.svelte';
import {
  DOWNLOAD_POLICY,
  headersFor,
  HUBS,
  isHub,
  readMirror,
  META_POLICY,
  PAGE_POLICY,
  THREAD_POLICY,
  WORKER_POLICY,
} from '../src/policy';
import { Gate } from '../src/requests';

const directives = (policy: string) =>
  new Map(policy.split('; ').map((entry) => [entry.split(' ')[0]!, entry.split(' ').slice(1)] as const));

test.each([
  ['page', PAGE_POLICY],
  ['worker', WORKER_POLICY],
  ['meta', META_POLICY],
])('the policy of the %s lets nothing in or out but the page’s own origin', (_, policy) => {
  expect(directives(policy).get('default-src')).toEqual(["'self'"]);
  expect(directives(policy).get('connect-src')).toEqual(["'self'"]);
  for (const [name, sources] of directives(policy)) {
    if (name === 'trusted-types' || name === 'require-trusted-types-for') continue;
    for (const source of sources)
      expect(["'self'", "'none'", 'blob:', 'data:', "'wasm-unsafe-eval'"], name).toContain(source);
    // Of a <meta>, workers may begin as blobs: they inherit it (src/worker/begin.ts).
    const blobs = policy === META_POLICY && name === 'worker-src' ? ['blob:'] : [];
    if (/^(script|worker|default|connect)-src/.test(name))
      expect(sources.filter((s) => s === 'blob:' || s === 'data:'), name).toEqual(blobs); // prettier-ignore
  }
});

test('WebAssembly is for workers, and for what they may have to inherit; a <meta> has no directive that it cannot have', () => {
  expect(PAGE_POLICY).not.toContain('unsafe');
  expect(WORKER_POLICY).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(directives(META_POLICY).get('script-src')).toEqual(directives(WORKER_POLICY).get('script-src'));
  expect(META_POLICY).not.toContain('frame-ancestors');
  expect(PAGE_POLICY).toContain("frame-ancestors 'none'");
});

test('headers by path', () => {
  expect(headersFor('/x/')['Content-Security-Policy']).toBe(PAGE_POLICY);
  expect(headersFor('/x/assets/engine.worker-1.js')['Content-Security-Policy']).toBe(WORKER_POLICY);
  expect(headersFor('/x/assets/ort.mjs')).toMatchObject({ 'Cross-Origin-Embedder-Policy': 'require-corp' });
});

test('threads of onnxruntime-web may ask nobody for anything', () => {
  const path = '/x/assets/ort-wasm-simd-threaded-qyIweqWS.mjs';
  expect(headersFor(path)['Content-Security-Policy']).toBe(THREAD_POLICY);
  expect(directives(THREAD_POLICY).get('connect-src')).toEqual(["'none'"]);
  expect(headersFor('/x/assets/ort.wasm.bundle.min-1.js')['Content-Security-Policy']).toBe(WORKER_POLICY);
});

test('hubs are for one worker, and let nothing in from there but what is fetched', () => {
  expect(headersFor('/x/assets/hub.worker-B1x_y.js')['Content-Security-Policy']).toBe(DOWNLOAD_POLICY);
  for (const path of [
    '/assets/hub.worker-1.css',
    '/hub.worker.js/',
    '/assets/nohub.worker-1.js',
    '/assets/engine.worker-1.js',
  ])
    // prettier-ignore
    expect(headersFor(path)['Content-Security-Policy'], path).not.toBe(DOWNLOAD_POLICY);
  const rules = directives(DOWNLOAD_POLICY);
  for (const { origin, stores } of HUBS)
    for (const source of [origin, ...stores]) expect(rules.get('connect-src')).toContain(source);
  for (const [name, sources] of rules) if (name !== 'connect-src') expect(sources.join(), name).toMatch(/^'(self|none)'$/); // prettier-ignore
  for (const source of rules.get('connect-src')!.slice(1))
    expect(source).toMatch(/^https:\/\/(\*\.)?[\w-]+(\.[\w-]+)+$/);
});

test.each([
  ['https://huggingface.co', true],
  ['https://hf-mirror.com', true],
  ['http://huggingface.co', false],
  ['https://huggingface.co/', false],
  ['https://huggingface.co:8443', false],
  ['https://huggingface.co.evil.example', false],
  ['javascript:alert(1)', false],
  ['', false],
])('%s is a hub: %s', (address, is) => expect(isHub(address)).toBe(is));

describe('a mirror that a person types', () => {
  const OWN = 'https://own.example';
  test.each([
    ['https://hf-mirror.com', 'https://hf-mirror.com'],
    [' hf-mirror.com/ ', 'https://hf-mirror.com'],
    ['HTTPS://HuggingFace.co', 'https://huggingface.co'],
    ['/hub', 'https://own.example/hub/'],
    ['/', 'https://own.example/'],
    ['//mirror.example/', 'https://own.example//mirror.example/'], // a folder of that name
    ['own.example/a/b//', 'https://own.example/a/b/'],
    ['https://own.example', 'https://own.example/'],
  ])('%s is %s', (typed, hub) => {
    expect(readMirror(typed, OWN)).toEqual({ hub });
    expect(isHub(hub, OWN)).toBe(true);
  });

  test('the page’s own host may be http where the page is', () => {
    expect(readMirror('localhost:4173/hub', 'http://localhost:4173')).toEqual({ hub: 'http://localhost:4173/hub/' }); // prettier-ignore
    expect(isHub('http://localhost:4173/hub/', 'http://localhost:4173')).toBe(true);
  });

  test.each([
    ['', 'address'],
    ['not an address', 'address'],
    ['https://hf-mirror.com/a', 'address'],
    ['https://hf-mirror.com/?a=1', 'address'],
    ['https://me:secret@hf-mirror.com', 'address'],
    ['/hub#x', 'address'],
    ['http://hf-mirror.com', 'https'],
    ['javascript:alert(1)', 'https'],
    ['file:///etc/passwd', 'https'],
    ['ftp://own.example/', 'https'],
    ['https://mirror.example', 'host'],
    ['mirror.example', 'host'],
    ['https://hf-mirror.com:8443', 'host'],
    ['https://own.example.evil.example/', 'host'],
  ])('%s is none: %s', (typed, problem) => {
    const read = readMirror(typed, OWN);
    expect(read).toEqual({ problem });
  });

  test('isHub holds what comes from elsewhere to the same', () => {
    for (const address of ['https://own.example/hub', 'https://own.example/hub/?a', 'https://own.example/../', 'https://other.example/hub/'])
      expect(isHub(address, OWN), address).toBe(false); // prettier-ignore
    expect(isHub('https://own.example/hub/', undefined)).toBe(false);
  });
});

test('a worker can shut its network, and open it again', async () => {
  const asked: string[] = [];
  class Socket {}
  const scope = {
    fetch: async (what: string | Request) => (
      asked.push(what instanceof Request ? what.url : String(what)),
      new Response('here')
    ),
    WebSocket: Socket,
    Worker: class {},
  };
  const stopped: string[] = [];
  const gate = new Gate(({ url }) => stopped.push(url), scope);
  await scope.fetch('https://own.example/a');
  gate.shut();
  await expect(scope.fetch('https://own.example/b')).rejects.toThrow('nothing of the network after loading');
  await scope.fetch('blob:https://own.example/1');
  let asks = 0; // one address when it is looked at, another when it is fetched
  const turncoat = { toString: () => (asks++ === 0 ? 'data:,' : 'https://own.example/leak') };
  await scope.fetch(turncoat as unknown as string);
  const disguised = new Request('https://own.example/d');
  Object.defineProperty(disguised, 'url', { value: 'data:,' });
  await expect(scope.fetch(disguised)).rejects.toThrow('nothing of the network after loading');
  expect([scope.WebSocket, scope.Worker]).toEqual([undefined, undefined]);
  expect('EventSource' in scope).toBe(false);
  gate.open();
  expect(scope.WebSocket).toBe(Socket);
  await scope.fetch('https://own.example/c');
  expect(asked).toEqual(['https://own.example/a', 'blob:https://own.example/1', 'data:,', 'https://own.example/c']); // prettier-ignore
  expect(stopped).toEqual(['https://own.example/b', 'https://own.example/d']);
});

test('a shut network is shut where browsers really keep it, too: in prototypes, and in the cache', async () => {
  const asked: string[] = [];
  class WorkerScope {
    async fetch(url: string) {
      asked.push(url);
      return new Response('here');
    }
  }
  class Cache {
    async add(url: string) {
      asked.push(url);
    }
    async addAll() {}
    async match() {
      return 'kept';
    }
  }
  const scope = Object.assign(new WorkerScope(), { Cache, FontFace: class {} });
  const gate = new Gate(() => {}, scope);
  gate.shut();
  await expect(WorkerScope.prototype.fetch.call(scope, 'https://own.example/a')).rejects.toThrow(
    'asks nothing',
  );
  expect(Reflect.deleteProperty(scope, 'fetch')).toBe(true);
  await expect(scope.fetch('https://own.example/b')).rejects.toThrow('asks nothing');
  expect([Cache.prototype.add, Cache.prototype.addAll, scope.FontFace]).toEqual([undefined, undefined, undefined]); // prettier-ignore
  expect(await new Cache().match()).toBe('kept');
  gate.open();
  await scope.fetch('https://own.example/c');
  await new Cache().add('https://own.example/d');
  expect(asked).toEqual(['https://own.example/c', 'https://own.example/d']);
});

test('requests are counted by where they went and when', () => {
  const egress = new Egress('https://own.example');
  egress.hear([{ url: 'https://own.example/a', at: 5 }]);
  egress.loaded(10);
  egress.loaded(20); // loading again does not forgive what came between
  egress.hear([
    { url: 'https://own.example/b', at: 9 }, // begun before, ended after
    { url: 'https://own.example/c', at: 15 },
    { url: 'https://other.example/d', at: 16 },
  ]);
  expect(egress).toMatchObject({ own: 3, elsewhere: 1, since: 2, hub: 0, blocked: 0 });
});

test('what was stopped is counted as that alone, wherever it was stopped', () => {
  const egress = new Egress('https://own.example');
  egress.loaded(10);
  egress.hear([
    { url: 'https://other.example/a', at: 15, stopped: true },
    { url: 'inline', at: 16, stopped: true }, // as the browser calls what has no address
  ]);
  egress.hearHub([{ url: `${HUBS[0]!.origin}/a`, at: 17, stopped: true }]);
  expect(egress).toMatchObject({ own: 0, elsewhere: 0, since: 0, hub: 0, blocked: 3 });
});

test('what a hub was asked for a download is counted by itself, unless it went elsewhere', () => {
  const egress = new Egress('https://own.example');
  egress.loaded(10);
  egress.hearHub([
    { url: 'https://own.example/assets/hub.worker.js', at: 14 },
    { url: `${HUBS[0]!.origin}/a/b/resolve/1/c`, at: 15 },
    { url: 'https://other.example/d', at: 16 },
  ]);
  expect(egress).toMatchObject({ own: 1, hub: 1, elsewhere: 1, since: 3 });
});
