/**
 * `npm run bench`: the kernels on this machine, beside the adapter's own peak and beside onnxruntime-web.
 *
 *   npm run bench -- [--adapter browser|hardware|node] [--filter WORD] [--json] [--f32] [--large] [--seconds S]
 *                    [--synthetic [--sizes 448x256,832x480] [--past 3,9] [--wan layers=30,heads=12,…]] [--torch PYTHON] [--save]
 *
 * Each row: time, operations and bytes a second, the share of what limits the kernel (an FMA loop or a copy, measured
 * in the same run), the variant that won its trial, and how many times as long onnxruntime-web takes for the same in
 * the same browser: its WebGPU provider on the same device, and its WASM provider.
 *
 * Then the bundled model as a person meets it: its start from nothing and on a second visit (weights, trials, pipelines),
 * a clip as the page makes it by itself (time to the first frame, launches a step), and a long one of two steps at the
 * smallest size, with what a late block takes of an early one's time (--seconds, default 8).
 *
 * On a software adapter the ratios are told by processor time, too: other work on the machine does not count in it.
 *
 * --adapter browser   (default) Chromium with the software adapter; ratios only, it says nothing about a GPU
 * --adapter hardware  Chromium with this machine's GPU
 * --adapter node      Dawn in Node (Vulkan on Linux), without the peer
 * --filter keeps what has this word in its name or shape, or one of several with commas between them.
 * --f32 keeps activations in f32; --large adds the shapes of the 1.3B model on a software adapter.
 * --synthetic (node only) adds the whole block of a network like the 1.3B model with made-up weights: milliseconds,
 *   launches and frames a second. --wan makes it smaller: layers, heads, head, ffn, text.
 * --torch PYTHON (node only) measures PyTorch on the same card in the same call: matmul and attention in bf16.
 * --save keeps the report in tests/bench/results/ and makes docs/bench.md of all that are there.
 */
