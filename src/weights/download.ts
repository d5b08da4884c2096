/**
 * Fetching a model's files, with the checks that make them safe to use. Large files come in pieces, by range
 * requests over several connections; what was fetched and checked survives a reload, a lost network and a
 * killed tab. Nothing is used before the whole file's hash is right.
 */
import { KinoraError } from '../errors';
import type { Folder, Sink } from './folder';
import { sha256, sha256Bytes } from './hash';
import type { ModelFile } from './manifest';
import { piecesOf, readContentRange, type Piece } from './pieces';
import { Sha256 } from './sha256';
import type { ByteSource } from './source';

interface FetchOptions {
  fetch?: typeof fetch;
  signal?: AbortSignal;
}

/** Requests at a time. HTTP/1 browsers allow six to a host; the page needs some itself. */
const CONNECTIONS = 4;
/** A piece whose connection broke is asked for again after these waits, in ms. */
const WAITS = [500, 2000, 5000];

/** model.json as JSON, always asking the server whether it is new. Throws `network`, `no-model` or `cancelled`. */
export function fetchManifest(base: URL, options: FetchOptions): Promise<unknown> {
  return fetchJson(new URL('model.json', base), 'model.json', options);
}

/** A small document, always asked for anew. `name` stands in messages. Throws `network` or `cancelled`. */
export async function fetchJson(address: URL, name: string, options: FetchOptions): Promise<unknown> {
  const response = await request(address, name, { cache: 'no-cache' }, options);
  try {
    return await response.json();
  } catch (e) {
    if (options.signal?.aborted) throw cancelled();
    // Captive portals and servers that answer everything with their start page.
    throw new KinoraError(
      'network',
      `${name} could not be fetched: what came is not JSON. Check the connection and try again.`,
      { file: name },
      String(e),
    );
  }
}

export interface FileOptions extends FetchOptions {
  /** Bytes of this file that are here; falls back when some must be fetched again. */
  onBytes: (loaded: number) => void;
  /** Bytes of it whose hash was taken; a large file takes a while. */
  onCheck?: (done: number) => void;
  /** For tests. Resolves after so many milliseconds. */
  wait?: (ms: number) => Promise<void>;
}

/**
 * Downloads one file into the folder, and checks it. What is damaged, cut off or too long is fetched a
 * second time, past the browser's cache, before it is an error; what the disk does not take, into memory.
 *
 * Whatever a server answers, pieces that came before stay, and the next download goes on from them: a part that says which it
 * is must be the one asked for, and a whole answer is hashed by itself. Only where everything is here and is together not the
 * file, some piece must be wrong, and nothing says which where only the whole has a hash: then what came now is fetched anew,
 * and if that does not help, all of it.
 */
export async function fetchFile(
  address: URL,
  file: ModelFile,
  folder: Folder,
  options: FileOptions,
): Promise<ByteSource> {
  let suspect = false; // that what an earlier download left is wrong
  for (let cache: RequestCache = 'default'; ;) {
    const sink = await folder.create(file);
    let whole = false;
    try {
      await gather(address, file, sink, cache, options);
      const source = await sink.finish();
      const actual = await sha256(source, { onBytes: options.onCheck });
      whole = true;
      if (actual !== file.sha256) throw mismatch(file.path, 'its SHA-256 is', actual, file.sha256);
      await sink.seal();
      return source;
    } catch (e) {
      const code = e instanceof KinoraError ? e.code : null;
      if (whole && code === 'hash-mismatch') {
        const spared: boolean = cache === 'default' && (await sink.forget());
        if (!spared) await sink.discard();
        if (cache === 'reload' && !suspect) throw e;
        [suspect, cache] = [spared, 'reload'];
        continue;
      }
      // Memory takes over from a disk that fails; what is here of any other broken download saves fetching it again.
      if (code === 'storage' && !folder.insists) await sink.discard();
      else await sink.pause();
      if (!(e instanceof KinoraError) || code === 'cancelled') throw e;
      if (code === 'storage' && folder.problem === null) {
        folder.fail(e.detail);
        continue; // into memory
      }
      if (cache === 'reload') throw code === 'hash-mismatch' ? withKept(e, await folder.kept(file)) : e;
      cache = 'reload';
    }
  }
}

