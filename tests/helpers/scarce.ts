/** A device that has no more memory than so much: what goes over it fails as it does where a GPU is full. */
import type { Gpu } from '../../src/gpu/device';

/**
 * From now on buffers that would bring the device's memory over `bytes` are answered with a lack of memory by the error
 * scope that they are made in.
 * @returns how often that was so, and the way back
 */
export function limitMemory(gpu: Gpu, bytes: number): { failed: () => number; restore: () => void } {
  const { device, memory } = gpu;
  const [create, pop] = [device.createBuffer, device.popErrorScope];
  let failed = 0;
  let over = false;
  device.createBuffer = (descriptor) => {
    over = memory.bytes + descriptor.size > bytes;
    return create.call(device, descriptor);
  };
  device.popErrorScope = async () => {
    const short = over;
    over = false;
    if (short) failed++;
    return (await pop.call(device)) ?? (short ? new GPUOutOfMemoryError('not enough memory') : null);
  };
  return {
    failed: () => failed,
    restore: () => void Object.assign(device, { createBuffer: create, popErrorScope: pop }),
  };
}
