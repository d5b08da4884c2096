/**
 * A file of clean latents, block by block: what a journal appends to, and what is kept beside a clip. Every record
 * carries the SHA-256 of its contents, so that one that was cut off by a crash is told from a whole one.
 *
 *   "KNL1", bytes of text, bytes of data, latent frames (u32 each), SHA-256 of text and data, text, data
 *
 * Little-endian. text: the script as it stood when the block was made, UTF-8. data: [C, F, h, w] f32, normalised.
 */
import { KinoraError } from '../errors';
import type { Latents } from './backend';

const MAGIC = 0x314c4e4b;
const HEADER = 16 + 32;
/** Bytes of a script, and of a block; what claims more is damaged. */
const MOST = { text: 1 << 20, data: 1 << 30 };

export interface BlockRecord {
  text: string;
  latents: Latents;
  /** Latent frames. */
  size: number;
}

export async function writeRecord({ text, latents, size }: BlockRecord): Promise<Uint8Array<ArrayBuffer>> {
  const words = new TextEncoder().encode(text);
  const data = new Uint8Array(latents.buffer, latents.byteOffset, latents.byteLength);
  const out = new Uint8Array(HEADER + words.length + data.length);
  const view = new DataView(out.buffer);
  [MAGIC, words.length, data.length, size].forEach((n, i) => view.setUint32(4 * i, n, true));
  out.set(words, HEADER);
  out.set(data, HEADER + words.length);
  out.set(await digest(out.subarray(HEADER)), 16);
  return out;
}

const digest = async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

/** A `Blob`, or what can be read like one. */
export interface Bytes {
  readonly size: number;
  slice(from: number, to: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

export interface Records {
  /** Whole records. */
  count: number;
  /** Latent frames of each. */
  sizes: number[];
  /** Bytes of the whole records: what lies behind was cut off. */
  bytes: number;
  /** Throws `storage` for one that is damaged. */
  read(index: number): Promise<BlockRecord>;
}

/** Reads the headers of a file, and the last record whole; a last record that is damaged does not count. */
export async function openRecords(file: Bytes): Promise<Records> {
  const places: { at: number; text: number; data: number; size: number }[] = [];
  let at = 0;
  while (at + HEADER <= file.size) {
    const view = new DataView(await file.slice(at, at + 16).arrayBuffer());
    const [magic, text, data, size] = [0, 4, 8, 12].map((i) => view.getUint32(i, true)) as [number, number, number, number]; // prettier-ignore
    if (magic !== MAGIC || text > MOST.text || data > MOST.data || data % 4 !== 0 || size === 0) break;
    if (at + HEADER + text + data > file.size) break;
    places.push({ at, text, data, size });
    at += HEADER + text + data;
  }
  const read = async (index: number): Promise<BlockRecord> => {
    const { at, text, data, size } = places[index]!;
    const bytes = new Uint8Array(await file.slice(at + 16, at + HEADER + text + data).arrayBuffer());
    const content = bytes.slice(32);
    const sum = await digest(content);
    if (sum.some((byte, i) => byte !== bytes[i]))
      throw new KinoraError('storage', `Block ${index + 1} of what was kept of this clip is damaged. Make the clip anew.`, { block: index + 1 }); // prettier-ignore
    return {
      text: new TextDecoder().decode(content.subarray(0, text)),
      latents: new Float32Array(content.buffer.slice(text, text + data)),
      size,
    };
  };
  if (places.length > 0)
    await read(places.length - 1).catch(() => {
      at = places.pop()!.at;
    });
  return { count: places.length, sizes: places.map((p) => p.size), bytes: at, read };
}
