/** Downloads from a hub: asked about first, into a folder of their own, never into memory; shared, listed, deleted. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fetchFromHub, lookAtHub } from '../../src/weights/hub';
import { fileAddress, readRepository } from '../../src/weights/hub-api';
import { listDownloads, openDownload } from '../../src/weights/hub-store';
import { deleteModel, listModels, verifyModel } from '../../src/weights/manager';
import type { HubOrder } from '../../src/worker/protocol/hub';
import { FakeDisk } from './opfs';

const HUB = 'https://huggingface.co';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const REPOS: Record<string, Record<string, Uint8Array>> = {
  'someone/wan': { 'checkpoints/wan++.pt': noise(3_000_000, 1), 'README.md': noise(20, 2) },
  'other/parts': { 'umt5.gguf': noise(1_500_000, 3), 'taew.safetensors': noise(700, 4) },
};
const LICENSES: Record<string, string> = { 'someone/wan': 'apache-2.0' };
const WANTED = [
  { repo: 'someone/wan', revision: 'main', path: 'checkpoints/wan++.pt' },
  { repo: 'other/parts', revision: COMMIT, path: 'umt5.gguf' },
  { repo: 'other/parts', revision: COMMIT, path: 'taew.safetensors' },
];

afterEach(() => vi.unstubAllGlobals());

function noise(length: number, seed: number): Uint8Array {
  let x = seed;
  return Uint8Array.from({ length }, () => ((x = (Math.imul(x, 1664525) + 1013904223) >>> 0), x >>> 24));
}
const hex = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

let disk: FakeDisk;
let asked: string[];
/** Changes what the hub sends for a range. */
let tamper: (path: string, start: number, bytes: Uint8Array) => Uint8Array | Error;
beforeEach(() => {
  disk = new FakeDisk();
  asked = [];
  tamper = (_, __, bytes) => bytes;
});

/** Answers as the hub does: information about a repository, and files by ranges. */
const fetch = (async (input: URL | RequestInfo, init?: RequestInit) => {
  init?.signal?.throwIfAborted();
  const url = new URL(String(input));
  const [, repo, rest] = /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(.*)$/.exec(url.pathname)!;
  asked.push(url.pathname + url.search);
  const files = REPOS[repo!]!;
  if (url.pathname.startsWith('/api/')) {
    const siblings = Object.entries(files).map(([rfilename, data]) => ({
      rfilename,
      size: data.length,
      blobId: 'x',
      ...(rfilename !== 'README.md' && { lfs: { sha256: hex(data), size: data.length, pointerSize: 130 } }),
    }));
    const license = LICENSES[repo!];
    return Response.json({ id: repo, sha: COMMIT, siblings, ...(license && { cardData: { license } }) });
  }
  const path = decodeURIComponent(rest!.replace(`resolve/${COMMIT}/`, ''));
  const data = files[path]!;
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get('Range') ?? '') ?? [];
  const start = Number(from ?? 0);
  const sent = tamper(path, start, data.slice(start, Number(to ?? data.length - 1) + 1));
  if (sent instanceof Error) throw sent;
  const headers: HeadersInit = from ? { 'Content-Range': `bytes ${from}-${to}/${data.length}` } : {};
  return new Response(sent as Uint8Array<ArrayBuffer>, { status: from ? 206 : 200, headers });
}) as typeof globalThis.fetch;

const options = () => ({ fetch, storage: disk.storage, wait: async () => {} });
async function order(change: Partial<HubOrder> = {}): Promise<HubOrder> {
  const { files } = await lookAtHub({ hub: HUB, files: WANTED }, options());
  asked.length = 0;
  return { id: 'wan', name: 'Wan', sampling: 'wan', license: 'apache-2.0', hub: HUB, files, ...change };
}
const get = async (what?: HubOrder, more: object = {}) => fetchFromHub(what ?? (await order()), { ...options(), ...more }); // prettier-ignore

