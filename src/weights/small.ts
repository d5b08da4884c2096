/**
 * The small form of a checkpoint: its large matrices in 8 or 4 bits a number, everything else as it was, as GGUF with
 * our names. Streamed: neither the file nor a tensor is ever held whole.
 */
import { KinoraError } from '../errors';
import { toF32 } from './convert';
import { LAYOUTS, type FileDType } from './dtypes';
import { f32ToF16 } from './half';
import { sha256Bytes } from './hash';
import { bytesIn, layGguf, type Entry } from './gguf-write';
import { quantizeQ4_0, quantizeQ8_0 } from './pack';
import { quantizeQ4_K } from './pack-q4k';
import { readScale } from './scaled';
import { damaged, type TensorInfo, type WeightFile } from './source';

/** How many bits are asked for: 8, or 4. What of it a matrix becomes, its rows decide. */
export type Bits = 'q8_0' | 'q4_0';
export type SmallType = 'Q8_0' | 'Q4_0' | 'Q4_K';
/** Goes up when the form changes, so that what was kept before is made anew. */
const VERSION = 2;
/** Numbers at once: whole blocks, and 16 MiB of them as floats. */
const PIECE = 4 * 2 ** 20;

/** By our names: a tensor of the file and the network's shape of it. */
export type Wanted = ReadonlyMap<string, { info: TensorInfo; shape: readonly number[] }>;

/**
 * What a matrix becomes: those of layers, and the table of words, of which rows are read one by one and which keeps 8
 * bits. What comes before and after the layers is small, and more sensitive. Of 4 bits Q4_K, which takes as much as Q4_0
 * and is nearer, where rows are whole blocks of it. Null: left as it is.
 * @param row numbers of a row
 */
export function smallType(name: string, bits: Bits, row: number): SmallType | null {
  if (row % 32) return null;
  if (/^shared\.weight$/.test(name)) return 'Q8_0';
  const layer = /^(encoder\.block|blocks)\.\d+\./.test(name) && name.endsWith('.weight');
  if (!layer || /relative_attention_bias|norm/.test(name)) return null;
  return bits === 'q8_0' ? 'Q8_0' : row % 256 ? 'Q4_0' : 'Q4_K';
}

interface Part extends Entry {
  info: TensorInfo;
  /** Bytes go over as they are. */
  raw: boolean;
}

/** What each tensor becomes. Null when nothing would become smaller. */
function planSmall(tensors: Wanted, bits: Bits): Part[] | null {
  let less = false;
  const parts = [...tensors]
    .sort((a, b) => a[1].info.offset - b[1].info.offset)
    .map(([name, { info, shape }]): Part => {
      const row = shape.slice(1).reduce((a, b) => a * b, 1);
      // ggml has four axes; kernels of five are flattened, as others do.
      const flat = shape.length > 4 ? [shape[0]!, row] : shape;
      const plain = LAYOUTS[info.dtype].elements === 1;
      const wanted = plain && shape.length === 2 ? smallType(name, bits, row) : null;
      const part = { name, info, shape: flat };
      if (wanted) {
        less = true;
        return { ...part, dtype: wanted, raw: false };
      }
      if (!plain || (/^(F32|F16|BF16)$/.test(info.dtype) && !info.scale))
        return { ...part, dtype: info.dtype, raw: true };
      return { ...part, dtype: info.dtype === 'F64' ? 'F32' : 'F16', raw: false };
    });
  return less ? parts : null;
}

/** Bytes of the small form; null when the file is as small already. */
export function smallSize(tensors: Wanted, bits: Bits): number | null {
  const parts = planSmall(tensors, bits);
  return parts && layGguf(parts).size;
}

/** Names the small form of this very file: its name, size and time, and everything that its header says. */
export async function smallKey(
  file: WeightFile,
  { size, changed }: { size: number; changed: number },
  bits: Bits,
): Promise<string> {
  const header = [...file.tensors.values()].map(({ name, dtype, shape, offset, bytes }) => [name, dtype, shape, offset, bytes]); // prettier-ignore
  const facts = JSON.stringify([VERSION, file.name, size, changed, bits, header]);
  return (await sha256Bytes(new TextEncoder().encode(facts))).slice(0, 32);
}

