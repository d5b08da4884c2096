/** Q4_K made here: read by our own reader and by gguf-py, nearer than Q4_0, and odd numbers told. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toF32 } from '../../src/weights/convert';
import { f16ToF32 } from '../../src/weights/half';
import { quantizeQ4_0 } from '../../src/weights/pack';
import { quantizeQ4_K } from '../../src/weights/pack-q4k';
import { random } from '../helpers/tensors';

/** Normal numbers, as weights are. */
function normal(n: number, seed: number, spread: number): Float32Array<ArrayBuffer> {
  const u = random(2 * n, seed);
  return Float32Array.from({ length: n }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log((u[2 * i]! + 1) / 2 + 1e-9));
    return spread * radius * Math.cos(Math.PI * u[2 * i + 1]!);
  });
}
const read = (blocks: Uint8Array) => toF32({ name: 'x', dtype: 'Q4_K' }, blocks);
const relative = (x: Float32Array, y: Float32Array) =>
  Math.sqrt(x.reduce((sum, v, i) => sum + (v - y[i]!) ** 2, 0) / x.reduce((sum, v) => sum + v * v, 0));

test.each([
  ['spread 0.02', normal(256 * 64, 1, 0.02), 0.86],
  ['spread 1', normal(256 * 64, 2, 1), 0.86],
  ['uniform', random(256 * 64, 4), 0.87],
  // Their scales are halves of a few bits.
  ['spread 1e-4', normal(256 * 64, 3, 1e-4), 0.97],
])('%s: nearer than Q4_0 of as many bits', (_, x, most) => {
  const q4_0 = relative(x, toF32({ name: 'x', dtype: 'Q4_0' }, quantizeQ4_0(x)));
  const blocks = quantizeQ4_K(x);
  expect(blocks.length).toBe(quantizeQ4_0(x).length);
  expect(relative(x, read(blocks))).toBeLessThan(most * q4_0);
});

test('all of one sign, one number, zeros, and a lone large one', () => {
  for (const fill of [(i: number) => 3 + (i % 7), (i: number) => -3 - (i % 7), () => 0.25, () => -0.25]) {
    const x = Float32Array.from({ length: 256 }, (_, i) => fill(i));
    expect(relative(x, read(quantizeQ4_K(x)))).toBeLessThan(0.03);
  }
  expect([...read(quantizeQ4_K(new Float32Array(256)))]).toEqual(Array(256).fill(0));
  const lone = new Float32Array(256);
  lone[77] = 100;
  expect(relative(lone, read(quantizeQ4_K(lone)))).toBeLessThan(1e-3);
});

test.each([NaN, Infinity, -Infinity, 3e38])('%d makes the scale of its block none', (v) => {
  const x = normal(512, 5, 0.02);
  x[300] = v;
  const view = new DataView(quantizeQ4_K(x).buffer);
  expect(f16ToF32(view.getUint16(144, true))).not.toSatisfy(Number.isFinite);
  expect(f16ToF32(view.getUint16(0, true))).toSatisfy(Number.isFinite);
});

test('part of a block is refused', () => {
  expect(() => quantizeQ4_K(new Float32Array(128))).toThrow('128 values are not whole blocks of 256');
});

test('gguf-py reads from our blocks what we read', () => {
  const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/q4_k.json'), 'utf8')) as { blocks: string; f32: string }; // prettier-ignore
  const blocks = quantizeQ4_K(normal(1024, 6, 0.02));
  expect(Buffer.from(blocks).toString('hex'), 'make it again: fixtures/make_q4_k.py').toBe(golden.blocks);
  expect(Buffer.from(read(blocks).buffer).toString('hex')).toBe(golden.f32);
});