describe('what the hub is asked', () => {
  test('tells commit, size, hash and licence, with one question a repository', async () => {
    const free = async () => ({ quota: 9e9, usage: 1e9 });
    const answer = await lookAtHub({ hub: HUB, files: WANTED }, { ...options(), estimate: free });
    expect(asked).toEqual([
      '/api/models/someone/wan/revision/main?blobs=true',
      `/api/models/other/parts/revision/${COMMIT}?blobs=true`,
    ]);
    expect(answer.free).toBe(8e9);
    expect(answer.licenses).toEqual({ 'someone/wan': 'apache-2.0', 'other/parts': '' });
    const data = REPOS['someone/wan']!['checkpoints/wan++.pt']!;
    expect(answer.files[0]).toEqual({ repo: 'someone/wan', commit: COMMIT, path: 'checkpoints/wan++.pt', bytes: 3_000_000, sha256: hex(data) }); // prettier-ignore
    expect(disk.names()).toEqual([]);
  });

  test.each([
    [{ cardData: { license: 'mit' } }, 'mit'],
    [{ cardData: { license: 'other', license_name: 'sesame-licence' } }, 'sesame-licence'],
    [{ cardData: { license: ['mit', 'bsd'] } }, 'mit, bsd'],
    [{ tags: ['video', 'license:cc-by-nc-4.0'] }, 'cc-by-nc-4.0'],
    [{}, ''],
  ])('licence of %j: %s', (card, license) =>
    expect(readRepository({ sha: COMMIT, siblings: [], ...card }, 'a/b').license).toBe(license),
  );

  test('a name with signs is written so that no server mistakes it', () =>
    expect(fileAddress(HUB, { repo: 'a/b', commit: COMMIT, path: 'c++/d e.pt' }).pathname).toBe(`/a/b/resolve/${COMMIT}/c%2B%2B/d%20e.pt`)); // prettier-ignore
});

describe('a download', () => {
  test('brings every file, by pieces, and is opened as if it had been picked', async () => {
    const plans: unknown[] = [];
    await get(undefined, {
      onPlan: (plan: unknown) => plans.push(plan),
      estimate: async () => ({ quota: 1e9, usage: 0 }),
    });
    expect(plans).toEqual([{ bytes: 4_500_700, free: 1e9 }]);
    expect(asked.filter((path) => path.includes('wan%2B%2B'))).toHaveLength(3); // of 1 MiB each
    const [download] = await listDownloads(disk.storage);
    expect(download).toMatchObject({ loaded: 4_500_700, total: 4_500_700, whole: true });
    const files = await openDownload('wan', disk.storage);
    expect(files.map(({ path }) => path)).toEqual(['someone/wan/checkpoints/wan++.pt', 'other/parts/umt5.gguf', 'other/parts/taew.safetensors']); // prettier-ignore
    const data = new Uint8Array(await files[1]!.file.arrayBuffer());
    expect(Buffer.from(data).equals(REPOS['other/parts']!['umt5.gguf']!)).toBe(true);
  });

  test('paused, it keeps the pieces that are whole, and goes on with them at another visit', async () => {
    const stop = new AbortController();
    let pieces = 0;
    const onDownload = () => ++pieces > 1 && stop.abort();
    await expect(get(undefined, { signal: stop.signal, onDownload })).rejects.toMatchObject({ code: 'cancelled' }); // prettier-ignore
    const [paused] = await listDownloads(disk.storage);
    expect(paused!.whole).toBe(false);
    expect(paused!.loaded).toBeGreaterThanOrEqual(1 << 20);
    await expect(openDownload('wan', disk.storage)).rejects.toMatchObject({ code: 'no-model' });
    asked.length = 0;
    await get(paused!.order); // as it was written down
    const here = Math.ceil(paused!.loaded / (1 << 20));
    expect(asked.filter((path) => path.includes('wan%2B%2B'))).toHaveLength(3 - here);
    expect((await listDownloads(disk.storage))[0]!.whole).toBe(true);
  });

  test('a broken connection is asked again for that piece alone', async () => {
    let broken = 0;
    tamper = (path, start, bytes) => path.endsWith('.pt') && start === 1 << 20 && broken++ === 0 ? bytes.slice(0, 1000) : bytes; // prettier-ignore
    await get();
    expect(broken).toBe(2);
    expect(asked.filter((path) => path.includes('wan%2B%2B'))).toHaveLength(4);
  });

  test('wrong bytes are never used: the file is fetched again, and refused when they come twice', async () => {
    let wrong = 0;
    tamper = (path, start, bytes) => {
      if (path !== 'umt5.gguf' || start !== 0 || wrong++ > 0) return bytes;
      return bytes.map((b, i) => (i === 77 ? b ^ 1 : b));
    };
    await get();
    expect((await listDownloads(disk.storage))[0]!.whole).toBe(true);

    disk = new FakeDisk();
    tamper = (path, _, bytes) => (path === 'umt5.gguf' ? bytes.map((b) => b ^ 1) : bytes);
    await expect(get()).rejects.toMatchObject({ code: 'hash-mismatch', params: { file: 'umt5.gguf' } });
    expect((await listDownloads(disk.storage))[0]).toMatchObject({ loaded: 3_000_000, whole: false });
  });

  test('killed before its hash was taken, a file is not taken for whole', async () => {
    const what = await order();
    const only = { ...what, files: what.files.slice(1, 2) };
    await get(only);
    // What a tab leaves that dies between the last piece and the hash: everything, and the list of pieces.
    const { sha256 } = only.files[0]!;
    disk.beside(`${sha256}.part`, sha256);
    expect((await listDownloads(disk.storage))[0]!.whole).toBe(false);
    await get(only);
    expect((await listDownloads(disk.storage))[0]!.whole).toBe(true);
  });

  test('while another tab downloads, it says so', async () => {
    const locks = { request: (_: string, __: object, work: (lock: null) => unknown) => work(null) };
    vi.stubGlobal('navigator', { locks });
    await expect(get()).rejects.toMatchObject({ code: 'busy' });
  });
});

