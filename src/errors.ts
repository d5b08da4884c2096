/** The one error class of the engine: it crosses the worker as data (`EngineError`). */
import type { EngineError, ErrorCode, Result } from './worker/protocol/result';

export class KinoraError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly params: Record<string, string | number> = {},
    readonly detail = '',
  ) {
    super(message);
    this.name = 'KinoraError';
  }
}

/** Any thrown value as data; what is not a `KinoraError` becomes `internal` with its stack. */
export function toEngineError(e: unknown): EngineError {
  if (e instanceof KinoraError) {
    return { code: e.code, message: e.message, params: e.params, detail: e.detail || e.stack || '' };
  }
  const message = e instanceof Error ? e.message : String(e);
  return { code: 'internal', message, detail: e instanceof Error ? (e.stack ?? '') : '' };
}

/** Runs `work`, turning whatever it throws into a `Result`. */
export async function asResult<T>(work: () => Promise<T>): Promise<Result<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (e) {
    return { ok: false, error: toEngineError(e) };
  }
}
