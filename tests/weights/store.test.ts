import { beforeEach, describe, expect, test } from 'vitest';
import { openModel, sweepEditions, type ModelFiles, type OpenModelOptions } from '../../src/weights/store';
import { FILES, manifest, sha256 } from './model';
import { FakeDisk } from './opfs';

const BASE = 'https://kinora.example/app/models/pocket/';

/** A server: what it serves, what was asked of it, and how it misbehaves. */
class Server {
  files: Record<string, string> = { ...FILES };
  manifest: unknown = manifest();
  online = true;
  asked: string[] = [];
  /** Changes the nth answer (from 0) to a path. */
  misbehave: (path: string, nth: number) => BodyInit | Response | null = () => null;

  readonly fetch = async (url: URL | RequestInfo, init?: RequestInit): Promise<Response> => {
    const path = String(url).slice(BASE.length);
    const nth = this.asked.filter((p) => p.split(' ')[0] === path).length;
    this.asked.push(`${path} ${init?.cache}`);
    if (!this.online) throw new TypeError('Failed to fetch');
    init?.signal?.throwIfAborted();
    const odd = this.misbehave(path, nth);
    if (odd instanceof Response) return odd;
    const body = odd ?? (path === 'model.json' ? JSON.stringify(this.manifest) : this.files[path]);
    return body === undefined ? new Response('not here', { status: 404 }) : new Response(body);
  };
}

let server: Server;
let disk: FakeDisk;
beforeEach(() => {
  server = new Server();
  disk = new FakeDisk();
});

const open = (options: OpenModelOptions = {}) =>
  openModel(BASE, { fetch: server.fetch, storage: disk.storage, ...options });

async function readAll(model: ModelFiles): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const { path } of model.manifest.files) {
    const source = model.source(path);
    texts[path] = new TextDecoder().decode(await source.read(0, source.size));
  }
  return texts;
}

const hashes = Object.values(FILES).map(sha256);

test('first visit downloads, second asks for model.json alone', async () => {
  const seen: { loaded: number; total: number }[] = [];
  const first = await open({ onDownload: (p) => seen.push(p) });
  expect(await readAll(first)).toEqual(FILES);
  expect(first).toMatchObject({ persisted: true, problem: null, offline: false, manifest: manifest() });
  const total = Object.values(FILES).join('').length;
  expect(seen.at(-1)).toMatchObject({ loaded: total, total });
  expect(seen.map((p) => p.loaded)).toEqual(seen.map((p) => p.loaded).sort((a, b) => a - b));
  expect(disk.names()).toEqual([...hashes, 'model.json'].sort());

  server.asked = [];
  disk.writes = 0;
  const second = await open({ onDownload: () => expect.unreachable('nothing to download') });
  expect(server.asked).toEqual(['model.json no-cache']);
  expect(disk.writes).toBe(0);
  expect(await readAll(second)).toEqual(FILES);
});

test('JSON files', async () => {
  const model = await open();
  expect(await model.json('tokenizer.json')).toEqual({ 'a tokenizer': true });
  await expect(model.json('transformer.gguf')).rejects.toMatchObject({ code: 'bad-model' });
  expect(() => model.source('nothing')).toThrow('model.json lists no file "nothing"');
});

test('offline after the first visit', async () => {
  await open();
  server.online = false;
  const model = await open();
  expect(model.offline).toBe(true);
  expect(await readAll(model)).toEqual(FILES);
});

test.each<[string, Response]>([
  ['an error', new Response('down', { status: 503 })],
  ['a start page', new Response('<!doctype html>')],
])('model.json is %s: the kept one is used, or the error says so', async (_, answer) => {
  server.misbehave = (path) => (path === 'model.json' ? answer.clone() : null);
  await expect(open()).rejects.toMatchObject({ code: 'network' });
  server.misbehave = () => null;
  await open();
  server.misbehave = (path) => (path === 'model.json' ? answer.clone() : null);
  expect(await open()).toMatchObject({ offline: true, persisted: true });
});

test('offline at the first visit is an error with a reason', async () => {
  server.online = false;
  await expect(open()).rejects.toMatchObject({
    code: 'network',
    message: 'model.json could not be fetched: the connection failed. Check the connection and try again.',
  });
});

test.each<[string, object, string]>([
  ['broken', { fps: 0 }, 'fps'],
  ['of a later format', { format: 'kinora-model/9' }, 'format'],
])(
  'a model.json that is %s is an error at the first visit; later, the kept one is used',
  async (_, change, field) => {
    server.manifest = { ...manifest(), ...change };
    await expect(open()).rejects.toMatchObject({ code: 'bad-model', params: { field } });
    server.manifest = manifest();
    await open();
    server.manifest = { ...manifest(), ...change };
    const model = await open();
    expect(model).toMatchObject({ offline: true, manifest: { edition: '1' } });
    expect(await readAll(model)).toEqual(FILES);
  },
);

