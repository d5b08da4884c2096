/**
 * Quantized blocks taken apart for the GPU: what is many goes into one buffer of whole words, what is few (scales)
 * into another. The quants stay in the order that the file has; the kernels' snippets (shaders/lib/w-*.wgsl) know it.
 *
 * | type | main, bytes a block        | scales, bytes a block                                                |
 * |------|----------------------------|----------------------------------------------------------------------|
 * | q8_0 | 32: int8                   | 2: f16                                                               |
 * | q4_0 | 16: nibbles                | 2: f16                                                               |
 * | q4_k | 128: nibbles               | 20: d, dm as f16; 8 scales, 8 minima, unpacked from 6 bits to bytes   |
 * | q5_k | 32 of fifth bits, 128      | 20: the same                                                         |
 * | q6_k | 128 of nibbles, 64 of 2 bits | 20: 16 int8 scales; d as f16; two bytes unused                     |
 */
import { f16ToF32, f32ToF16 } from './half';
import { scaleMinK } from './quants';

export interface Packed {
  main: Uint8Array<ArrayBuffer>;
  scales: Uint8Array<ArrayBuffer>;
}

export interface BlockForm {
  /** Elements of a block, and its bytes in the file, in `main` and in `scales`. */
  readonly elements: number;
  readonly bytes: number;
  readonly main: number;
  readonly scales: number;
}

/** Types that kernels read as they are quantized. */
export const BLOCK_FORMS = {
  Q8_0: { elements: 32, bytes: 34, main: 32, scales: 2 },
  Q4_0: { elements: 32, bytes: 18, main: 16, scales: 2 },
  Q4_K: { elements: 256, bytes: 144, main: 128, scales: 20 },
  Q5_K: { elements: 256, bytes: 176, main: 160, scales: 20 },
  Q6_K: { elements: 256, bytes: 210, main: 192, scales: 20 },
} as const satisfies Record<string, BlockForm>;

export type BlockType = keyof typeof BLOCK_FORMS;

/** Takes whole blocks apart. */
export function packBlocks(type: BlockType, blocks: Uint8Array): Packed {
  const form = BLOCK_FORMS[type];
  const n = blocks.byteLength / form.bytes;
  if (!Number.isInteger(n))
    throw new RangeError(`${type}: ${blocks.byteLength} bytes are not whole blocks of ${form.bytes}`);
  const main = new Uint8Array(n * form.main);
  const scales = new Uint8Array(Math.ceil((n * form.scales) / 4) * 4);
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  // Where a block's quants begin; what is before, or for q6_k behind them, are its scales.
  const start = type === 'Q6_K' ? 0 : form.bytes - form.main;
  for (let b = 0, at = 0; b < n; b++, at += form.bytes) {
    main.set(blocks.subarray(at + start, at + start + form.main), b * form.main);
    const to = b * form.scales;
    if (form.scales === 2) scales.set(blocks.subarray(at, at + 2), to);
    else if (type === 'Q6_K') scales.set(blocks.subarray(at + 192, at + 210), to);
    else {
      scales.set(blocks.subarray(at, at + 4), to);
      for (let j = 0; j < 8; j++) {
        const [s, m] = scaleMinK(view, at + 4, j);
        scales[to + 4 + j] = s;
        scales[to + 12 + j] = m;
      }
    }
  }
  return { main, scales };
}

const abs = Math.abs;
const round = Math.fround;

/**
 * Floats as Q8_0 blocks, to the bit as gguf-py: scale = max|x| / 127, quants to the nearest, halves away from zero.
 * @param x whole blocks of 32
 */
export function quantizeQ8_0(x: Float32Array): Uint8Array<ArrayBuffer> {
  const { elements, bytes } = BLOCK_FORMS.Q8_0;
  const n = x.length / elements;
  if (!Number.isInteger(n))
    throw new RangeError(`q8_0: ${x.length} values are not whole blocks of ${elements}`);
  const out = new Uint8Array(n * bytes);
  const view = new DataView(out.buffer);
  for (let b = 0; b < n; b++) {
    let most = 0;
    for (let i = 0; i < elements; i++) most = Math.max(most, abs(x[b * elements + i]!));
    const d = round(most / 127);
    const inverse = d === 0 ? 0 : round(1 / d);
    view.setUint16(b * bytes, f32ToF16(d), true);
    for (let i = 0; i < elements; i++) {
      const q = round(x[b * elements + i]! * inverse);
      const whole = Math.floor(abs(q) + 0.5);
      view.setInt8(b * bytes + 2 + i, q < 0 ? -whole : whole);
    }
  }
  return out;
}

/** Floats as Q4_0 blocks, to the bit as gguf-py: the value farthest from zero becomes −8. */
export function quantizeQ4_0(x: Float32Array): Uint8Array<ArrayBuffer> {
  const { elements, bytes } = BLOCK_FORMS.Q4_0;
  const n = x.length / elements;
  if (!Number.isInteger(n))
    throw new RangeError(`q4_0: ${x.length} values are not whole blocks of ${elements}`);
  const out = new Uint8Array(n * bytes);
  const view = new DataView(out.buffer);
  for (let b = 0; b < n; b++) {
    let most = 0;
    for (let i = 0; i < elements; i++) if (abs(x[b * elements + i]!) > abs(most)) most = x[b * elements + i]!;
    const d = round(most / -8);
    const inverse = d === 0 ? 0 : round(1 / d);
    view.setUint16(b * bytes, f32ToF16(d), true);
    const quant = (i: number) => Math.min(15, Math.max(0, Math.trunc(x[b * elements + i]! * inverse + 8.5)));
    for (let i = 0; i < 16; i++) out[b * bytes + 2 + i] = quant(i) | (quant(16 + i) << 4);
  }
  return out;
}

/** Whether every scale is a number: one that is not spoils all that is computed with it. */
export function finiteScales({ scales }: Packed, type: BlockType): boolean {
  const view = new DataView(scales.buffer);
  const { scales: step } = BLOCK_FORMS[type];
  const offsets = step === 2 ? [0] : type === 'Q6_K' ? [16] : [0, 2];
  for (let at = 0; at + step <= scales.byteLength; at += step)
    for (const o of offsets) if (!Number.isFinite(f16ToF32(view.getUint16(at + o, true)))) return false;
  return true;
}
