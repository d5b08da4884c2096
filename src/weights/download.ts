/** Fetching a model's files from our own origin, with the checks that make them safe to use. */
import { KinoraError } from '../errors';
import type { Folder, Sink } from './folder';
import { sha256 } from './hash';
import type { ModelFile } from './manifest';
import type { ByteSource } from './source';

interface FetchOptions {
  fetch?: typeof fetch;
  signal?: AbortSignal;
}

/** model.json as JSON, always asking the server whether it is new. Throws `network` or `cancelled`. */
export async function fetchManifest(base: URL, options: FetchOptions): Promise<unknown> {
  const response = await request(base, 'model.json', 'no-cache', options);
  try {
    return await response.json();
  } catch (e) {
    if (options.signal?.aborted) throw cancelled();
    // Captive portals and servers that answer everything with their start page.
    throw new KinoraError(
      'network',
      'model.json could not be fetched: what came is not JSON. Check the connection and try again.',
      { file: 'model.json' },
      String(e),
    );
  }
}

interface Progress {
  /** Bytes of this file; falls back to 0 when it is fetched again. */
  onBytes: (loaded: number) => void;
}

/**
 * Downloads one file into the folder, and checks it. What is damaged, cut off or too long is fetched a
 * second time, past the browser's cache, before it is an error; what the disk does not take, into memory.
 */
export async function fetchFile(
  base: URL,
  file: ModelFile,
  folder: Folder,
  options: FetchOptions & Progress,
): Promise<ByteSource> {
  for (let cache: RequestCache = 'default'; ;) {
    const response = await request(base, file.path, cache, options);
    const sink = await folder.create(file);
    try {
      await pump(response, file, sink, options);
      const source = await sink.finish();
      await checkHash(source, file);
      return source;
    } catch (e) {
      await sink.discard();
      if (!(e instanceof KinoraError) || e.code === 'cancelled') throw e;
      if (e.code === 'storage' && folder.problem === null) {
        folder.fail(e);
        continue; // into memory
      }
      if (cache === 'reload') throw e;
      cache = 'reload';
    }
  }
}

/** Moves the body into the sink. Throws when it is not exactly as long as promised. */
async function pump(
  response: Response,
  file: ModelFile,
  sink: Sink,
  { signal, onBytes }: FetchOptions & Progress,
): Promise<void> {
  const reader = response.body!.getReader();
  let loaded = 0;
  try {
    for (;;) {
      const { done, value } = await readChunk(reader, file, loaded, signal);
      if (done) break;
      loaded += value.byteLength;
      if (loaded > file.bytes) throw mismatch(file, 'its bytes are at least', loaded, file.bytes);
      await sink.write(value);
      onBytes(loaded);
    }
  } catch (e) {
    void reader.cancel().catch(() => {});
    throw e;
  }
  if (loaded !== file.bytes) throw mismatch(file, 'its bytes are', loaded, file.bytes);
}

async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  file: ModelFile,
  loaded: number,
  signal: AbortSignal | undefined,
): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> {
  try {
    return await reader.read();
  } catch (e) {
    if (signal?.aborted) throw cancelled();
    throw new KinoraError(
      'network',
      `${file.path}: the connection broke after ${loaded} of ${file.bytes} bytes. Try again.`,
      { file: file.path, loaded, total: file.bytes },
      String(e),
    );
  }
}

async function checkHash(source: ByteSource, file: ModelFile): Promise<void> {
  const actual = await sha256(source);
  if (actual !== file.sha256) throw mismatch(file, 'its SHA-256 is', actual, file.sha256);
}

function mismatch(
  file: ModelFile,
  what: string,
  actual: string | number,
  expected: string | number,
): KinoraError {
  return new KinoraError(
    'hash-mismatch',
    `${file.path} is not the file that model.json promises: ${what} ${actual}, expected ${expected}. ` +
      'It was fetched twice. Try again later, or tell whoever runs this site.',
    { file: file.path, actual, expected },
  );
}

async function request(
  base: URL,
  path: string,
  cache: RequestCache,
  { fetch = globalThis.fetch, signal }: FetchOptions,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(new URL(path, base), { cache, signal: signal ?? null });
  } catch (e) {
    if (signal?.aborted) throw cancelled();
    throw new KinoraError(
      'network',
      `${path} could not be fetched: the connection failed. Check the connection and try again.`,
      { file: path },
      String(e),
    );
  }
  if (response.ok && response.body) return response;
  void response.body?.cancel().catch(() => {});
  if (path === 'model.json' && (response.status === 404 || response.status === 410)) {
    const model = decodeURIComponent(base.pathname.split('/').at(-2) ?? '');
    throw new KinoraError(
      'no-model',
      `There is no model “${model}” here (${base.pathname}model.json does not exist). Check the name, or open the page without it.`,
      { model },
    );
  }
  throw new KinoraError(
    'network',
    `${path} could not be fetched: the server answered ${response.status}. Try again later.`,
    { file: path, status: response.status },
  );
}

function cancelled(): KinoraError {
  return new KinoraError('cancelled', 'Loading the model was cancelled.');
}
