/**
 * Every variant that this adapter offers, on shapes that it is not meant for, too, with one set of tolerances; those with
 * matrices of subgroups by helpers/shuffles.ts. Convolutions: conv-variants.gpu.test.ts.
 */
import { describe, expect, test } from 'vitest';
import { attention } from '../../src/ops/attention';
import { matmul } from '../../src/ops/matmul';
import { layerNorm, layerNormModulated, rmsNorm } from '../../src/ops/norm';
import { offered, possible } from '../../src/ops/choose';
import { ATTENTION, CONV, LAYER_NORM, MATMUL, RMS_NORM } from '../../src/ops/variants';
import { addShuffles } from '../helpers/shuffles';
import { expectClose, onEveryElem, TOLERANCE } from '../helpers/tensors';
import { attention as referenceAttention } from '../reference/attention';
import { matmul as referenceMatmul } from '../reference/matmul';
import { addGated } from '../reference/elementwise';
import * as referenceNorm from '../reference/norm';

const EPS = 1e-6;
/** A software driver compiles a tiled kernel for seconds, so each of its snippets is tried with one of them only. */
const TYPES = ['q8_0', 'q4_0', 'q4_k', 'q5_k', 'q6_k', 'f8_e4m3', 'f8_e5m2'] as const;
const typesOf = (variant: string) =>
  variant.startsWith('matrix')
    ? (['q8_0', 'q4_k'] as const)
    : variant.startsWith('tiled')
      ? TYPES.slice(0, 3)
      : TYPES;
const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);

const ONE = { M: 1, keys: 1, HEAD: 64 };
const ANY = { M: 1, N: 1, K: 1, x: 'f16', w: 'f16' } as const;

