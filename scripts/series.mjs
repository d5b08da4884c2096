/**
 * `npm run series -- --seconds 60 --size 32x32 --backend cpu`: one long clip, and what each of its blocks took: seconds,
 * processor time, GPU memory, the JavaScript heaps (garbage collected first) and the memory of the browser's processes. All is printed and plotted;
 * the plot goes to docs/. Fails unless a block at the end is seen to take no more than 5 % longer than one at five seconds
 * of sixty, and memory not to grow behind the third block: what was not told proves nothing.
 *
 * GPU memory is what the engine has allocated (`--backend webgpu`; the CPU backend has none). Of a heap the floor counts,
 * the lower quarter of the values: what lies above waits for the collector.
 *
 * A block's time depends on what else the machine does, by far more than the 5 % that are to be told. So no two blocks
 * are compared, but a line is laid through all of them that strays do not move (Theil–Sen: the median of the slopes of
 * all pairs), with the range that it lies in at 95 %. Where that range is on both sides of the limit the run says so, and
 * proves nothing. Where the processor computes (the CPU backend, software adapters), processor time is looked at, too:
 * what others take of the machine does not count in it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run series -- [options]

  --seconds S     length of the clip; default 60
  --size WxH      default 32x32
  --steps N       default 2
  --backend KIND  cpu (default), webgpu or auto; --adapter as for npm run generate
  --out FILE.svg  default docs/series.svg
  --from FILE     plots the line of npm run generate -- … --json instead of making a clip`;

/** What a late block may need of an early one's. Memory of processes is left to the collector's whims. */
const MOST = { seconds: 1.05, cpu: 1.05, gpu: 1, heap: 1.1 };
const TIMES = ['seconds', 'cpu'];
/** The first block (counting from 0) behind which memory may not grow. */
const SETTLED = 3;

/**
 * @param blocks of the JSON line
 * @returns one row a block: seconds since the one before was done, processor time (null where it was not told, and
 *   then in equal parts in the next that was), and bytes
 */
export function rowsOf(blocks) {
  // A part that did not answer makes the sum worthless.
  const sum = (found) => {
    const values = Object.values(found ?? {});
    return values.length > 0 && values.every((n) => n !== null) ? values.reduce((a, b) => a + b, 0) : null;
  };
  let done = 0;
  let told = null; // the last block whose processor time is known
  const cpuOf = (block, seconds) => {
    if (seconds === null || seconds === undefined) return null;
    const taken = told && (seconds - told.seconds) / (block - told.block);
    told = { block, seconds };
    return taken;
  };
  return [...blocks]
    .sort((a, b) => a.block - b.block)
    .map(({ block, began, seconds, gpuBytes, jsBytes, processBytes, cpuSeconds }) => {
      // Blocks overlap: what counts is how far their ends are apart.
      const row = {
        seconds: began + seconds - done,
        cpu: cpuOf(block, cpuSeconds),
        gpu: gpuBytes,
        heap: sum(jsBytes),
        processes: sum(processBytes),
      };
      done = began + seconds;
      return row;
    });
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length === 0
    ? 0
    : sorted.length % 2
      ? sorted[middle]
      : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Blocks that fill the window and wait for code to be compiled: five seconds of sixty. */
const early = (count) => Math.max(3, Math.round(count / 12));

/**
 * The line through points that strays do not move, from the first x to the last.
 * @param points [[x, y]]; at least three
 * @returns its ends, and the range of growth (end / begin) at 95 % (Sen 1968)
 */
export function trend(points) {
  const slopes = points
    .flatMap(([x, y], i) => points.slice(i + 1).map(([x2, y2]) => (y2 - y) / (x2 - x)))
    .sort((a, b) => a - b);
  const n = points.length;
  const [first, last] = [points[0][0], points[n - 1][0]];
  const slope = median(slopes);
  const at = (x) => median(points.map(([x0, y]) => y - slope * x0)) + slope * x;
  const apart = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const rank = (r) => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(r)))];
  const growth = (m) => 1 + (m * (last - first)) / at(first);
  return {
    early: at(first),
    late: at(last),
    least: growth(rank((slopes.length - apart) / 2 - 1)),
    most: growth(rank((slopes.length + apart) / 2)),
  };
}

/** What a quarter of the values are below. */
const quarter = (values) => [...values].sort((a, b) => a - b)[values.length >> 2];

/**
 * The means of ten windows, each at its middle. When processor time is asked for varies by parts of a block, and what one
 * block has too much the next has too little: over some blocks that hardly counts.
 * @param points [[x, y]] in order
 */
