/**
 * Small files that ask for much: each is refused in words at once, where it once took minutes, gigabytes,
 * or never ended; and reading one takes little more memory than it has bytes.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { readWeights } from '../../src/weights/read';
import { fromBytes } from '../../src/weights/source';
import { BOMBS, type Bomb } from '../helpers/bombs';
import type { Peak } from '../helpers/peak-memory';
import { arrayEntry, gguf } from './write';

/** A GGUF whose one note is an array of bytes. */
const longArray = (n: number) =>
  gguf({
    entries: [arrayEntry('odd', 0, new Uint8Array(n).fill(7), n)],
    tensors: [{ name: 't', dims: [2], type: 0, offset: 0 }],
    data: new Uint8Array(8),
  });

test('a long array of bytes in a GGUF stays an array of bytes', async () => {
  const n = 8 << 20;
  const { metadata } = await readWeights(fromBytes('w.gguf', longArray(n)));
  const odd = metadata.get('odd') as Uint8Array;
  expect(odd).toBeInstanceOf(Uint8Array);
  expect(odd.buffer.byteLength).toBe(n);
  expect(odd[n - 1]).toBe(7);
});

test.each(BOMBS)(
  '%s',
  async (_, make, message) => {
    const bytes = make();
    const error = await readWeights(fromBytes('w.bin', bytes)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(KinoraError);
    expect((error as KinoraError).code).toBe('bad-model');
    expect((error as KinoraError).message).toContain('w.bin: ');
    expect((error as KinoraError).message).toContain(message);
  },
  20_000,
);

const root = mkdtempSync(join(tmpdir(), 'kinora-bombs-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Reads a file in a process of its own, whose memory is watched by the system. */
async function peakOf(bytes: Uint8Array): Promise<Peak> {
  const path = join(root, 'w.bin');
  writeFileSync(path, bytes);
  const child = spawn(process.execPath, ['tests/helpers/peak-memory.mjs', path]);
  let out = '';
  child.stdout.on('data', (text) => (out += text));
  await new Promise((done) => child.on('close', done));
  return JSON.parse(out) as Peak;
}

/** The file in memory, and twice as much again while it is taken apart; and what is made before it is known to be too much. */
const allowed = (size: number) => 3 * size + 32 * 2 ** 20;
const LARGE: Bomb[] = [
  ['a GGUF with a note of 30 MB', () => longArray(30 << 20), ''],
  ['a GGUF with a note of 90 MB', () => longArray(90 << 20), 'its header is larger than 67108864 bytes'],
];

// Only Linux tells the mark.
test.skipIf(process.platform !== 'linux').each([...LARGE, ...BOMBS])(
  '%s: takes little more memory than it has bytes',
  async (_, make, message) => {
    const bytes = make();
    const { grew, refused } = await peakOf(bytes);
    expect(refused ?? '').toContain(message);
    expect(grew).toBeLessThan(allowed(bytes.length));
  },
  60_000,
);