/** The error, and how many bytes of the file stay all the same. */
function withKept(e: KinoraError, kept: number): KinoraError {
  if (kept === 0) return e;
  return new KinoraError(e.code, `${e.message} What came before is kept.`, { ...e.params, kept }, e.detail);
}

/** Puts every missing piece of the file into the sink. */
async function gather(
  address: URL,
  file: ModelFile,
  sink: Sink,
  cache: RequestCache,
  options: FileOptions,
): Promise<void> {
  const pieces = piecesOf(file);
  const missing = pieces.filter(({ index }) => !sink.kept.has(index));
  const loaded = new Map(pieces.map((p) => [p.index, sink.kept.has(p.index) ? p.length : 0]));
  const tell = (index: number, bytes: number) => {
    loaded.set(index, bytes);
    options.onBytes([...loaded.values()].reduce((sum, n) => sum + n, 0));
  };
  if (sink.kept.size > 0) options.onBytes([...loaded.values()].reduce((sum, n) => sum + n, 0));
  if (missing.length === 0) return;
  // Where the server knows no ranges, the first answer is the whole file.
  const whole =
    pieces.length === 1 || !(await fetchPiece(address, file, missing[0]!, sink, cache, options, tell));
  if (whole) return fetchWhole(address, file, sink, cache, options);

  const queue = missing.slice(1);
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let failure: unknown = null;
  const work = async () => {
    for (let piece = queue.shift(); piece && failure === null; piece = queue.shift()) {
      try {
        if (!(await fetchPiece(address, file, piece, sink, cache, { ...options, signal }, tell)))
          throw new KinoraError('network', `${file.path}: the server gave parts of it, and then no more. Try again later.`, { file: file.path }); // prettier-ignore
      } catch (e) {
        failure ??= e; // the first one; the others are stopped by it
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS, queue.length) }, work));
  if (options.signal?.aborted) throw cancelled();
  if (failure !== null) throw failure;
}

/**
 * One piece by a range request. False when the server answers with the whole file instead. A part that does not say which it is
 * is taken if it is as long as asked: another host's answer may hide that from scripts, and the whole's hash comes after.
 */
async function fetchPiece(
  address: URL,
  file: ModelFile,
  piece: Piece,
  sink: Sink,
  cache: RequestCache,
  options: FileOptions,
  tell: (index: number, bytes: number) => void,
): Promise<boolean> {
  const { wait = (ms) => new Promise((done) => setTimeout(done, ms)) } = options;
  const headers = { Range: `bytes=${piece.start}-${piece.start + piece.length - 1}` };
  let how = cache;
  for (let tries = 0; ; tries++) {
    try {
      const response = await request(address, file.path, { cache: how, headers }, options);
      if (response.status !== 206) {
        void response.body?.cancel().catch(() => {});
        return false;
      }
      const range = readContentRange(response.headers.get('Content-Range'));
      if (range && range.size !== file.bytes)
        throw mismatch(file.path, 'the server has another file, of', range.size, file.bytes);
      if (range && range.start !== piece.start)
        throw mismatch(file.path, 'the server sent the part of it from byte', range.start, piece.start);
      const bytes = await readAll(response, file, piece.start, piece.length, options.signal, (n) =>
        tell(piece.index, n),
      );
      const hash = await sha256Bytes(bytes);
      if (piece.sha256 !== null && hash !== piece.sha256)
        throw mismatch(`${file.path}, piece ${piece.index + 1}`, 'its SHA-256 is', hash, piece.sha256);
      await sink.write(piece.start, bytes);
      await sink.mark(piece, hash);
      return true;
    } catch (e) {
      tell(piece.index, 0);
      const code = e instanceof KinoraError ? e.code : null;
      const again = code === 'network' || (code === 'hash-mismatch' && how !== 'reload');
      if (!again || tries >= WAITS.length || options.signal?.aborted) throw e;
      how = code === 'hash-mismatch' ? 'reload' : how;
      if (code === 'network') await wait(WAITS[tries]!);
    }
  }
}

/**
 * The file in one answer, as small files and servers without ranges give it. Pieces that are here stay as they are; beside
 * such, an answer that is not the file is told from pieces that are not.
 */
