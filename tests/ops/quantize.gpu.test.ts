import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Run } from '../../src/gpu/run';
import { quantize, type QuantizedFrom } from '../../src/ops/quantize';
import { quantizeQ4K } from '../../src/ops/quantize-q4-k';
import { bf16ToF32, f16ToF32, f32ToF16, toF32 } from '../../src/weights/convert';
import { quantizeQ4_0, quantizeQ8_0 } from '../../src/weights/pack';
import { quantizeQ4_K } from '../../src/weights/pack-q4k';
import { openTestGpu } from '../helpers/gpu';
import { random } from '../helpers/tensors';

const gpu = await openTestGpu();
let run: Run;
beforeEach(() => void (run = new Run(gpu)));
afterEach(() => run.destroy());
afterAll(() => gpu.destroy());

const bitsOf = new Uint32Array(1);
const asFloat = new Float32Array(bitsOf.buffer);
/** Cut off, which is a bf16 all the same. */
const bf16 = (v: number) => ((asFloat[0] = v), bitsOf[0]! >>> 16);

/** The numbers as a file has them, and what they then are. */
function stored(values: Float32Array, from: QuantizedFrom): { words: Uint32Array; x: Float32Array } {
  if (from === 'F32') return { words: new Uint32Array(values.slice().buffer), x: values };
  const halves = Uint16Array.from(values, from === 'F16' ? f32ToF16 : bf16);
  return { words: new Uint32Array(halves.buffer), x: Float32Array.from(halves, from === 'F16' ? f16ToF32 : bf16ToF32) }; // prettier-ignore
}

/** Blocks of all sizes of numbers: those of weights, tiny and huge ones, ties, a lone one, zeros. */
function numbers(count: number, seed: number): Float32Array {
  const x = random(count, seed);
  for (let b = 0; b < count / 32; b++) {
    const scale = [0.02, 1, 3e-5, 700, 1e-7, 4e4][b % 6]!;
    for (let i = 0; i < 32; i++) x[32 * b + i]! *= scale;
    if (b % 7 === 3) x.fill(0, 32 * b + 1, 32 * b + 32);
    if (b % 7 === 5) for (let i = 0; i < 32; i++) x[32 * b + i] = ((i - 16) / 16) * scale;
    if (b % 11 === 9) x.fill(0, 32 * b, 32 * b + 32);
  }
  return x;
}

/** Also in a browser, which has no Buffer. */
const equal = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((v, i) => v === b[i]);

describe.each(['F32', 'F16', 'BF16'] as const)('%s', (from) => {
  test.each([64, 128, 960, 64 * 257])('%d numbers as Q8_0: to the bit as on the CPU', async (count) => {
    const { words, x } = stored(numbers(count, count), from);
    const out = quantize(run, run.input(words, [words.length], 'x'), from, 'q8_0');
    run.flush();
    const made = await gpu.readBytes(out);
    expect(equal(made.subarray(0, (count / 32) * 34), quantizeQ8_0(x))).toBe(true);
  });

  test.each([64, 128, 960, 64 * 257])('%d numbers as Q4_0: to the bit as on the CPU', async (count) => {
    const { words, x } = stored(numbers(count, count + 1), from);
    const out = quantize(run, run.input(words, [words.length], 'x'), from, 'q4_0');
    run.flush();
    const made = await gpu.readBytes(out);
    expect(equal(made.subarray(0, (count / 32) * 18), quantizeQ4_0(x))).toBe(true);
  });

  test.each([NaN, Infinity, -Infinity])(
    'a block with %d has no number for a scale, others are as they were',
    async (v) => {
      const values = numbers(128, 5);
      values[70] = v;
      const { words, x } = stored(values, from);
      const out = quantize(run, run.input(words, [words.length], 'x'), from, 'q8_0');
      run.flush();
      const made = await gpu.readBytes(out);
      const scale = new DataView(made.buffer).getUint16(2 * 34, true);
      expect(f16ToF32(scale)).toBeNaN();
      const want = quantizeQ8_0(x.slice(0, 64));
      expect(equal(made.subarray(0, 68), want)).toBe(true);
    },
  );
});

describe.each(['F32', 'F16', 'BF16'] as const)('%s as Q4_K', (from) => {
  const make = async (words: Uint32Array) => {
    const out = quantizeQ4K(run, run.input(words, [words.length], 'x'), from);
    run.flush();
    return gpu.readBytes(out);
  };
  const read = (blocks: Uint8Array) => toF32({ name: 'x', dtype: 'Q4_K' }, blocks);

  test.each([256, 256 * 9, 256 * 65])(
    '%d numbers: as near as on the CPU, and mostly the same bits',
    async (count) => {
      // Of one size a block, as rows of weights are, but not of one sign.
      const sizes = [0.02, 1, 3e-5, 700, 1e-3];
      const x0 = random(count, count).map((v, i) => v * Math.abs(v) * sizes[(i >> 8) % 5]!);
      x0.fill(0, 40, 70); // a part that is all zeros, and halves of others
      x0.fill(0.015, 96, 128);
      const { words, x } = stored(x0, from);
      const made = (await make(words)).subarray(0, (count / 256) * 144);
      const want = quantizeQ4_K(x);
      const [a, b] = [read(made), read(want)];
      let same = 0;
      for (let n = 0; n < count; n += 256) {
        const errorOf = (y: Float32Array) =>
          x.subarray(n, n + 256).reduce((sum, v, i) => sum + (v - y[n + i]!) ** 2, 0);
        expect(Math.sqrt(errorOf(a))).toBeLessThanOrEqual(1.03 * Math.sqrt(errorOf(b)) + 1e-7);
        const at = (n / 256) * 144;
        if (equal(made.subarray(at, at + 144), want.subarray(at, at + 144))) same++;
      }
      expect(same).toBeGreaterThanOrEqual(Math.floor((0.5 * count) / 256));
    },
  );

  test.each([NaN, Infinity, 'large'] as const)(
    'a block with %s has no number for a scale, others are as they were',
    async (v) => {
      const values = random(768, 5);
      values[300] = v === 'large' ? 3e38 : v;
      const { words } = stored(values, from);
      const view = new DataView((await make(words)).buffer);
      expect([0, 144, 288].map((at) => Number.isFinite(f16ToF32(view.getUint16(at, true))))).toEqual([
        true,
        false,
        true,
      ]);
    },
  );
});

test('Q4_K refuses part of a block', () => {
  expect(() => quantizeQ4K(run, run.input(new Uint32Array(64), [64], 'x'), 'F16')).toThrow('128 numbers, expected a multiple of 256'); // prettier-ignore
});

test('refuses what is no whole pair of blocks, or no words', () => {
  const x = run.input(new Uint32Array(32), [32], 'x');
  expect(() => quantize(run, x, 'F32', 'q8_0')).toThrow(/32 numbers, expected a multiple of 64/);
  expect(quantize(run, x, 'BF16', 'q4_0').shape).toEqual([9]);
  expect(() => quantize(run, run.tensor([64], 'x', 'f32'), 'F32', 'q8_0')).toThrow(/x is f32, expected u32/);
});
