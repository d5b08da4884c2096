import { expect, test } from 'vitest';
import { eulerStep, guide, predictClean, renoiseStep, weightedSum } from '../../src/ops/sampler';
import * as reference from '../../src/sampling/steppers';
import { expectClose, onEveryElem, type Given } from '../helpers/tensors';

await onEveryElem((kit) => {
  test.each([[[1]], [[16, 3, 5, 7]], [[4, 1001]]])('steps of %j match the CPU’s', async (shape) => {
    const [x, v, noise] = [1, 2, 3].map(() => kit.random(shape, 'f32', 3)) as [Given, Given, Given];
    for (const [sigma, next] of [
      [1, 0.9375],
      [0.8333, 0.625],
      [0.625, 0],
    ] as const) {
      const euler = eulerStep(kit.run, x.t, v.t, sigma, next);
      expect([euler.dtype, euler.shape]).toEqual(['f32', shape]);
      await expectClose(kit, euler, reference.euler(x.x, v.x, sigma, next));
      const clean = reference.predictClean(x.x, v.x, sigma);
      await expectClose(kit, predictClean(kit.run, x.t, v.t, sigma), clean);
      const noisy = renoiseStep(kit.run, x.t, v.t, noise.t, sigma, next);
      await expectClose(kit, noisy, reference.renoise(clean, noise.x, next));
    }
  });

  test('weighted sums of one to four tensors, and guidance', async () => {
    const given = [1, 2, 3, 4].map(() => kit.random([3, 7], 'f32', 3)) as Given[];
    for (const weights of [[0.5], [1, -2], [0.25, 0, 3], [-1, 2, 0.5, 4]]) {
      const terms = weights.map((weight, i) => [given[i]!.t, weight] as const);
      const want = given[0]!.x.map((_, i) =>
        weights.reduce((sum, weight, k) => sum + weight * given[k]!.x[i]!, 0),
      );
      await expectClose(kit, weightedSum(kit.run, terms), want);
    }
    const [a, b] = given as [Given, Given];
    await expectClose(
      kit,
      guide(kit.run, a.t, b.t, 5),
      a.x.map((v, i) => b.x[i]! + 5 * (v - b.x[i]!)),
    );
  });

  test('refuses what does not fit', () => {
    const f32 = (...shape: number[]) => kit.random(shape, 'f32').t;
    const x = f32(2, 3);
    expect(() => eulerStep(kit.run, x, f32(3, 2), 1, 0)).toThrow(/^eulerStep: .*\[3,2\], expected \[2,3\]/);
    expect(() => predictClean(kit.run, x, f32(6), 1)).toThrow(/^predictClean: .*\[6\], expected \[2,3\]/);
    expect(() => renoiseStep(kit.run, x, f32(2, 3), f32(2, 4), 1, 0)).toThrow(
      /^renoiseStep: .*\[2,4\], expected \[2,3\]/,
    );
  });
});
