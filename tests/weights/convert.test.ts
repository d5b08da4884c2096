import { expect, test } from 'vitest';
import {
  bf16ToF16,
  bf16ToF32,
  dequantizeQ8,
  f16ToF32,
  f32ToF16,
  repackQ8,
  toF32,
} from '../../src/weights/convert';

/** A half from its definition, without bit tricks. */
function half(bits: number): number {
  const s = bits >> 15 ? -1 : 1;
  const e = (bits >> 10) & 31;
  const f = bits & 1023;
  if (e === 31) return f ? NaN : s * Infinity;
  return e ? s * (1 + f / 1024) * 2 ** (e - 15) : s * (f / 1024) * 2 ** -14;
}

test('all 65536 halves: exact to float, and back', () => {
  for (let h = 0; h < 65536; h++) {
    const x = f16ToF32(h);
    if (!Object.is(x, half(h))) throw new Error(`${h.toString(16)}: ${x}, not ${half(h)}`);
    const back = f32ToF16(x);
    if (Number.isNaN(x) ? !Number.isNaN(f16ToF32(back)) : back !== h)
      throw new Error(`${h.toString(16)} came back as ${back.toString(16)}`);
  }
});

test('floats go to the nearest half, ties to even', () => {
  // Between two neighbouring halves: just below the middle, the middle, just above.
  for (let h = 0; h < 0x7bff; h++) {
    const [low, high] = [f16ToF32(h), f16ToF32(h + 1)];
    const middle = (low + high) / 2; // exact in f32
    const nudge = (high - low) / 1024;
    const even = h % 2 === 0 ? h : h + 1;
    const got = [f32ToF16(middle - nudge), f32ToF16(middle), f32ToF16(middle + nudge), f32ToF16(-middle)];
    if (got[0] !== h || got[1] !== even || got[2] !== h + 1 || got[3] !== (even | 0x8000))
      throw new Error(`around ${middle}: ${got}`);
  }
  expect(f32ToF16(65519.99)).toBe(0x7bff);
  expect(f32ToF16(65520)).toBe(0x7c00);
  expect(f32ToF16(1e30)).toBe(0x7c00);
  expect(f32ToF16(2 ** -25)).toBe(0);
  expect(f32ToF16(2 ** -25 * 1.001)).toBe(1);
  expect(f32ToF16(1e-40)).toBe(0);
});

test('bfloat16', () => {
  expect([0x3f80, 0xc000, 0x8000, 0x7f80, 0x0001].map(bf16ToF32)).toEqual([1, -2, -0, Infinity, 2 ** -133]);
  expect(bf16ToF32(0x7fc0)).toBeNaN();
  const of = (...values: number[]) => new Uint8Array(new Uint16Array(values).buffer);
  expect([...bf16ToF16(of(0x3f80, 0xc000, 0x7f80))!]).toEqual([0x3c00, 0xc000, 0x7c00]);
  expect(bf16ToF16(of(0x3f80, 0x4780))).toBeNull(); // 65536
});

/** `n` blocks whose scales and quants tell where they come from. */
function blocks(n: number): Uint8Array {
  const out = new Uint8Array(n * 34);
  const view = new DataView(out.buffer);
  for (let b = 0; b < n; b++) {
    view.setUint16(b * 34, f32ToF16((b + 1) / 8), true);
    for (let i = 0; i < 32; i++) view.setInt8(b * 34 + 2 + i, ((b * 37 + i * 11) % 256) - 128);
  }
  return out;
}

test.each([0, 1, 2, 3, 15])('the GPU layout of %i q8_0 blocks holds the same numbers', (n) => {
  const raw = blocks(n);
  const { quants, scales } = repackQ8(raw);
  expect([quants.length, scales.length]).toEqual([n * 8, Math.ceil(n / 2)]);
  const want = dequantizeQ8(raw);
  for (let i = 0; i < want.length; i++) {
    const quant = (quants[i >> 2]! << (24 - 8 * (i & 3))) >> 24;
    const b = i >> 5;
    const scale = f16ToF32((scales[b >> 1]! >>> (16 * (b & 1))) & 0xffff);
    expect(scale).toBe((b + 1) / 8);
    expect(scale * quant).toBe(want[i]);
  }
  if (n % 2 === 1) expect(scales.at(-1)! >>> 16).toBe(0);
});

test('works on views that start at odd bytes, and refuses broken blocks', () => {
  const shifted = new Uint8Array(1 + 68);
  shifted.set(blocks(2), 1);
  expect(repackQ8(shifted.subarray(1))).toEqual(repackQ8(blocks(2)));
  expect(dequantizeQ8(shifted.subarray(1))).toEqual(dequantizeQ8(blocks(2)));
  expect(() => repackQ8(new Uint8Array(35))).toThrow('35 bytes are not whole blocks of 34');
  const floats = new Uint8Array(new Float32Array([0, 1.5, -2]).buffer);
  const odd = new Uint8Array(13);
  odd.set(floats, 1);
  expect([...toF32({ name: 'a', dtype: 'F32' }, odd.subarray(1))]).toEqual([0, 1.5, -2]);
});
