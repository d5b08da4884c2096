import { expect, test } from 'vitest';
import { activate, add, addModulation, affine, gatedGelu } from '../../src/ops/elementwise';
import { expectClose, onEveryElem } from '../helpers/tensors';
import * as reference from '../reference/elementwise';

const ACTS = ['gelu', 'silu', 'relu', 'softclamp', 'clamp01'] as const;
const SHAPES = [[1], [3], [63], [5, 13], [2, 3, 4, 5], [1000, 129]];

await onEveryElem((kit) => {
  test.each(ACTS)('activate %s', async (act) => {
    for (const shape of SHAPES) {
      const x = kit.random(shape, kit.elem, 4);
      const out = activate(kit.run, x.t, act);
      expect(out.shape).toEqual(shape);
      await expectClose(kit, out, Float64Array.from(x.x, reference.ACTIVATIONS[act]));
    }
  });

  test.each(ACTS)('activate %s of numbers up to 10 000, of both signs: no NaN', async (act) => {
    const sizes = [0, 1e-7, 0.5, 5, 10, 44, 80, 89, 100, 1000, 1e4];
    const x = kit.from(
      sizes.flatMap((a) => [a, -a]),
      [2 * sizes.length],
    );
    const got = await kit.read(activate(kit.run, x.t, act));
    // f16 rounds by 2^-11, and below 2^-14 to multiples of 2^-24.
    const relative = kit.elem === 'f16' ? 2 ** -10 : 2e-5;
    x.x.forEach((value, i) => {
      const want = reference.ACTIVATIONS[act](value);
      const error = Math.abs(got[i]! - want);
      expect(error, `${act}(${value}) = ${got[i]}, expected ${want}`).toBeLessThanOrEqual(
        relative * Math.abs(want) + 1e-6,
      );
    });
  });

  test('activate gives the type that is asked for', async () => {
    const x = kit.random([33], 'f32', 4);
    const out = activate(kit.run, x.t, 'silu', 'f32');
    expect(out.dtype).toBe('f32');
    await expectClose(kit, out, Float64Array.from(x.x, reference.ACTIVATIONS.silu));
  });

  test('gatedGelu', async () => {
    for (const shape of SHAPES) {
      const [a, b] = [kit.random(shape, kit.elem, 4), kit.random(shape, kit.elem, 4)];
      await expectClose(kit, gatedGelu(kit.run, a.t, b.t), reference.gatedGelu(a.x, b.x));
    }
  });

  test('gatedGelu of products that f16 has no number for is cut off, not infinite', async () => {
    const [a, b] = [[1000, 1000, 300, -3], [1000, -1000, 200, 6e4]].map((values) => kit.from(values, [4])); // prettier-ignore
    const got = await kit.read(gatedGelu(kit.run, a!.t, b!.t));
    const exact = reference.gatedGelu(a!.x, b!.x);
    const top = kit.elem === 'f16' ? 65504 : Infinity;
    got.forEach((v, i) => {
      const wanted = Math.max(-top, Math.min(top, exact[i]!));
      expect(Math.abs(v / wanted - 1), `${i}: ${v}`).toBeLessThan(2e-3);
    });
  });

  test('add, also a change of the activations’ type to an f32 stream', async () => {
    for (const shape of SHAPES)
      for (const stream of new Set(['f32', kit.elem] as const)) {
        const [x, y] = [kit.random(shape, stream), kit.random(shape)];
        const out = add(kit.run, x.t, y.t);
        expect(out.dtype).toBe(stream);
        await expectClose(
          kit,
          out,
          x.x.map((value, i) => value + y.x[i]!),
        );
      }
  });

  test.each([
    [1, 6, 6, 5],
    [3, 6, 6, 65],
    [4, 2, 1, 33],
    [2, 1, 1, 7],
  ])('addModulation: %d frames, table [1,%d,·], e [·,%d,·], width %d', async (F, P, E, D) => {
    const table = kit.random([1, P, D], 'f32');
    const e = kit.random([F, E, D], 'f32');
    const out = addModulation(kit.run, table.t, e.t);
    expect(out.shape).toEqual([F, P, D]);
    await expectClose(kit, out, reference.addModulation([F, P, E, D], table.x, e.x));
  });

  test.each([[[1, 1]], [[16, 3, 5, 7]], [[5, 131]]])('affine of %j', async (shape) => {
    const C = shape[0]!;
    const x = kit.random(shape, 'f32');
    const [scale, shift] = [kit.random([C], 'f32', 3), kit.random([C], 'f32', 3)];
    const out = affine(kit.run, x.t, scale.t, shift.t);
    expect(out.shape).toEqual(shape);
    await expectClose(kit, out, reference.affine(x.x.length / C, x.x, scale.x, shift.x));
  });

  test('refuses what does not fit', () => {
    const { run } = kit;
    const f32 = (...shape: number[]) => kit.random(shape, 'f32').t;
    const elem = (...shape: number[]) => kit.random(shape).t;
    expect(() => gatedGelu(run, elem(3, 4), elem(4, 3))).toThrow(/^gatedGelu: .*\[4,3\], expected \[3,4\]/);
    expect(() => add(run, elem(3, 4), elem(12))).toThrow(/^add: .*\[12\], expected \[3,4\]/);
    expect(() => addModulation(run, f32(1, 6, 4), f32(2, 5, 4))).toThrow(/^addModulation: .*\[2,5,4\]/);
    expect(() => addModulation(run, f32(1, 6, 4), f32(2, 6, 5))).toThrow(
      /^addModulation: .*\[1,6,4\], expected \[1,6,5\]/,
    );
    expect(() => affine(run, f32(3, 4), f32(4), f32(3))).toThrow(/^affine: .*\[4\], expected \[3\]/);
    expect(() => affine(run, f32(3, 4), f32(3), f32(4))).toThrow(/^affine: .*\[4\], expected \[3\]/);
  });
});