import { openAsBlob, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { loadOf, save } from './bench-results.mjs';
import { compareTorch } from './bench-torch.mjs';
import { launchBrowser } from './browser.mjs';
import { loadModule, openDawn } from './dawn.mjs';
import { processorTimeOf } from './processor-time.mjs';
import { judge, rowsOf } from './series.mjs';
import { ensureVulkan } from './vulkan.mjs';

const ROOT = join(import.meta.dirname, '..');
const USAGE =
  'Usage: npm run bench -- [--adapter browser|hardware|node] [--filter WORD] [--json] [--f32] [--large] [--seconds S] [--save]\n' +
  '       [--torch PYTHON] [--synthetic [--sizes 448x256,832x480] [--past 3,9] [--wan layers=30,heads=12,head=128,ffn=8960,text=4096]]';
const SOFTWARE = /llvmpipe|lavapipe|swiftshader/i;
const ADAPTERS = ['browser', 'hardware', 'node'];
const OPTIONS = {
  adapter: { type: 'string', default: 'browser' },
  filter: { type: 'string', default: '' },
  json: { type: 'boolean', default: false },
  f32: { type: 'boolean', default: false },
  large: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
  seconds: { type: 'string', default: '8' },
  torch: { type: 'string' },
  synthetic: { type: 'boolean', default: false },
  sizes: { type: 'string', default: '448x256,832x480' },
  past: { type: 'string', default: '3,9' },
  wan: { type: 'string', default: '' },
};
/** Short names of --wan. */
const FIELDS = {
  layers: 'num_layers',
  heads: 'num_attention_heads',
  head: 'attention_head_dim',
  ffn: 'ffn_dim',
  text: 'text_dim',
};

function read() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    if (!ADAPTERS.includes(values.adapter))
      throw new Error(`--adapter ${values.adapter}: it must be ${ADAPTERS.join(', ')}.`);
    if (values.torch && values.adapter !== 'node') throw new Error('--torch needs --adapter node.');
    if (values.synthetic && values.adapter !== 'node') throw new Error('--synthetic needs --adapter node.');
    const seconds = Number(values.seconds);
    if (!(seconds > 0 && seconds <= 600))
      throw new Error(`--seconds ${values.seconds}: it must be a number above 0 and up to 600.`);
    return { ...values, seconds, synthetic: values.synthetic ? readSynthetic(values) : undefined };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

/** Throws naming what cannot be read. */
function readSynthetic({ sizes, past, wan }) {
  const whole = (text, what) => {
    if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
    throw new Error(`${what}: "${text}" is not a whole number above 0.`);
  };
  return {
    sizes: sizes.split(',').map((size) => {
      const [width, height] = size.split('x').map((n) => whole(n, `--sizes ${sizes}`));
      if (width % 16 || !height || height % 16)
        throw new Error(`--sizes ${size}: width and height must be multiples of 16 px, as in 448x256.`);
      return { width, height };
    }),
    past: past.split(',').map((n) => whole(n, `--past ${past}`)),
    config: Object.fromEntries(
      wan
        .split(',')
        .filter(Boolean)
        .map((pair) => {
          const [name, value] = pair.split('=');
          if (!(name in FIELDS))
            throw new Error(`--wan ${name}: it must be ${Object.keys(FIELDS).join(', ')}.`);
          return [FIELDS[name], whole(value ?? '', `--wan ${name}`)];
        }),
    ),
  };
}

async function inNode({ filter, f32, large, synthetic, seconds }, onRow) {
  const entry = await openDawn();
  console.error((await ensureVulkan()).note); // a software adapter must not pass for the card beside it
  const { bench } = await loadModule('tests/bench/bench.ts');
  const adapter = await entry.requestAdapter();
  const software = SOFTWARE.test(`${adapter?.info.description} ${adapter?.info.device}`);
  const folder = join(ROOT, 'public/models/pocket');
  const manifest = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const blobs = async () => {
    const found = manifest.files.map(async ({ path }) => [path, await openAsBlob(join(folder, path))]);
    return new Map(await Promise.all(found));
  };
  const options = { filter, f16: !f32, software: software && !large, manifest, blobs, synthetic, seconds };
  return bench(entry, { ...options, onRow });
}

async function inBrowser({ adapter, filter, f32, large, seconds }, onRow) {
  const headers = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  };
  const server = await createServer({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    appType: 'mpa', // what is missing is a 404 and not the app's page
    // A file that is saved meanwhile must not load the page anew.
    server: { host: '127.0.0.1', port: 0, headers, hmr: false, watch: null },
    optimizeDeps: { entries: ['tests/bench/page.html'], exclude: ['onnxruntime-web'] },
  });
  const browser = await launchBrowser({
    adapter: adapter === 'hardware' ? 'hardware' : 'software',
    timeout: 0,
  });
  try {
    await server.listen();
    const page = await browser.newPage();
    page.setDefaultTimeout(0); // a busy machine takes its time
    page.on('pageerror', (error) => console.error(error.message));
    await page.exposeFunction('tellRow', onRow);
    await page.exposeFunction('processorSeconds', await processorTimeOf(browser));
    await page.goto(`${server.resolvedUrls.local[0]}tests/bench/page.html`);
    await page.waitForFunction(() => 'kinoraBench' in globalThis);
    if (adapter === 'hardware') await expectHardware(page);
    const report = await page.evaluate((options) => globalThis.kinoraBench(options), {
      filter,
      f16: !f32,
      large,
      seconds,
    });
    return { ...report, browser: browser.version() };
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Throws one line where the browser has only a software adapter: its figures would say nothing of this machine's GPU. */
async function expectHardware(page) {
  const found = await page.evaluate(async () => {
    const info = (await navigator.gpu?.requestAdapter())?.info;
    return info ? `${info.vendor} ${info.architecture} ${info.description}`.trim() : 'no adapter';
  });
  if (found === 'no adapter' || SOFTWARE.test(found))
    throw new Error(`--adapter hardware: Chromium has ${found} here, and no GPU. Its driver may be missing.`);
}

const options = read();
try {
  const { formatClips, formatRow, formatReport } = await loadModule('tests/bench/bench.ts');
  let shown = 0;
  const onRow = (row) => {
    shown++;
    if (!options.json) console.error(formatRow(row));
    for (const problem of row.problems ?? []) console.error(`  ${problem.split('\n')[0]}`);
  };
  const before = loadOf();
  const report = await (options.adapter === 'node' ? inNode : inBrowser)(options, onRow);
  if (report.long) report.growth = judge(rowsOf(report.long.blocks));
  if (report.rows.length === 0 && !report.start && !report.clip && !report.long)
    throw new Error(`No operation's name or shape contains "${options.filter}".`);
  if (options.torch) {
    compareTorch(options.torch, report);
    for (const { name, shape, torchShare } of report.rows)
      if (torchShare && !options.json)
        console.error(
          `${name.padEnd(17)} ${shape.padEnd(38)} ${torchShare.toFixed(0)} % of PyTorch (${report.torch})`,
        );
  }
  if (options.save)
    console.error(`Kept as ${save(report, options.adapter, Math.max(before, loadOf()), formatClips)}`);
  // Rows were shown as they came; the last one may still be on its way out of the browser.
  const rest = { ...report, rows: report.rows.slice(shown) };
  console.log(options.json ? JSON.stringify(report) : formatReport(rest));
  process.exit(0);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
