/**
 * safetensors: 8 bytes header length (little-endian), a JSON header, then the tensors without gaps
 * [huggingface/safetensors `safetensors/src/tensor.rs`, whose checks are repeated here].
 */
import { countElements, LAYOUTS, type FileDType } from './dtypes';
import {
  damaged,
  readExactly,
  weightFile,
  type ByteSource,
  type MetadataValue,
  type TensorInfo,
  type WeightFile,
} from './source';

/** The reference reader's own limit. */
const MAX_HEADER = 100_000_000;

/** Names that safetensors spells differently. */
const DTYPE_NAMES: ReadonlyMap<string, FileDType> = new Map([
  ...(
    ['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'I16', 'I8', 'U64', 'U32', 'U16', 'U8', 'BOOL'] as const
  ).map((name) => [name, name] as const),
  ['F8_E4M3', 'F8_E4M3'],
  ['F8_E5M2', 'F8_E5M2'],
]);

/** Reads and checks the header. Throws `bad-model` naming the file, the tensor and both numbers. */
export async function readSafetensors(source: ByteSource): Promise<WeightFile> {
  const fail = (problem: string, params = {}) => damaged(source.name, problem, params);
  if (source.size < 8) throw fail(`a safetensors file has at least 8 bytes, this one has ${source.size}.`);
  const prefix = await readExactly(source, 0, 8);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  const room = Math.min(MAX_HEADER, source.size - 8);
  if (length > room)
    throw fail(
      `it is no safetensors file, or cut off: its header says ${length} bytes, at most ${room} can be.`,
      {
        header: length,
        room,
      },
    );
  const header = parseHeader(await readExactly(source, 8, length), fail);

  const start = 8 + length;
  const metadata = new Map<string, MetadataValue>();
  const tensors: TensorInfo[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      for (const [key, value] of Object.entries(asObject(entry) ?? {})) {
        if (typeof value !== 'string') throw fail(`the metadata "${key}" is not text.`);
        metadata.set(key, value);
      }
      continue;
    }
    tensors.push(readEntry(name, entry, start, source.size, fail));
  }
  checkNoGaps(tensors, start, source.size, fail);
  return weightFile(source, new Map(tensors.map((t) => [t.name, t])), metadata);
}

type Fail = (problem: string, params?: Record<string, string | number>) => Error;

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (e) {
    throw fail(`its header of ${bytes.length} bytes is not JSON (${e instanceof Error ? e.message : e}).`);
  }
  const object = asObject(header);
  if (!object) throw fail('its header is not a JSON object.');
  return object;
}

function readEntry(name: string, entry: unknown, start: number, size: number, fail: Fail): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = asObject(entry) ?? {};
  const at = `tensor "${name}"`;
  const known = typeof dtype === 'string' ? DTYPE_NAMES.get(dtype) : undefined;
  if (!known)
    throw fail(`${at} has type ${JSON.stringify(dtype)}, which Kinora does not know.`, { tensor: name });
  const isNatural = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isNatural))
    throw fail(`${at} has no valid shape (${JSON.stringify(shape)}).`, { tensor: name });
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isNatural))
    throw fail(`${at} has no valid offsets (${JSON.stringify(offsets)}).`, { tensor: name });
  const [begin, end] = offsets as [number, number];
  const elements = countElements(shape);
  if (elements === null) throw fail(`${at} has too many elements ([${shape}]).`, { tensor: name });
  const expected = elements * LAYOUTS[known].bytes;
  if (end - begin !== expected)
    throw fail(`${at} with shape [${shape}] ${dtype} needs ${expected} bytes, but has ${end - begin}.`, {
      tensor: name,
      expected,
      actual: end - begin,
    });
  if (start + end > size)
    throw fail(`${at} ends at byte ${start + end}, but the file has ${size}. It is cut off.`, {
      tensor: name,
      end: start + end,
      size,
    });
  return { name, dtype: known, shape, offset: start + begin, bytes: expected };
}

/** Tensors must fill the file exactly: overlaps and hidden bytes are signs of damage or tricks. */
function checkNoGaps(tensors: TensorInfo[], start: number, size: number, fail: Fail): void {
  let at = start;
  for (const t of [...tensors].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    if (t.offset !== at)
      throw fail(`tensor "${t.name}" starts at byte ${t.offset}, but the one before ends at ${at}.`, {
        tensor: t.name,
        start: t.offset,
        end: at,
      });
    at += t.bytes;
  }
  if (at !== size) throw fail(`its tensors end at byte ${at}, but the file has ${size}.`, { end: at, size });
}
