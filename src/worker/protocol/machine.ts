/** What this browser and its GPU are, and which backend computes on them. */

export interface AdapterReport {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** A software adapter: correct, and slow. */
  isFallback: boolean;
  features: string[];
  maxBufferSize: number;
  maxStorageBufferBindingSize: number;
}

/** A trial between variants of a kernel, held on this adapter. */
export interface TuningAnswer {
  /** Operation, types and shape class, e.g. "matmul f16·q8_0→f16 2048×2048×2048". */
  key: string;
  chosen: string;
  /** Milliseconds of a call by variant; null for one that did not compile or computed something else. */
  ms: Record<string, number | null>;
  /** Floating-point operations of such a call, where they are what it costs. */
  flops?: number;
}

/** What computes: our own kernels, or onnxruntime-web. */
export type BackendKind = 'webgpu' | 'cpu';

/** Why a backend was chosen. */
export type BackendReason =
  | 'adapter' // a real graphics adapter
  | 'fallback-adapter' // only a software adapter, which the CPU backend outruns
  | 'no-adapter'
  | 'no-webgpu'
  | 'asked'; // the person chose it

export interface CheckReport {
  backend: BackendKind;
  reason: BackendReason;
  /** Null without WebGPU. */
  adapter: AdapterReport | null;
  /** Codec strings that a trial encode passed, best first. Empty: nothing can be exported. */
  codecs: string[];
}
