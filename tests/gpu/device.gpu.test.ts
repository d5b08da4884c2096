import { expect, test } from 'vitest';
import { openTestGpu } from '../helpers/gpu';

test('opens a device and reports its adapter', async () => {
  const gpu = await openTestGpu();
  expect(gpu.elem).toBe('f32');
  expect(gpu.adapter.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 * 2 ** 20);
});
