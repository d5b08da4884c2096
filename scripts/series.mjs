/**
 * `npm run series -- --seconds 60 --size 32x32 --backend cpu`: one long clip, and
 * what each of its blocks took: seconds, GPU memory, the JavaScript heaps and the memory of the browser's processes. All is
 * printed and plotted; the plot goes to docs/. Fails where a late block takes longer than an early one, or memory grows.
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
const MOST = { seconds: 1.05, gpu: 1, heap: 1.1 };

/** @param blocks of the JSON line @returns one row a block: seconds since the one before was done, and bytes */
export function rowsOf(blocks) {
  // A part that did not answer makes the sum worthless.
  const sum = (found) => {
    const values = Object.values(found ?? {});
    return values.length > 0 && values.every((n) => n !== null) ? values.reduce((a, b) => a + b, 0) : null;
  };
  let done = 0;
  return [...blocks]
    .sort((a, b) => a.block - b.block)
    .map(({ began, seconds, gpuBytes, jsBytes, processBytes }) => {
      // Blocks overlap: what counts is how far their ends are apart.
      const row = {
        seconds: began + seconds - done,
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

/**
 * The median of an early tenth beside that of the last, by what is measured: `{ early, late, growth, flat }`. Early is
 * behind the first blocks, which fill the window.
 */
export function judge(rows) {
  const tenth = Math.max(2, Math.round(rows.length / 10));
  const from = Math.min(tenth, Math.max(3, Math.round(rows.length / 20)));
  const verdicts = {};
  for (const name of ['seconds', 'gpu', 'heap', 'processes']) {
    const known = rows.map((row) => row[name]).filter((value) => value !== null && value > 0);
    if (known.length < 2 * tenth) continue;
    const [early, late] = [median(known.slice(from, from + tenth)), median(known.slice(-tenth))];
    const most = MOST[name];
    verdicts[name] = { early, late, growth: late / early, flat: most === undefined || late <= early * most };
  }
  return verdicts;
}

const COLOURS = { seconds: '#1f1f1f', gpu: '#a85a08', heap: '#2f5d9d', processes: '#2f7d55' };
const LABELS = { seconds: 'time of a block', gpu: 'GPU memory', heap: 'JavaScript heaps', processes: 'browser processes' }; // prettier-ignore
const show = (name, value) =>
  name === 'seconds' ? `${value.toFixed(2)} s` : `${(value / 1e6).toFixed(1)} MB`;

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
    console.log(`block ${i + 1}: ${['seconds', 'gpu', 'heap', 'processes'].map((name) => (row[name] === null ? '?' : show(name, row[name]))).join(', ')}`), // prettier-ignore
  );
  const where = clip.adapter ? `${clip.backend}, ${clip.adapter}` : clip.backend;
  const caption = `${(clip.frames / clip.fps).toFixed(0)} s at ${clip.width}×${clip.height}, ${rows.length} blocks, ${clip.model}, ${where}`;
  writeFileSync(values.out, plot(rows, caption));
  const verdicts = judge(rows);
  for (const [name, { early, late, growth, flat }] of Object.entries(verdicts))
    console.log(`${LABELS[name]}: ${show(name, early)} early, ${show(name, late)} late, ×${growth.toFixed(3)}${flat ? '' : ' GROWN'}`); // prettier-ignore
  console.log(`${caption}. The plot is ${values.out}.`);
  process.exitCode = Object.values(verdicts).every(({ flat }) => flat) ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
