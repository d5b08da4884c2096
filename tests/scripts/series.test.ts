import { expect, test } from 'vitest';
import { judge, median, plot, rowsOf } from '../../scripts/series.mjs';

const MB = 1e6;
/** A clip of so many blocks; `change` makes block i other than the rest. */
const blocks = (count: number, change: (i: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, i) => ({
    block: i,
    began: i,
    seconds: 1.5, // decoded beside the next
    gpuBytes: 30 * MB,
    jsBytes: { page: 5 * MB, worker: 20 * MB },
    processBytes: { browser: 200 * MB, renderer: 500 * MB },
    ...change(i),
  }));

test('a block takes as long as its end is behind the end of the one before', () => {
  const rows = rowsOf(blocks(3).reverse());
  expect(rows.map((row) => row.seconds)).toEqual([1.5, 1, 1]);
  expect(rows[0]).toMatchObject({ gpu: 30 * MB, heap: 25 * MB, processes: 700 * MB });
  for (const jsBytes of [undefined, { page: null, worker: null }, { page: MB, worker: null }])
    expect(rowsOf(blocks(1, () => ({ jsBytes, processBytes: null })))[0]).toMatchObject({
      heap: null,
      processes: null,
    });
});

test('what stays is flat; what grows is told', () => {
  const flat = (change?: (i: number) => object) =>
    Object.entries(judge(rowsOf(blocks(80, change)))).flatMap(([name, { flat }]) => (flat ? [name] : []));
  expect(flat()).toEqual(['seconds', 'gpu', 'heap', 'processes']);
  expect(flat((i) => ({ gpuBytes: (30 + i) * MB }))).toEqual(['seconds', 'heap', 'processes']);
  expect(flat((i) => ({ jsBytes: { page: (5 + i) * MB, worker: MB } }))).not.toContain('heap');
  expect(flat((i) => ({ began: i + 0.001 * i * i }))).not.toContain('seconds');
  // One block that was held up is no growth.
  expect(flat((i) => ({ began: i >= 79 ? i + 30 : i }))).toContain('seconds');
});

test('the plot has a panel for each quantity that was told, and every block in it', () => {
  const svg = plot(rowsOf(blocks(20, () => ({ gpuBytes: 0 }))), 'a & b < c');
  expect(svg.match(/<polyline/g)).toHaveLength(3);
  for (const [, points] of svg.matchAll(/points="([^"]*)"/g)) expect(points!.split(' ')).toHaveLength(20);
  expect(svg).toContain('a &amp; b &lt; c');
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});

test('the median', () => expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, 0]));
