/** A device that goes away, played by a puppet: real ones cannot be lost on demand. */
import { afterEach, expect, test, vi } from 'vitest';
import { KinoraError } from '../../src/errors';
import { Gpu } from '../../src/gpu/device';
import type { Tensor } from '../../src/gpu/tensor';
import type { AdapterReport } from '../../src/worker/protocol/machine';

afterEach(() => vi.unstubAllGlobals());

/** Its reads fail, and `lose` says why. */
function puppet() {
  vi.stubGlobal('GPUBufferUsage', {});
  vi.stubGlobal('GPUMapMode', {});
  let lose!: (info: { reason: string; message: string }) => void;
  const lost = new Promise((resolve) => (lose = resolve));
  const buffer = {
    mapAsync: () => Promise.reject(new DOMException('the map was aborted', 'AbortError')),
    destroy() {},
  };
  const encoder = { copyBufferToBuffer() {}, finish() {} };
  const queue = { submit() {} };
  class GPUOutOfMemoryError extends Error {}
  vi.stubGlobal('GPUOutOfMemoryError', GPUOutOfMemoryError);
  const device: Record<string, unknown> = {
    destroy() {},
    lost,
    queue,
    limits: {},
    createBuffer: () => buffer,
    createCommandEncoder: () => encoder,
  };
  const gpu = new Gpu(device as unknown as GPUDevice, {} as AdapterReport, 'f32');
  const tensor: Tensor = { storage: { bytes: 4, buffer: null, id: 1 }, dtype: 'f32', shape: [1], label: 'x' };
  /** The device tells an error that no scope caught. */
  const tell = (error: Error) => (device.onuncapturederror as (event: object) => void)({ error });
  return { gpu, lose, tell, OutOfMemory: GPUOutOfMemoryError, read: () => gpu.readBytes(tensor) };
}

test('a read that fails because the device was lost says so, even if that is told later', async () => {
  const { gpu, lose, read } = puppet();
  setTimeout(() => lose({ reason: 'unknown', message: 'the driver was reset' }), 50);
  await expect(read()).rejects.toMatchObject({ code: 'device-lost', detail: 'the driver was reset' });
  expect(() => gpu.check()).toThrow('The GPU was lost'); // and it stays lost
});

test('a read that fails for another reason keeps it', async () => {
  const { gpu, lose, read } = puppet();
  gpu.destroy(); // by ourselves
  setTimeout(() => lose({ reason: 'destroyed', message: '' }), 50);
  await expect(read()).rejects.toThrow('the map was aborted');
});

test('a device that runs out of memory and is lost of it is lost, and stays so', async () => {
  const { gpu, lose } = puppet();
  gpu.fail(new KinoraError('out-of-memory', 'The GPU has no room for key 1.'));
  lose({ reason: 'unknown', message: 'out of memory' });
  expect(await gpu.isLost(0)).toBe(true);
  for (let times = 0; times < 2; times++)
    expect(() => gpu.check()).toThrow(expect.objectContaining({ code: 'device-lost' }));
});

test('a lack of memory that no scope caught is told as that, any other refusal as a refusal', () => {
  const { gpu, tell, OutOfMemory } = puppet();
  tell(new OutOfMemory('no'));
  expect(() => gpu.check()).toThrow(expect.objectContaining({ code: 'out-of-memory', detail: 'no' }));
  tell(new Error('a binding is missing'));
  expect(() => gpu.check()).toThrow(expect.objectContaining({ code: 'internal' }));
  expect(() => gpu.check()).not.toThrow(); // told once
});
