/**
 * onnxruntime-web on the CPU: WASM with SIMD, and threads where the page is cross-origin isolated. Loaded only
 * when it is asked for, and from our own origin. The one owner of the runtime.
 */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import loader from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url&no-inline';
import binary from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url&no-inline';
import { KinoraError } from '../errors';

export type Session = InferenceSession;
export type { OrtTensor };
type Runtime = typeof import('onnxruntime-web/wasm');

/** More threads than this gain nothing at these sizes. */
const MAX_THREADS = 8;

let loaded: Promise<Runtime> | null = null;

/**
 * Threads that sessions will use: 1 where SharedArrayBuffer is missing, and in a worker that began as a blob
 * (worker/begin.ts): the page's policy, which it has then, asks for Trusted Types, of which the runtime knows nothing.
 */
export function countThreads(): number {
  const shared = typeof SharedArrayBuffer !== 'undefined' && globalThis.crossOriginIsolated !== false;
  const inherits = globalThis.location?.protocol === 'blob:';
  return shared && !inherits ? Math.max(1, Math.min(MAX_THREADS, navigator.hardwareConcurrency || 1)) : 1;
}

/** A wasm module with one v128 instruction: valid only where SIMD is. */
const SIMD = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11); // prettier-ignore

async function load(): Promise<Runtime> {
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(SIMD))
    throw new KinoraError(
      'no-wasm',
      'This browser has no WebAssembly SIMD, which the CPU backend needs. Update the browser.',
    );
  const ort = await import('onnxruntime-web/wasm');
  // Absolute addresses: threads are workers of their own, with another base.
  const here = import.meta.url;
  ort.env.wasm.wasmPaths = { mjs: new URL(loader, here).href, wasm: new URL(binary, here).href };
  ort.env.wasm.numThreads = countThreads();
  ort.env.logLevel = 'error';
  return ort;
}

/** The runtime. Throws `no-wasm` where the browser cannot run it. */
export function getRuntime(): Promise<Runtime> {
  loaded ??= load().catch((e: unknown) => {
    loaded = null; // so that another try is one
    throw e;
  });
  return loaded;
}

/** A session over a model's bytes. Throws `bad-model` or `out-of-memory`. */
export async function openSession(name: string, bytes: Uint8Array): Promise<Session> {
  const ort = await getRuntime();
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: ['wasm'],
      graphOptimizationLevel: 'all',
      // Activations stay f32 beside 8-bit weights; by default they would be rounded to 8 bits, too.
      extra: { session: { qdq_matmulnbits_accuracy_level: '1' } },
    });
  } catch (e) {
    throw asError(e, `${name} cannot be opened by the CPU backend.`, 'bad-model');
  }
}

/** What the runtime threw, as ours. */
export function asError(e: unknown, message: string, code: 'bad-model' | 'internal'): KinoraError {
  if (e instanceof KinoraError) return e;
  const detail = e instanceof Error ? `${e.name}: ${e.message}` : String(e);
  if (e instanceof RangeError || /memory|bad_alloc|allocation|too large/i.test(detail))
    return new KinoraError(
      'out-of-memory',
      'The browser has no memory left for the CPU backend. Choose a smaller size or close other tabs.',
      {},
      detail,
    );
  return new KinoraError(code, message, {}, detail);
}
