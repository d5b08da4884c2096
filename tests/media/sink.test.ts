/** A film that grows on a disk which fills up: it goes on in memory with every byte. */
import { createHash } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { MemorySink, openSink, releaseWork, SpillingSink, sweepWork, type Sink } from '../../src/media/sink';
import { Locks } from '../helpers/locks';
import { FakeDisk } from '../weights/opfs';

/** A disk of so many bytes. Writes what fits, as disks do, and then complains. */
class SmallDisk extends MemorySink {
  discarded = false;
  constructor(
    readonly room: number,
    readonly failsAtEnd = false,
  ) {
    super();
  }
  override write(data: Uint8Array, position: number): void {
    if (position + data.length <= this.room) return super.write(data, position);
    super.write(data.subarray(0, Math.max(0, this.room - position)), position);
    throw new DOMException('The disk is full.', 'QuotaExceededError');
  }
  override async finish(type: string): Promise<Blob> {
    if (this.failsAtEnd) throw new DOMException('The disk is full.', 'QuotaExceededError');
    return super.finish(type);
  }
  override discard(): void {
    this.discarded = true;
    super.discard();
  }
}

/** A film: pieces one after another, and its index written last, in front. */
async function film(sink: Sink): Promise<string> {
  let at = 64;
  for (let i = 1; i <= 40; i++) {
    const piece = new Uint8Array(100_000).fill(i);
    sink.write(piece, at);
    at += piece.length;
  }
  sink.write(new Uint8Array(64).fill(99), 0);
  const bytes = new Uint8Array(await (await sink.finish('video/mp4')).arrayBuffer());
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}

test.each([
  ['at once', 0],
  ['in the middle of a piece', 2_345_678],
  ['at the end of one', 64 + 500_000],
  ['when the index is written', 64 + 4_000_000 - 1],
])('full %s: the same bytes, and it is told once', async (_, room) => {
  let told = 0;
  const disk = new SmallDisk(room);
  const sink = new SpillingSink(disk, () => told++);
  expect(await film(sink)).toEqual(await film(new MemorySink()));
  expect(told).toBe(1);
  expect(disk.discarded).toBe(true);
});

test('full when the last bytes are put to the disk: the same', async () => {
  const sink = new SpillingSink(new SmallDisk(Infinity, true), () => {});
  expect(await film(sink)).toEqual(await film(new MemorySink()));
});

test('a disk with room is left alone', async () => {
  let told = 0;
  const disk = new SmallDisk(Infinity);
  const sink = new SpillingSink(disk, () => told++);
  await film(sink);
  expect([told, disk.discarded]).toEqual([0, false]);
  expect(sink.read(60, 66)).toEqual(Uint8Array.of(99, 99, 99, 99, 1, 1));
});

test('what a killed tab left half-written is swept at the next visit; what is being written, or not yet kept, is not', async () => {
  const disk = new FakeDisk();
  vi.stubGlobal('navigator', { storage: { getDirectory: disk.storage }, locks: new Locks() });
  try {
    await sweepWork(); // nothing was ever made
    const mine = await openSink('mine.mp4', () => {});
    mine.write(new Uint8Array(9), 0);
    disk.beside('killed.mp4', 'mine.mp4', new Uint8Array(5000));
    await sweepWork();
    expect(disk.names()).toEqual(['mine.mp4']);
    expect((await mine.finish('video/mp4')).size).toBe(9);
    await sweepWork();
    expect(disk.names()).toEqual(['mine.mp4']); // until the page has its copy
    disk.beside('killed.mp4', 'mine.mp4', new Uint8Array(5000));
    await releaseWork('mine.mp4');
    const next = await openSink('next.mp4', () => {});
    expect(disk.names()).toEqual(['next.mp4']);
    next.discard();
  } finally {
    vi.unstubAllGlobals();
  }
});
