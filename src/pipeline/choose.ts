/** Which backend computes here, and why. */
import { KinoraError } from '../errors';
import { reportAdapter, requestAdapter } from '../gpu/device';
import type { AdapterReport, BackendKind, BackendReason } from '../worker/protocol/machine';

export interface Choice {
  backend: BackendKind;
  reason: BackendReason;
  /** Null without WebGPU. */
  adapter: AdapterReport | null;
}

/**
 * A real adapter → WebGPU; a software adapter, or none → the CPU, which is many times faster than kernels on
 * a software adapter.
 * @param wish what the person asked for
 * @throws KinoraError `no-webgpu` or `no-adapter` when WebGPU was asked for and is not there
 */
export async function chooseBackend(wish: 'auto' | BackendKind, entry: GPU | undefined): Promise<Choice> {
  let adapter: AdapterReport | null = null;
  let lack: 'no-webgpu' | 'no-adapter' | null = null;
  try {
    adapter = reportAdapter(await requestAdapter(entry));
  } catch (e) {
    if (!(e instanceof KinoraError) || (e.code !== 'no-webgpu' && e.code !== 'no-adapter')) throw e;
    if (wish === 'webgpu') throw e;
    lack = e.code;
  }
  if (wish !== 'auto') return { backend: wish, reason: 'asked', adapter };
  if (lack) return { backend: 'cpu', reason: lack, adapter };
  return adapter!.isFallback
    ? { backend: 'cpu', reason: 'fallback-adapter', adapter }
    : { backend: 'webgpu', reason: 'adapter', adapter };
}