await addShuffles();
await onEveryElem((kit) => {
  const { gpu } = kit;

  describe.each(names(possible(gpu, MATMUL, { ...ANY, x: kit.elem })))('matmul %s', (variant) => {
    // Ones, primes, both sides of every tile (4, 32, 64, 128; 8 and 16 of k), rows that are no whole words.
    test.each([
      [1, 1, 1],
      [3, 5, 7],
      [5, 17, 33],
      [4, 64, 64],
      [65, 63, 30],
      [63, 66, 36],
      [127, 130, 31],
      [129, 127, 20],
      [131, 257, 8],
      [2, 300, 1000],
    ])('x [%d,·] · w [%d,·]ᵀ over %d, weights f32 and f16', async (M, N, K) => {
      const x = kit.random([M, K]);
      for (const dtype of /128|matrix/.test(variant) ? (['f16'] as const) : (['f32', 'f16'] as const)) {
        const w = kit.random([N, K], dtype);
        const out = matmul(kit.run, x.t, w.t, { variant });
        await expectClose(kit, out, referenceMatmul([M, N, K], x.x, w.x));
      }
    });

    test.each(typesOf(variant))('weights %s', async (dtype) => {
      for (const [M, N, K] of [
        [3, 7, 256],
        [67, 131, 512],
      ] as const) {
        const x = kit.random([M, K]);
        const w = dtype === 'q8_0' ? kit.random([N, K], 'q8_0', 3) : kit.quantized([N, K], dtype);
        const out = matmul(kit.run, x.t, w.t, { variant });
        await expectClose(kit, out, referenceMatmul([M, N, K], x.x, w.x));
      }
    });

    const slow = /^(tiled|matrix)/.test(variant);
    test.each(slow ? (['gelu'] as const) : (['none', 'gelu', 'silu'] as const))(
      'bias, %s, gate and residual',
      async (act) => {
        const [F, P, M, N, K] = [3, 4, 3 * 23, 70, 45];
        const x = kit.random([M, K]);
        const w = kit.random([N, K], 'f16');
        const bias = kit.random([N], 'f32', 3);
        const m = kit.random([F, P, N], 'f32', 2);
        const residual = kit.random([M, N], 'f32', 5);
        const plain = referenceMatmul([M, N, K], x.x, w.x, { bias: bias.x, act });
        const nothing = new Float64Array(M * N);
        const gated = addGated([M, N, F, P], nothing, plain, m.x, 2);
        const given = { variant, bias: bias.t, act };
        const gate = { m: m.t, index: 2 };
        const all = matmul(kit.run, x.t, w.t, { ...given, gate, residual: residual.t });
        expect(all.dtype).toBe('f32'); // the residual's
        await expectClose(kit, all, addGated([M, N, F, P], residual.x, plain, m.x, 2));
        if (slow) return;
        await expectClose(kit, matmul(kit.run, x.t, w.t, { ...given, gate, dtype: 'f32' }), gated);
        const added = matmul(kit.run, x.t, w.t, { ...given, residual: residual.t });
        await expectClose(kit, added, plain.map((v, i) => v + residual.x[i]!)); // prettier-ignore
      },
    );

    test('is the same to the bit when it is split into short dispatches', async () => {
      const [x, w] = [kit.random([300, 40]), kit.random([50, 40], 'f16')];
      const whole = await kit.read(matmul(kit.run, x.t, w.t, { variant }));
      const before = kit.run.launches;
      await withDispatchesOf(2e5, async () =>
        expect(await kit.read(matmul(kit.run, x.t, w.t, { variant }))).toEqual(whole),
      );
      expect(kit.run.launches - before).toBeGreaterThan(2);
    });
  });

  describe.each(['q8_0', 'q4_0'] as const)('matmul blocks, weights %s', (dtype) => {
    const variant = 'blocks';
    const weights = (N: number, K: number) =>
      dtype === 'q8_0' ? kit.random([N, K], dtype, 3) : kit.quantized([N, K], dtype);

    // Both sides of 8 and 64 rows, of 4 and 32 columns; one span and several.
    test.each([
      [1, 1, 32],
      [7, 5, 96],
      [9, 31, 64],
      [64, 32, 32],
      [65, 33, 160],
      [131, 70, 32],
    ])('x [%d,·] · w [%d,·]ᵀ over %d', async (M, N, K) => {
      const [x, w] = [kit.random([M, K]), weights(N, K)];
      await expectClose(kit, matmul(kit.run, x.t, w.t, { variant }), referenceMatmul([M, N, K], x.x, w.x));
    });

    test('bias, gelu, gate and residual; the same to the bit in short dispatches', async () => {
      const [F, P, M, N, K] = [3, 4, 3 * 70, 50, 64];
      const [x, w, bias] = [kit.random([M, K]), weights(N, K), kit.random([N], 'f32', 3)];
      const [m, residual] = [kit.random([F, P, N], 'f32', 2), kit.random([M, N], 'f32', 5)];
      const gate = { m: m.t, index: 2 };
      const call = () =>
        kit.read(
          matmul(kit.run, x.t, w.t, { variant, bias: bias.t, act: 'gelu', gate, residual: residual.t }),
        );
      const whole = await call();
      const plain = referenceMatmul([M, N, K], x.x, w.x, { bias: bias.x, act: 'gelu' });
      await expectClose(
        kit,
        kit.from(whole, [M, N], 'f32').t,
        addGated([M, N, F, P], residual.x, plain, m.x, 2),
      );
      const before = kit.run.launches;
      await withDispatchesOf(2e5, async () => expect(await call()).toEqual(whole));
      expect(kit.run.launches - before).toBeGreaterThan(2);
    });

    test('is for weights with such scales alone', () => {
      const [x, w] = [kit.random([2, 32]), kit.random([3, 32], 'f16')];
      expect(() => matmul(kit.run, x.t, w.t, { variant })).toThrow(/^matmul: no variant "blocks" for /);
    });
  });

  describe.each(names(possible(gpu, ATTENTION, { ...ONE, elem: kit.elem })))('attention %s', (variant) => {
    // Both sides of 16 and 64 queries and of 16 and 32 keys. Heads of 32 and 96 are no model's, but tiles can do them.
    const others: [number, number, number, number][] =
      variant === 'tiled 16' ? [[37, 70, 2, 32], [18, 41, 2, 96]] : variant === 'direct' ? [[37, 70, 2, 32], [300, 41, 3, 8], [18, 41, 2, 48], [18, 41, 2, 256]] : []; // prettier-ignore
    test.each<[number, number, number, number]>([
      ...others,
      [1, 1, 1, 64],
      [15, 31, 2, 64],
      [65, 33, 2, 128],
      [64, 32, 1, 128],
      [67, 130, 3, 128],
      [130, 257, 2, 64],
      [5, 40, 12, 128],
    ])('%d queries, %d keys, %d heads of %d', async (M, S, H, d) => {
      const [q, k, v] = [kit.random([M, H * d], kit.elem, 2), kit.random([S, H * d], kit.elem, 2), kit.random([S, H * d])]; // prettier-ignore
      const out = attention(kit.run, q.t, k.t, v.t, { heads: H, variant });
      await expectClose(kit, out, referenceAttention({ M, S, H, d }, q.x, k.x, v.x));
    });

    if (kit.elem === 'f32')
      test.each([
        [65, 33, 2, 64],
        [37, 130, 3, 128],
      ])('%d queries, %d keys and values of 16 bit, %d heads of %d', async (M, S, H, d) => {
        const q = kit.random([M, H * d], 'f32', 2);
        const [k, v] = [kit.random([S, H * d], 'f16', 2), kit.random([S, H * d], 'f16')];
        const out = attention(kit.run, q.t, k.t, v.t, { heads: H, variant });
        await expectClose(kit, out, referenceAttention({ M, S, H, d }, q.x, k.x, v.x));
      });

    test('30 000 keys', async () => {
      const [M, S, H, d] = [3, 30_000, 1, 128];
      const [q, k, v] = [
        kit.random([M, d], kit.elem, 2),
        kit.random([S, d], kit.elem, 2),
        kit.random([S, d]),
      ];
      const out = attention(kit.run, q.t, k.t, v.t, { heads: H, variant });
      // Of f32 four times the usual: sums of sixteen times as many terms, whose errors grow with the root.
      const tolerance = TOLERANCE[kit.elem]! * (kit.elem === 'f32' ? 4 : 1);
      await expectClose(kit, out, referenceAttention({ M, S, H, d }, q.x, k.x, v.x), tolerance);
    });

    test.each([1, 16, 31, 32, 33, 64, 69])('the first %d of 70 keys, bias of both kinds', async (keys) => {
      const sizes = { M: 21, S: 70, H: 2, d: 64 };
      const [q, k, v] = [kit.random([21, 128]), kit.random([70, 128]), kit.random([70, 128])];
      const spoil = (x: Float32Array) =>
        kit.from(x.map((value, i) => (i < keys * 128 ? value : NaN)), [70, 128]).t; // prettier-ignore
      for (const shape of [[keys], [2, 21, keys]]) {
        const bias = kit.random(shape, 'f32', 4);
        const out = attention(kit.run, q.t, spoil(k.x), spoil(v.x), {
          heads: 2,
          keys,
          bias: bias.t,
          variant,
        });
        const want = referenceAttention(sizes, q.x, k.x, v.x, { keys, bias: bias.x });
        await expectClose(kit, out, want);
      }
    });

    test.each([0.25, -0.25])('scores that change by %d from key to key', async (slope) => {
      const [M, S, H, d] = [21, 150, 2, 64];
      const [q, k, v] = [kit.random([M, H * d]), kit.random([S, H * d]), kit.random([S, H * d])];
      // The greatest so far rises for ever, by less than makes the keys before it nothing.
      const bias = kit.from(
        Float32Array.from({ length: S }, (_, s) => s * slope),
        [S],
        'f32',
      );
      const out = attention(kit.run, q.t, k.t, v.t, { heads: H, bias: bias.t, variant });
      await expectClose(kit, out, referenceAttention({ M, S, H, d }, q.x, k.x, v.x, { bias: bias.x }));
    });

    test('large scores and masked keys stay finite', async () => {
      const [M, S, H, d] = [20, 70, 1, 64];
      const q = kit.from(new Float32Array(M * d).fill(100), [M, d]);
      const k = kit.from(new Float32Array(S * d).fill(-100), [S, d]);
      const v = kit.random([S, d]);
      // Whole tiles of masked keys at the beginning, too.
      const mask = new Float32Array(S).map((_, s) => (s > 40 && s % 3 ? 0 : -1e30));
      const bias = kit.from(mask, [S], 'f32');
      const out = attention(kit.run, q.t, k.t, v.t, { heads: H, bias: bias.t, variant });
      await expectClose(kit, out, referenceAttention({ M, S, H, d }, q.x, k.x, v.x, { bias: bias.x }));
    });

    test('is the same to the bit when it is split into short dispatches', async () => {
      const [q, k, v] = [kit.random([200, 128]), kit.random([50, 128]), kit.random([50, 128])];
      const whole = await kit.read(attention(kit.run, q.t, k.t, v.t, { heads: 2, variant }));
      const before = kit.run.launches;
      await withDispatchesOf(1e5, async () =>
        expect(await kit.read(attention(kit.run, q.t, k.t, v.t, { heads: 2, variant }))).toEqual(whole),
      );
      expect(kit.run.launches - before).toBeGreaterThan(1);
    });
  });

  const NORM_SIZES: readonly (readonly [number, number])[] = [
    [3, 5],
    [7, 63],
    [2, 64],
    [5, 130],
    [8, 4],
    [9, 36],
    [17, 192],
    [4, 1536],
  ];
  const sizesFor = (list: typeof LAYER_NORM, variant: string) =>
    NORM_SIZES.filter(([rows, D]) => names(possible(gpu, list, { rows, D })).includes(variant));

  describe.each(names(possible(gpu, LAYER_NORM, { rows: 1, D: 4 })))('layerNorm %s', (variant) => {
    test.each(sizesFor(LAYER_NORM, variant))('of [%d,%d], bare, affine and modulated', async (N, D) => {
      const x = kit.random([N, D], kit.elem, 5);
      const [weight, bias] = [kit.random([D], 'f32', 2), kit.random([D], 'f32', 2)];
      const affine = { weight: weight.t, bias: bias.t };
      await expectClose(kit, layerNorm(kit.run, x.t, EPS, undefined, { variant }), referenceNorm.layerNorm(D, x.x, EPS)); // prettier-ignore
      const want = referenceNorm.layerNorm(D, x.x, EPS, { weight: weight.x, bias: bias.x });
      await expectClose(kit, layerNorm(kit.run, x.t, EPS, affine, { variant }), want);
      const m = kit.random([N, 3, D], 'f32', 2);
      const out = layerNormModulated(kit.run, x.t, EPS, m.t, 2, 0, { variant });
      await expectClose(kit, out, referenceNorm.layerNormModulated([N, D, N, 3], x.x, EPS, m.x, 2, 0));
    });
  });

  describe.each(names(possible(gpu, RMS_NORM, { rows: 1, D: 4 })))('rmsNorm %s', (variant) => {
    test.each(sizesFor(RMS_NORM, variant))('of [%d,%d]', async (N, D) => {
      const x = kit.random([N, D], kit.elem, 5);
      const weight = kit.random([D], 'f32', 2);
      const out = rmsNorm(kit.run, x.t, weight.t, EPS, undefined, { variant });
      await expectClose(kit, out, referenceNorm.rmsNorm(D, x.x, weight.x, EPS));
    });
  });

  test('the plain variant needs nothing, takes every shape, and is what a software adapter begins with', () => {
    const bare = { adapter: { isFallback: true }, features: new Set() } as unknown as typeof gpu;
    const shapes = {
      ...ANY,
      M: 500,
      N: 500,
      K: 500,
      keys: 500,
      HEAD: 64,
      pixels: 500,
      C: 64,
      O: 64,
      rows: 500,
      D: 500,
    };
    for (const list of [MATMUL, ATTENTION, CONV, LAYER_NORM, RMS_NORM] as const) {
      const plain = list.at(-1)!.name;
      expect(names(offered(bare, list as typeof MATMUL, shapes))[0]).toBe(plain);
    }
    expect(names(offered(bare, RMS_NORM, shapes))).toEqual(['tree', 'short']);
  });

  test('refuses a variant that cannot do the shape', () => {
    const [q, k] = [kit.random([4, 20]), kit.random([4, 20])];
    expect(() => attention(kit.run, q.t, k.t, k.t, { heads: 2, variant: 'tiled 64' })).toThrow(
      /^attention: no variant "tiled 64" for .*"HEAD":10.* of rows/,
    );
  });

  async function withDispatchesOf(flops: number, work: () => Promise<void>): Promise<void> {
    const adjustable = gpu as { flopsPerDispatch: number };
    const usual = adjustable.flopsPerDispatch;
    adjustable.flopsPerDispatch = flops;
    await work().finally(() => (adjustable.flopsPerDispatch = usual));
  }
});
