import { expect, test } from 'vitest';
import { chooseBackend } from '../../src/pipeline/choose';

function entryOf(adapter: { isFallbackAdapter: boolean } | null): GPU {
  const info = { vendor: 'v', architecture: 'a', device: '', description: '', ...adapter };
  const limits = { maxBufferSize: 1, maxStorageBufferBindingSize: 1 };
  const found = adapter && { info, limits, features: new Set<string>() };
  return { requestAdapter: async () => found } as unknown as GPU;
}
const real = entryOf({ isFallbackAdapter: false });
const software = entryOf({ isFallbackAdapter: true });
const none = entryOf(null);

test.each([
  ['a real adapter', real, 'auto', 'webgpu', 'adapter'],
  ['a software adapter', software, 'auto', 'cpu', 'fallback-adapter'],
  ['no adapter', none, 'auto', 'cpu', 'no-adapter'],
  ['no WebGPU', undefined, 'auto', 'cpu', 'no-webgpu'],
  ['a software adapter, WebGPU asked for', software, 'webgpu', 'webgpu', 'asked'],
  ['a real adapter, the CPU asked for', real, 'cpu', 'cpu', 'asked'],
  ['no WebGPU, the CPU asked for', undefined, 'cpu', 'cpu', 'asked'],
] as const)('%s', async (_, entry, wish, backend, reason) => {
  expect(await chooseBackend(wish, entry)).toMatchObject({ backend, reason });
});

test('WebGPU asked for where it is not is refused, saying what is missing', async () => {
  await expect(chooseBackend('webgpu', undefined)).rejects.toMatchObject({ code: 'no-webgpu' });
  await expect(chooseBackend('webgpu', none)).rejects.toMatchObject({ code: 'no-adapter' });
});

test('the adapter is told where there is one, also when it is not used', async () => {
  expect((await chooseBackend('auto', software)).adapter).toMatchObject({ isFallback: true });
  expect((await chooseBackend('auto', none)).adapter).toBeNull();
});
