import { mkdtempSync, rmSync, truncateSync, writeFileSync, writeSync, openSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { DiskBlob } from '../../scripts/disk-blob';
import { fromBlob } from '../../src/weights/source';

const root = mkdtempSync(join(tmpdir(), 'kinora-disk-'));
afterAll(() => rmSync(root, { recursive: true }));

test('parts of parts, as those of a Blob in memory', async () => {
  const [path, data] = [join(root, 'a'), Uint8Array.from({ length: 50 }, (_, i) => i)];
  writeFileSync(path, data);
  const [ours, theirs] = [await DiskBlob.open(path), new Blob([data])];
  expect(ours.size).toBe(50);
  for (const [from, to] of [[0, 50], [3, 9], [40, 90], [20, 10], [-5, undefined], [-9, -2], [60, 70], [7, undefined]]) {
    const [a, b] = [ours.slice(from, to), theirs.slice(from, to)];
    expect(a.size, `${from}…${to}`).toBe(b.size);
    expect(new Uint8Array(await a.arrayBuffer())).toEqual(new Uint8Array(await b.arrayBuffer()));
    const [c, d] = [a.slice(1, 3), b.slice(1, 3)];
    expect(new Uint8Array(await c.arrayBuffer())).toEqual(new Uint8Array(await d.arrayBuffer()));
  }
  expect(await ours.slice(0, 3).text()).toBe('\0\x01\x02');
  expect(() => ours.stream()).toThrow('is read in parts');
}); // prettier-ignore

test('a file of over 4 GiB has its size, and is read beyond them', async () => {
  const [path, size] = [join(root, 'large'), 5 * 2 ** 30];
  writeFileSync(path, '');
  truncateSync(path, size); // a hole, which takes no room on the disk
  const file = openSync(path, 'r+');
  writeSync(file, Uint8Array.of(7, 8, 9), 0, 3, size - 3);
  closeSync(file);
  const source = fromBlob('large', await DiskBlob.open(path));
  expect(source.size).toBe(size);
  expect([...(await source.read(size - 4, 4))]).toEqual([0, 7, 8, 9]);
  rmSync(path);
});

test('a file that is missing, or became shorter, is an error', async () => {
  await expect(DiskBlob.open(join(root, 'none'))).rejects.toThrow('ENOENT');
  const path = join(root, 'b');
  writeFileSync(path, 'abcdef');
  const blob = await DiskBlob.open(path);
  truncateSync(path, 2);
  await expect(blob.arrayBuffer()).rejects.toThrow('ended 4 bytes too early');
  await expect(fromBlob('b', blob).read(0, 6)).rejects.toThrow('b could not be read at byte 0');
});
