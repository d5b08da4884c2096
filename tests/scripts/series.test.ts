import { expect, test } from 'vitest';
import { random } from '../helpers/tensors';
import { judge, meansOf, median, passes, plot, rowsOf, trend, windowsOf } from '../../scripts/series.mjs';

const MB = 1e6;
type Where = Parameters<typeof passes>[1];
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
    Object.entries(judge(rowsOf(blocks(80, change)))).flatMap(([name, { verdict }]) => (verdict === 'flat' ? [name] : [])); // prettier-ignore
  expect(flat()).toEqual(['seconds', 'gpu', 'heap', 'processes']);
  expect(flat((i) => ({ gpuBytes: (30 + i) * MB }))).toEqual(['seconds', 'heap', 'processes']);
  expect(flat((i) => ({ jsBytes: { page: (5 + i) * MB, worker: MB } }))).not.toContain('heap');
  expect(flat((i) => ({ began: i + 0.001 * i * i }))).not.toContain('seconds');
  // One block that was held up is no growth.
  expect(flat((i) => ({ began: i >= 79 ? i + 30 : i }))).toContain('seconds');
});

/** Of about 1, seeded: up to `spread` more or less, now and then twice as much. */
function noisy(seed: number, spread: number) {
  const other = random(200, seed, spread);
  return (i: number) => 1 + other[i]! + (i % 13 === 5 ? 1 : 0);
}

/** A clip whose blocks take that long, one after the other; `cpu` is their processor time. */
function timed(seconds: (i: number) => number, cpu?: (i: number) => number) {
  let [now, taken] = [0, 100];
  return rowsOf(
    blocks(81, (i) => {
      const began = now;
      now += seconds(i);
      if (cpu) taken += cpu(i);
      return { began, seconds: now - began, ...(cpu && { cpuSeconds: i % 5 === 3 ? null : taken }) };
    }),
  );
}

test('the trend is that of the points, whatever a fifth of them do, and says how sure it is', () => {
  const line = trend(Array.from({ length: 60 }, (_, x) => [x, x % 5 === 2 ? 90 : 2 + 0.1 * x]));
  expect(line.early).toBeCloseTo(2);
  expect(line.late).toBeCloseTo(2 + 5.9);
  for (const seed of [1, 2, 3, 4, 5]) {
    const [tight, wide] = [0.02, 0.3].map((spread) => judge(timed(noisy(seed, spread))).seconds!.range!);
    expect(tight!.least).toBeLessThan(1);
    expect(tight!.most).toBeGreaterThan(1);
    expect(wide!.most - wide!.least).toBeGreaterThan(5 * (tight!.most - tight!.least));
  }
});

test.each([1, 2, 3, 4, 5])('seed %i: five in a hundred are told where blocks differ by four, and not where they differ by half', (seed) => {
  const grows = (spread: number, by: number) => {
    const own = noisy(seed, spread);
    return judge(timed((i) => own(i) * (1 + (by * i) / 80))).seconds!.verdict;
  };
  expect(grows(0.04, 0)).toBe('flat');
  expect(grows(0.04, 0.15)).toBe('grown');
  expect(grows(0.5, 0)).toBe('unsure');
}); // prettier-ignore

test('processor time stands for the clock’s where the processor computes', () => {
  // Something else took half of the machine from the middle on.
  // It is asked for now and then too late; the next block has then less.
  const lag = random(90, 3, 0.08);
  const busy = judge(timed((i) => (i < 40 ? 1 : 2), (i) => 1 + lag[i + 1]! - lag[i]!)); // prettier-ignore
  expect([busy.seconds!.verdict, busy.cpu!.verdict]).toEqual(['grown', 'flat']);
  const [processor, card] = [true, false].map((computesOnCpu) => ({ computesOnCpu, hasGpu: true })) as [Where, Where]; // prettier-ignore
  expect([passes(busy, processor), passes(busy, card)]).toEqual([true, false]);
  const late = judge(timed((i) => (i < 72 ? 1 : 2)));
  expect(late.seconds!.verdict).toBe('grown');
  // The last block alone is another.
  expect(judge(timed((i) => (i < 80 ? 1 : 9))).seconds!.range).toEqual({ least: 1, most: 1 });
  const grown = judge(timed(() => 1, (i) => 1 + i / 100)); // prettier-ignore
  expect(grown.cpu!.verdict).toBe('grown');
  const memory = judge(rowsOf(blocks(80, (i) => ({ gpuBytes: (30 + i) * MB }))));
  expect(passes(memory, processor)).toBe(false);
  expect(passes(judge(rowsOf(blocks(80))), card)).toBe(true);
  expect(passes({}, processor)).toBe(false); // of too few blocks nothing is known
});

test('what was not told proves nothing', () => {
  const where = { computesOnCpu: true, hasGpu: false };
  const told = (change: (i: number) => object) => passes(judge(rowsOf(blocks(80, (i) => ({ gpuBytes: 0, ...change(i) })))), where); // prettier-ignore
  expect(told(() => ({}))).toBe(true); // the CPU backend has no GPU memory
  expect(told(() => ({ jsBytes: { page: MB, worker: null } }))).toBe(false);
  expect(told((i) => ({ jsBytes: { page: MB, worker: i % 10 === 0 ? MB : null } }))).toBe(true);
  expect(passes(judge(rowsOf(blocks(80, () => ({ gpuBytes: 0 })))), { ...where, hasGpu: true })).toBe(false);
});

test('memory may not grow behind the third block, and of a heap its floor counts', () => {
  const verdict = (change: (i: number) => object, name: 'gpu' | 'heap') => judge(rowsOf(blocks(300, change)))[name]!.verdict; // prettier-ignore
  expect(verdict((i) => ({ gpuBytes: Math.min(i, 3) * MB }), 'gpu')).toBe('flat');
  expect(verdict((i) => ({ gpuBytes: Math.min(i, 5) * MB }), 'gpu')).toBe('grown');
  expect(verdict((i) => ({ gpuBytes: i === 150 ? 2 * MB : MB }), 'gpu')).toBe('grown');
  const heap = (grown: number) => verdict((i) => ({ jsBytes: { page: (10 + (i % 7) * 3 + grown * (i / 300)) * MB } }), 'heap'); // prettier-ignore
  expect([heap(0), heap(3)]).toEqual(['flat', 'grown']);
});

test('processor time that was not told for a block is in the next one’s', () => {
  const told = [10, null, 14, 15];
  const rows = rowsOf(blocks(4, (i) => ({ cpuSeconds: told[i] })));
  expect(rows.map(({ cpu }) => cpu)).toEqual([null, null, 2, 1]);
});

test('means of windows are at their middles', () => {
  expect(meansOf([[0, 1], [1, 3], [2, 9], [3, 5]], 2)).toEqual([[0.5, 2], [2.5, 7]]); // prettier-ignore
});

test('windows are ten parts, each by its median', () => {
  expect(windowsOf([4, 2])).toEqual([4, 2]);
  expect(windowsOf(Array.from({ length: 30 }, (_, i) => (i === 1 ? 99 : Math.floor(i / 3))))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]); // prettier-ignore
});

test('the plot has a panel for each quantity that was told, and every block in it', () => {
  const svg = plot(rowsOf(blocks(20, () => ({ gpuBytes: 0 }))), 'a & b < c');
  expect(svg.match(/<polyline/g)).toHaveLength(3);
  for (const [, points] of svg.matchAll(/points="([^"]*)"/g)) expect(points!.split(' ')).toHaveLength(20);
  expect(svg).toContain('a &amp; b &lt; c');
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});

test('the median', () => expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, 0]));
