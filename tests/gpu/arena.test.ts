import { expect, test } from 'vitest';
import { Arena } from '../../src/gpu/arena';
import type { Memory } from '../../src/gpu/memory';
import type { Storage } from '../../src/gpu/tensor';

/** A memory that only counts. */
function countingMemory() {
  const live = new Map<number, Storage>();
  let id = 1;
  const memory = {
    live,
    labels: [] as string[],
    allocate(bytes: number, label: string): Storage {
      const storage = { bytes, buffer: null, id: id++ };
      live.set(storage.id, storage);
      memory.labels.push(label);
      return storage;
    },
    free: (s: Storage) => void live.delete(s.id),
  };
  return memory;
}

const arenaOf = (memory: unknown, dry = false) => new Arena(memory as Memory, dry);

test('allocates in steps of 256 bytes and counts what it holds', () => {
  const memory = countingMemory();
  const arena = arenaOf(memory);
  expect([1, 256, 257].map((bytes) => arena.take(bytes, 'x').bytes)).toEqual([256, 256, 512]);
  expect(arena.bytes).toBe(1024);
  expect(memory.labels[0]).toBe('scratch for x');
});

test('lends a given buffer again when at least three quarters of it are wanted', () => {
  const arena = arenaOf(countingMemory());
  const big = arena.take(1024, 'big');
  expect(arena.take(1024, 'while the first is lent')).not.toBe(big);
  arena.give(big);
  expect(arena.take(512, 'too little')).not.toBe(big);
  expect(arena.take(1025, 'too much')).not.toBe(big);
  expect(arena.take(513, 'enough, in steps of 256')).toBe(big);
  expect(arena.take(768, 'lent once only')).not.toBe(big);
});

test('lends the least buffers again, too', () => {
  const arena = arenaOf(countingMemory());
  const tiny = arena.take(4, 'a number');
  arena.give(tiny);
  expect(arena.take(8, 'two numbers')).toBe(tiny);
});

test('lends the smallest of the free buffers that fit', () => {
  const arena = arenaOf(countingMemory());
  const [large, small, middle] = [2560, 2048, 2304].map((bytes) => arena.take(bytes, 'x')) as Storage[];
  for (const s of [large!, small!, middle!]) arena.give(s);
  const before = arena.bytes;
  expect(arena.take(2000, 'x')).toBe(small);
  expect(arena.take(2000, 'x')).toBe(middle);
  expect(arena.take(2000, 'x')).toBe(large);
  expect(arena.bytes).toBe(before);
});

test('frees lent and free buffers alike', () => {
  const memory = countingMemory();
  const arena = arenaOf(memory);
  arena.give(arena.take(512, 'x'));
  arena.take(4096, 'y');
  expect(memory.live.size).toBe(2);
  arena.destroy();
  expect(memory.live.size).toBe(0);
  expect(arena.bytes).toBe(0);
  expect(arena.take(512, 'x').id).toBe(3); // not one that was freed
});

test('a dry arena counts the same bytes without touching memory', () => {
  const arena = arenaOf(null, true);
  const first = arena.take(1000, 'x');
  arena.give(first);
  expect(arena.take(900, 'x')).toBe(first);
  const second = arena.take(900, 'x');
  expect(second.id).not.toBe(first.id);
  expect(Math.max(first.id, second.id)).toBeLessThan(0); // never taken for a real buffer's
  expect(arena.bytes).toBe(2048);
  arena.destroy();
});
