/**
 * Reading model files: where bytes come from (`ByteSource`) and what a reader makes of them
 * (`WeightFile`). Nothing here holds a file whole; nothing here knows the GPU or a network.
 */
import { KinoraError } from '../errors';
import type { FileDType } from './dtypes';

/** Random access to bytes. `name` is for messages. */
export interface ByteSource {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; the caller keeps both inside the source. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A tensor in a file. `offset` and `bytes` were checked against the file's size. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: FileDType;
  /** PyTorch's order, outermost axis first. */
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly offset: number;
  readonly bytes: number;
  /** The tensor that its values are multiplied by, which is not listed itself; see scaled.ts. */
  readonly scale?: TensorInfo;
}

/** Of numbers as the file has them: a number a list entry of its own would take eight times as much. */
export type MetadataArray =
  | string[]
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>;
export type MetadataValue = string | number | bigint | boolean | MetadataArray;

/** A checkpoint file whose header was read and checked. */
export interface WeightFile {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  /**
   * Raw bytes of a tensor as the file has them, or of a part: `length` bytes from `offset` inside it.
   * Throws `bad-model` for a name that the file has not.
   */
  read(name: string, offset?: number, length?: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** `bad-model`, about this file: it is cut off, damaged, or of a kind that Kinora does not read. */
export function damaged(
  file: string,
  problem: string,
  params: Record<string, string | number> = {},
): KinoraError {
  return new KinoraError('bad-model', `${file}: ${problem}`, { file, why: 'file', ...params });
}

export function fromBytes(name: string, data: ArrayBuffer | Uint8Array<ArrayBuffer>): ByteSource {
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  return {
    name,
    size: bytes.byteLength,
    // A copy: callers may hand it on, and must not be able to change the file.
    read: async (offset, length) => bytes.slice(offset, offset + length),
  };
}

/** A picked file, or one in OPFS (`handle.getFile()`): nothing is read before it is asked for. */
export function fromBlob(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length) {
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (e) {
        throw new KinoraError(
          'storage',
          `${name} could not be read at byte ${offset}: it may have been changed or removed. Load it again.`,
          { file: name, offset },
          String(e),
        );
      }
    },
  };
}

/**
 * A file behind a server that answers range requests. Asks for the first byte to learn the size.
 * Throws `network` when the server gives no ranges: then the file must be downloaded whole.
 */
export async function fromUrl(name: string, url: string, options: UrlOptions = {}): Promise<ByteSource> {
  const { fetch = globalThis.fetch, signal, pauses = PAUSES } = options;
  const ask = async (offset: number, length: number): Promise<Response> => {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const fail = (problem: string, detail = '') =>
      new KinoraError(
        'network',
        `${name} could not be fetched: ${problem}. Try again.`,
        { file: name, range },
        detail,
      );
    let response: Response;
    try {
      response = await fetch(url, { headers: { Range: range }, signal: signal ?? null });
    } catch (e) {
      if (signal?.aborted) throw new KinoraError('cancelled', `Reading ${name} was cancelled.`);
      throw fail('the connection failed', String(e));
    }
    if (response.status === 206) return response;
    void response.body?.cancel().catch(() => {});
    throw fail(response.ok ? 'the server does not serve parts of files' : `status ${response.status}`);
  };
  const first = await ask(0, 1);
  void first.body?.cancel().catch(() => {});
  const total = /^bytes 0-0\/(\d+)$/.exec(first.headers.get('Content-Range') ?? '')?.[1];
  if (!total) throw new KinoraError('network', `${name}: the server did not tell its size.`, { file: name });
  return {
    name,
    size: Number(total),
    async read(offset, length) {
      if (length === 0) return new Uint8Array();
      return again(pauses, async () => {
        const response = await ask(offset, length);
        try {
          return new Uint8Array(await response.arrayBuffer());
        } catch (e) {
          if (signal?.aborted) throw new KinoraError('cancelled', `Reading ${name} was cancelled.`);
          throw new KinoraError(
            'network',
            `${name}: the connection broke at byte ${offset}. Try again.`,
            { file: name, offset },
            String(e),
          );
        }
      });
    },
  };
}

export interface UrlOptions {
  fetch?: typeof globalThis.fetch;
  signal?: AbortSignal;
  /** Milliseconds to wait before each further try of a part that did not come. */
  pauses?: readonly number[];
}

/** A checkpoint is read for minutes; a short break of the connection must not end it. */
const PAUSES = [500, 2000, 5000];

/** Tries again after each pause while the network fails. */
async function again<T>(pauses: readonly number[], work: () => Promise<T>): Promise<T> {
  for (const pause of pauses) {
    try {
      return await work();
    } catch (e) {
      if (!(e instanceof KinoraError) || e.code !== 'network') throw e;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return work();
}

/** Reads inside the bounds of the source, and insists on getting every byte. */
export async function readExactly(
  source: ByteSource,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (offset < 0 || length < 0 || offset + length > source.size)
    throw damaged(
      source.name,
      `bytes ${offset} to ${offset + length} were asked for, but it has ${source.size}.`,
      {
        end: offset + length,
        size: source.size,
      },
    );
  const bytes = await source.read(offset, length);
  if (bytes.byteLength !== length)
    throw damaged(source.name, `${length} bytes were asked for at ${offset}, ${bytes.byteLength} came.`, {
      expected: length,
      actual: bytes.byteLength,
    });
  return bytes;
}

/** A `WeightFile` over tensors that a reader has checked. */
export function weightFile(
  source: ByteSource,
  tensors: ReadonlyMap<string, TensorInfo>,
  metadata: ReadonlyMap<string, MetadataValue>,
): WeightFile {
  return {
    name: source.name,
    tensors,
    metadata,
    async read(name, offset = 0, length) {
      const info = tensors.get(name);
      if (!info) throw damaged(source.name, `it has no tensor "${name}".`, { tensor: name });
      const wanted = length ?? info.bytes - offset;
      if (offset < 0 || wanted < 0 || offset + wanted > info.bytes)
        throw new RangeError(`${name}: bytes ${offset} to ${offset + wanted} of ${info.bytes}`);
      return readExactly(source, info.offset + offset, wanted);
    },
  };
}
