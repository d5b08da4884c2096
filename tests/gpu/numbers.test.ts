import { expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import { expectShape, floatToHalf, grid, ranges } from '../../src/gpu/run';
import { bytesOf, reshape, size, type Tensor } from '../../src/gpu/tensor';
import { f16ToF32, f32ToF16 } from '../../src/weights/convert';
import { random } from '../helpers/tensors';

test('floatToHalf is exact on halves, and rounds between them to the nearest, ties to even', () => {
  for (let h = 0; h < 0x7c00; h++) {
    const [low, high] = [f16ToF32(h), h === 0x7bff ? 65536 : f16ToF32(h + 1)];
    if (floatToHalf(low) !== h || floatToHalf(-low) !== (h | 0x8000)) throw new Error(`half ${h}`);
    const middle = (low + high) / 2;
    const even = h % 2 === 0 ? h : h + 1;
    if (floatToHalf(middle) !== even) throw new Error(`between ${h} and the next`);
    if (floatToHalf(middle * (1 - 2 ** -20)) !== h) throw new Error(`below the middle above ${h}`);
    if (floatToHalf(middle * (1 + 2 ** -20)) !== h + 1) throw new Error(`above the middle above ${h}`);
  }
});

test('floatToHalf agrees with the reader’s f32ToF16', () => {
  expect([0, -0, Infinity, -Infinity, 65504, 65519.99, 65520, 1e30, -1e30, 2 ** -25, 2 ** -26].map(floatToHalf)) // prettier-ignore
    .toEqual([0, 0x8000, 0x7c00, 0xfc00, 0x7bff, 0x7bff, 0x7c00, 0x7c00, 0xfc00, 0, 0]);
  expect(floatToHalf(NaN)).toBe(0x7e00);
  for (const spread of [1e-8, 1e-5, 1e-3, 1, 1000, 70_000])
    for (const x of random(5000, 1, spread)) expect(floatToHalf(x)).toBe(f32ToF16(x));
});

test('grid covers every item within the limit of each dimension', () => {
  for (const perGroup of [1, 64, 256])
    for (const n of [0, 1, 63, 64, 65, 65535 * 64, 65535 * 64 + 1, 4e9]) {
      const [x, y] = grid(n, perGroup);
      expect(Math.max(x, y)).toBeLessThanOrEqual(65535);
      expect(x * y * perGroup).toBeGreaterThanOrEqual(n);
      // At most one row of workgroups does nothing.
      expect((x * y - x) * perGroup).toBeLessThanOrEqual(n);
    }
});

test('ranges follow each other without a gap, none over the cost, each a whole number of steps', () => {
  const gpu = { flopsPerDispatch: 1000 } as Gpu;
  const all = (rows: number, flops: number, step?: number) => [...ranges(gpu, rows, flops, step)];
  expect(all(0, 1)).toEqual([]);
  expect(all(10, 0)).toEqual([{ start: 0, count: 10 }]);
  expect(all(7, 400)).toEqual([0, 2, 4].map((start) => ({ start, count: 2 })).concat({ start: 6, count: 1 }));
  expect(all(70, 30, 16)).toEqual([
    { start: 0, count: 32 },
    { start: 32, count: 32 },
    { start: 64, count: 6 },
  ]);
  // Alike, instead of two full ones and a short one.
  expect(all(9 * 16, 15, 16).map((r) => r.count)).toEqual([48, 48, 48]);
  // A dispatch has 65 535 workgroups in a direction at most, however fast the GPU is.
  const fast = [...ranges({ flopsPerDispatch: 1e15 } as Gpu, 100_000 * 32, 10, 32)];
  expect(fast.map((r) => r.count)).toEqual([50_000 * 32, 50_000 * 32]);
  // A step that costs too much is still taken: a tile cannot be cut.
  expect(all(20, 5000, 16).map((r) => r.count)).toEqual([16, 4]);
});

const tensor = (shape: number[]): Tensor => {
  return { storage: { bytes: 0, buffer: null, id: 0 }, dtype: 'f32', shape, label: 'q' };
};

test('expectShape names the op, the tensor and both shapes', () => {
  expect(() => expectShape('op', 'x', tensor([2, 3]), [2, 3])).not.toThrow();
  expect(() => expectShape('op', 'x', tensor([2, 3]), [3, 2])).toThrow(
    'op: x (q) has shape [2,3], expected [3,2]',
  );
  expect(() => expectShape('op', 'x', tensor([2]), [2, 1])).toThrow(
    'op: x (q) has shape [2], expected [2,1]',
  );
  const error = { code: 'internal', params: { operation: 'op' } };
  expect(() => expectShape('op', 'x', tensor([]), [1])).toThrow(expect.objectContaining(error));
});

test('sizes and bytes of tensors', () => {
  expect(size(tensor([2, 3, 5]))).toBe(30);
  expect(size(tensor([]))).toBe(1);
  expect(bytesOf([3, 3], 'f32')).toBe(36);
  expect(bytesOf([3, 3], 'f16')).toBe(20);
  expect(bytesOf([2, 32], 'q8_0')).toBe(64);
  expect(bytesOf([0], 'f32')).toBe(4); // WebGPU has no empty bindings
  expect(reshape(tensor([2, 6]), [3, 4]).shape).toEqual([3, 4]);
  expect(() => reshape(tensor([2, 6]), [3, 5])).toThrow('reshape: q has shape [2,6], which is not [3,5]');
});
