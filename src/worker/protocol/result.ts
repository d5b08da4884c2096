/** How every call answers: errors cross as data (a thrown error would lose all but its message). */

/** Stable names of what can go wrong; `src/app/words` holds the person's words for each. */
export type ErrorCode =
  | 'no-webgpu' // navigator.gpu is missing
  | 'no-adapter' // WebGPU is there, but gives no adapter
  | 'no-wasm' // WebAssembly with SIMD is missing, which the CPU backend needs
  | 'no-webcodecs' // VideoEncoder is missing
  | 'no-encoder' // no codec of the ladder encodes this size
  | 'bad-request' // a setting is out of range; `params` names it
  | 'no-model' // there is no model of that name at this address
  | 'bad-model' // model.json or a weight file is damaged, or does not fit together
  | 'hash-mismatch' // a file is not what model.json promised
  | 'network' // a file could not be fetched
  | 'not-loaded' // generate before load
  | 'busy' // a clip is being made already
  | 'cancelled' // the person asked for it
  | 'paused' // the person asked for it, and the clip can be gone on with; `params.id` names its journal, `params.gpuBytes` is what stays on the GPU
  | 'out-of-memory'
  | 'device-lost'
  | 'not-finite' // the canary found NaN or Inf; `params.operation` names where
  | 'storage' // OPFS refused a read or write
  | 'worker-dead' // the worker ended without an answer
  | 'unfenced' // a hub is to be asked, and nothing would hold its worker to the hub's addresses
  | 'internal';

export interface EngineError {
  code: ErrorCode;
  /** One English sentence: what happened, with both numbers where sizes disagree, and what to do. */
  message: string;
  /** The numbers and names of the message, for translation. */
  params?: Record<string, string | number>;
  /** For a bug report: stack or the driver's own words. */
  detail?: string;
}

export type Result<T> = { ok: true; value: T } | { ok: false; error: EngineError };
