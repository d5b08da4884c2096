/** Large files: ranges, several connections, resuming, damaged pieces, room. */
import { createHash } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { sha256 as hashOf } from '../../src/weights/hash';
import { piecesOf, readContentRange } from '../../src/weights/pieces';
import { Sha256 } from '../../src/weights/sha256';
import { fromBytes } from '../../src/weights/source';
import { openModel, type OpenModelOptions } from '../../src/weights/store';
import { manifest } from './model';
import { FakeDisk } from './opfs';

const PIECE = 1 << 16;
const BIG = Uint8Array.from({ length: 9 * PIECE + 1234 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const pieces = {
  bytes: PIECE,
  sha256: Array.from({ length: 10 }, (_, i) => hex(BIG.subarray(i * PIECE, (i + 1) * PIECE))),
};
const NAME = 'big.safetensors';

/** model.json of one large file that serves for everything. */
function big(withPieces: boolean) {
  const base = manifest();
  const file = { path: NAME, bytes: BIG.length, sha256: hex(BIG), ...(withPieces && { pieces }) };
  const component = <T extends object>(c: T) => ({ ...c, file: NAME });
  const { tokenizer, text_encoder, transformer, autoencoder } = base.components;
  return {
    ...base,
    components: {
      tokenizer: component(tokenizer),
      text_encoder: component(text_encoder),
      transformer: component(transformer),
      autoencoder: component(autoencoder),
    },
    files: [file],
  };
}

class Server {
  manifest: object = big(true);
  ranges = true;
  asked: string[] = [];
  open = 0;
  most = 0;
  /** What becomes of the nth request for a range (from 0). */
  fault: (range: string, nth: number) => 'damage' | 'cut' | 'drop' | 'never' | null = () => null;
  data = BIG;

  readonly fetch = async (url: URL | RequestInfo, init?: RequestInit): Promise<Response> => {
    if (String(url).endsWith('model.json')) return Response.json(this.manifest);
    const range = new Headers(init?.headers).get('Range')?.replace('bytes=', '') ?? 'whole';
    const nth = this.asked.filter((r) => r === range).length;
    this.asked.push(range);
    this.most = Math.max(this.most, ++this.open);
    await new Promise((done) => setTimeout(done, 2));
    this.open--;
    init?.signal?.throwIfAborted();
    if (range === 'whole' || !this.ranges) return new Response(this.data.slice());
    const [start, end] = range.split('-').map(Number) as [number, number];
    let body = this.data.slice(start, end + 1);
    const fault = this.fault(range, nth);
    if (fault === 'drop') throw new TypeError('network error');
    if (fault === 'damage') body[5]! ^= 255;
    if (fault === 'cut') body = body.slice(0, 100);
    if (fault === 'never') return new Promise((_, no) => init?.signal?.addEventListener('abort', () => no(new Error('aborted')))); // prettier-ignore
    const headers = { 'Content-Range': `bytes ${start}-${end}/${this.data.length}` };
    return new Response(body, { status: 206, headers });
  };
}

let server: Server;
let disk: FakeDisk;
beforeEach(() => {
  server = new Server();
  disk = new FakeDisk();
});
const open = (options: OpenModelOptions = {}) =>
  openModel('https://kinora.example/models/big/', {
    fetch: server.fetch,
    storage: disk.storage,
    wait: async () => {},
    ...options,
  });
async function read(options: OpenModelOptions = {}): Promise<Uint8Array> {
  const source = (await open(options)).source(NAME);
  return source.read(0, source.size);
}
const range = (piece: number) => `${piece * PIECE}-${Math.min((piece + 1) * PIECE, BIG.length) - 1}`;
const same = (bytes: Uint8Array) => expect(hex(bytes)).toBe(hex(BIG));

test('a file is cut into pieces that are together the file', () => {
  const all = piecesOf({ bytes: BIG.length, pieces });
  expect(all).toHaveLength(10);
  expect(all.reduce((sum, p) => sum + p.length, 0)).toBe(BIG.length);
  expect(all[9]).toEqual({ index: 9, start: 9 * PIECE, length: 1234, sha256: pieces.sha256[9] });
  expect(piecesOf({ bytes: 5 })).toEqual([{ index: 0, start: 0, length: 5, sha256: null }]);
  expect(readContentRange('bytes 0-99/1200')).toEqual({ start: 0, end: 99, size: 1200 });
  expect(readContentRange('bytes */1200')).toBeNull();
});

test.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 100_003])(
  'SHA-256 of %i bytes, fed in odd parts',
  (length) => {
    const bytes = BIG.slice(0, length);
    const hash = new Sha256();
    for (let at = 0, step = 1; at < length; at += step, step = (step * 7) % 131 || 1) hash.update(bytes.subarray(at, at + step)); // prettier-ignore
    expect(hash.digest()).toBe(hex(bytes));
  },
);

test('a source of more than 32 MiB is hashed in parts', async () => {
  const large = new Uint8Array((32 << 20) + 77).fill(3);
  expect(await hashOf(fromBytes('x', large))).toBe(hex(large));
});