async function fetchWhole(
  address: URL,
  file: ModelFile,
  sink: Sink,
  cache: RequestCache,
  options: FileOptions,
): Promise<void> {
  const response = await request(address, file.path, { cache }, options);
  const reader = response.body!.getReader();
  const hash = sink.kept.size > 0 ? new Sha256() : null;
  let loaded = 0;
  try {
    for (;;) {
      const { done, value } = await readChunk(reader, file, loaded, options.signal);
      if (done) break;
      if (loaded + value.byteLength > file.bytes)
        throw mismatch(file.path, 'its bytes are at least', loaded + value.byteLength, file.bytes);
      for (const part of missingOf(file, sink.kept, loaded, value)) await sink.write(part.at, part.bytes);
      hash?.update(value);
      loaded += value.byteLength;
      options.onBytes(loaded);
    }
  } catch (e) {
    void reader.cancel().catch(() => {});
    throw e;
  }
  if (loaded !== file.bytes) throw mismatch(file.path, 'its bytes are', loaded, file.bytes);
  const actual = hash?.digest() ?? file.sha256;
  if (actual !== file.sha256) throw mismatch(file.path, 'its SHA-256 is', actual, file.sha256);
}

/** Of bytes at a place of the file: those that lie in no piece that is kept. */
function missingOf(file: ModelFile, kept: ReadonlySet<number>, at: number, bytes: Uint8Array<ArrayBuffer>) {
  if (kept.size === 0) return [{ at, bytes }];
  return piecesOf(file)
    .filter(
      ({ index, start, length }) => !kept.has(index) && start < at + bytes.length && at < start + length,
    )
    .map(({ start, length }) => {
      const [from, to] = [Math.max(at, start), Math.min(at + bytes.length, start + length)];
      return { at: from, bytes: bytes.subarray(from - at, to - at) };
    });
}

/** Exactly `length` bytes of a body. */
async function readAll(
  response: Response,
  file: ModelFile,
  start: number,
  length: number,
  signal: AbortSignal | undefined,
  onBytes: (loaded: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  const reader = response.body!.getReader();
  let at = 0;
  try {
    for (;;) {
      const { done, value } = await readChunk(reader, file, start + at, signal);
      if (done) break;
      if (at + value.byteLength > length)
        throw mismatch(file.path, 'a part of it is longer than', at + value.byteLength, length);
      bytes.set(value, at);
      at += value.byteLength;
      onBytes(at);
    }
  } catch (e) {
    void reader.cancel().catch(() => {});
    throw e;
  }
  if (at !== length)
    throw new KinoraError(
      'network',
      `${file.path}: the connection broke after ${start + at} of ${file.bytes} bytes. Try again.`,
      { file: file.path, loaded: start + at, total: file.bytes },
    );
  return bytes;
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

function mismatch(
  name: string,
  what: string,
  actual: string | number,
  expected: string | number,
): KinoraError {
  return new KinoraError(
    'hash-mismatch',
    `${name} is not the file that was promised: ${what} ${actual}, expected ${expected}. ` +
      'It was fetched twice. Try again later, or tell whoever offers it.',
    { file: name, actual, expected },
  );
}

async function request(
  address: URL,
  name: string,
  init: RequestInit,
  { fetch = globalThis.fetch, signal }: FetchOptions,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { ...init, signal: signal ?? null });
  } catch (e) {
    if (signal?.aborted) throw cancelled();
    throw new KinoraError(
      'network',
      `${name} could not be fetched: the connection failed. Check the connection and try again.`,
      { file: name },
      String(e),
    );
  }
  if (response.ok && response.body) return response;
  void response.body?.cancel().catch(() => {});
  if (name === 'model.json' && (response.status === 404 || response.status === 410)) {
    const model = decodeURIComponent(address.pathname.split('/').at(-2) ?? '');
    throw new KinoraError(
      'no-model',
      `There is no model “${model}” here (${address.pathname} does not exist). Check the name, or open the page without it.`,
      { model },
    );
  }
  throw new KinoraError(
    'network',
    `${name} could not be fetched: the server answered ${response.status}. Try again later.`,
    { file: name, status: response.status },
  );
}

function cancelled(): KinoraError {
  return new KinoraError('cancelled', 'Loading the model was cancelled.');
}
