import { expect, test } from 'vitest';
import { openTestGpu } from '../helpers/gpu';

test('the browser offers what the product needs', async () => {
  const gpu = await openTestGpu();
  expect(gpu.adapter.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 * 2 ** 20);
  expect(typeof VideoEncoder).toBe('function');
  expect(typeof navigator.storage.getDirectory).toBe('function');
});
