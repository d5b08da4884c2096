import { expect, test } from 'vitest';
import { layerNorm, layerNormModulated, rmsNorm } from '../../src/ops/norm';
import { expectClose, onEveryElem } from '../helpers/tensors';
import * as reference from '../reference/norm';

const EPS = 1e-6;
/** Rows and width: ones, primes, both sides of the workgroup's 64, Wan's width, many rows. */
const SIZES = [
  [1, 1],
  [3, 5],
  [7, 63],
  [2, 64],
  [5, 130],
  [4, 1536],
  [1001, 48],
] as const;

await onEveryElem((kit) => {
  const elems = [...new Set(['f32', kit.elem] as const)];

  test.each(SIZES)('rmsNorm of [%d,%d]', async (N, D) => {
    const weight = kit.random([D], 'f32', 2);
    for (const from of elems)
      for (const to of elems) {
        const x = kit.random([N, D], from, 5);
        const out = rmsNorm(kit.run, x.t, weight.t, EPS, to);
        expect(out.dtype).toBe(to);
        expect(out.shape).toEqual([N, D]);
        await expectClose(kit, out, reference.rmsNorm(D, x.x, weight.x, EPS));
      }
    expect(rmsNorm(kit.run, kit.random([N, D], 'f32').t, weight.t, EPS).dtype).toBe(kit.elem);
  });

  // A width of 1 is left out: what is normalised is then only what rounding made.
  test.each(SIZES.slice(1))('layerNorm of [%d,%d], bare and affine', async (N, D) => {
    const weight = kit.random([D], 'f32', 2);
    const bias = kit.random([D], 'f32', 2);
    for (const from of elems) {
      const x = kit.random([N, D], from, 5);
      await expectClose(kit, layerNorm(kit.run, x.t, EPS), reference.layerNorm(D, x.x, EPS));
      const out = layerNorm(kit.run, x.t, EPS, { weight: weight.t, bias: bias.t });
      await expectClose(kit, out, reference.layerNorm(D, x.x, EPS, { weight: weight.x, bias: bias.x }));
    }
  });

  test.each([
    [6, 10, 1, 2, 0, 1],
    [6, 65, 3, 6, 3, 4],
    [35, 12, 5, 6, 0, 1],
    [2, 30, 2, 2, 1, 0],
  ])(
    'layerNormModulated of [%d,%d] over %d frames, m [·,%d,·] at %d and %d',
    async (N, D, F, P, shift, scale) => {
      const m = kit.random([F, P, D], 'f32', 2);
      for (const from of elems) {
        const x = kit.random([N, D], from, 5);
        const out = layerNormModulated(kit.run, x.t, EPS, m.t, shift, scale);
        await expectClose(kit, out, reference.layerNormModulated([N, D, F, P], x.x, EPS, m.x, shift, scale));
      }
    },
  );

  test('constant and zero rows are finite: eps holds', async () => {
    const D = 100;
    const x = kit.from([...new Array(D).fill(3.1), ...new Array(D).fill(0)], [2, D]);
    // The mean's rounding (some 2^-24 · 3.1) is magnified by 1/√eps = 1000.
    for (const value of await kit.read(layerNorm(kit.run, x.t, EPS)))
      expect(Math.abs(value)).toBeLessThan(2e-3);
    const weight = kit.from(new Array(D).fill(1), [D], 'f32');
    await expectClose(kit, rmsNorm(kit.run, x.t, weight.t, EPS), reference.rmsNorm(D, x.x, weight.x, EPS));
  });

  test('small differences on a large mean survive (the variance takes two passes)', async () => {
    const D = 96;
    const x = kit.from(
      kit.random([4, D], 'f32').x.map((value) => 1000 + value),
      [4, D],
      'f32',
    );
    // A mean of 1000 is known to 6e-5 at best, a spread of 0.6 divides that.
    await expectClose(kit, layerNorm(kit.run, x.t, EPS), reference.layerNorm(D, x.x, EPS), 1e-3);
  });

  test('squares of 1e4 do not overflow', async () => {
    const x = kit.random([3, 200], kit.elem, 1e4);
    const weight = kit.random([200], 'f32');
    await expectClose(kit, rmsNorm(kit.run, x.t, weight.t, EPS), reference.rmsNorm(200, x.x, weight.x, EPS));
    await expectClose(kit, layerNorm(kit.run, x.t, EPS), reference.layerNorm(200, x.x, EPS));
  });

  test('refuses what does not fit', () => {
    const { run } = kit;
    const x = kit.random([6, 8]).t;
    const f32 = (...shape: number[]) => kit.random(shape, 'f32').t;
    expect(() => rmsNorm(run, x, f32(7), EPS)).toThrow(/^rmsNorm: .*\[7\], expected \[8\]/);
    const affine = { weight: f32(8), bias: f32(9) };
    expect(() => layerNorm(run, x, EPS, affine)).toThrow(/^layerNorm: .*\[9\], expected \[8\]/);
    expect(() => layerNormModulated(run, x, EPS, f32(2, 6, 7), 0, 1)).toThrow(
      /^layerNormModulated: .*\[2,6,7\]/,
    );
    expect(() => layerNormModulated(run, x, EPS, f32(4, 6, 8), 0, 1)).toThrow(/^layerNormModulated: /);
    expect(() => layerNormModulated(run, x, EPS, f32(2, 2, 8), 0, 2)).toThrow(
      /^layerNormModulated: shift 0, scale 2, but m has 2 rows/,
    );
  });
});
