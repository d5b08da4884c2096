/**
 * A process of its own that reads a file and tells by how much its memory ever grew over what it was before: the high-water
 * mark that Linux keeps, buffers and heap and all, which no collection of garbage can hide. (The mark of `getrusage` will
 * not do: a process inherits its parent's.)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { readWeights } from '../../src/weights/read';
import type { ByteSource } from '../../src/weights/source';

export interface Peak {
  name: string;
  /** Bytes. */
  size: number;
  grew: number;
  /** Null: it was read. */
  refused: string | null;
}

async function fromDisk(path: string): Promise<ByteSource & { close: () => Promise<void> }> {
  const handle = await open(path);
  const { size } = await handle.stat();
  return {
    name: path.split('/').at(-1)!,
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await handle.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    },
    close: () => handle.close(),
  };
}

/** Reads the file as a person's would be; prints a `Peak` as JSON. */
export async function main(path: string): Promise<void> {
  const mark = () => Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
  writeFileSync('/proc/self/clear_refs', '5'); // the mark falls to what is resident now
  const before = mark();
  const source = await fromDisk(path);
  let refused: string | null = null;
  try {
    await readWeights(source);
  } catch (e) {
    refused = e instanceof Error ? `${e.name}: ${e.message}` : String(e);
  }
  const grew = mark() - before;
  await source.close();
  console.log(JSON.stringify({ name: source.name, size: source.size, grew, refused } satisfies Peak));
}
