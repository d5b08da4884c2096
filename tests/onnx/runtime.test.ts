import { expect, test, vi } from 'vitest';
import { KinoraError } from '../../src/errors';
import { asError, countThreads, getRuntime } from '../../src/onnx/runtime';

test.each([
  [new RangeError('Array buffer allocation failed'), 'out-of-memory'],
  [new Error('std::bad_alloc'), 'out-of-memory'],
  [new Error('Cannot enlarge memory arrays'), 'out-of-memory'],
  [new Error('Tensor shape is too large'), 'out-of-memory'],
  [new Error('no such operator'), 'bad-model'],
  ['a text', 'bad-model'],
])('%s becomes %s', (thrown, code) => {
  const error = asError(thrown, 'It cannot be opened.', 'bad-model');
  expect(error).toMatchObject({ code });
  expect(error.detail).toContain(thrown instanceof Error ? thrown.message : thrown);
});

test('our own errors stay as they are', () => {
  const error = new KinoraError('cancelled', 'Enough.');
  expect(asError(error, '', 'internal')).toBe(error);
});

test('one thread where memory cannot be shared, else as many as there are cores, within reason', () => {
  vi.stubGlobal('navigator', { hardwareConcurrency: 64 });
  try {
    expect(countThreads()).toBe(8);
    vi.stubGlobal('crossOriginIsolated', false);
    expect(countThreads()).toBe(1);
    vi.stubGlobal('crossOriginIsolated', true);
    vi.stubGlobal('location', { protocol: 'blob:' });
    expect(countThreads()).toBe(1);
    vi.stubGlobal('location', { protocol: 'https:' });
    expect(countThreads()).toBe(8);
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(countThreads()).toBe(1);
  } finally {
    vi.unstubAllGlobals();
  }
});

test('without WebAssembly SIMD it says what is missing', async () => {
  const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  await expect(getRuntime()).rejects.toMatchObject({
    code: 'no-wasm',
    message: expect.stringContaining('SIMD'),
  });
  expect(validate).toHaveBeenCalledOnce();
  expect(WebAssembly.validate).toBe(validate);
  validate.mockRestore();
});