export interface SmallOptions {
  /** Bytes of the file done, and all. */
  onProgress?: (loaded: number, total: number) => void;
  signal?: AbortSignal;
  /** Quantizes whole blocks elsewhere, e.g. on the GPU; null for what it leaves to us. NaN as a scale tells of numbers that are none. */
  quantize?: (raw: Uint8Array, from: FileDType, to: SmallType) => Promise<Uint8Array<ArrayBuffer> | null>;
}

/**
 * Makes the small form. The first four bytes are written last: a file that begins with "GGUF" is whole.
 * @param write takes bytes at a place in the small file
 * @throws KinoraError `bad-model` for values that do not fit, `cancelled`, and what reading and writing throw
 */
export async function makeSmall(
  file: WeightFile,
  tensors: Wanted,
  bits: Bits,
  write: (at: number, bytes: Uint8Array<ArrayBuffer>) => void,
  { onProgress, signal, quantize }: SmallOptions = {},
): Promise<void> {
  const parts = planSmall(tensors, bits);
  if (!parts) throw new RangeError(`${file.name} would not become smaller`);
  const { header, at, size } = layGguf(parts);
  const total = parts.reduce((sum, { info }) => sum + info.bytes, 0);
  let loaded = 0;
  write(0, new Uint8Array(header.length));
  for (const [i, part] of parts.entries()) {
    const scale = await readScale(file, part.info);
    const { elements, bytes: step } = LAYOUTS[part.info.dtype];
    const count = (part.info.bytes / step) * elements;
    for (let first = 0; first < count; first += PIECE) {
      if (signal?.aborted) throw new KinoraError('cancelled', `Making ${file.name} smaller was cancelled.`);
      const most = Math.min(PIECE, count - first);
      const raw = await file.read(part.info.name, (first / elements) * step, (most / elements) * step);
      const to = at[i]! + bytesIn({ dtype: part.dtype, shape: [first] });
      const made = part.raw || scale ? null : await elsewhere(file, part, raw, quantize);
      write(to, part.raw ? raw : (made ?? convert(file, part, scale, first, raw)));
      loaded += raw.byteLength;
      onProgress?.(loaded, total);
    }
  }
  // The alignment behind the last tensor, too.
  const end = at.at(-1)! + bytesIn(parts.at(-1)!);
  if (end < size) write(end, new Uint8Array(size - end));
  write(4, header.slice(4));
  write(0, header.slice(0, 4));
}

/** The blocks of a piece, checked; null where they are to be made here. */
async function elsewhere(
  file: WeightFile,
  { info, dtype }: Part,
  raw: Uint8Array,
  quantize: SmallOptions['quantize'],
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!quantize || (dtype !== 'Q8_0' && dtype !== 'Q4_0' && dtype !== 'Q4_K')) return null;
  const blocks = await quantize(raw, info.dtype, dtype);
  if (!blocks) return null;
  const step = LAYOUTS[dtype].bytes;
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  for (let at = 0; at < blocks.byteLength; at += step)
    if ((view.getUint16(at, true) & 0x7c00) === 0x7c00) throw notNumbers(file, info);
  return blocks;
}

const notNumbers = (file: WeightFile, { name }: TensorInfo) =>
  damaged(file.name, `tensor "${name}" has values that are no numbers, or too large.`, { tensor: name });

function convert(
  file: WeightFile,
  { info, dtype, shape }: Part,
  scale: Float32Array | null,
  first: number,
  raw: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const values = toF32(info, raw, file.name);
  if (scale) {
    const row = scale.length === 1 ? Infinity : shape.slice(1).reduce((a, b) => a * b, 1);
    for (let i = 0; i < values.length; i++) values[i]! *= scale[Math.floor((first + i) / row)]!;
  }
  if (!values.every(Number.isFinite)) throw notNumbers(file, info);
  const to: Partial<Record<FileDType, (values: Float32Array<ArrayBuffer>) => ArrayBufferView<ArrayBuffer>>> =
    {
      Q8_0: quantizeQ8_0,
      Q4_0: quantizeQ4_0,
      Q4_K: quantizeQ4_K,
      F16: (v) => Uint16Array.from(v, f32ToF16),
      F32: (v) => v,
    };
  const made = to[dtype]!(values);
  return new Uint8Array(made.buffer, made.byteOffset, made.byteLength);
}