test('a new edition replaces the old one and keeps what they share', async () => {
  await open();
  const files = { ...FILES, 'transformer.gguf': 'a better transformer' };
  server.manifest = manifest(files, '2');
  server.files = files;
  server.asked = [];
  const model = await open();
  expect(model.manifest.edition).toBe('2');
  expect(server.asked).toEqual(['model.json no-cache', 'transformer.gguf default']);
  expect(disk.names()).toEqual([...Object.values(files).map(sha256), 'model.json'].sort());
});

describe('an earlier edition that an interrupted clip was begun with', () => {
  const better: Record<string, string> = { ...FILES, 'transformer.gguf': 'a better transformer' };
  const own = sha256(FILES['transformer.gguf']!);
  const needed = async () => (one: { edition: string }) => one.edition === '1';
  const publish = (edition: string, files = better) => {
    server.manifest = manifest(files, edition);
    server.files = files;
  };

  test('stays beside the new one, and is opened from here alone', async () => {
    await open();
    publish('2');
    expect((await open({ needed })).manifest.edition).toBe('2');
    server.online = false;
    server.asked = [];
    const before = disk.names();
    const model = await open({ edition: '1' });
    expect(model).toMatchObject({ manifest: { edition: '1' }, persisted: true });
    expect(await readAll(model)).toEqual(FILES);
    expect(server.asked).toEqual([]);
    expect(disk.names()).toEqual(before); // nothing is swept by who opens it
    expect(await readAll(await open())).toEqual(better); // the newest is still the newest
  });

  test('stays through further editions, and goes when nothing needs it any more', async () => {
    await open();
    publish('2');
    await open({ needed });
    publish('3', { ...better, 'taehv.safetensors': 'a better autoencoder' });
    await open({ needed });
    const editions = disk.names().filter((name) => name.startsWith('edition-'));
    expect(editions).toHaveLength(1);
    expect(disk.names()).toContain(own);
    expect(await readAll(await open({ edition: '1' }))).toEqual(FILES);
    await sweepEditions(BASE, { needed, storage: disk.storage });
    expect(disk.names()).toContain(own);
    await sweepEditions(BASE, { needed: async () => () => false, storage: disk.storage });
    expect(disk.names()).toEqual([...Object.values(server.files).map(sha256), 'model.json'].sort());
    expect((await open()).manifest.edition).toBe('3');
  });

  test('that is the newest again is one edition, not two', async () => {
    await open();
    publish('2');
    await open({ needed });
    publish('1', FILES);
    await open({ needed });
    expect(disk.names()).toEqual([...hashes, 'model.json'].sort());
  });

  test('is taken from the host where that has it still, and else named in the error', async () => {
    expect((await open({ edition: '1' })).manifest.edition).toBe('1');
    publish('2');
    await open();
    await expect(open({ edition: '1' })).rejects.toMatchObject({ code: 'storage', params: { edition: '1' } });
    expect(await readAll(await open())).toEqual(better);
  });
});

test('a new edition that cannot be had leaves the old one working', async () => {
  await open();
  server.manifest = manifest({ ...FILES, 'transformer.gguf': 'never uploaded' }, '2');
  delete server.files['transformer.gguf'];
  const model = await open();
  expect(model).toMatchObject({ offline: true, manifest: { edition: '1' } });
  expect(await readAll(model)).toEqual(FILES);
});

test('a new edition whose files are not what it promises leaves the old one working', async () => {
  await open();
  const better = 'a better transformer';
  server.manifest = manifest({ ...FILES, 'transformer.gguf': better }, '2'); // its files are still those of edition 1
  const model = await open();
  expect(model).toMatchObject({ offline: true, manifest: { edition: '1' } });
  expect(await readAll(model)).toEqual(FILES);
  expect(disk.names()).toEqual([...hashes, 'model.json'].sort());
  // Where the old one is not whole either, it is the new one's trouble that is told.
  disk.file(sha256(FILES['taehv.safetensors']!)).data = new Uint8Array(3);
  delete server.files['taehv.safetensors'];
  await expect(open()).rejects.toMatchObject({
    params: { file: 'transformer.gguf', expected: better.length },
  });
});

const broken = (bytes: number) =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(FILES['transformer.gguf']!.slice(0, bytes)));
    },
    pull: (controller) => controller.error(new TypeError('network error')),
  });

test.each<[string, () => BodyInit]>([
  ['damaged', () => FILES['transformer.gguf']!.replace('t', 'T')],
  ['cut off', () => FILES['transformer.gguf']!.slice(0, 99)],
  ['too long', () => `${FILES['transformer.gguf']}!`],
  ['interrupted', () => broken(99)],
])('a file that comes %s is fetched again, past the cache', async (_, body) => {
  server.misbehave = (path, nth) => (path === 'transformer.gguf' && nth === 0 ? body() : null);
  const model = await open();
  expect(await readAll(model)).toEqual(FILES);
  expect(model.persisted).toBe(true);
  expect(server.asked.filter((p) => p.startsWith('transformer'))).toEqual([
    'transformer.gguf default',
    'transformer.gguf reload',
  ]);
});

