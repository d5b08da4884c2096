import { describe, expect, test } from 'vitest';
import { rope, store } from '../../src/ops/rope';
import { expectClose, onEveryElem, random } from '../helpers/tensors';
import { rope as reference, slotOf, storeRows } from '../reference/rope';

await onEveryElem((kit) => {
  /** Real turns, [N,d/2,2]. */
  const turns = (N: number, d: number) => {
    const angles = [...random((N * d) / 2, 7, 10)];
    return kit.from(
      angles.flatMap((a) => [Math.cos(a), Math.sin(a)]),
      [N, d / 2, 2],
      'f32',
    );
  };

  test.each([
    [1, 1, 2],
    [5, 2, 6],
    [7, 3, 10],
    [64, 2, 12],
    [33, 4, 20],
    [129, 3, 64],
    [40, 12, 128],
  ])('turns %d rows of %d heads of %d', async (N, H, d) => {
    const x = kit.random([N, H * d]);
    const angles = turns(N, d);
    const out = rope(kit.run, x.t, angles.t, H);
    expect(out.shape).toEqual([N, H * d]);
    await expectClose(kit, out, reference([N, H, d], x.x, angles.x));
  });

  test('takes f32 rows', async () => {
    const x = kit.random([9, 12], 'f32');
    const angles = turns(9, 6);
    await expectClose(kit, rope(kit.run, x.t, angles.t, 2), reference([9, 2, 6], x.x, angles.x));
  });

  describe('into a cache', () => {
    const [D, H, tokensPerFrame] = [12, 2, 5];
    /** Blocks of frames, as [first frame, frames]: from an empty cache until the ring has turned twice. */
    const BLOCKS = [[0, 3], [3, 3], [6, 1], [7, 2], [9, 3], [12, 3], [30, 2]] as const; // prettier-ignore

    // Halves also where the device does not compute with them.
    test.each([
      [0, 6, kit.elem],
      [1, 4, kit.elem],
      [3, 7, kit.elem],
      [3, 7, 'f16'],
    ] as const)(
      'frames behind a sink of %d turn round in a window of %d, kept in %s',
      async (sink, window, kept) => {
        for (const roped of [false, true]) {
          const old = kit.random([window * tokensPerFrame, D], kept);
          const want = Float64Array.from(old.x);
          for (const [firstFrame, frames] of BLOCKS) {
            const x = kit.random([frames * tokensPerFrame, D]);
            const angles = turns(frames * tokensPerFrame, D / H);
            const slot = { tokensPerFrame, firstFrame, sink, window };
            const into = { cache: old.t, ...slot };
            const out = roped ? rope(kit.run, x.t, angles.t, H, into) : store(kit.run, x.t, into);
            expect(out.storage).toBe(old.t.storage);
            const rows = roped ? reference([frames * tokensPerFrame, H, D / H], x.x, angles.x) : x.x;
            storeRows(want, rows, slot, D);
            await expectClose(kit, out, want);
          }
        }
      },
    );

    test('rows of an odd length, but not as halves in words', async () => {
      const slot = { tokensPerFrame: 2, firstFrame: 1, sink: 0, window: 3 };
      const x = kit.random([4, 7]);
      const want = new Float64Array(6 * 7);
      storeRows(want, x.x, slot, 7);
      const cache = kit.from(new Float32Array(42), [6, 7]);
      await expectClose(kit, store(kit.run, x.t, { cache: cache.t, ...slot }), want);
      const halves = kit.from(new Float32Array(42), [6, 7], 'f16');
      if (kit.elem === 'f32')
        expect(() => store(kit.run, x.t, { cache: halves.t, ...slot })).toThrow(/rows of 7 halves/);
    });

    test('what the reference calls a slot', () => {
      const slots = [0, 1, 2, 3, 4, 5, 6, 7].map((f) => slotOf(f, 1, 4));
      expect(slots).toEqual([0, 1, 2, 3, 1, 2, 3, 1]);
    });

    test('f32 rows into a cache of the activations’ type', async () => {
      const cache = kit.from(new Float32Array(20 * D), [20, D]);
      const x = kit.random([5, D], 'f32');
      const slot = { tokensPerFrame: 5, firstFrame: 2, sink: 1, window: 4 };
      const want = new Float64Array(20 * D);
      storeRows(want, x.x, slot, D);
      await expectClose(kit, store(kit.run, x.t, { cache: cache.t, ...slot }), want);
    });
  });

  test('refuses what does not fit', () => {
    const { run } = kit;
    const x = kit.random([10, 12]).t;
    const f32 = (...shape: number[]) => kit.random(shape, 'f32').t;
    expect(() => rope(run, x, f32(10, 2, 2), 2)).toThrow(/^rope: .*\[10,2,2\], expected \[10,3,2\]/);
    expect(() => rope(run, x, f32(9, 3, 2), 2)).toThrow(/^rope: .*\[9,3,2\], expected \[10,3,2\]/);
    expect(() => rope(run, x, f32(10, 3, 2), 5)).toThrow(/^rope: /);
    const into = (rows: number, width: number, window = 4) => ({
      cache: kit.random([rows, width]).t,
      tokensPerFrame: 5,
      firstFrame: 0,
      sink: 1,
      window,
    });
    expect(() => store(run, x, into(20, 13))).toThrow(/^store: .*\[20,13\]/);
    expect(() => store(run, x, into(15, 12))).toThrow(/^store: .*\[15,12\]/);
    expect(() => rope(run, x, f32(10, 3, 2), 2, into(20, 13))).toThrow(/^rope: .*\[20,13\]/);
    expect(() => store(run, kit.random([9, 12]).t, into(20, 12))).toThrow(/^store: /);
  });
});
