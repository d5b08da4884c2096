/** Reading large files in pieces: hashes, servers, files on disk. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { readAhead } from '../../src/weights/ahead';
import { sha256 } from '../../src/weights/hash';
import { readWeights } from '../../src/weights/read';
import { Sha256 } from '../../src/weights/sha256';
import { fromBlob, fromBytes, fromUrl, type ByteSource } from '../../src/weights/source';
import { fixtureBytes } from './fixtures';

const data = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function watched(inner: ByteSource): { source: ByteSource; reads: [number, number][] } {
  const reads: [number, number][] = [];
  const read = (offset: number, length: number) => (reads.push([offset, length]), inner.read(offset, length));
  return { source: { ...inner, read }, reads };
}

test('SHA-256 in pieces of any size is node’s', () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 300_000]) {
    const bytes = data.subarray(0, length);
    for (const piece of [1, 7, 64, 1000, 1 << 20]) {
      if (length > 1000 && piece < 64) continue;
      const hash = new Sha256();
      for (let at = 0; at < length; at += piece) hash.update(bytes.subarray(at, at + piece));
      expect(hash.digest(), `${length} by ${piece}`).toBe(hex(bytes));
    }
  }
});

test('a large file is hashed in pieces, with the same result', async () => {
  const { source, reads } = watched(fromBytes('x', data));
  expect(await sha256(source, { whole: 1000, piece: 4096 })).toBe(hex(data));
  expect(Math.max(...reads.map(([, n]) => n))).toBe(4096);
  expect(await sha256(fromBytes('x', data))).toBe(hex(data));
});

test('reading on is done in windows; jumps and large reads go straight through', async () => {
  const { source, reads } = watched(fromBytes('x', data));
  const ahead = readAhead(source, 10_000);
  const check = async (offset: number, length: number) =>
    expect([...(await ahead.read(offset, length))]).toEqual([...data.subarray(offset, offset + length)]);
  await check(0, 100); // the first is no reading on
  for (let at = 100; at < 9_000; at += 100) await check(at, 50);
  await check(200_000, 10);
  await check(100_000, 20_000);
  await check(299_999, 1);
  expect(reads).toEqual([
    [0, 100],
    [100, 10_000],
    [200_000, 10],
    [100_000, 20_000],
    [299_999, 1],
  ]);
  await check(299_990, 10);
});

test('a window that failed is fetched again', async () => {
  let broken = true;
  const inner = fromBytes('x', data);
  const source = readAhead(
    { ...inner, read: (o, n) => (broken && n > 10 ? Promise.reject(new Error('no')) : inner.read(o, n)) },
    1000,
  );
  await source.read(0, 10);
  await expect(source.read(10, 10)).rejects.toThrow('no');
  broken = false;
  expect([...(await source.read(20, 10))]).toEqual([...data.subarray(20, 30)]);
});

test('a part that does not come is asked for again', async () => {
  let left = 3;
  const fetch: typeof globalThis.fetch = async (_, init) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get('Range')!)!.map(Number) as [number, number, number]; // prettier-ignore
    if (from > 0 && left-- > 0) return left % 2 ? Promise.reject(new TypeError('reset')) : new Response('', { status: 503 }); // prettier-ignore
    return new Response(data.slice(from, to + 1), {
      status: 206,
      headers: { 'Content-Range': `bytes ${from}-${to}/${data.length}` },
    });
  };
  const source = await fromUrl('x', 'https://kinora.example/x', { fetch, pauses: [0, 0, 0] });
  expect([...(await source.read(5, 3))]).toEqual([...data.subarray(5, 8)]);
  left = 9;
  await expect(source.read(5, 3)).rejects.toMatchObject({ code: 'network' });
});

test.each(['quants.gguf', 'nested.pt', 'fp8.safetensors'])(
  '%s from a blob is only read where it is asked for',
  async (name) => {
    const bytes = fixtureBytes(`formats/${name}`);
    const { source, reads } = watched(fromBlob(name, new Blob([bytes])));
    const file = await readWeights(source);
    const header = reads.reduce((sum, [, n]) => sum + n, 0);
    const info = [...file.tensors.values()].sort((a, b) => b.bytes - a.bytes)[0]!;
    await file.read(info.name, 0, Math.min(16, info.bytes));
    const all = reads.reduce((sum, [, n]) => sum + n, 0);
    expect(all - header).toBe(Math.min(16, info.bytes));
  },
);
