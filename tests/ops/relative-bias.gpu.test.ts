import { expect, test } from 'vitest';
import { relativeBias } from '../../src/ops/relative-bias';
import { expectClose, onEveryElem } from '../helpers/tensors';
import { bucketOf, relativeBias as reference } from '../reference/relative-bias';

await onEveryElem((kit) => {
  // 300 tokens pass the largest distance, and every border between two buckets, in both directions.
  test.each([
    [32, 2, 1, 128],
    [32, 3, 7, 128],
    [32, 1, 300, 128],
    [8, 2, 40, 20],
  ])('%d buckets, %d heads, %d tokens, distance up to %d', async (buckets, H, L, maxDistance) => {
    const table = kit.random([buckets, H], 'f32');
    const out = relativeBias(kit.run, table.t, L, maxDistance);
    expect(out.shape).toEqual([H, L, L]);
    expect(out.dtype).toBe('f32');
    await expectClose(kit, out, reference([buckets, H, L], table.x, maxDistance), 0);
  });

  test('the reference’s buckets are those of transformers’ T5Attention', () => {
    const distances = [0, -1, -7, -8, -11, -12, -16, -32, -64, -91, -127, -128, -500];
    const buckets = [0, 1, 7, 8, 8, 9, 10, 12, 14, 15, 15, 15, 15];
    expect(distances.map((d) => bucketOf(d, 32, 128))).toEqual(buckets);
    expect(bucketOf(5, 32, 128)).toBe(21);
    expect(bucketOf(200, 32, 128)).toBe(31);
  });

  test('refuses what does not fit', () => {
    const table = kit.random([32], 'f32').t;
    expect(() => relativeBias(kit.run, table, 4, 128)).toThrow(/^relativeBias: .*\[32\]/);
  });
});
