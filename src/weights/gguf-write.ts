/** The header of a GGUF file [ggml-org/ggml `docs/gguf.md`], for weights that Kinora makes smaller and keeps. */
import { GGML_TYPES, LAYOUTS, type FileDType } from './dtypes';

export interface Entry {
  name: string;
  dtype: FileDType;
  /** PyTorch's order; at most four axes. */
  shape: readonly number[];
}

const ALIGNMENT = 32;
const aligned = (n: number) => Math.ceil(n / ALIGNMENT) * ALIGNMENT;
const TYPES = new Map([...GGML_TYPES].map(([number, dtype]) => [dtype, number]));

/** Bytes of a tensor in a file. */
export const bytesIn = ({ dtype, shape }: Pick<Entry, 'dtype' | 'shape'>): number =>
  (shape.reduce((a, b) => a * b, 1) / LAYOUTS[dtype].elements) * LAYOUTS[dtype].bytes;

/**
 * Lays the tensors out one behind the other.
 * @returns the header, where in the file each tensor begins, and the file's size; all in bytes
 */
export function layGguf(entries: readonly Entry[]): {
  header: Uint8Array<ArrayBuffer>;
  at: number[];
  size: number;
} {
  const bytes: number[] = [];
  const u32 = (n: number) => bytes.push(n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24);
  const u64 = (n: number) => (u32(n % 2 ** 32), u32(Math.floor(n / 2 ** 32)));
  const text = (s: string) => {
    const encoded = new TextEncoder().encode(s);
    u64(encoded.length);
    bytes.push(...encoded);
  };
  u32(0x46554747); // "GGUF"
  u32(3);
  u64(entries.length);
  u64(0); // no metadata: alignment is the default
  let end = 0;
  const offsets = entries.map((entry) => {
    const offset = end;
    text(entry.name);
    u32(entry.shape.length);
    for (const n of entry.shape.toReversed()) u64(n);
    u32(TYPES.get(entry.dtype)!);
    u64(offset);
    end += aligned(bytesIn(entry));
    return offset;
  });
  const header = new Uint8Array(aligned(bytes.length));
  header.set(bytes);
  return { header, at: offsets.map((offset) => header.length + offset), size: header.length + end };
}
