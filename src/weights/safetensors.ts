/**
 * safetensors: 8 bytes header length (little-endian), a JSON header, then the tensors without gaps
 * [huggingface/safetensors `safetensors/src/tensor.rs`, whose checks are repeated here].
 */
import { countElements, LAYOUTS, MAX_AXES, MAX_TENSORS, type FileDType } from './dtypes';
import {
  damaged,
  readExactly,
  weightFile,
  type ByteSource,
  type MetadataValue,
  type TensorInfo,
  type WeightFile,
} from './source';

/**
 * The reference reader's own limit is 100 MB. A tensor takes some 120 bytes of header; the rest is notes of training,
 * which have a few megabytes at most.
 */
export const MAX_HEADER = 32_000_000;
/** Brackets and commas of a header: a tensor of five axes has a dozen. */
const MAX_MARKS = 16 * MAX_TENSORS;
const MAX_DEPTH = 8;

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
  checkMarks(bytes, fail);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (e) {
    throw fail(`its header of ${bytes.length} bytes is not JSON (${e instanceof Error ? e.message : e}).`);
  }
  const object = asObject(header);
  const tensors = Object.keys(object ?? {}).length;
  if (tensors > MAX_TENSORS + 1)
    throw fail(`it has ${tensors} tensors, at most ${MAX_TENSORS} are read.`, { tensors });
  if (!object) throw fail('its header is not a JSON object.');
  return object;
}

/**
 * Looks at the JSON before it is parsed: what it becomes can take many times its bytes, and minutes. Texts are stepped
 * over.
 */
function checkMarks(bytes: Uint8Array, fail: Fail): void {
  let marks = 0;
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === 0x22 /* " */) {
      do {
        if (bytes[at] === 0x5c /* \\ */) at++;
        at++;
      } while (at < bytes.length && bytes[at] !== 0x22);
    } else if (byte === 0x2c /* , */) marks++;
    else if (byte === 0x7b || byte === 0x5b /* { [ */) {
      marks++;
      depth++;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
    if (depth > MAX_DEPTH) throw fail(`its header is lists within lists, more than ${MAX_DEPTH} deep.`);
    if (marks > MAX_MARKS)
      throw fail(`its header has more than ${MAX_MARKS} entries, which no checkpoint has: at most ${MAX_TENSORS} tensors of ${MAX_AXES} axes are read.`); // prettier-ignore
  }
}

/** A value in a message: short, whatever it is. */
function show(value: unknown): string {
  const json = String(JSON.stringify(value));
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

function readEntry(name: string, entry: unknown, start: number, size: number, fail: Fail): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = asObject(entry) ?? {};
  const at = `tensor "${name}"`;
  const known = typeof dtype === 'string' ? DTYPE_NAMES.get(dtype) : undefined;
  if (!known) throw fail(`${at} has type ${show(dtype)}, which Kinora does not know.`, { tensor: name });
  const isNatural = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isNatural))
    throw fail(`${at} has no valid shape (${show(shape)}).`, { tensor: name });
  if (shape.length > MAX_AXES)
    throw fail(`${at} has ${shape.length} axes, at most ${MAX_AXES} can be.`, {
      tensor: name,
      axes: shape.length,
    });
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isNatural))
    throw fail(`${at} has no valid offsets (${show(offsets)}).`, { tensor: name });
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
