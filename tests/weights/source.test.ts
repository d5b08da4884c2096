import { expect, test } from 'vitest';
import { fromBlob, fromBytes, fromUrl, readExactly, type ByteSource } from '../../src/weights/source';

const data = Uint8Array.from({ length: 100 }, (_, i) => i);

/** A server that answers ranges (or not). */
function ranges(body: Uint8Array<ArrayBuffer>, asked: string[] = []): typeof fetch {
  return async (_, init) => {
    const range = new Headers(init?.headers).get('Range')!;
    asked.push(range);
    init?.signal?.throwIfAborted();
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range)!.map(Number) as [number, number, number];
    const headers = { 'Content-Range': `bytes ${from}-${to}/${body.length}` };
    return new Response(body.slice(from, to + 1), { status: 206, headers });
  };
}

test.each<[string, () => Promise<ByteSource>]>([
  ['bytes', async () => fromBytes('x', data)],
  ['a buffer', async () => fromBytes('x', data.buffer)],
  ['a blob', async () => fromBlob('x', new Blob([data]))],
  ['a server', () => fromUrl('x', 'https://kinora.example/x', { fetch: ranges(data) })],
])('reads parts of %s', async (_, open) => {
  const source = await open();
  expect(source.size).toBe(100);
  expect([...(await source.read(98, 2))]).toEqual([98, 99]);
  expect(await source.read(50, 0)).toHaveLength(0);
  expect([...(await readExactly(source, 0, 100))]).toEqual([...data]);
  await expect(readExactly(source, 90, 11)).rejects.toThrow(
    'x: bytes 90 to 101 were asked for, but it has 100.',
  );
});

test('what is read is a copy', async () => {
  const source = fromBytes('x', data);
  (await source.read(0, 10)).fill(0);
  expect([...(await source.read(8, 2))]).toEqual([8, 9]);
});

test('a source that gives too little is noticed', async () => {
  const short = { ...fromBytes('x', data), read: async () => new Uint8Array(3) };
  await expect(readExactly(short, 0, 4)).rejects.toThrow('x: 4 bytes were asked for at 0, 3 came.');
});

test('a server is asked for what is needed alone', async () => {
  const asked: string[] = [];
  const source = await fromUrl('x', 'https://kinora.example/x', { fetch: ranges(data, asked) });
  await source.read(10, 5);
  expect(asked).toEqual(['bytes=0-0', 'bytes=10-14']);
});

test.each<[string, typeof fetch, string, string]>([
  ['without ranges', async () => new Response(data), 'network', 'the server does not serve parts of files'],
  ['with an error', async () => new Response('', { status: 404 }), 'network', 'status 404'],
  ['unreachable', async () => Promise.reject(new TypeError('no')), 'network', 'the connection failed'],
  [
    'silent about the size',
    async () => new Response('a', { status: 206 }),
    'network',
    'did not tell its size',
  ],
])('a server %s', async (_, fetch, code, message) => {
  const open = fromUrl('x', 'https://kinora.example/x', { fetch });
  await expect(open).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});

test('reading from a server can be cancelled', async () => {
  const stop = new AbortController();
  const options = { fetch: ranges(data), signal: stop.signal };
  const source = await fromUrl('x', 'https://kinora.example/x', options);
  stop.abort();
  await expect(source.read(0, 4)).rejects.toMatchObject({ code: 'cancelled' });
});