test('comes in ranges over several connections, and is kept', async () => {
  const seen: number[] = [];
  same(await read({ onDownload: ({ loaded }) => seen.push(loaded) }));
  expect(server.asked.sort()).toEqual(Array.from({ length: 10 }, (_, i) => range(i)).sort());
  expect(server.most).toBeGreaterThan(1);
  expect(server.most).toBeLessThanOrEqual(4);
  expect(seen.at(-1)).toBe(BIG.length);
  expect(disk.names()).toEqual([hex(BIG), 'model.json'].sort()); // no list of pieces is left
  server.asked = [];
  same(await read());
  expect(server.asked).toEqual([]);
});

test('a server without ranges gives it whole', async () => {
  server.ranges = false;
  same(await read());
  expect(server.asked).toEqual([range(0), 'whole']);
});

test.each(['damage', 'cut', 'drop'] as const)(
  'a piece that comes with %s is fetched again, alone',
  async (fault) => {
    server.fault = (r, nth) => (r === range(4) && nth === 0 ? fault : null);
    same(await read());
    expect(server.asked.filter((r) => r === range(4))).toHaveLength(2);
    expect(server.asked).toHaveLength(11);
  },
);

test('damage that no piece’s hash tells is found by the whole’s, and all is fetched again', async () => {
  server.manifest = big(false);
  // One piece of 8 MiB would hold it: the file comes whole, and damaged once.
  const damaged = BIG.slice();
  damaged[7]! ^= 1;
  server.data = damaged;
  const fetch = async (url: URL | RequestInfo, init?: RequestInit) => {
    const answer = await server.fetch(url, init);
    if (!String(url).endsWith('model.json')) server.data = BIG;
    return answer;
  };
  same(await read({ fetch: fetch as typeof globalThis.fetch }));
});

test('a piece damaged twice is an error that names it, and nothing of it is used', async () => {
  server.fault = (r) => (r === range(4) ? 'damage' : null);
  await expect(open()).rejects.toMatchObject({ code: 'hash-mismatch', message: expect.stringContaining('piece 5 is not') }); // prettier-ignore
  expect(disk.names()).not.toContain('model.json');
});

test('a lost network is an error after some tries; the next visit fetches only what is missing', async () => {
  server.fault = (r) => (r === range(7) ? 'drop' : null);
  await expect(open()).rejects.toMatchObject({ code: 'network' });
  expect(disk.names()).toContain(`${hex(BIG)}.part`);
  server.fault = () => null;
  server.asked = [];
  const seen: number[] = [];
  same(await read({ onDownload: ({ loaded }) => seen.push(loaded) }));
  expect(server.asked).toContain(range(7));
  expect(server.asked.length).toBeLessThanOrEqual(4);
  expect(seen[0]).toBeGreaterThan(5 * PIECE); // it goes on from there
});

test('a tab killed in the middle: whole pieces are used, a torn one is not', async () => {
  const stop = new AbortController();
  server.fault = (r) => (r === range(8) ? 'never' : null);
  // When all the others have come.
  const onDownload = ({ loaded }: { loaded: number }) => void (loaded >= BIG.length - PIECE && setTimeout(() => stop.abort(), 20)); // prettier-ignore
  const killed = open({ signal: stop.signal, onDownload });
  await expect(killed).rejects.toMatchObject({ code: 'cancelled' });
  disk.file(hex(BIG)).data[2 * PIECE + 9]! ^= 1; // the disk lies about one
  server.fault = () => null;
  server.asked = [];
  same(await read());
  expect(server.asked).toContain(range(2));
  expect(server.asked).toContain(range(8));
  expect(server.asked.length).toBeLessThan(6);
});

test('a file that was changed on the server meanwhile is told by its size', async () => {
  server.data = BIG.slice(0, -1);
  await expect(open()).rejects.toMatchObject({ code: 'hash-mismatch', message: expect.stringContaining(`${BIG.length - 1}, expected ${BIG.length}`) }); // prettier-ignore
});

test('room is asked for beforehand; without it the model stays in memory', async () => {
  const plans: object[] = [];
  const onPlan = (plan: object) => plans.push(plan);
  const tight = await open({ onPlan, estimate: async () => ({ quota: 1000, usage: 900 }) });
  expect(plans).toEqual([{ bytes: BIG.length, free: 100 }]);
  expect(tight.persisted).toBe(false);
  expect(tight.problem).toContain(`${BIG.length} bytes are needed, the browser offers 100`);
  expect(disk.names()).toEqual([]);
  const roomy = await open({ onPlan, estimate: async () => ({ quota: 1e9, usage: 900 }) });
  expect(roomy.persisted).toBe(true);
});

test('a disk that fills up in the middle, in spite of what was said', async () => {
  disk.room = 3 * PIECE;
  const model = await open({ estimate: async () => ({ quota: 1e9, usage: 0 }) });
  expect(model.persisted).toBe(false);
  const source = model.source(NAME);
  same(await source.read(0, source.size));
  expect(disk.names()).toEqual([]); // nothing half-written stays
});
