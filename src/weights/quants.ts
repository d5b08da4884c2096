/**
 * ggml's quantized blocks as floats, one function a type: block at `at` of the file's bytes → its 32 or 256
 * floats at `to`, equal to gguf-py's to the last bit [ggml-org/llama.cpp `gguf-py/gguf/quants.py`,
 * `ggml/src/ggml-quants.c`]. q quants, d scale, m minimum.
 */
import { f16ToF32 } from './half';

type Dequantize = (v: DataView, at: number, out: Float32Array, to: number) => void;

const half = (v: DataView, at: number) => f16ToF32(v.getUint16(at, true));

/** d, 16 bytes: element j in the low nibble of byte j, element 16 + j in its high one. */
const q4_0: Dequantize = (v, at, out, to) => {
  const d = half(v, at);
  for (let j = 0; j < 16; j++) {
    const b = v.getUint8(at + 2 + j);
    out[to + j] = d * ((b & 15) - 8);
    out[to + 16 + j] = d * ((b >> 4) - 8);
  }
};

/** d, m, 16 bytes. */
const q4_1: Dequantize = (v, at, out, to) => {
  const d = half(v, at);
  const m = half(v, at + 2);
  for (let j = 0; j < 16; j++) {
    const b = v.getUint8(at + 4 + j);
    out[to + j] = d * (b & 15) + m;
    out[to + 16 + j] = d * (b >> 4) + m;
  }
};

/** The fifth bits of 32 elements, then their nibbles as in q4_0. */
const fifth = (v: DataView, at: number, set: (i: number, q: number) => void) => {
  const high = v.getUint32(at, true);
  for (let j = 0; j < 16; j++) {
    const b = v.getUint8(at + 4 + j);
    set(j, (b & 15) | (((high >>> j) & 1) << 4));
    set(16 + j, (b >> 4) | (((high >>> (16 + j)) & 1) << 4));
  }
};

/** d, fifth bits, nibbles. */
const q5_0: Dequantize = (v, at, out, to) => {
  const d = half(v, at);
  fifth(v, at + 2, (i, q) => (out[to + i] = d * (q - 16)));
};

/** d, m, fifth bits, nibbles. */
const q5_1: Dequantize = (v, at, out, to) => {
  const d = half(v, at);
  const m = half(v, at + 2);
  fifth(v, at + 4, (i, q) => (out[to + i] = d * q + m));
};

/** 16 bytes (scale, minimum as nibbles), 64 bytes of two bits, d, dm. */
const q2K: Dequantize = (v, at, out, to) => {
  const d = half(v, at + 80);
  const dm = half(v, at + 82);
  for (let i = 0; i < 256; i++) {
    const s = v.getUint8(at + (i >> 4));
    const q = (v.getUint8(at + 16 + (i >> 7) * 32 + (i & 31)) >> (((i >> 5) & 3) * 2)) & 3;
    out[to + i] = d * (s & 15) * q - dm * (s >> 4);
  }
};

/** Scale i (0…15) of a Q3_K block, −32…31: 4 bits in the first 8 of 12 bytes, 2 in the last 4. */
export function scaleQ3K(v: DataView, at: number, i: number): number {
  const low = v.getUint8(at + (i & 7)) >> (i < 8 ? 0 : 4);
  const high = v.getUint8(at + 8 + (i & 3)) >> ((i >> 2) * 2);
  return ((low & 15) | ((high & 3) << 4)) - 32;
}

/** Quant i (0…255) of a Q3_K block, −4…3: its third bit, when missing, subtracts 4. */
export function quantQ3K(v: DataView, at: number, i: number): number {
  const low = (v.getUint8(at + 32 + (i >> 7) * 32 + (i & 31)) >> (((i >> 5) & 3) * 2)) & 3;
  return (v.getUint8(at + (i & 31)) >> (i >> 5)) & 1 ? low : low - 4;
}

/** 32 bytes of third bits, 64 of two bits, 12 of scales, d. */
const q3K: Dequantize = (v, at, out, to) => {
  const d = half(v, at + 108);
  for (let i = 0; i < 256; i++) out[to + i] = d * scaleQ3K(v, at + 96, i >> 4) * quantQ3K(v, at, i);
};

/** The 12 bytes of Q4_K and Q5_K: 6-bit scale and minimum of part j (0…7) of 32 elements. */
export function scaleMinK(v: DataView, at: number, j: number): [scale: number, minimum: number] {
  const byte = (i: number) => v.getUint8(at + i);
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63];
  return [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)];
}

/** d, dm, 12 bytes, 128 bytes of nibbles: 64 elements in 32 bytes, the second half in the high nibbles. */
const q4K: Dequantize = (v, at, out, to) => {
  const d = half(v, at);
  const dm = half(v, at + 2);
  for (let j = 0; j < 8; j++) {
    const [s, m] = scaleMinK(v, at + 4, j);
    for (let l = 0; l < 32; l++) {
      const q = (v.getUint8(at + 16 + (j >> 1) * 32 + l) >> ((j & 1) * 4)) & 15;
      out[to + j * 32 + l] = d * s * q - dm * m;
    }
  }
};

/** As q4_K with 32 bytes of fifth bits before the nibbles: bit j of byte l is that of element 32·j + l. */
const q5K: Dequantize = (v, at, out, to) => {
  const d = half(v, at);
  const dm = half(v, at + 2);
  for (let j = 0; j < 8; j++) {
    const [s, m] = scaleMinK(v, at + 4, j);
    for (let l = 0; l < 32; l++) {
      const low = (v.getUint8(at + 48 + (j >> 1) * 32 + l) >> ((j & 1) * 4)) & 15;
      const q = low | (((v.getUint8(at + 16 + l) >> j) & 1) << 4);
      out[to + j * 32 + l] = d * s * q - dm * m;
    }
  }
};

/** 128 bytes of nibbles, 64 of two bits, 16 int8 scales, d. Halves of 128 elements, quarters of 32. */
const q6K: Dequantize = (v, at, out, to) => {
  const d = half(v, at + 208);
  for (let i = 0; i < 256; i++) {
    const [h, quarter, l] = [i >> 7, (i >> 5) & 3, i & 31];
    const low = v.getUint8(at + h * 64 + (quarter & 1) * 32 + l) >> ((quarter >> 1) * 4);
    const high = v.getUint8(at + 128 + h * 32 + l) >> (quarter * 2);
    const q = ((low & 15) | ((high & 3) << 4)) - 32;
    out[to + i] = d * v.getInt8(at + 192 + (i >> 4)) * q;
  }
};

export const dequantizers = {
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q2_K: q2K,
  Q3_K: q3K,
  Q4_K: q4K,
  Q5_K: q5K,
  Q6_K: q6K,
} as const satisfies Record<string, Dequantize>;

export const isQuantized = (dtype: string): dtype is keyof typeof dequantizers => dtype in dequantizers;
