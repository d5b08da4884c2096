import { afterAll, expect, test } from 'vitest';
import { Memory } from '../../src/gpu/memory';
import type { Tensor } from '../../src/gpu/tensor';
import { openTestGpu } from '../helpers/gpu';

const gpu = await openTestGpu();
afterAll(() => gpu.destroy());

const fresh = () => new Memory(gpu.device, (e) => gpu.fail(e));

test('counts bytes now and at most, rounded up to words', () => {
  const memory = fresh();
  const a = memory.allocate(5, 'a');
  const b = memory.tensor([3, 3], 'f16', 'b');
  expect([a.bytes, b.storage.bytes]).toEqual([8, 20]);
  expect(a.id).not.toBe(b.storage.id);
  memory.free(a);
  memory.free(a); // a second time changes nothing
  memory.allocate(4, 'c');
  expect([memory.bytes, memory.peak]).toEqual([24, 28]);
  memory.destroy();
  expect([memory.bytes, memory.peak]).toEqual([0, 28]);
});

test('new memory is zero, and what is uploaded arrives, odd tails padded with zeros', async () => {
  const memory = fresh();
  const zeros = memory.tensor([100], 'f32', 'zeros');
  expect(await gpu.read(zeros)).toEqual(new Float32Array(100));
  const halves = memory.upload(Uint16Array.of(0x3c00, 0xc000, 0x3800), [3], 'f16', 'halves');
  expect([...(await gpu.read(halves))]).toEqual([1, -2, 0.5]);
  expect([...(await gpu.readBytes(halves))].slice(6)).toEqual([0, 0]);
  const inner = Float32Array.of(9, 1, 2, 9).subarray(1, 3); // a view into a larger buffer
  const floats = memory.upload(inner, [2], 'f32', 'floats');
  memory.write(floats.storage, Float32Array.of(7), 4);
  expect([...(await gpu.read(floats))]).toEqual([1, 7]);
  memory.destroy();
});

test('reads halves of every kind', async () => {
  const memory = fresh();
  const bits = Uint16Array.of(0, 0x8000, 1, 0x83ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x3555);
  const t = memory.upload(bits, [10], 'f16', 'halves');
  const want = [0, -0, 2 ** -24, -1023 * 2 ** -24, 2 ** -14, 65504, Infinity, -Infinity, NaN, 1365 / 4096];
  expect([...(await gpu.read(t))]).toEqual(want);
  const words = memory.upload(Uint32Array.of(1), [1], 'u32', 'words');
  await expect(gpu.read(words)).rejects.toThrow('read: words is u32, not f32 or f16');
  memory.destroy();
});

test('q8_0 tensors are freed with their scales', () => {
  const memory = fresh();
  const storage = memory.allocate(64, 'quants');
  const t: Tensor = {
    storage,
    scales: memory.allocate(4, 'scales'),
    dtype: 'q8_0',
    shape: [2, 32],
    label: 'w',
  };
  memory.free(t);
  expect(memory.bytes).toBe(0);
});

test('says who wants more than the adapter allows, and takes nothing', () => {
  const memory = fresh();
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const big = () => memory.allocate(limit + 1, 'the KV cache');
  expect(big).toThrow(
    `the KV cache needs a buffer of ${limit + 4 - (limit % 4)} bytes, but this adapter allows ${limit}.`,
  );
  expect(big).toThrow(expect.objectContaining({ code: 'out-of-memory' }));
  expect(memory.bytes).toBe(0);
});

test('refuses data that does not fill its shape', () => {
  const memory = fresh();
  expect(() => memory.upload(new Float32Array(5), [2, 3], 'f32', 'w')).toThrow(
    'w: 20 bytes of data for shape [2,3] f32 (24 bytes)',
  );
  expect(memory.bytes).toBe(0);
});

test('tells who keeps bind groups that a storage is gone', () => {
  const memory = fresh();
  let told = 0;
  memory.onDestroy.add(() => told++);
  const a = memory.allocate(4, 'a');
  memory.allocate(4, 'b');
  memory.free(a);
  expect(told).toBe(1);
  memory.destroy();
  expect(told).toBe(2);
});