describe('going on with a download', () => {
  const PT = '/wan%2B%2B.pt';
  const [MIB, BYTES] = [1 << 20, 3_000_000];
  type Answer = (range: string | null) => Response | null;

  /** Another answer to what is asked of the file; null: the hub's own. */
  const answering = (answer: Answer) =>
    (async (input: URL | RequestInfo, init?: RequestInit) =>
      (String(input).endsWith(PT) && answer(new Headers(init?.headers).get('Range'))) || fetch(input, init)) as typeof globalThis.fetch; // prettier-ignore

  /** One file of three pieces, of which the first came. */
  async function begun(): Promise<HubOrder> {
    const what = await order();
    const only = { ...what, files: what.files.slice(0, 1) };
    const gone: Answer = (range) =>
      range?.startsWith('bytes=0-') ? null : new Response('', { status: 503 });
    await expect(get(only, { fetch: answering(gone) })).rejects.toMatchObject({ code: 'network' });
    expect(await loaded()).toBe(MIB);
    asked.length = 0;
    return only;
  }
  const loaded = async () => (await listDownloads(disk.storage))[0]!.loaded;
  const whole = async () => (await listDownloads(disk.storage))[0]!.whole;

  const part = (range: string | null, size: number | string, body?: BodyInit) => {
    const [, a, b] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    const data = REPOS['someone/wan']!['checkpoints/wan++.pt']!.slice(Number(a), Number(b) + 1);
    const headers = { 'Content-Range': `bytes ${a}-${b}/${size}` };
    return new Response(body ?? (data as Uint8Array<ArrayBuffer>), { status: 206, headers });
  };
  test.each<[string, Answer, string, RegExp]>([
    ['with a page', () => new Response('<html>Busy</html>\n'), 'hash-mismatch', /its bytes are 18, expected 3000000.* What came before is kept/],
    ['with a page that is longer than the file', () => new Response('x'.repeat(BYTES + 1)), 'hash-mismatch', /at least \d+, expected 3000000.* is kept/],
    ['with a page exactly as long as the file', () => new Response('x'.repeat(BYTES)), 'hash-mismatch', /its SHA-256 is .* is kept/],
    ['with an empty part from elsewhere', () => new Response('', { status: 206, headers: { 'Content-Range': `bytes 0-0/${BYTES}` } }), 'hash-mismatch', /the server sent the part of it from byte 0, expected 1048576.* is kept/],
    ['with parts of a shorter file', (range) => part(range, 999), 'hash-mismatch', /another file, of 999, expected 3000000.* is kept/],
    ['with parts that are cut off', (range) => part(range, BYTES, 'x'), 'network', /the connection broke/],
    ['with too much', (range) => part(range, BYTES, 'x'.repeat(MIB + 1)), 'hash-mismatch', /longer than .* is kept/],
    ['416', () => new Response('', { status: 416 }), 'network', /answered 416/],
    ['503', () => new Response('', { status: 503 }), 'network', /answered 503/],
    ['nothing', () => { throw new TypeError('no'); }, 'network', /connection failed/],
  ])('where the hub answers %s: what came before stays', async (_, answer, code, message) => {
    const only = await begun();
    const wrong = get(only, { fetch: answering(answer) });
    await expect(wrong).rejects.toMatchObject({ code, message: expect.stringMatching(message), params: code === 'hash-mismatch' ? { kept: MIB } : {} }); // prettier-ignore
    expect(await loaded()).toBe(MIB);
    asked.length = 0;
    await get(only);
    expect(asked).toHaveLength(2); // the two pieces that were missing
    expect(await whole()).toBe(true);
  }); // prettier-ignore

  test('where the hub gives it whole: that is taken', async () => {
    const only = await begun();
    const data = REPOS['someone/wan']!['checkpoints/wan++.pt']! as Uint8Array<ArrayBuffer>;
    await get(only, { fetch: answering(() => new Response(data)) });
    expect(await whole()).toBe(true);
    const [file] = await openDownload('wan', disk.storage);
    expect(Buffer.from(await file!.file.arrayBuffer()).equals(data)).toBe(true);
  });

  test('where the hub gives it whole, and what came before is wrong: all is fetched anew', async () => {
    tamper = (_, start, bytes) => (start === 0 ? bytes.map((b) => b ^ 1) : bytes);
    const only = await begun();
    const data = REPOS['someone/wan']!['checkpoints/wan++.pt']! as Uint8Array<ArrayBuffer>;
    await get(only, { fetch: answering(() => new Response(data)) });
    expect(await whole()).toBe(true);
    const [file] = await openDownload('wan', disk.storage);
    expect(Buffer.from(await file!.file.arrayBuffer()).equals(data)).toBe(true);
  });

  test('where another host hides which parts it sends: they are taken', async () => {
    const only = await begun();
    const data = REPOS['someone/wan']!['checkpoints/wan++.pt']! as Uint8Array<ArrayBuffer>;
    const asked: (string | null)[] = [];
    const bare: Answer = (range) => {
      asked.push(range);
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
      return new Response(data.slice(Number(from), Number(to) + 1), { status: 206 });
    };
    await get(only, { fetch: answering(bare) });
    expect(await whole()).toBe(true);
    expect(asked.every((range) => range !== null)).toBe(true);
  });

  test('wrong bytes once: what came before is not fetched again', async () => {
    const only = await begun();
    let wrong = 0;
    tamper = (_, start, bytes) => (start === MIB && wrong++ === 0 ? bytes.map((b) => b ^ 1) : bytes);
    await get(only);
    expect(asked).toHaveLength(4);
    expect(await whole()).toBe(true);
  });

  test('where what came before is wrong, all is fetched anew', async () => {
    tamper = (_, start, bytes) => (start === 0 ? bytes.map((b) => b ^ 1) : bytes);
    const only = await begun();
    tamper = (_, __, bytes) => bytes;
    await get(only);
    expect(await whole()).toBe(true);
    expect(asked).toHaveLength(7);
  });

  test('wrong bytes always: an error, and the next download begins anew', async () => {
    const only = await begun();
    tamper = (_, start, bytes) => (start === MIB ? bytes.map((b) => b ^ 1) : bytes);
    await expect(get(only)).rejects.toMatchObject({ code: 'hash-mismatch', params: { expected: only.files[0]!.sha256 } }); // prettier-ignore
    expect(await loaded()).toBe(0);
    tamper = (_, __, bytes) => bytes;
    await get(only);
    expect(await whole()).toBe(true);
  });

  test('a disk that is full keeps what is whole', async () => {
    const only = await begun();
    disk.room = disk.used() + MIB / 2;
    await expect(get(only)).rejects.toMatchObject({ code: 'storage' });
    expect(await loaded()).toBe(MIB);
    disk.room = Infinity;
    asked.length = 0;
    await get(only);
    expect(asked).toHaveLength(2);
  });
});

