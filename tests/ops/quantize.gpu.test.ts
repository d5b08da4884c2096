import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Run } from '../../src/gpu/run';
import { quantize, type QuantizedFrom } from '../../src/ops/quantize';
import { bf16ToF32, f16ToF32, f32ToF16 } from '../../src/weights/convert';
import { quantizeQ4_0, quantizeQ8_0 } from '../../src/weights/pack';
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

test('refuses what is no whole pair of blocks, or no words', () => {
  const x = run.input(new Uint32Array(32), [32], 'x');
  expect(() => quantize(run, x, 'F32', 'q8_0')).toThrow(/32 numbers, expected a multiple of 64/);
  expect(quantize(run, x, 'BF16', 'q4_0').shape).toEqual([9]);
  expect(() => quantize(run, run.tensor([64], 'x', 'f32'), 'F32', 'q8_0')).toThrow(/x is f32, expected u32/);
});
