/** Every variant of conv, on shapes that it is not meant for, too, with one set of tolerances. */
import { describe, expect, test } from 'vitest';
import { Run } from '../../src/gpu/run';
import { Tuner } from '../../src/gpu/tuner';
import { conv } from '../../src/ops/conv';
import { possible } from '../../src/ops/choose';
import { CONV } from '../../src/ops/variants';
import { expectClose, onEveryElem } from '../helpers/tensors';
import { conv as referenceConv, type ConvSizes } from '../reference/conv';

/** T, H, W, C → O, [kt,kh,kw]. */
type Sizes = [number, number, number, number, number, [number, number, number]];

await onEveryElem((kit) => {
  const { gpu } = kit;
  const all = possible(gpu, CONV, { pixels: 1, C: 1, O: 1 });
  describe.each(all.map(({ name }) => name))('%s', (variant) => {
    const given = ({ T, H, W, C, O, kernel: [kt, kh, kw], stride = 1, doubled }: ConvSizes) => {
      const [oh, ow] = doubled ? [2 * H, 2 * W] : [Math.ceil(H / stride), Math.ceil(W / stride)];
      return {
        x: kit.random([T, H, W, C]),
        w: kit.random([O, kt, kh, kw, C], C % 2 ? 'f32' : 'f16'),
        bias: kit.random([O], 'f32', 3),
        residual: kit.random([T, oh, ow, O], kit.elem, 3),
        past: kt > 1 ? kit.random([kt - 1, H, W, C]) : null,
      };
    };

    // Both sides of 32, 64 and 128 pixels, of 32 and 64 outputs, and of 4 and 16 channels; single ones; tiles with two frames.
    const odd: Sizes[] = [
      [1, 1, 1, 1, 1, [1, 1, 1]],
      [1, 1, 1, 3, 2, [3, 3, 3]],
      [1, 7, 9, 15, 31, [1, 3, 3]],
      [1, 5, 13, 17, 33, [1, 5, 3]],
    ];
    test.each<Sizes>([
      ...(variant.includes('128') ? [] : odd),
      [1, 1, 1, 4, 1, [1, 1, 1]],
      [1, 8, 8, 16, 32, [1, 3, 3]],
      [2, 9, 7, 20, 63, [3, 1, 1]],
      [4, 4, 8, 32, 64, [2, 3, 3]],
      [3, 6, 11, 36, 65, [3, 3, 3]],
      [2, 13, 10, 64, 130, [1, 3, 3]],
    ])(
      '%d×%d×%d×%d to %d channels, kernel %j, with and without frames before',
      async (T, H, W, C, O, kernel) => {
        const sizes = { T, H, W, C, O, kernel };
        const { x, w, past } = given(sizes);
        await expectClose(kit, conv(kit.run, x.t, w.t, { variant }), referenceConv(sizes, x.x, w.x));
        if (!past) return;
        const want = referenceConv(sizes, x.x, w.x, { past: past.x });
        await expectClose(kit, conv(kit.run, x.t, w.t, { past: past.t, variant }), want);
      },
    );

    test.each([{ stride: 2 }, { doubled: true }, {}])('%j, bias, residual, silu', async (how) => {
      const sizes: ConvSizes = { T: 3, H: 7, W: 5, C: 24, O: 37, kernel: [2, 3, 3], ...how };
      const { x, w, bias, residual, past } = given(sizes);
      const all = { bias: bias.t, residual: residual.t, past: past!.t };
      const out = conv(kit.run, x.t, w.t, { ...how, ...all, act: 'silu', variant });
      const values = { bias: bias.x, residual: residual.x, past: past!.x, act: 'silu' } as const;
      await expectClose(kit, out, referenceConv(sizes, x.x, w.x, values));
    });

    test('zeros behind, as Wan halves: the picture moved by one', async () => {
      const [H, W, C, O] = [8, 10, 16, 33];
      const { x, w } = given({ T: 1, H, W, C, O, kernel: [1, 3, 3] });
      const out = conv(kit.run, x.t, w.t, { stride: 2, pad: 'behind', variant });
      // Padded by one around, the odd pixels of a picture see what the even ones see that is padded behind.
      const whole = referenceConv({ T: 1, H, W, C, O, kernel: [1, 3, 3] }, x.x, w.x);
      const odd = whole.filter((_, i) => (Math.floor(i / O) % W) % 2 && Math.floor(i / (O * W)) % 2);
      await expectClose(kit, out, odd);
    });

    test('is the same to the bit when it is split into short dispatches', async () => {
      const { x, w, past } = given({ T: 2, H: 11, W: 13, C: 16, O: 9, kernel: [3, 1, 3] });
      const options = { past: past!.t, variant };
      const whole = await kit.read(conv(kit.run, x.t, w.t, options));
      const before = kit.run.launches;
      const adjustable = gpu as { flopsPerDispatch: number };
      const usual = adjustable.flopsPerDispatch;
      adjustable.flopsPerDispatch = 1e5;
      const again = kit.read(conv(kit.run, x.t, w.t, options));
      adjustable.flopsPerDispatch = usual;
      expect(await again).toEqual(whole);
      expect(kit.run.launches - before).toBeGreaterThan(1);
    });
  });
  test('a trial finds that all compute the same, with frames before or without', async () => {
    const run = new Run(gpu, { dry: true });
    const x = run.tensor([2, 9, 11, 32], 'x');
    conv(run, x, kit.random([40, 3, 3, 3, 32], 'f16').t, { stride: 2 });
    conv(run, x, kit.random([24, 1, 3, 3, 32], 'f16').t, { doubled: true });
    const [strided, doubled] = [...run.questions.values()];
    run.destroy();
    expect(strided!.key).toBe(`conv ${kit.elem}·f16 3×3×3 by 2 64×64×64`);
    expect(doubled!.key).toBe(`conv ${kit.elem}·f16 1×3×3 doubled 1024×64×64`);
    const tuner = new Tuner({ always: true });
    await tuner.settle(gpu, [strided!, doubled!]);
    expect(tuner.answers.length).toBe(2);
    for (const { ms } of tuner.answers) {
      expect(Object.keys(ms).sort()).toEqual(['plain', 'tiled 64×32']);
      expect(Object.values(ms)).not.toContain(null); // which one that differs from the plain one would have
    }
  });
});
