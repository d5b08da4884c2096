/**
 * GGUF v2 and v3, little-endian: metadata, a table of tensors, then aligned data
 * [ggml-org/ggml `docs/gguf.md`].
 */
import { countElements, GGML_TYPES, LAYOUTS, MAX_AXES, MAX_TENSORS } from './dtypes';
import { HeaderCursor, NeedMore } from './gguf-cursor';
import {
  damaged,
  readExactly,
  weightFile,
  type ByteSource,
  type MetadataValue,
  type TensorInfo,
  type WeightFile,
} from './source';

/** First read; most headers fit. */
const FIRST = 1 << 20;
/** Headers with a tokenizer of 256k words in their metadata have some 10 MB. */
const MAX_HEADER = 64 << 20;
/** Metadata entries: some fifty, and in files of ComfyUI-GGUF one more for each flattened tensor. */
const MAX_ENTRIES = 2 * MAX_TENSORS;
/** ggml's own limit is 4; diffusers' 5-D kernels are stored flattened, with `comfy.gguf.orig_shape`. */
const MAX_DIMS = 4;
/** The least a tensor's and a metadata entry's description takes, in bytes: they bound lying counts. */
const LEAST_TENSOR = 8 + 4 + 4 + 8;
const LEAST_ENTRY = 8 + 4 + 1;

interface Header {
  tensors: TensorInfo[];
  metadata: Map<string, MetadataValue>;
}

/** Reads and checks the header. Throws `bad-model` naming the file, the tensor and both numbers. */
export async function readGguf(source: ByteSource): Promise<WeightFile> {
  let length = Math.min(source.size, FIRST);
  for (;;) {
    const cursor = new HeaderCursor(source.name, await readExactly(source, 0, length), source.size);
    try {
      const { tensors, metadata } = readHeader(cursor);
      return weightFile(source, new Map(tensors.map((t) => [t.name, t])), metadata);
    } catch (e) {
      if (!(e instanceof NeedMore)) throw e;
      const most = Math.min(source.size, MAX_HEADER);
      if (length === most) throw damaged(source.name, `its header is larger than ${most} bytes.`, { most });
      // Doubling parses the header at most twice as long as its size.
      length = Math.min(most, Math.max(length * 2, e.needed));
    }
  }
}

function readHeader(c: HeaderCursor): Header {
  if (c.size < 24)
    throw c.fail(`a GGUF file has at least 24 bytes, this one has ${c.size}. It is cut off, or damaged.`);
  if (c.u32() !== 0x46554747) throw c.fail('it is not a GGUF file (the first bytes are not "GGUF").');
  const version = c.u32();
  if (version !== 2 && version !== 3) {
    const big = version === 0x02000000 || version === 0x03000000;
    throw c.fail(
      big
        ? 'it is a big-endian GGUF file; Kinora reads little-endian ones.'
        : `it has GGUF version ${version}; Kinora reads 2 and 3.`,
      { version },
    );
  }
  const tensorCount = c.count('tensors', LEAST_TENSOR);
  const entryCount = c.count('metadata entries', LEAST_ENTRY);

  if (tensorCount > MAX_TENSORS)
    throw c.fail(`it says it has ${tensorCount} tensors, at most ${MAX_TENSORS} are read.`);
  if (entryCount > MAX_ENTRIES)
    throw c.fail(`it says it has ${entryCount} metadata entries, at most ${MAX_ENTRIES} are read.`);

  const metadata = new Map<string, MetadataValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = c.string('a metadata key');
    if (metadata.has(key)) throw c.fail(`the metadata "${key}" is there twice.`);
    metadata.set(key, c.value(c.u32(), key));
  }
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || !Number.isInteger(Math.log2(alignment)) || alignment > 1 << 20)
    throw c.fail(`its alignment is ${String(alignment)}, not a power of two up to ${1 << 20}.`);

  const entries = Array.from({ length: tensorCount }, () => readTensorEntry(c));
  const start = Math.ceil(c.at / alignment) * alignment;
  const tensors = entries.map((entry) => checkTensor(c, entry, start, alignment, metadata));
  checkDistinct(c, tensors);
  return { tensors, metadata };
}

interface Entry {
  name: string;
  /** ggml's order: innermost axis first. */
  dims: number[];
  type: number;
  /** From the start of the data. */
  offset: number;
}

function readTensorEntry(c: HeaderCursor): Entry {
  const name = c.string('a tensor name');
  const dimCount = c.u32();
  if (dimCount > MAX_DIMS)
    throw c.fail(`tensor "${name}" has ${dimCount} axes, at most ${MAX_DIMS} can be.`, {
      tensor: name,
      dimCount,
    });
  const dims = Array.from({ length: dimCount }, () => c.u64(`the shape of tensor "${name}"`));
  return { name, dims, type: c.u32(), offset: c.u64(`the offset of tensor "${name}"`) };
}

function checkTensor(
  c: HeaderCursor,
  { name, dims, type, offset }: Entry,
  start: number,
  alignment: number,
  metadata: ReadonlyMap<string, MetadataValue>,
): TensorInfo {
  const at = `tensor "${name}"`;
  const dtype = GGML_TYPES.get(type);
  if (!dtype) throw c.fail(`${at} has the unknown ggml type ${type}.`, { tensor: name, type });
  const elements = countElements(dims);
  if (elements === null) throw c.fail(`${at} has too many elements ([${dims}]).`, { tensor: name });
  const layout = LAYOUTS[dtype];
  const row = dims[0] ?? 1;
  if (row % layout.elements !== 0)
    throw c.fail(`${at} is ${dtype} with rows of ${row}, not a multiple of ${layout.elements}.`, {
      tensor: name,
      row,
    });
  const bytes = (elements / layout.elements) * layout.bytes;
  if (offset % alignment !== 0)
    throw c.fail(`${at} starts at ${offset}, not a multiple of ${alignment}.`, {
      tensor: name,
      offset,
      alignment,
    });
  const end = start + offset + bytes;
  if (!Number.isSafeInteger(end) || end > c.size)
    throw c.fail(`${at} ends at byte ${end}, but the file has ${c.size}. It is cut off, or damaged.`, {
      tensor: name,
      end,
      size: c.size,
    });
  const shape = originalShape(c, name, elements, metadata) ?? [...dims].reverse();
  return { name, dtype, shape, offset: start + offset, bytes };
}

/** ComfyUI-GGUF's note of the shape before flattening [city96/ComfyUI-GGUF `loader.py`]. */
function originalShape(
  c: HeaderCursor,
  name: string,
  elements: number,
  metadata: ReadonlyMap<string, MetadataValue>,
): number[] | null {
  const value = metadata.get(`comfy.gguf.orig_shape.${name}`);
  if (value === undefined) return null;
  const shape = typeof value === 'object' && value.length <= MAX_AXES ? Array.from(value, Number) : [];
  const wanted = shape.length > 0 ? countElements(shape) : null;
  if (wanted !== elements)
    throw c.fail(`tensor "${name}" has ${elements} elements, but its original shape is [${shape}].`, {
      tensor: name,
      elements,
    });
  return shape;
}

function checkDistinct(c: HeaderCursor, tensors: readonly TensorInfo[]): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (names.has(name)) throw c.fail(`tensor "${name}" is there twice.`, { tensor: name });
    names.add(name);
  }
  let end = 0;
  for (const t of [...tensors].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    if (t.offset < end)
      throw c.fail(`tensor "${t.name}" starts at byte ${t.offset}, inside another that ends at ${end}.`, {
        tensor: t.name,
        start: t.offset,
        end,
      });
    end = t.offset + t.bytes;
  }
}
