import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { logUniform, sinCosTurn } from '../../src/sampling/exact';
import { noise, type NoiseStream } from '../../src/sampling/noise';
import { philox, type Words } from '../../src/sampling/philox';

const hex = (n: number) => n.toString(16).padStart(8, '0');

// Random123, tests/kat_vectors, "philox4x32 10": counter, key, output.
test.each([
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
])('Philox of %s, key %s', (counter, key, want) => {
  const words = (text: string) => text.split(' ').map((w) => parseInt(w, 16));
  const out: Words = [0, 0, 0, 0];
  const [c0, c1, c2, c3] = words(counter) as Words;
  const [k0, k1] = words(key) as [number, number];
  philox(out, c0, c1, c2, c3, k0, k1);
  expect(out.map(hex).join(' ')).toBe(want);
});

/** Words that meet every branch: powers of two, their neighbours, multiples of an eighth turn, and others. */
function someWords(): number[] {
  const words = [0, 0xffffffff];
  for (let b = 0; b < 32; b++) for (const d of [-1, 0, 1]) words.push((2 ** b + d) >>> 0);
  for (let e = 0; e < 8; e++) for (const d of [-1, 0, 1]) words.push((e * 2 ** 29 + d) >>> 0);
  const out: Words = [0, 0, 0, 0];
  for (let i = 0; i < 20_000; i++) {
    philox(out, i, 0, 0, 0, 1, 2);
    words.push(...out);
  }
  return words;
}

test('logarithm, sine and cosine are within an ulp or so of the true ones', () => {
  const out: [number, number] = [0, 0];
  for (const word of someWords()) {
    const log = Math.log((word + 0.5) / 2 ** 32);
    expect(Math.abs(logUniform(word) - log)).toBeLessThanOrEqual(4.5e-16 * Math.abs(log));
    sinCosTurn(out, word);
    const angle = (2 * Math.PI * word) / 2 ** 32;
    expect(Math.abs(out[0] - Math.sin(angle))).toBeLessThan(1e-15);
    expect(Math.abs(out[1] - Math.cos(angle))).toBeLessThan(1e-15);
  }
});

const START: NoiseStream = { block: 0, step: 0, purpose: 'start' };

describe('golden bits', () => {
  // From golden.py, which shares no code with ours; f32 bit patterns.
  test.each<[number, NoiseStream, string]>([
    [7, START, 'bf09f77e bf584c8e 3f214ddf bfafbf5b 3fdd2507 be5c5cf9 3f201256 bf553c65'],
    [0xffffffff, { block: 12, step: 3, purpose: 'renoise' }, 'bf3090fe bdfe9dc7 3f940ed3 3e222f8d 3e44ec3a'],
  ])('seed %i, %j', (seed, stream, want) => {
    const values = noise(seed, stream, want.split(' ').length);
    expect([...new Uint32Array(values.buffer)].map(hex).join(' ')).toBe(want);
  });

  test('of a hundred thousand', () => {
    const values = noise(7, { block: 1, step: 2, purpose: 'renoise' }, 100_000);
    expect(createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')).toBe(
      'f40305e56e7f3ebd71b01883e5f778149770152dad11f95e6e7654aa591a04f9',
    );
  });
});

test('a longer request begins with the same numbers', () => {
  const long = noise(3, START, 1003);
  for (const n of [0, 1, 2, 3, 4, 5, 1002]) expect(noise(3, START, n)).toEqual(long.slice(0, n));
});

test('seed, block, step and purpose each give other numbers', () => {
  const firsts = [
    noise(1, START, 64),
    noise(2, START, 64),
    noise(1, { ...START, block: 1 }, 64),
    noise(1, { ...START, step: 1 }, 64),
    noise(1, { ...START, purpose: 'renoise' }, 64),
  ];
  const all = new Set(firsts.flatMap((values) => [...values]));
  expect(all.size).toBeGreaterThan(5 * 64 - 3);
});

test.each([-1, 1.5, 2 ** 32, NaN])('refuses the seed %s', (seed) => {
  expect(() => noise(seed, START, 1)).toThrow(RangeError);
});

/** The standard normal distribution function, by the series for small and the fraction for large x. */
function cdf(x: number): number {
  const a = Math.abs(x);
  if (a < 4) {
    let [term, sum] = [a, a];
    for (let k = 1; k < 60; k++) sum += term *= (a * a) / (2 * k + 1);
    const upper = 0.5 + (sum * Math.exp((-a * a) / 2)) / Math.sqrt(2 * Math.PI);
    return x < 0 ? 1 - upper : upper;
  }
  const tail = Math.exp((-a * a) / 2) / Math.sqrt(2 * Math.PI) / (a + 1 / (a + 2 / (a + 3 / a)));
  return x < 0 ? tail : 1 - tail;
}

describe('a million numbers are normal', () => {
  const n = 1_000_000;
  const values = noise(12345, START, n);

  test('moments', () => {
    let [m1, m2, m3, m4, most] = [0, 0, 0, 0, 0];
    for (const x of values) {
      m1 += x / n;
      m2 += (x * x) / n;
      m3 += x ** 3 / n;
      m4 += x ** 4 / n;
      most = Math.max(most, Math.abs(x));
    }
    // Four standard errors: 1, √2, √15, √96 over √n.
    expect(Math.abs(m1)).toBeLessThan(0.004);
    expect(Math.abs(m2 - 1)).toBeLessThan(0.0057);
    expect(Math.abs(m3)).toBeLessThan(0.0155);
    expect(Math.abs(m4 - 3)).toBeLessThan(0.0392);
    expect(most).toBeGreaterThan(4);
    expect(most).toBeLessThan(6.77); // what 32 bits allow
  });

  test('Kolmogorov–Smirnov at 1 %', () => {
    const sorted = values.slice().sort();
    let distance = 0;
    sorted.forEach((x, i) => {
      const p = cdf(x);
      distance = Math.max(distance, p - i / n, (i + 1) / n - p);
    });
    expect(distance).toBeLessThan(1.63 / Math.sqrt(n));
  });

  test('neighbours are not correlated', () => {
    for (const lag of [1, 2, 3, 4, 8, 96]) {
      let sum = 0;
      for (let i = lag; i < n; i++) sum += values[i]! * values[i - lag]!;
      expect(Math.abs(sum / n), `lag ${lag}`).toBeLessThan(0.004);
    }
  });
});