export function meansOf(points, most = 10) {
  const count = Math.min(most, points.length);
  const size = points.length / count;
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  return Array.from({ length: count }, (_, i) => {
    const part = points.slice(Math.round(i * size), Math.round((i + 1) * size));
    return [mean(part.map(([x]) => x)), mean(part.map(([, y]) => y))];
  });
}

/** Medians of ten windows of blocks that follow each other (of fewer where there are not so many blocks). */
export function windowsOf(values, most = 10) {
  const count = Math.min(most, values.length);
  const size = values.length / count;
  return Array.from({ length: count }, (_, i) =>
    median(values.slice(Math.round(i * size), Math.round((i + 1) * size))),
  );
}

/**
 * What late blocks need of what early ones did, by what is measured: `{ early, late, growth, verdict }`. Times, behind the
 * first blocks: the ends of their trend, `range` and the medians of ten `windows`. Memory, behind the third block: of the
 * GPU the first value and the largest of those that follow, else the lower quarter of a tenth of the values at either end.
 * `verdict`: flat, grown or unsure; memory of processes is told and not judged. Of what was told too seldom there is none.
 * @returns {Record<string, {early: number, late: number, growth: number, verdict: string,
 *   range?: {least: number, most: number}, windows?: number[]}>}
 */
export function judge(rows) {
  const verdicts = {};
  for (const name of ['seconds', 'cpu', 'gpu', 'heap', 'processes']) {
    const from = TIMES.includes(name) ? early(rows.length) : SETTLED;
    const known = rows
      .map((row, i) => [i, row[name]])
      .filter(([i, value]) => i >= from && value !== null && value > 0);
    // The last block has one pass less, and maybe fewer frames.
    if (TIMES.includes(name) && known.at(-1)?.[0] === rows.length - 1) known.pop();
    const values = known.map(([, value]) => value);
    const tenth = Math.max(2, Math.round(known.length / 10));
    if (known.length < Math.max(4, 2 * tenth)) continue;
    const most = MOST[name];
    if (TIMES.includes(name)) {
      const points = name === 'cpu' ? meansOf(known) : known;
      const { early: a, late: b, ...range } = trend(points);
      // What begins late moves no trend, but hardly any block of the last window is then as it was.
      const end = name === 'cpu' ? points.at(-1)[1] / most : quarter(values.slice(-tenth));
      const grown = range.least > most || end > a * most;
      const verdict = grown ? 'grown' : range.most <= most ? 'flat' : 'unsure';
      verdicts[name] = { early: a, late: b, growth: b / a, range, windows: name === 'cpu' ? points.map(([, y]) => y) : windowsOf(values), verdict }; // prettier-ignore
      continue;
    }
    const [a, b] =
      name === 'gpu'
        ? [values[0], Math.max(...values)]
        : [quarter(values.slice(0, tenth)), quarter(values.slice(-tenth))];
    verdicts[name] = { early: a, late: b, growth: b / a, verdict: most === undefined || b <= a * most ? 'flat' : 'grown' }; // prettier-ignore
  }
  return verdicts;
}

/**
 * Whether the clip was seen to be flat, as a whole: memory, and the time of a block. Where the processor computes,
 * processor time may stand for the clock's, which tells of other work, too.
 * @param {ReturnType<typeof judge>} verdicts
 * @param {{computesOnCpu: boolean, hasGpu: boolean}} where
 */
export function passes({ seconds, cpu, gpu, heap }, { computesOnCpu, hasGpu }) {
  const flat = (verdict) => verdict?.verdict === 'flat';
  const timely = flat(seconds) || (computesOnCpu && flat(cpu));
  return timely && (flat(gpu) || !hasGpu) && flat(heap);
}

const COLOURS = { seconds: '#1f1f1f', cpu: '#7d2f6b', gpu: '#a85a08', heap: '#2f5d9d', processes: '#2f7d55' };
const LABELS = { seconds: 'time of a block', cpu: 'processor time of a block', gpu: 'GPU memory', heap: 'JavaScript heaps', processes: 'browser processes' }; // prettier-ignore
const show = (name, value) =>
  TIMES.includes(name) ? `${value.toFixed(2)} s` : `${(value / 1e6).toFixed(1)} MB`;