describe('refusals', () => {
  test.each([
    ['no storage', { storage: () => Promise.reject(new DOMException('none', 'SecurityError')) }],
    ['too little room, as the browser says', { estimate: async () => ({ quota: 100, usage: 0 }) }],
  ])('%s', async (_, more) => {
    await expect(get(undefined, more)).rejects.toMatchObject({ code: 'storage', params: { needed: 4_500_700 } }); // prettier-ignore
  });

  test('too little room, as the disk finds: what is whole stays', async () => {
    disk.room = 2_000_000;
    await expect(get()).rejects.toMatchObject({ code: 'storage' });
    disk.room = Infinity;
    await get();
    expect((await listDownloads(disk.storage))[0]!.whole).toBe(true);
  });
});

describe('what is stored', () => {
  test('two models share an encoder; what one alone needs goes with it', async () => {
    const wan = await order();
    await get(wan);
    const other = { ...wan, id: 'other', name: 'Other', files: wan.files.slice(1) };
    asked.length = 0;
    await get(other);
    expect(asked).toEqual([]);
    const listed = await listModels(disk.storage);
    expect(listed.map(({ id, name, bytes, hub }) => [id, name, bytes, hub])).toEqual([
      ['hub other', 'Other', 1_500_700, true],
      ['hub wan', 'Wan', 4_500_700, true],
    ]);
    await deleteModel('hub wan', disk.storage);
    expect(disk.names().filter((n) => n.length === 64)).toHaveLength(2);
    expect(await verifyModel('hub other', disk.storage)).toEqual({ whole: 2, damaged: [], missing: 0 });
    await deleteModel('hub other', disk.storage);
    expect(disk.names()).toEqual([]);
  });

  test('a damaged file is found, deleted, and fetched again when the download goes on', async () => {
    const wan = await order();
    await get(wan);
    disk.file(wan.files[1]!.sha256).data[3]! ^= 1;
    expect(await verifyModel('hub wan', disk.storage)).toEqual({ whole: 2, damaged: ['umt5.gguf'], missing: 0 }); // prettier-ignore
    expect((await listDownloads(disk.storage))[0]).toMatchObject({ whole: false, loaded: 3_000_700 });
    asked.length = 0;
    await get(wan);
    expect(asked.every((path) => path.includes('umt5'))).toBe(true);
    expect((await listDownloads(disk.storage))[0]!.whole).toBe(true);
  });

  test('another encoder for the same model takes the place of the one before', async () => {
    const wan = await order();
    await get(wan);
    await get({ ...wan, files: [wan.files[0]!, wan.files[2]!] });
    expect(disk.names()).not.toContain(wan.files[1]!.sha256);
    expect(await listDownloads(disk.storage)).toHaveLength(1);
  });

  test('a half-written order is as good as none', async () => {
    await get();
    disk.file('wan.order.json').data = disk.file('wan.order.json').data.slice(0, 30);
    expect(await listDownloads(disk.storage)).toEqual([]);
    await get();
    expect(await listDownloads(disk.storage)).toHaveLength(1);
  });
});
