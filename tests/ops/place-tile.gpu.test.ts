import { expect, test } from 'vitest';
import { placeTile, type Span } from '../../src/ops/place-tile';
import { expectClose, onEveryElem } from '../helpers/tensors';

/** Tiles that begin at these places, each as long as `length`, cut in the middle of what they share. */
const spans = (length: number, ...starts: number[]): Span[] =>
  starts.map((start, i) => {
    const cut = (a: number, b: number) => Math.floor((a + length + b) / 2);
    const from = i > 0 ? cut(starts[i - 1]!, start) : start;
    return { start, length, from, to: i < starts.length - 1 ? cut(start, starts[i + 1]!) : start + length };
  });

await onEveryElem((kit) => {
  test.each([
    ['one tile', spans(5, 0), spans(7, 0), [2, 5, 7, 3]],
    ['two across', spans(4, 0), spans(6, 0, 4), [1, 4, 10, 3]],
    ['nine, some of which share nothing', spans(5, 0, 3, 8), spans(7, 0, 5, 10), [2, 13, 17, 3]],
    ['many pixels', spans(34, 0, 26), spans(40, 0, 32, 64), [4, 60, 104, 1]],
  ] as const)('%s: every pixel is of the tile that it is taken from', async (_, rows, columns, shape) => {
    const [T, H, W, C] = shape;
    const into = kit.random([T, H, W, C], 'f32', 5).t;
    const want = new Float64Array(T * H * W * C).fill(NaN);
    for (const r of rows)
      for (const c of columns) {
        const { t, x } = kit.random([T, r.length, c.length, C]);
        placeTile(kit.run, t, into, r, c);
        for (let f = 0; f < T; f++)
          for (let i = r.from; i < r.to; i++)
            for (let j = c.from; j < c.to; j++)
              for (let k = 0; k < C; k++)
                want[((f * H + i) * W + j) * C + k] =
                  x[((f * r.length + i - r.start) * c.length + j - c.start) * C + k]!;
      }
    expect(want.every(Number.isFinite)).toBe(true); // they cover it
    await expectClose(kit, into, want);
  });

  test('refuses what does not lie in the tile, or the tile not in the picture', () => {
    const into = kit.run.tensor([1, 8, 8, 3], 'into', 'f32');
    const { t } = kit.random([1, 4, 4, 3]);
    const at = (start: number, from = start, to = start + 4) => ({ start, length: 4, from, to });
    expect(() => placeTile(kit.run, t, into, at(5), at(0))).toThrow(/5 to 9 of a tile from 5 to 9 of 8/);
    expect(() => placeTile(kit.run, t, into, at(0), at(4, 3, 8))).toThrow(/3 to 8 of a tile from 4 to 8/);
    expect(() => placeTile(kit.run, t, into, at(0), at(0, 2, 2))).toThrow(/^placeTile: /);
    expect(() => placeTile(kit.run, t, into, { ...at(0), length: 3 }, at(0))).toThrow(/^placeTile: /);
  });
});
