import { describe, expect, test } from 'vitest';
import { attention } from '../../src/ops/attention';
import { expectClose, onEveryElem } from '../helpers/tensors';
import { attention as reference } from '../reference/attention';

/** M queries, S keys, H heads of size d: ones, primes, both sides of 64, every head size of the models. */
const SIZES = [
  [1, 1, 1, 6],
  [5, 7, 2, 10],
  [3, 65, 3, 12],
  [64, 64, 2, 20],
  [65, 63, 2, 64],
  [67, 130, 1, 128],
  [100, 257, 4, 32],
  [2, 9, 5, 5],
  [300, 400, 2, 12],
] as const;

await onEveryElem((kit) => {
  const given = (M: number, S: number, H: number, d: number, spread = 1) => ({
    q: kit.random([M, H * d], kit.elem, spread),
    k: kit.random([S, H * d], kit.elem, spread),
    v: kit.random([S, H * d], kit.elem),
  });

  test.each(SIZES)('%d queries, %d keys, %d heads of %d', async (M, S, H, d) => {
    const { q, k, v } = given(M, S, H, d, 2);
    const out = attention(kit.run, q.t, k.t, v.t, { heads: H });
    expect(out.shape).toEqual([M, H * d]);
    expect(out.dtype).toBe(kit.elem);
    await expectClose(kit, out, reference({ M, S, H, d }, q.x, k.x, v.x));
  });

  test.each([
    [20, 37, 3, 20],
    [140, 70, 2, 12],
  ])('bias by head, query and key, and T5’s scale of 1 (%d×%d)', async (M, S, H, d) => {
    const { q, k, v } = given(M, S, H, d);
    const bias = kit.random([H, M, S], 'f32', 4);
    const out = attention(kit.run, q.t, k.t, v.t, { heads: H, scale: 1, bias: bias.t });
    await expectClose(kit, out, reference({ M, S, H, d }, q.x, k.x, v.x, { scale: 1, bias: bias.x }));
  });

  test.each([1, 5, 63, 64, 65, 99])(
    'only the first %d of 100 keys: what is behind may be garbage',
    async (keys) => {
      const sizes = { M: 9, S: 100, H: 2, d: 20 };
      const { q, k, v } = given(9, 100, 2, 20);
      const spoil = (x: Float32Array) =>
        kit.from(
          x.map((value, i) => (i < keys * 40 ? value : NaN)),
          [100, 40],
        );
      const bias = kit.random([keys], 'f32', 4);
      const want = reference(sizes, q.x, k.x, v.x, { keys, bias: bias.x });
      const options = { heads: 2, keys, bias: bias.t };
      await expectClose(kit, attention(kit.run, q.t, spoil(k.x).t, spoil(v.x).t, options), want);
      const byHead = kit.random([2, 9, keys], 'f32', 4);
      const wantByHead = reference(sizes, q.x, k.x, v.x, { keys, bias: byHead.x });
      const out = attention(kit.run, q.t, spoil(k.x).t, spoil(v.x).t, { heads: 2, keys, bias: byHead.t });
      await expectClose(kit, out, wantByHead);
    },
  );

  test('the pad key’s bias ln(512 − n) counts for all pad rows', async () => {
    const [M, H, d, n] = [7, 2, 12, 5];
    const { q, k, v } = given(M, 512, H, d);
    const padded = (x: Float32Array) =>
      x.map((value, i) => (i < n * H * d ? value : x[n * H * d + (i % (H * d))]!));
    const bias = kit.from([0, 0, 0, 0, 0, Math.log(512 - n)], [n + 1], 'f32');
    const out = attention(kit.run, q.t, k.t, v.t, { heads: H, keys: n + 1, bias: bias.t });
    await expectClose(kit, out, reference({ M, S: 512, H, d }, q.x, padded(k.x), padded(v.x)));
  });

  describe('large scores', () => {
    // Whole numbers, so that scores are exact in f32 and softmax may be compared.
    const whole = (rows: number, width: number, spread: number) =>
      kit.from(kit.random([rows, width], 'f32', spread).x.map(Math.round), [rows, width]);

    test.each([
      [100, 1],
      [1000, 0.25],
    ])('up to %d² · d, scale %d: finite and right', async (spread, scale) => {
      const [M, S, H, d] = [13, 75, 2, 10];
      const [q, k] = [whole(M, H * d, spread), whole(S, H * d, spread)];
      const v = kit.random([S, H * d]);
      const out = attention(kit.run, q.t, k.t, v.t, { heads: H, scale });
      await expectClose(kit, out, reference({ M, S, H, d }, q.x, k.x, v.x, { scale }));
    });

    test('all far below zero, and masked keys', async () => {
      const [M, S, H, d] = [3, 70, 1, 12];
      const q = kit.from(new Float32Array(M * d).fill(100), [M, d]);
      const k = kit.from(new Float32Array(S * d).fill(-100), [S, d]);
      const v = kit.random([S, d]);
      const bias = kit.from(
        new Float32Array(S).map((_, s) => (s % 3 ? 0 : -1e30)),
        [S],
        'f32',
      );
      const out = attention(kit.run, q.t, k.t, v.t, { heads: H, bias: bias.t });
      await expectClose(kit, out, reference({ M, S, H, d }, q.x, k.x, v.x, { bias: bias.x }));
    });
  });

  test('is the same to the bit when it is split into short dispatches', async () => {
    const { q, k, v } = given(200, 50, 2, 12);
    const whole = await kit.read(attention(kit.run, q.t, k.t, v.t, { heads: 2 }));
    const before = kit.run.launches;
    const gpu = kit.gpu as { flopsPerDispatch: number };
    const usual = gpu.flopsPerDispatch;
    gpu.flopsPerDispatch = 1e5;
    try {
      expect(await kit.read(attention(kit.run, q.t, k.t, v.t, { heads: 2 }))).toEqual(whole);
    } finally {
      gpu.flopsPerDispatch = usual;
    }
    expect(kit.run.launches - before).toBeGreaterThan(1);
  });

  test('refuses what does not fit', () => {
    const { run } = kit;
    const { q, k, v } = given(4, 6, 2, 8);
    const call = (o: Partial<Parameters<typeof attention>[4]>, kt = k.t, vt = v.t) => {
      return () => attention(run, q.t, kt, vt, { heads: 2, ...o });
    };
    expect(call({}, kit.random([6, 15]).t)).toThrow(/^attention: .*\[6,15\], expected \[6,16\]/);
    expect(call({}, k.t, kit.random([5, 16]).t)).toThrow(/^attention: .*\[5,16\], expected \[6,16\]/);
    expect(call({ heads: 3 })).toThrow(/^attention: /);
    expect(call({ keys: 7 })).toThrow(/^attention: /);
    expect(call({ bias: kit.random([2, 4, 5], 'f32').t })).toThrow(/^attention: .*\[2,4,5\]/);
    expect(call({ keys: 5, bias: kit.random([6], 'f32').t })).toThrow(/^attention: .*\[6\]/);
  });
});