/** A panel for each quantity, from 0 to its largest, as SVG. */
export function plot(rows, caption) {
  const [w, h, left, gap] = [720, 110, 20, 46];
  const names = Object.keys(COLOURS).filter((name) => rows.some((row) => row[name] > 0));
  const panel = (name, i) => {
    const top = 40 + i * (h + gap);
    const most = Math.max(...rows.map((row) => row[name] ?? 0));
    const points = rows
      .map((row, n) => [n, row[name]])
      .filter(([, value]) => value !== null)
      .map(([n, value]) => `${(left + (n / Math.max(1, rows.length - 1)) * w).toFixed(1)},${(top + h - (value / most) * h).toFixed(1)}`); // prettier-ignore
    return `<path d="M${left} ${top}V${top + h}H${left + w}" stroke="#999" fill="none"/>
  <polyline fill="none" stroke="${COLOURS[name]}" stroke-width="2" points="${points.join(' ')}"/>
  <text x="${left}" y="${top - 8}" fill="${COLOURS[name]}">${LABELS[name]}: 0 to ${show(name, most)}</text>`;
  };
  const height = 40 + names.length * (h + gap);
  const text = caption.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w + 2 * left} ${height + 20}" font-family="sans-serif" font-size="14">
  <rect width="100%" height="100%" fill="#fff"/>
  ${names.map(panel).join('\n  ')}
  <text x="${left}" y="${height}" fill="#555">${text}</text>
</svg>\n`;
}

function makeClip({ seconds, size, steps, backend, adapter }) {
  const folder = mkdtempSync(join(tmpdir(), 'kinora-series-'));
  try {
    const settings = { seconds, size, steps, backend, adapter, seed: '7', out: join(folder, 'clip.mp4') };
    const args = Object.entries(settings).filter(([, value]) => value !== undefined).flatMap(([name, value]) => [`--${name}`, value]); // prettier-ignore
    const script = join(import.meta.dirname, 'generate.mjs');
    const { status, stdout } = spawnSync(
      process.execPath,
      [script, 'a red boat drifting on the sea at sunset', ...args, '--json'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 },
    );
    if (status !== 0) process.exit(status ?? 1);
    return JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main() {
  const text = (value) => ({ type: 'string', ...(value !== undefined && { default: value }) });
  const { values } = parseArgs({
    options: { seconds: text('60'), size: text('32x32'), steps: text('2'), backend: text('cpu'), adapter: text(), out: text('docs/series.svg'), from: text(), help: { type: 'boolean' } }, // prettier-ignore
  });
  if (values.help) return console.log(USAGE);
  const clip = values.from ? JSON.parse(readFileSync(values.from, 'utf8')) : makeClip(values);
  const rows = rowsOf(clip.blocks);
  rows.forEach(
    (row, i) =>
    console.log(`block ${i + 1}: ${Object.keys(LABELS).map((name) => (row[name] === null ? '?' : show(name, row[name]))).join(', ')}`), // prettier-ignore
  );
  const where = clip.adapter ? `${clip.backend}, ${clip.adapter}` : clip.backend;
  const caption = `${(clip.frames / clip.fps).toFixed(0)} s at ${clip.width}×${clip.height}, ${rows.length} blocks, ${clip.model}, ${where}`;
  writeFileSync(values.out, plot(rows, caption));
  const verdicts = judge(rows);
  for (const [name, { early: first, late, growth, range, windows, verdict }] of Object.entries(verdicts)) {
    const between = range ? ` (95 %: ×${range.least.toFixed(3)} to ×${range.most.toFixed(3)})` : '';
    const word = { flat: '', grown: ' GROWN', unsure: ' UNSURE' }[verdict];
    console.log(`${LABELS[name]}: ${show(name, first)} early, ${show(name, late)} late, ×${growth.toFixed(3)}${between}${word}`); // prettier-ignore
    if (windows) console.log(`  ${name === 'cpu' ? 'means' : 'medians'} of windows: ${windows.map((value) => value.toFixed(3)).join(' ')} s`); // prettier-ignore
  }
  const hasGpu = clip.backend !== 'cpu';
  for (const name of ['seconds', 'gpu', 'heap'])
    if (!verdicts[name]) console.log(name === 'gpu' && !hasGpu ? 'GPU memory: none is used' : `${LABELS[name]}: TOLD TOO SELDOM`); // prettier-ignore
  const computesOnCpu = !hasGpu || /swiftshader|llvmpipe/i.test(clip.adapter ?? '');
  const flat = passes(verdicts, { computesOnCpu, hasGpu });
  const timely = verdicts.seconds?.verdict === 'flat' ? 'seconds' : 'cpu';
  const length = clip.frames / clip.fps;
  const second = (block) => ((length * block) / rows.length).toFixed(0);
  if (flat) console.log(`Flat: a block takes ×${verdicts[timely].growth.toFixed(3)} of its ${timely === 'cpu' ? 'processor ' : ''}time at second ${second(rows.length)} as at second ${second(early(rows.length))}, and memory from block ${SETTLED + 1} to block ${rows.length} does not grow.`); // prettier-ignore
  if (!flat && verdicts.seconds?.verdict === 'unsure')
    console.log('The blocks’ times differ too much to tell 5 %: run it again with the machine quiet, or longer (--seconds).'); // prettier-ignore
  console.log(`${caption}. The plot is ${values.out}.`);
  process.exitCode = flat ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
