import { expect, test } from 'vitest';
import { embedding } from '../../src/ops/embedding';
import { expectClose, onEveryElem } from '../helpers/tensors';
import { embedding as reference } from '../reference/embedding';

await onEveryElem((kit) => {
  test.each([
    [1, 1, 1],
    [7, 5, 3],
    [11, 6, 13],
    [100, 33, 70],
    [50, 64, 200],
    [3, 97, 1000],
  ])('%d rows of %d, %d ids; f32 and f16', async (V, D, L) => {
    const ids = kit.from(
      kit.random([L], 'f32', V).x.map((x) => Math.floor(Math.abs(x))),
      [L],
      'i32',
    );
    for (const dtype of ['f32', 'f16'] as const) {
      const table = kit.random([V, D], dtype);
      const out = embedding(kit.run, table.t, ids.t);
      expect(out.shape).toEqual([L, D]);
      expect(out.dtype).toBe(kit.elem);
      await expectClose(kit, out, reference([V, D], table.x, ids.x));
    }
  });

  test.each([
    [5, 32],
    [7, 96],
    [33, 64],
  ])('%d rows of %d in q8_0, exact', async (V, D) => {
    const ids = kit.from([V - 1, 0, 2, 2, 1, V - 2], [6], 'i32');
    const table = kit.random([V, D], 'q8_0');
    const out = embedding(kit.run, table.t, ids.t, 'f32');
    expect(out.dtype).toBe('f32');
    expect(await kit.read(out)).toEqual(Float32Array.from(reference([V, D], table.x, ids.x)));
  });

  test('clamps ids that are not in the table', async () => {
    const ids = kit.from([-1, -(2 ** 31), 4, 5, 2 ** 31 - 128], [5], 'i32');
    const table = kit.random([5, 7], 'f32');
    await expectClose(kit, embedding(kit.run, table.t, ids.t), reference([5, 7], table.x, ids.x));
  });

  test('refuses what does not fit', () => {
    const table = kit.random([5, 7], 'f32').t;
    const ids = kit.from([1, 2], [1, 2], 'i32').t;
    expect(() => embedding(kit.run, table, ids)).toThrow(/^embedding: .*\[1,2\]/);
    const cube = kit.random([5, 7, 1], 'f32').t;
    expect(() => embedding(kit.run, cube, kit.from([1], [1], 'i32').t)).toThrow(/^embedding: .*\[5,7,1\]/);
  });
});
