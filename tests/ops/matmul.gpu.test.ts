import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/gpu/tensor';
import { matmul } from '../../src/ops/matmul';
import { expectClose, onEveryElem, TOLERANCE } from '../helpers/tensors';
import { matmul as reference } from '../reference/matmul';

/** M, N, K: ones, primes, both sides of the tiles of 4 and 32, rows that are no whole words, large ones. */
const SIZES = [
  [1, 1, 1],
  [1, 7, 5],
  [3, 5, 7],
  [4, 4, 4],
  [2, 64, 64],
  [5, 17, 33],
  [31, 33, 30],
  [32, 32, 32],
  [65, 63, 66],
  [17, 130, 31],
  [128, 96, 100],
  [1, 1000, 512],
  [1000, 3, 257],
  [300, 384, 256],
] as const;

await onEveryElem((kit) => {
  test.each(SIZES)('x [%d,·] · w [%d,·]ᵀ over %d, weights f32 and f16', async (M, N, K) => {
    const x = kit.random([M, K]);
    for (const dtype of ['f32', 'f16'] as const) {
      const w = kit.random([N, K], dtype);
      const out = matmul(kit.run, x.t, w.t);
      expect(out.shape).toEqual([M, N]);
      expect(out.dtype).toBe(kit.elem);
      await expectClose(kit, out, reference([M, N, K], x.x, w.x));
    }
  });

  // 7 × 3 blocks: an odd number of scales, so that the last word is half used.
  test.each([
    [1, 1, 32],
    [3, 7, 96],
    [33, 31, 64],
    [65, 130, 160],
    [9, 500, 512],
  ])('x [%d,·] · w [%d,·]ᵀ over %d, weights q8_0', async (M, N, K) => {
    const x = kit.random([M, K]);
    const w = kit.random([N, K], 'q8_0', 3);
    await expectClose(kit, matmul(kit.run, x.t, w.t), reference([M, N, K], x.x, w.x));
  });

  describe.each(['q4_0', 'q4_k', 'q5_k', 'q6_k', 'f8_e4m3', 'f8_e5m2'] as const)('weights %s', (dtype) => {
    // Rows of one block and of several; 7 × 3 blocks of 32 use half of the last word of scales.
    test.each([
      [1, 1, 256],
      [3, 7, dtype === 'q4_0' ? 96 : dtype.startsWith('f8') ? 20 : 768],
      [33, 35, 512],
      [2, 1000, 256],
    ])('x [%d,·] · w [%d,·]ᵀ over %d', async (M, N, K) => {
      const x = kit.random([M, K]);
      const w = kit.quantized([N, K], dtype);
      await expectClose(kit, matmul(kit.run, x.t, w.t), reference([M, N, K], x.x, w.x));
    });

    test('every weight to the bit', async () => {
      // One row of x that is a one among zeros picks a column of w.
      const [N, K] = [9, 512];
      const w = kit.quantized([N, K], dtype);
      const x = kit.from(
        Float32Array.from({ length: K * K }, (_, i) => (i % (K + 1) === 0 ? 1 : 0)),
        [K, K],
        'f32',
      );
      const out = await kit.read(matmul(kit.run, x.t, w.t, { dtype: 'f32' })); // [K, N]
      // d·s·q − dm·m may be one fused operation or two.
      const slack = dtype === 'q4_k' || dtype === 'q5_k' ? 2 ** -22 : 0;
      const odd = w.x.findIndex(
        (v, i) => Math.abs(out[(i % K) * N + Math.floor(i / K)]! - v) > slack * Math.max(1, Math.abs(v)),
      );
      expect(odd === -1 ? null : [odd, w.x[odd], out[(odd % K) * N + Math.floor(odd / K)]]).toBeNull();
    });

    test('rows must be whole blocks', () => {
      const w = kit.quantized([256, 256], dtype).t;
      const odd = { ...w, shape: [512, 126] };
      expect(() => matmul(kit.run, kit.random([1, 126]).t, odd)).toThrow(
        /rows of 126, expected a multiple of/,
      );
    });
  });

  test.each(['none', 'gelu', 'silu', 'relu'] as const)('bias and activation %s', async (act) => {
    const [M, N, K] = [37, 45, 29];
    const x = kit.random([M, K]);
    const w = kit.random([N, K], 'f16');
    const bias = kit.random([N], 'f32', 3);
    const want = reference([M, N, K], x.x, w.x, { bias: bias.x, act });
    await expectClose(kit, matmul(kit.run, x.t, w.t, { bias: bias.t, act }), want);
    await expectClose(kit, matmul(kit.run, x.t, w.t, { act }), reference([M, N, K], x.x, w.x, { act }));
  });

  test.each(['f32', 'f16', 'q8_0'] as const)(
    'f32 x and f32 result, whatever the rest; w %s',
    async (dtype) => {
      for (const K of dtype === 'q8_0' ? [64] : [64, 63]) {
        const x = kit.random([35, K], 'f32', 100);
        const w = kit.random([34, K], dtype);
        const out = matmul(kit.run, x.t, w.t, { dtype: 'f32' });
        expect(out.dtype).toBe('f32');
        await expectClose(kit, out, reference([35, 34, K], x.x, w.x), TOLERANCE.f32);
      }
    },
  );

  test('sums in f32 what f16 could not hold', async () => {
    const x = kit.from(new Float32Array(2048).fill(8), [1, 2048]);
    const w = kit.from(new Float32Array(2048).fill(8), [1, 2048], 'f16');
    const out = matmul(kit.run, x.t, w.t, { dtype: 'f32' });
    expect(await kit.read(out)).toEqual(Float32Array.of(131072)); // f16 ends at 65504
  });

  test('is the same to the bit when it is split into short dispatches', async () => {
    const x = kit.random([300, 40]);
    const w = kit.random([50, 40], 'f32');
    const whole = await kit.read(matmul(kit.run, x.t, w.t));
    const before = kit.run.launches;
    await withDispatchesOf(2e5, async () => expect(await kit.read(matmul(kit.run, x.t, w.t))).toEqual(whole));
    expect(kit.run.launches - before).toBeGreaterThan(2);
  });

  async function withDispatchesOf(flops: number, work: () => Promise<void>): Promise<void> {
    const gpu = kit.gpu as { flopsPerDispatch: number };
    const usual = gpu.flopsPerDispatch;
    gpu.flopsPerDispatch = flops;
    await work().finally(() => (gpu.flopsPerDispatch = usual));
  }

  test('refuses what does not fit', () => {
    const { run } = kit;
    const x = kit.random([3, 5]).t;
    expect(() => matmul(run, x, kit.random([4, 6], 'f32').t)).toThrow(/^matmul: .*\[4,6\], expected \[/);
    expect(() => matmul(run, kit.random([2, 3, 5]).t, kit.random([4, 5], 'f32').t)).toThrow(
      /^matmul: .*\[2,3,5\]/,
    );
    const w = kit.random([4, 5], 'f32').t;
    expect(() => matmul(run, x, w, { bias: kit.random([5], 'f32').t })).toThrow(
      /^matmul: .*\[5\], expected \[4\]/,
    );
    const f32 = (...shape: number[]) => kit.random(shape, 'f32').t;
    expect(() => matmul(run, x, w, { residual: f32(3, 5) })).toThrow(/^matmul: .*\[3,5\], expected \[3,4\]/);
    const gated = (m: Tensor, index: number) => () => matmul(run, x, w, { gate: { m, index } });
    expect(gated(f32(3, 2, 5), 0)).toThrow(/^matmul: .*\[3,2,5\], expected \[3,2,4\]/);
    expect(gated(f32(2, 2, 4), 0)).toThrow(/^matmul: 3 rows, row 0 of the gate \[2,2,4\]/);
    expect(gated(f32(3, 2, 4), 2)).toThrow(/^matmul: 3 rows, row 2 of the gate \[3,2,4\]/);
  });
});
