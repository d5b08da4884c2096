/**
 * `npm run bench`: the kernels on this machine, beside the adapter's own peak and beside onnxruntime-web.
 *
 *   npm run bench -- [--adapter browser|hardware|node] [--filter WORD] [--json] [--f32] [--large]
 *
 * Each row: time, operations and bytes a second, the share of what limits the kernel (an FMA loop or a copy, measured
 * in the same run), and how many times as long onnxruntime-web takes for the same in the same browser: its WebGPU
 * provider on the same device, and its WASM provider.
 *
 * --adapter browser   (default) Chromium with the software adapter; ratios only, it says nothing about a GPU
 * --adapter hardware  Chromium with this machine's GPU
 * --adapter node      Dawn in Node, without the peer
 * --f32 keeps activations in f32; --large adds the shapes of the 1.3B model on a software adapter.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { launchBrowser } from './browser.mjs';
import { loadModule, openDawn } from './dawn.mjs';

const ROOT = join(import.meta.dirname, '..');
const USAGE =
  'Usage: npm run bench -- [--adapter browser|hardware|node] [--filter WORD] [--json] [--f32] [--large]';
const ADAPTERS = ['browser', 'hardware', 'node'];
const OPTIONS = {
  adapter: { type: 'string', default: 'browser' },
  filter: { type: 'string', default: '' },
  json: { type: 'boolean', default: false },
  f32: { type: 'boolean', default: false },
  large: { type: 'boolean', default: false },
};

function read() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    if (ADAPTERS.includes(values.adapter)) return values;
    throw new Error(`--adapter ${values.adapter}: it must be ${ADAPTERS.join(', ')}.`);
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

async function inNode({ filter, f32, large }, onRow) {
  const entry = await openDawn();
  const { bench } = await loadModule('tests/bench/bench.ts');
  const adapter = await entry.requestAdapter();
  const software = /llvmpipe|lavapipe|swiftshader/i.test(
    `${adapter?.info.description} ${adapter?.info.device}`,
  );
  return bench(entry, { filter, f16: !f32, software: software && !large, onRow });
}

async function inBrowser({ adapter, filter, f32, large }, onRow) {
  const headers = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  };
  const server = await createServer({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0, headers },
    optimizeDeps: { exclude: ['onnxruntime-web'] },
  });
  const browser = await launchBrowser({ adapter: adapter === 'hardware' ? 'hardware' : 'software' });
  try {
    await server.listen();
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(error.message));
    await page.exposeFunction('tellRow', onRow);
    await page.goto(`${server.resolvedUrls.local[0]}tests/bench/page.html`);
    await page.waitForFunction(() => 'kinoraBench' in globalThis);
    return await page.evaluate((options) => globalThis.kinoraBench(options), { filter, f16: !f32, large });
  } finally {
    await browser.close();
    await server.close();
  }
}

const options = read();
try {
  const { formatRow, formatReport } = await loadModule('tests/bench/bench.ts');
  let shown = 0;
  const onRow = (row) => {
    shown++;
    if (!options.json) console.error(formatRow(row));
    for (const problem of row.problems ?? []) console.error(`  ${problem.split('\n')[0]}`);
  };
  const report = await (options.adapter === 'node' ? inNode : inBrowser)(options, onRow);
  if (report.rows.length === 0) throw new Error(`No operation's name or shape contains "${options.filter}".`);
  // Rows were shown as they came; the last one may still be on its way out of the browser.
  const rest = { ...report, rows: report.rows.slice(shown) };
  console.log(options.json ? JSON.stringify(report) : formatReport(rest));
  process.exit(0);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
