/**
 * A GPU that is nowhere, for dry runs: they go through all that a network does and count its buffers, at full size,
 * without making one. Anything that would compute fails.
 */
import { Gpu } from '../../src/gpu/device';
import { bytesOf, type Elem, type Plain, type Tensor } from '../../src/gpu/tensor';

export function gpuNowhere(elem: Elem): Gpu {
  Object.assign(globalThis, { GPUShaderStage: { COMPUTE: 4 } });
  const most = 2 ** 31 - 4;
  const limits = {
    maxComputeWorkgroupsPerDimension: 65535,
    maxBufferSize: most,
    maxStorageBufferBindingSize: most,
  };
  const device = { limits, lost: new Promise(() => {}), createBindGroupLayout: () => ({}) };
  const adapter = { vendor: '', architecture: '', device: '', description: '', features: [], isFallback: false, maxBufferSize: most, maxStorageBufferBindingSize: most }; // prettier-ignore
  return new Gpu(device as unknown as GPUDevice, adapter, elem);
}

/** A tensor of which only the shape is there. */
export function tensorNowhere(shape: readonly number[], dtype: Plain, label: string): Tensor {
  return { storage: { bytes: bytesOf(shape, dtype), buffer: null, id: 0 }, dtype, shape, label };
}
