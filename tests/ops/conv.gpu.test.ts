import { expect, test } from 'vitest';
import { conv } from '../../src/ops/conv';
import { expectClose, onEveryElem } from '../helpers/tensors';
import { conv as reference, type ConvSizes } from '../reference/conv';

/** T, H, W, C → O, [kt,kh,kw]: channels that are no whole words, single pixels, both sides of 4 and 32. */
const SIZES: [number, number, number, number, number, [number, number, number]][] = [
  [1, 1, 1, 1, 1, [1, 1, 1]],
  [1, 1, 1, 3, 2, [3, 3, 3]],
  [1, 5, 7, 3, 5, [1, 3, 3]],
  [2, 4, 6, 4, 8, [1, 3, 3]],
  [3, 5, 5, 6, 7, [3, 3, 3]],
  [4, 3, 8, 16, 33, [2, 1, 1]],
  [2, 9, 11, 20, 12, [3, 1, 1]],
  [3, 6, 5, 10, 31, [1, 1, 1]],
  [2, 7, 6, 9, 5, [2, 3, 3]],
  [1, 9, 10, 5, 4, [1, 5, 3]],
  [1, 16, 17, 32, 64, [1, 3, 3]],
  [2, 20, 24, 64, 40, [1, 3, 3]],
];

await onEveryElem((kit) => {
  const given = ({ T, H, W, C, O, kernel, stride = 1 }: ConvSizes) => {
    const [kt] = kernel;
    return {
      x: kit.random([T, H, W, C]),
      bias: kit.random([O], 'f32', 3),
      residual: kit.random([T, Math.ceil(H / stride), Math.ceil(W / stride), O], kit.elem, 3),
      past: kt > 1 ? kit.random([kt - 1, H, W, C]) : null,
      w: { f32: kit.random([O, ...kernel, C], 'f32'), f16: kit.random([O, ...kernel, C], 'f16') },
    };
  };

  test.each(SIZES)('%d×%d×%d×%d to %d channels, kernel %j', async (T, H, W, C, O, kernel) => {
    const sizes = { T, H, W, C, O, kernel };
    const { x, w } = given(sizes);
    for (const dtype of ['f32', 'f16'] as const) {
      const out = conv(kit.run, x.t, w[dtype].t);
      expect(out.shape).toEqual([T, H, W, O]);
      expect(out.dtype).toBe(kit.elem);
      await expectClose(kit, out, reference(sizes, x.x, w[dtype].x));
    }
  });

  test.each([
    [1, 8, 10, 5, 7, [1, 3, 3]],
    [2, 2, 2, 8, 4, [1, 3, 3]],
    [3, 12, 6, 4, 33, [3, 3, 3]],
    [1, 5, 9, 6, 3, [1, 3, 3]],
    [1, 7, 4, 4, 5, [1, 1, 1]],
  ] as typeof SIZES)('stride 2: %d×%d×%d×%d to %d channels, kernel %j', async (T, H, W, C, O, kernel) => {
    const sizes = { T, H, W, C, O, kernel, stride: 2 };
    const { x, w, bias, residual } = given(sizes);
    const out = conv(kit.run, x.t, w.f32.t, { stride: 2, bias: bias.t, residual: residual.t });
    expect(out.shape).toEqual([T, Math.ceil(H / 2), Math.ceil(W / 2), O]);
    const want = reference(sizes, x.x, w.f32.x, { bias: bias.x, residual: residual.x });
    await expectClose(kit, out, want);
  });

  test.each([
    [1, 1, 1, 3, 2, [1, 3, 3]],
    [2, 3, 5, 6, 7, [1, 3, 3]],
    [1, 8, 5, 16, 33, [1, 3, 3]],
    [2, 4, 3, 5, 4, [2, 1, 1]],
  ] as typeof SIZES)('doubled: %d×%d×%d×%d to %d channels, kernel %j', async (T, H, W, C, O, kernel) => {
    const sizes = { T, H, W, C, O, kernel, doubled: true };
    const { x, w, bias, past } = given(sizes);
    const out = conv(kit.run, x.t, w.f32.t, { doubled: true, bias: bias.t, ...(past && { past: past.t }) });
    expect(out.shape).toEqual([T, 2 * H, 2 * W, O]);
    const want = reference(sizes, x.x, w.f32.x, { bias: bias.x, ...(past && { past: past.x }) });
    await expectClose(kit, out, want);
  });

  test.each([
    ['relu', true, false],
    ['silu', false, true],
    ['relu', true, true],
    ['none', true, true],
  ] as const)('%s comes last; bias %j, residual %j', async (act, withBias, withResidual) => {
    const sizes: ConvSizes = { T: 2, H: 5, W: 6, C: 6, O: 10, kernel: [2, 3, 3] };
    const { x, w, bias, residual } = given(sizes);
    const out = conv(kit.run, x.t, w.f16.t, {
      act,
      ...(withBias && { bias: bias.t }),
      ...(withResidual && { residual: residual.t }),
    });
    const want = reference(sizes, x.x, w.f16.x, {
      act,
      ...(withBias && { bias: bias.x }),
      ...(withResidual && { residual: residual.x }),
    });
    await expectClose(kit, out, want);
  });

  test.each([
    [2, 5, 4, 3, 4, [3, 3, 3]],
    [1, 5, 4, 8, 9, [3, 3, 3]],
    [4, 3, 4, 8, 5, [2, 1, 1]],
  ] as typeof SIZES)('past frames: %d×%d×%d×%d to %d channels, kernel %j', async (T, H, W, C, O, kernel) => {
    const sizes = { T, H, W, C, O, kernel };
    const { x, w, past } = given(sizes);
    const want = reference(sizes, x.x, w.f32.x, { past: past!.x });
    await expectClose(kit, conv(kit.run, x.t, w.f32.t, { past: past!.t }), want);
  });

  test('a clip in two parts is the clip in one: past is what came before', async () => {
    const [H, W, C, O] = [4, 5, 6, 7];
    const sizes: ConvSizes = { T: 5, H, W, C, O, kernel: [3, 3, 3] };
    const { x, w } = given(sizes);
    const frame = H * W * C;
    const part = (from: number, to: number) =>
      kit.from(x.x.slice(from * frame, to * frame), [to - from, H, W, C]);
    const whole = await kit.read(conv(kit.run, x.t, w.f32.t));
    const first = await kit.read(conv(kit.run, part(0, 2).t, w.f32.t));
    const second = await kit.read(conv(kit.run, part(2, 5).t, w.f32.t, { past: part(0, 2).t }));
    expect(Float32Array.of(...first, ...second)).toEqual(whole);
  });

  test('is the same to the bit when it is split into short dispatches', async () => {
    const { x, w } = given({ T: 2, H: 11, W: 13, C: 8, O: 9, kernel: [1, 3, 3] });
    const whole = await kit.read(conv(kit.run, x.t, w.f32.t));
    const before = kit.run.launches;
    const gpu = kit.gpu as { flopsPerDispatch: number };
    const usual = gpu.flopsPerDispatch;
    gpu.flopsPerDispatch = 1e5;
    try {
      expect(await kit.read(conv(kit.run, x.t, w.f32.t))).toEqual(whole);
    } finally {
      gpu.flopsPerDispatch = usual;
    }
    expect(kit.run.launches - before).toBeGreaterThan(1);
  });

  test('refuses what does not fit', () => {
    const { run } = kit;
    const elem = (...shape: number[]) => kit.random(shape).t;
    const f32 = (...shape: number[]) => kit.random(shape, 'f32').t;
    const x = elem(2, 4, 6, 3);
    const w = f32(5, 2, 3, 3, 3);
    expect(() => conv(run, elem(4, 6, 3), w)).toThrow(/^conv: .*\[4,6,3\]/);
    expect(() => conv(run, x, f32(5, 2, 3, 3, 4))).toThrow(/^conv: .*\[5,2,3,3,4\]/);
    expect(() => conv(run, x, w, { bias: f32(4) })).toThrow(/^conv: .*\[4\], expected \[5\]/);
    const residual = elem(2, 4, 6, 4);
    expect(() => conv(run, x, w, { residual })).toThrow(/^conv: .*\[2,4,6,4\], expected \[2,4,6,5\]/);
    const past = elem(2, 4, 6, 3);
    expect(() => conv(run, x, w, { past })).toThrow(/^conv: .*\[2,4,6,3\], expected \[1,4,6,3\]/);
    expect(() => conv(run, x, f32(5, 2, 3, 3, 3, 1))).toThrow(/^conv: .*\[5,2,3,3,3,1\]/);
    expect(() => conv(run, x, f32(5, 1, 2, 3, 3))).toThrow(/^conv: /); // an even kernel has no centre
  });
});