test('twice damaged is an error that names both hashes, and is not kept', async () => {
  const bad = FILES['transformer.gguf']!.replace('t', 'T');
  server.misbehave = (path) => (path === 'transformer.gguf' ? bad : null);
  const error = await open().catch((e: unknown) => e);
  expect(error).toMatchObject({
    code: 'hash-mismatch',
    params: { file: 'transformer.gguf', actual: sha256(bad), expected: sha256(FILES['transformer.gguf']!) },
  });
  expect(String(error)).toContain(
    `its SHA-256 is ${sha256(bad)}, expected ${sha256(FILES['transformer.gguf']!)}`,
  );
  expect(disk.names()).not.toContain(sha256(FILES['transformer.gguf']!));
  expect(disk.names()).not.toContain('model.json');
});

test.each<[string, () => BodyInit, string, RegExp]>([
  ['cut off', () => 'x', 'hash-mismatch', /its bytes are 1, expected 1200/],
  ['endless', () => 'x'.repeat(5000), 'hash-mismatch', /its bytes are at least 5000, expected 1200/],
  ['interrupted', () => broken(99), 'network', /the connection broke after 99 of 1200 bytes/],
])('twice %s is an error with both numbers', async (_, body, code, message) => {
  server.misbehave = (path) => (path === 'transformer.gguf' ? body() : null);
  await expect(open()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('damage on the disk is noticed and mended', async () => {
  await open();
  const name = sha256(FILES['transformer.gguf']!);
  disk.file(name).data[7]! ^= 1;
  server.asked = [];
  expect(await readAll(await open())).toEqual(FILES);
  expect(server.asked).toEqual(['model.json no-cache', 'transformer.gguf default']);
  // What a killed tab left half-written is the same case.
  disk.file(name).data = disk.file(name).data.slice(0, 40);
  expect(await readAll(await open())).toEqual(FILES);
});

test('without OPFS everything stays in memory, and is said so', async () => {
  const storage = () => Promise.reject(new DOMException('no', 'SecurityError'));
  const model = await open({ storage });
  expect(model).toMatchObject({ persisted: false, problem: 'SecurityError: no', offline: false });
  expect(await readAll(model)).toEqual(FILES);
});

test('a full disk: the rest goes to memory, what was kept is used next time', async () => {
  disk.room = 900; // tokenizer and text encoder fit
  const model = await open();
  expect(await readAll(model)).toEqual(FILES);
  expect(model).toMatchObject({ persisted: false, problem: expect.stringContaining('QuotaExceededError') });
  expect(disk.names()).toEqual([FILES['tokenizer.json']!, FILES['text_encoder.gguf']!].map(sha256).sort());
  disk.room = Infinity;
  server.asked = [];
  expect((await open()).persisted).toBe(true);
  expect(server.asked.map((p) => p.split(' ')[0])).toEqual([
    'model.json',
    'transformer.gguf',
    'taehv.safetensors',
  ]);
});

test('cancelling stops at once and closes the file', async () => {
  const stop = new AbortController();
  server.misbehave = (path) => {
    if (path === 'text_encoder.gguf') stop.abort();
    return null;
  };
  await expect(open({ signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' });
  expect(await readAll(await open())).toEqual(FILES);
});

test('each backend downloads its own files, and leaves those of the other alone', async () => {
  const graphs: Record<string, string> = {
    'onnx/t.onnx': 'text',
    'onnx/d.onnx': 'transformer',
    'onnx/v.onnx': 'decoder',
  };
  const files = Object.entries(graphs).map(([path, data]) => ({
    path,
    bytes: data.length,
    sha256: sha256(data),
  }));
  const onnx = { text_encoder: 'onnx/t.onnx', transformer: 'onnx/d.onnx', decoder: 'onnx/v.onnx', files };
  server.manifest = { ...manifest(), onnx };
  server.files = { ...FILES, ...graphs };

  await open();
  expect(server.asked.some((path) => path.includes('onnx'))).toBe(false);
  expect(disk.names()).toEqual([...hashes, 'model.json'].sort());

  server.asked = [];
  const cpu = await open({ backend: 'cpu' });
  expect(server.asked.map((path) => path.split(' ')[0])).toEqual(['model.json', ...Object.keys(graphs)]);
  const source = cpu.source('onnx/d.onnx');
  expect(new TextDecoder().decode(await source.read(0, source.size))).toBe('transformer');
  expect(await cpu.json('tokenizer.json')).toEqual({ 'a tokenizer': true });
  expect(() => cpu.source('transformer.gguf')).toThrow('lists no file');

  server.asked = [];
  await open();
  expect(server.asked).toEqual(['model.json no-cache']); // still here
});
