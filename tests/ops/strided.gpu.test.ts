import { expect, test } from 'vitest';
import { permute, rearrange, strided } from '../../src/ops/strided';
import { expectClose, onEveryElem } from '../helpers/tensors';
import * as reference from '../reference/strided';

await onEveryElem((kit) => {
  test.each([
    [[5], [0]],
    [
      [3, 7],
      [1, 0],
    ],
    [
      [2, 3, 5],
      [2, 0, 1],
    ],
    [
      [65, 67],
      [1, 0],
    ],
    [
      [4, 3, 6, 5],
      [1, 2, 3, 0],
    ],
    [
      [2, 3, 1, 4, 5],
      [4, 2, 0, 3, 1],
    ],
    [
      [2, 3, 2, 3, 2, 3],
      [5, 0, 3, 1, 4, 2],
    ],
    [
      [2, 1, 3, 2, 2, 3, 2],
      [6, 5, 4, 3, 2, 1, 0],
    ],
    [
      [2, 2, 3, 2, 1, 2, 2, 3],
      [7, 0, 6, 1, 5, 2, 4, 3],
    ],
    [
      [40, 30, 50],
      [2, 1, 0],
    ],
  ])('permute %j by %j', async (shape, order) => {
    const x = kit.random(shape);
    const out = permute(kit.run, x.t, order);
    expect(out.shape).toEqual(order.map((axis) => shape[axis]));
    await expectClose(kit, out, reference.permute(x.x, shape, order), 0);
  });

  test('patchify: [C,F,H,W] → [F·H/2·W/2, C·4]', async () => {
    const [C, F, H, W] = [3, 2, 4, 6];
    const x = kit.random([C, F, H, W]);
    const dims = [
      { size: F, stride: H * W },
      { size: H / 2, stride: 2 * W },
      { size: W / 2, stride: 2 },
      { size: C, stride: F * H * W },
      { size: 2, stride: W },
      { size: 2, stride: 1 },
    ];
    const out = strided(kit.run, x.t, dims, [12, 12]);
    expect(out.shape).toEqual([12, 12]);
    await expectClose(kit, out, reference.strided(x.x, dims), 0);
  });

  test('stride 0 repeats: nearest upsampling of [H,W,C]', async () => {
    const [H, W, C] = [3, 5, 2];
    const x = kit.random([H, W, C]);
    const dims = [
      { size: H, stride: W * C },
      { size: 2, stride: 0 },
      { size: W, stride: C },
      { size: 2, stride: 0 },
      { size: C, stride: 1 },
    ];
    const out = await kit.read(strided(kit.run, x.t, dims, [2 * H, 2 * W, C]));
    for (let i = 0; i < out.length; i++) {
      const [h, w, c] = [Math.floor(i / (2 * W * C)), Math.floor(i / C) % (2 * W), i % C];
      expect(out[i]).toBe(x.x[((h >> 1) * W + (w >> 1)) * C + c]);
    }
  });

  test('changes the type', async () => {
    for (const from of new Set(['f32', kit.elem] as const))
      for (const dtype of new Set(['f32', kit.elem] as const)) {
        const x = kit.random([7, 9], from);
        const want = reference.permute(x.x, [7, 9], [1, 0]);
        const out = permute(kit.run, x.t, [1, 0], { dtype });
        expect(out.dtype).toBe(dtype);
        await expectClose(kit, out, want);
        await expectClose(kit, strided(kit.run, x.t, [{ size: 63, stride: 1 }], [63], { dtype }), x.x);
      }
  });

  test('begins at an offset and runs backwards', async () => {
    const x = kit.random([5, 7]);
    const axes = [
      { size: 4, stride: -7 },
      { size: 3, stride: 2 },
    ];
    const want = [4, 3, 2, 1].flatMap((row) => [1, 3, 5].map((column) => x.x[row * 7 + column]!));
    await expectClose(kit, strided(kit.run, x.t, axes, [4, 3], { offset: 29 }), want, 0);
  });

  test('writes into a tensor that is there', async () => {
    const x = kit.random([3, 5]);
    const into = kit.from(new Float32Array(15), [5, 3], 'f32').t;
    expect(permute(kit.run, x.t, [1, 0], { into })).toBe(into);
    await expectClose(kit, into, reference.permute(x.x, [3, 5], [1, 0]), 0);
  });

  test('reads weights in f16 on every adapter', async () => {
    const x = kit.random([5, 3, 7], 'f16');
    const out = permute(kit.run, x.t, [2, 0, 1], { dtype: 'f32' });
    await expectClose(kit, out, reference.permute(x.x, [5, 3, 7], [2, 0, 1]), 0);
  });

  test('rearranges axes that it cuts in pieces: a pixel shuffle', async () => {
    const [H, W, C] = [3, 4, 2];
    const x = kit.random([H, W, 4 * C]);
    const out = rearrange(kit.run, x.t, [H, W, 2, 2, C], [0, 2, 1, 3, 4], [2 * H, 2 * W, C]);
    expect(out.shape).toEqual([6, 8, 2]);
    await expectClose(kit, out, reference.permute(x.x, [H, W, 2, 2, C], [0, 2, 1, 3, 4]), 0);
  });

  test('refuses what does not fit', () => {
    const x = kit.random([4, 6]).t;
    const one = (size: number, stride: number) => ({ size, stride });
    expect(() => strided(kit.run, x, [one(4, 6), one(6, 1)], [23])).toThrow(/^strided: /);
    expect(() => strided(kit.run, x, [one(5, 6), one(6, 1)], [5, 6])).toThrow(/^strided: /); // behind the end
    expect(() => strided(kit.run, x, new Array(9).fill(one(1, 0)), [1])).toThrow(/^strided: /);
    expect(() => strided(kit.run, x, [one(4, -6)], [4], { offset: 17 })).toThrow(/^strided: .*-1 to 17/);
    const into = kit.random([6, 5], 'f32').t;
    expect(() => permute(kit.run, x, [1, 0], { into })).toThrow(/^strided: .*\[6,5\], expected \[6,4\]/);
    expect(() => rearrange(kit.run, x, [4, 5], [0, 1], [4, 5])).toThrow(
      /^strided: .*\[4,6\] seen as \[4,5\]/,
    );
    expect(() => permute(kit.run, x, [0, 0])).toThrow(/^permute: \[0,0\] is no order of the 2 axes/);
    expect(() => permute(kit.run, x, [0])).toThrow(/^permute: \[0\] is no order of the 2 axes/);
  });
});
