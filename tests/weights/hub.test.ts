/** Downloads from a hub: into the model's own folder, where the engine finds them; never into memory. */
import { beforeEach, expect, test } from 'vitest';
import { fetchFromHub } from '../../src/weights/hub';
import { openModel } from '../../src/weights/store';
import { FILES, manifest } from './model';
import { FakeDisk } from './opfs';

const HUB = 'https://huggingface.co/someone/wan/resolve/0123abc/';
const MODEL = 'https://kinora.example/models/pocket/';

let disk: FakeDisk;
let asked: string[];
beforeEach(() => {
  disk = new FakeDisk();
  asked = [];
});

const fetch = (async (url: URL | RequestInfo, init?: RequestInit) => {
  init?.signal?.throwIfAborted();
  asked.push(String(url));
  const name = String(url).split('/').at(-1)!;
  return name === 'model.json' ? Response.json(manifest()) : new Response(FILES[name]);
}) as typeof globalThis.fetch;
const get = (change: object = {}, options: object = {}) =>
  fetchFromHub({ base: HUB, model: MODEL, files: manifest().files, ...change }, { fetch, storage: disk.storage, ...options }); // prettier-ignore

test('what the hub gave is found by the engine, which asks only its own origin for model.json', async () => {
  const plans: unknown[] = [];
  await get(
    {},
    { onPlan: (plan: unknown) => plans.push(plan), estimate: async () => ({ quota: 1e6, usage: 0 }) },
  );
  const bytes = Object.values(FILES).join('').length;
  expect(plans).toEqual([{ bytes, free: 1e6 }]);
  expect(asked.every((url) => url.startsWith(HUB))).toBe(true);
  asked.length = 0;
  const model = await openModel(MODEL, { fetch, storage: disk.storage });
  expect(asked).toEqual([`${MODEL}model.json`]);
  expect(model.persisted).toBe(true);
  expect(await model.json('tokenizer.json')).toEqual({ 'a tokenizer': true });
});

test('what is here already is not asked for again', async () => {
  await get({ files: manifest().files.slice(0, 2) });
  asked.length = 0;
  await get();
  expect(asked).toHaveLength(2);
});

test.each([
  [
    'an address that is on no hub',
    () => get({ base: 'https://huggingface.co.evil.example/x/' }),
    'bad-request',
    'on none of the hubs',
  ],
  ['an address that is none', () => get({ base: 'models/' }), 'bad-request', 'on none of the hubs'],
  ['plain http', () => get({ base: HUB.replace('https', 'http') }), 'bad-request', 'on none of the hubs'],
  [
    'a path that leaves the folder',
    () => get({ files: [{ path: '../x', bytes: 1, sha256: 'a'.repeat(64) }] }),
    'bad-model',
    'a path inside',
  ],
  [
    'no storage',
    () => get({}, { storage: () => Promise.reject(new DOMException('none', 'SecurityError')) }),
    'storage',
    'There is no room to keep the model',
  ],
  [
    'too little room, as the browser says',
    () => get({}, { estimate: async () => ({ quota: 100, usage: 0 }) }),
    'storage',
    'which needs 0.0 MB',
  ],
  [
    'too little room, as the disk finds',
    () => ((disk.room = 100), get()),
    'storage',
    'There is no room to keep the model',
  ],
  [
    'another file than the one promised',
    () => get({ files: [{ ...manifest().files[0]!, sha256: 'a'.repeat(64) }] }),
    'hash-mismatch',
    'is not the file',
  ],
])('refuses %s', async (_, how, code, message) => {
  // prettier-ignore
  await expect(how()).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});

test('paused, it says so and keeps what is whole', async () => {
  const stop = new AbortController();
  const onDownload = ({ file }: { file: string }) => file === 'transformer.gguf' && stop.abort();
  await expect(get({}, { signal: stop.signal, onDownload })).rejects.toMatchObject({ code: 'cancelled' });
  asked.length = 0;
  await get();
  expect(asked.map((url) => url.split('/').at(-1))).toEqual(['taehv.safetensors']);
});
