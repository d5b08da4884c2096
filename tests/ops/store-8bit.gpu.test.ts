import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/gpu/tensor';
import { attention } from '../../src/ops/attention';
import { rope, store } from '../../src/ops/rope';
import { store8bit, wordsOf } from '../../src/ops/store-8bit';
import { possible } from '../../src/ops/choose';
import { ATTENTION } from '../../src/ops/variants';
import { addShuffles } from '../helpers/shuffles';
import { expectClose, onEveryElem, random } from '../helpers/tensors';
import { attention as referenceAttention } from '../reference/attention';
import { slotOf } from '../reference/rope';
import { round8bit, unpack8bit, valuesOf } from '../reference/store-8bit';

await addShuffles();
await onEveryElem((kit) => {
  const empty = (rows: number, heads: number, d: number, fill = 0): Tensor =>
    kit.from(new Float32Array(rows * heads * wordsOf(d)).fill(fill), [rows, heads, wordsOf(d)], 'u32').t;
  const words = async (cache: Tensor) => {
    await kit.run.sync();
    return new Uint32Array((await kit.gpu.readBytes(cache)).buffer);
  };
  const all = (rows: number) => ({ tokensPerFrame: 1, firstFrame: 0, sink: 0, window: rows });
  /** A cache of seeded rows, some heads of them much larger than others, and the values that it holds. */
  async function kept(rows: number, heads: number, d: number) {
    const x = kit.random([rows, heads * d]).x.map((v, i) => v * 4 ** (Math.floor(i / d) % 3));
    const cache = store8bit(kit.run, kit.from(x, [rows, heads * d]).t, { cache: empty(rows, heads, d), ...all(rows) }); // prettier-ignore
    return { t: cache, x: valuesOf(unpack8bit(await words(cache), d)) };
  }

  describe('rows become 8 bit', () => {
    // Heads of one value, below a word, words and a rest, more words than threads share it; rows of some workgroups.
    test.each([
      [1, 1, 1],
      [3, 5, 2],
      [7, 3, 6],
      [33, 2, 10],
      [5, 4, 12],
      [17, 3, 33],
      [9, 12, 128],
    ])('%d rows of %d heads of %d', async (rows, heads, d) => {
      const given = kit.random([rows, heads * d], kit.elem, 3);
      given.x.fill(0, 0, d); // a head of nothing
      const { t, x } = kit.from(given.x, [rows, heads * d]);
      const found = unpack8bit(await words(store8bit(kit.run, t, { cache: empty(rows, heads, d, 0xaaaaaaaa), ...all(rows) })), d); // prettier-ignore
      const want = round8bit(x, heads, d);
      found.scales.forEach((scale, h) => expect(Math.abs(scale - want.scales[h]!)).toBeLessThanOrEqual(1e-6 * want.scales[h]!)); // prettier-ignore
      // A value in the middle between two whole numbers may go either way.
      const held = valuesOf(found);
      for (let i = 0; i < x.length; i++)
        expect(Math.abs(held[i]! - x[i]!), `value ${i}`).toBeLessThanOrEqual(0.5001 * found.scales[Math.floor(i / d)]!); // prettier-ignore
      const other = found.whole.filter((n, i) => n !== want.whole[i]).length;
      expect(other).toBeLessThanOrEqual(Math.ceil(x.length / 500));
      found.whole.forEach((n) => expect(Math.abs(n)).toBeLessThanOrEqual(127));
    });

    test('frames behind a sink turn round in the window; other slots stay as they are', async () => {
      const [heads, d, tokensPerFrame, window, sink] = [2, 6, 5, 4, 1];
      const cache = empty(window * tokensPerFrame, heads, d);
      const per = tokensPerFrame * heads * d;
      const want = new Float64Array(window * per);
      for (const [firstFrame, frames] of [
        [0, 3],
        [3, 2],
        [5, 1],
        [30, 2],
      ] as const)
        // prettier-ignore
        for (const roped of [false, true]) {
          const { t } = kit.random([frames * tokensPerFrame, heads * d]);
          const into = { cache, tokensPerFrame, firstFrame, sink, window };
          const angles = kit.from([...random(frames * tokensPerFrame * (d / 2), 5, 3)].flatMap((a) => [Math.cos(a), Math.sin(a)]), [frames * tokensPerFrame, d / 2, 2], 'f32'); // prettier-ignore
          expect(roped ? rope(kit.run, t, angles.t, heads, into) : store(kit.run, t, into)).toBe(cache);
          const rows = await kit.read(roped ? rope(kit.run, t, angles.t, heads) : t);
          const rounded = valuesOf(round8bit(rows, heads, d));
          for (let f = 0; f < frames; f++)
            want.set(rounded.slice(f * per, (f + 1) * per), slotOf(firstFrame + f, sink, window) * per);
          const held = valuesOf(unpack8bit(await words(cache), d));
          // In steps of the largest scale: one where a value in the middle went the other way.
          held.forEach((v, i) => expect(Math.abs(v - want[i]!)).toBeLessThanOrEqual(1.01 * (2 / 127)));
          const off = held.filter((v, i) => Math.abs(v - want[i]!) > 1e-5).length;
          expect(off).toBeLessThanOrEqual(3);
        }
    });

    test.each([NaN, Infinity, -Infinity])('%d is not rounded away', async (bad) => {
      const x = new Float32Array(3 * 12).fill(0.5);
      x[17] = bad;
      const cache = store8bit(kit.run, kit.from(x, [3, 12]).t, { cache: empty(3, 2, 6), ...all(3) });
      const { scales } = unpack8bit(await words(cache), 6);
      expect([...scales].map(Number.isFinite)).toEqual([true, true, false, true, true, true]);
    });
  });

  describe.each(possible(kit.gpu, ATTENTION, { M: 1, keys: 1, HEAD: 64, elem: kit.elem, packed: true }).map(({ name }) => name))('attention %s over keys and values of 8 bit', (variant) => {
    // prettier-ignore
    const sizes: [number, number, number, number][] = [[1, 1, 1, 32], [65, 33, 2, 128], [67, 130, 3, 64], [18, 41, 2, 96]];
    const odd: [number, number, number, number][] = [[5, 7, 2, 10], [64, 65, 3, 12], [2, 9, 5, 5], [33, 70, 1, 1]]; // prettier-ignore
    test.each([...sizes, ...(variant === 'rows' ? odd : [])].filter((s) => s[3] % 64 === 0 || !variant.startsWith('matrix')))('%d queries, %d keys, %d heads of %d: as over the values that they hold', async (M, S, H, d) => {
      const q = kit.random([M, H * d]);
      const [k, v] = [await kept(S, H, d), await kept(S, H, d)];
      const out = attention(kit.run, q.t, k.t, v.t, { heads: H, variant });
      await expectClose(kit, out, referenceAttention({ M, S, H, d }, q.x, k.x, v.x));
      if (S < 2) return;
      const some = attention(kit.run, q.t, k.t, v.t, { heads: H, variant, keys: S - 1 });
      await expectClose(kit, some, referenceAttention({ M, S, H, d }, q.x, k.x, v.x, { keys: S - 1 }));
    });
  }); // prettier-ignore

  test('refuses what does not fit', () => {
    const x = kit.random([10, 12]).t;
    const into = (cache: Tensor) => ({ cache, tokensPerFrame: 5, firstFrame: 0, sink: 0, window: 2 });
    expect(() => store(kit.run, x, into(empty(10, 5, 2)))).toThrow(/^store-8bit: .*no cache of 8 bit/);
    expect(() => store(kit.run, x, into(empty(10, 2, 9)))).toThrow(/^store-8bit: .*\[10,2,3\]/);
    expect(() => store(kit.run, x, into(empty(15, 2, 6)))).toThrow(/^store-8bit: .*\[15,2,3\]/);
    const k = empty(4, 2, 6);
    const other = kit.random([4, 12]).t;
    expect(() => attention(kit.run, x, k, other, { heads: 2 })).toThrow(/^attention: .*\[4,12\], expected \[4,2,3\]/); // prettier-ignore
    expect(() => attention(kit.run, x, k, k, { heads: 3 })).toThrow(/^attention: .*\[4,3,2\]/);
  });
});
