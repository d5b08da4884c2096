/** Every worker has a content policy: that of its own script, or the page's. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DOWNLOAD_POLICY, WORKER_POLICY } from '../../src/policy';
import { scriptAddress } from '../../src/trusted';

const ENGINE = './assets/engine.worker-1.js';
const HUB = './assets/hub.worker-1.js';
const BASE = 'https://kinora.example/app/';
let begun: { address: string; options: object }[];
/** What the host, or the service worker, sends with every script. */
let policy: string | null;
let asked: string[];
let blobs: Blob[];
let beginWorker: typeof import('../../src/worker/begin').beginWorker;

beforeEach(async () => {
  [begun, policy, asked, blobs] = [[], null, [], []];
  vi.stubGlobal('document', { baseURI: BASE });
  vi.stubGlobal('location', { origin: 'https://kinora.example' });
  vi.stubGlobal('Worker', class { constructor(address: string, options: object) { begun.push({ address, options }); } }); // prettier-ignore
  vi.stubGlobal('fetch', async (address: string) => {
    asked.push(address);
    return new Response('code', { headers: policy === null ? {} : { 'Content-Security-Policy': policy } });
  });
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => `blob:https://kinora.example/${blobs.push(blob as Blob)}`); // prettier-ignore
  vi.resetModules();
  ({ beginWorker } = await import('../../src/worker/begin'));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('a script that comes with its policy is begun as it is, and asked about once', async () => {
  policy = `frame-ancestors 'none', ${WORKER_POLICY}`; // a host may add its own
  await beginWorker(ENGINE, 'engine', 'inherit', true);
  await beginWorker(ENGINE, 'engine', 'inherit', true);
  expect(begun).toEqual(Array(2).fill({ address: `${BASE}assets/engine.worker-1.js`, options: { type: 'module', name: 'engine' } })); // prettier-ignore
  expect(asked).toHaveLength(1);
});

test.each([
  ['none', null],
  ['another', "script-src 'self'"],
])('one that comes with %s inherits the page’s, until it comes with its own', async (_, sent) => {
  policy = sent;
  await beginWorker(ENGINE, 'engine', 'inherit', true);
  expect(begun.map(({ address }) => address)).toEqual(['blob:https://kinora.example/1']);
  expect(await blobs[0]!.text()).toBe(`import "${BASE}assets/engine.worker-1.js";`);
  policy = WORKER_POLICY; // the service worker has come
  await beginWorker(ENGINE, 'engine', 'inherit', true);
  expect(begun[1]!.address).toBe(`${BASE}assets/engine.worker-1.js`);
});

test('the worker that may reach hubs is not begun without its own', async () => {
  policy = WORKER_POLICY;
  expect(await beginWorker(HUB, 'hub', 'none', true)).toBeNull();
  expect(begun).toEqual([]);
  policy = DOWNLOAD_POLICY;
  expect(await beginWorker(HUB, 'hub', 'none', true)).not.toBeNull();
  expect(begun).toHaveLength(1);
});

test('blobs of other making, and other origins, are no scripts', () => {
  for (const address of ['blob:https://kinora.example/9', 'https://elsewhere.example/x.js', 'data:text/javascript,1'])
    expect(() => scriptAddress(address), address).toThrow('is not a script of this page'); // prettier-ignore
});
