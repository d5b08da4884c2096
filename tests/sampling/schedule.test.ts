import { expect, test } from 'vitest';
import { flowMatchSigmas, resample, steps, warp } from '../../src/sampling/schedule';
import { euler, predictClean, renoise } from '../../src/sampling/steppers';

const SELF_FORCING = [1000, 750, 500, 250];

test("Self-Forcing's list with shift 5", () => {
  const timesteps = warp(SELF_FORCING, 5).map((s) => s * 1000);
  [1000, 937.5, 833.3333, 625].forEach((t, i) => expect(timesteps[i]).toBeCloseTo(t, 3));
});

test('shift 1 changes nothing; the ends stay', () => {
  expect(warp([1000, 250, 0], 1)).toEqual([1, 0.25, 0]);
  expect(warp([1000, 0], 7)).toEqual([1, 0]);
  expect(warp([50, 25], 5, 50)).toEqual(warp([1000, 500], 5));
});

test.each([
  [4, SELF_FORCING],
  [2, [1000, 500]],
  [1, [1000]],
  [8, [1000, 875, 750, 625, 500, 375, 250, 125]],
  [3, [1000, 666.6667, 333.3333]],
])('resampled to %i steps', (n, want) => {
  const got = resample(SELF_FORCING, n);
  expect(got).toHaveLength(n);
  want.forEach((t, i) => expect(got[i]).toBeCloseTo(t, 3));
});

test('an uneven list keeps its shape, and always falls', () => {
  const list = [1000, 500, 400, 100];
  expect(resample(list, 2)).toEqual([1000, 400]);
  expect(resample(list, 8)).toEqual([1000, 750, 500, 450, 400, 250, 100, 50]);
  for (let n = 1; n <= 50; n++) {
    const got = resample(list, n);
    expect(got[0]).toBe(1000);
    got.forEach((t, i) => expect(t).toBeLessThan(got[i - 1] ?? Infinity));
    expect(got.at(-1)).toBeGreaterThan(0);
  }
});

test.each([0, -1, 1.5, NaN])('refuses %s steps', (n) => {
  expect(() => resample(SELF_FORCING, n)).toThrow(RangeError);
  expect(() => flowMatchSigmas(n, 5)).toThrow(RangeError);
});

test('the last step goes to zero', () => {
  expect(steps([1, 0.5])).toEqual([
    { index: 0, sigma: 1, timestep: 1000, next: 0.5 },
    { index: 1, sigma: 0.5, timestep: 500, next: 0 },
  ]);
});

// python -c "from diffusers import FlowMatchEulerDiscreteScheduler as S; s = S(num_train_timesteps=1000,
//   shift=5.0); s.set_timesteps(4); print(s.sigmas.tolist())"; diffusers 0.42.1
test.each([
  [5, 4, [1, 0.9097071, 0.7173175, 0.02441407]],
  [3, 6, [1, 0.9233425, 0.8189234, 0.6683267, 0.4322251, 0.008928572]],
  [1, 3, [1, 0.5005, 0.001]],
  [5, 1, [1]],
])("diffusers' flow-match Euler: shift %i, %i steps", (shift, n, want) => {
  const got = flowMatchSigmas(n, shift);
  expect(got).toHaveLength(n);
  want.forEach((sigma, i) => expect(got[i]).toBeCloseTo(sigma, 6));
});

// The same scheduler with set_timesteps(sigmas=[1, .75, .5, .25]) warps as we do.
test("diffusers' flow-match Euler with given sigmas", () => {
  const want = [1, 0.9375, 0.8333333134651184, 0.625];
  warp(SELF_FORCING, 5).forEach((sigma, i) => expect(sigma).toBeCloseTo(want[i]!, 6));
});

const x0 = Float32Array.of(1, -2, 0.5);
const eps = Float32Array.of(0.25, 1, -3);
const v = eps.map((e, i) => e - x0[i]!);
const at = (sigma: number) => renoise(x0, eps, sigma);

test('a perfect prediction leads back to the clean latent', () => {
  for (const sigma of [1, 0.9375, 0.625, 0.5]) {
    expect([...at(1)]).toEqual([...eps]);
    predictClean(at(sigma), v, sigma).forEach((x, i) => expect(x).toBeCloseTo(x0[i]!, 6));
  }
});

test('Euler along a straight flow lands where renoising with the same noise does', () => {
  euler(at(0.9), v, 0.9, 0.4).forEach((x, i) => expect(x).toBeCloseTo(at(0.4)[i]!, 6));
  euler(at(0.4), v, 0.4, 0).forEach((x, i) => expect(x).toBeCloseTo(x0[i]!, 6));
});

test('lengths must agree', () => {
  expect(() => renoise(x0, eps.slice(1), 0.5)).toThrow('renoise: 3 and 2 values');
});
