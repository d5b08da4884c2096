/**
 * Writes checkpoints of Wan 2.1 1.3B's shapes with seeded numbers, for measuring how they are loaded: no weights can be
 * had here, and memory does not care what a number is. A tensor's numbers are one short row of noise again and again, so
 * that no more than a piece of a file is ever in memory.
 */
import { copyFile, mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { readTaehvConfig, taehvShapes } from '../src/models/taehv';
import { umt5Shapes, wanShapes, type Shapes } from '../src/models/tensors';
import { readUmt5Config } from '../src/models/umt5';
import { readWanConfig } from '../src/models/wan-config';
import { layGguf } from '../src/weights/gguf-write';
import { f32ToF16 } from '../src/weights/half';
import { quantizeQ4_0, quantizeQ8_0 } from '../src/weights/pack';

export type Format = 'safetensors' | 'q8_0' | 'q4_0';
export interface Shape {
  /** Of the transformer (1.3B: 30) and of the text encoder (UMT5-XXL: 24). */
  layers: number;
  textLayers: number;
  /** Rows of the embedding table (UMT5: 256384). */
  vocabulary: number;
}

const WAN = { num_attention_heads: 12, attention_head_dim: 128, in_channels: 16, out_channels: 16, text_dim: 4096, freq_dim: 256, ffn_dim: 8960 }; // prettier-ignore
const UMT5 = { model_type: 'umt5', feed_forward_proj: 'gated-gelu', d_model: 4096, d_kv: 64, d_ff: 10240, num_heads: 64 }; // prettier-ignore

/** Numbers of a row of noise; a multiple of every block of a quantized type. */
const ROW = 1 << 16;
/** Bytes written at once. */
const PIECE = 8 << 20;

type Type = 'F32' | 'F16' | 'Q8_0' | 'Q4_0';

/** Writes transformer, text encoder, decoder and tokenizer into `dir`. Returns their sizes in bytes, by name. */
export async function writeCheckpoints(
  dir: string,
  format: Format,
  shape: Shape,
): Promise<Map<string, number>> {
  await mkdir(dir, { recursive: true });
  const { layers, textLayers, vocabulary } = shape;
  const sizes = new Map<string, number>();
  const ending = format === 'safetensors' ? 'safetensors' : 'gguf';
  const all: [string, Shapes, Format][] = [
    [`transformer.${ending}`, wanShapes(readWanConfig({ ...WAN, num_layers: layers })), format],
    [`text_encoder.${ending}`, umt5Shapes(readUmt5Config({ ...UMT5, num_layers: textLayers, vocab_size: vocabulary })), format], // prettier-ignore
    ['taew2_1.safetensors', taehvShapes(readTaehvConfig({}), 'decoder'), 'safetensors'],
  ];
  for (const [name, shapes, as] of all) sizes.set(name, await writeOne(join(dir, name), shapes, as));
  // Any will do whose ids are rows of the table.
  await copyFile('public/models/pocket/tokenizer.json', join(dir, 'tokenizer.json'));
  return sizes;
}

async function writeOne(path: string, shapes: Shapes, format: Format): Promise<number> {
  const listed = [...shapes].map(([name, shape]) => {
    // ggml has four axes; kernels of patches are matrices to it.
    const flat = format !== 'safetensors' && shape.length > 4 ? [shape[0]!, shape.slice(1).reduce((a, b) => a * b, 1)] : [...shape]; // prettier-ignore
    return { name, shape: flat, dtype: typeOf(flat, format) };
  });
  const { header, at, size } = format === 'safetensors' ? laySafetensors(listed) : layGguf(listed);
  const file = await open(path, 'w');
  try {
    await file.write(header, 0, header.length, 0);
    for (const [i, { name, shape, dtype }] of listed.entries())
      await writeTensor(
        file,
        at[i]!,
        noiseFor(name, shape, dtype, i),
        shape.reduce((a, b) => a * b, 1),
      );
    await file.truncate(size);
  } finally {
    await file.close();
  }
  return size;
}

function typeOf(shape: readonly number[], format: Format): Type {
  if (format === 'safetensors') return 'F16';
  const whole = shape.length === 2 && shape[1]! % 32 === 0;
  return !whole ? 'F32' : format === 'q8_0' ? 'Q8_0' : 'Q4_0';
}

/** A row of noise in a type, with as many numbers as it holds. Scaled so that layers keep the size of what passes. */
function noiseFor(name: string, shape: readonly number[], type: Type, seed: number) {
  const gain = /norm[^.]*\.(weight|gamma)$|norm_[qk]\.weight$/.test(name);
  const inputs = shape.slice(1).reduce((a, b) => a * b, 1);
  const spread = gain ? 0.1 : name === 'shared.weight' ? 1 : shape.length === 1 || /table$/.test(name) ? 0.1 : Math.sqrt(3 / inputs); // prettier-ignore
  let x = seed + 1;
  const values = Float32Array.from({ length: ROW }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return (gain ? 1 : 0) + spread * (x / 2 ** 31 - 1);
  });
  return { bytes: encode(values, type), numbers: ROW };
}

function encode(values: Float32Array<ArrayBuffer>, type: Type): Uint8Array {
  if (type === 'Q8_0') return quantizeQ8_0(values);
  if (type === 'Q4_0') return quantizeQ4_0(values);
  return new Uint8Array(type === 'F32' ? values.buffer : Uint16Array.from(values, f32ToF16).buffer);
}

async function writeTensor(
  file: FileHandle,
  at: number,
  row: { bytes: Uint8Array; numbers: number },
  count: number,
): Promise<void> {
  // prettier-ignore
  const total = (count * row.bytes.length) / row.numbers;
  const rows = Math.max(1, Math.floor(Math.min(PIECE, total) / row.bytes.length));
  const piece = new Uint8Array(rows * row.bytes.length);
  for (let i = 0; i < rows; i++) piece.set(row.bytes, i * row.bytes.length);
  for (let done = 0; done < total; done += piece.length)
    await file.write(piece, 0, Math.min(piece.length, total - done), at + done);
}

function laySafetensors(listed: readonly { name: string; shape: readonly number[] }[]) {
  const entries: Record<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }> =
    {};
  let end = 0;
  for (const { name, shape } of listed) {
    const begin = end;
    end += 2 * shape.reduce((a, b) => a * b, 1);
    entries[name] = { dtype: 'F16', shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(entries));
  const header = new Uint8Array(8 + json.length);
  new DataView(header.buffer).setBigUint64(0, BigInt(json.length), true);
  header.set(json, 8);
  return { header, at: Object.values(entries).map((e) => header.length + e.data_offsets[0]), size: header.length + end }; // prettier-ignore
}
