/**
 * `npm run endurance -- --clips 50 --backend cpu`: makes clips one after another in the built page and looks at what
 * grows: GPU bytes after each clip, JS heaps of page and worker (garbage collected first), what buffers of both hold
 * besides (WebAssembly's memory, too), files in the browser's storage. Writes a plot after every clip, and fails when the last fifth needs more than the second by over a tenth.
 * `--backend webgpu` takes SwiftShader unless `--adapter hardware`; there `--size 32x32` is the quickest.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { launchBrowser } from './browser.mjs';
import { ensureBuild, serveSite } from './site.mjs';

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '50' },
    backend: { type: 'string', default: 'cpu' },
    adapter: { type: 'string', default: 'software' },
    size: { type: 'string', default: '96x64' },
    out: { type: 'string', default: 'out/endurance.svg' },
  },
});
const count = Number(values.clips);
if (!Number.isInteger(count) || count < 5) throw new Error('--clips: at least 5, or nothing can be told.');
const [width, height] = values.size.split('x');
/** Short and small: it is the beginnings and ends that leak. */
const SETTINGS = { prompt: 'a red boat', seed: '7', seconds: '0.5', width, height, steps: '1' };
const GROWTH = 1.1;

/** The engine's worker, which has a debugger of its own: answers with its heap and buffers, garbage collected, in bytes. */
async function watchWorker(client) {
  let session = null;
  let number = 0;
  const waiting = new Map();
  client.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    if (/engine\.worker/.test(targetInfo.url)) session = sessionId;
  });
  client.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result } = JSON.parse(message);
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  await client.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  const ask = (method) =>
    new Promise((done) => {
      const id = ++number;
      waiting.set(id, done);
      const message = JSON.stringify({ id, method });
      client.send('Target.sendMessageToTarget', { sessionId: session, message }).catch(() => done(null));
      setTimeout(() => done(null), 20_000).unref();
    });
  return async () => {
    if (session === null) return null;
    await ask('HeapProfiler.collectGarbage');
    return (await ask('Runtime.getHeapUsage')) ?? null;
  };
}

/** One more clip; resolves to what is in use after it, in bytes. */
async function measure(page, client, heapOfWorker) {
  const gpu = await page.evaluate(
    () =>
      new Promise((done, failed) => {
        const heard = { once: true };
        document.addEventListener(
          'kinora:done',
          (e) => {
            done(e.detail.blocks.at(-1).gpuBytes);
          },
          heard,
        );
        document.addEventListener('kinora:error', (e) => failed(new Error(e.detail.message)), heard);
        document.querySelector('[data-testid=generate]').click();
      }),
  );
  await page.getByTestId('library-item').first().waitFor();
  await client.send('HeapProfiler.collectGarbage');
  const own = await client.send('Runtime.getHeapUsage');
  const storage = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    let stored = 0;
    const walk = async (folder, clips) => {
      for await (const [name, handle] of folder.entries())
        if (handle.kind === 'directory') await walk(handle, clips || name === 'clips');
        else if (!clips) stored += (await handle.getFile()).size;
    };
    await walk(root, false); // the clips themselves are meant to stay
    return stored;
  });
  const engine = await heapOfWorker();
  const buffers = engine && (own.backingStorageSize ?? 0) + (engine.backingStorageSize ?? 0);
  return { gpu, heap: own.usedSize, worker: engine?.usedSize ?? null, buffers, storage };
}

const COLOURS = {
  gpu: '#a85a08',
  heap: '#2f5d9d',
  worker: '#8a3f8f',
  buffers: '#6b6b6b',
  storage: '#2f7d55',
};

/** Lines of the quantities, each on its own scale from 0 to its largest. */
function plot(rows) {
  const [w, h, left, top] = [720, 300, 20, 60];
  const line = (name, i) => {
    const points = rows.map((row, n) => [n, row[name]]).filter(([, value]) => value !== null);
    const most = Math.max(1, ...points.map(([, value]) => value));
    const at = ([n, value]) =>
      `${(left + (n / (rows.length - 1)) * w).toFixed(1)},${(top + h - (value / most) * h * 0.95 + i * 2).toFixed(1)}`;
    return `<polyline fill="none" stroke="${COLOURS[name]}" stroke-width="2" points="${points.map(at).join(' ')}"/>
  <text x="${left + i * 145}" y="30" fill="${COLOURS[name]}">${name}: ≤ ${(most / 1e6).toFixed(1)} MB</text>`;
  };
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w + 2 * left} ${h + top + 40}" font-family="sans-serif" font-size="14">
  <rect width="100%" height="100%" fill="#fff"/>
  <path d="M${left} ${top}V${top + h}H${left + w}" stroke="#999" fill="none"/>
  ${Object.keys(COLOURS)
    .filter((name) => rows.some((row) => row[name] !== null))
    .map(line)
    .join('\n  ')}
  <text x="${left}" y="${top + h + 24}" fill="#555">${rows.length} clips in a row, ${values.backend} backend; each line from 0 to its largest</text>
</svg>\n`;
}

const mean = (rows, name) => {
  const known = rows.map((row) => row[name]).filter((value) => value !== null);
  return known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
};

ensureBuild();
const site = await serveSite();
const browser = await launchBrowser({ adapter: values.adapter });
const rows = [];
mkdirSync(dirname(resolve(values.out)), { recursive: true });
try {
  const page = await browser.newPage();
  await page.addInitScript(() =>
    document.addEventListener('kinora:loaded', () => Object.assign(globalThis, { loaded: true })),
  );
  await page.goto(`${site.address}?backend=${values.backend}#${new URLSearchParams(SETTINGS)}`);
  await page.waitForFunction(() => globalThis.loaded, null, { timeout: 300_000 });
  const client = await page.context().newCDPSession(page);
  const heapOfWorker = await watchWorker(client);
  for (let n = 0; n < count; n++) {
    rows.push(await measure(page, client, heapOfWorker));
    if (n > 0) writeFileSync(values.out, plot(rows));
    const { gpu, heap, worker, buffers, storage } = rows.at(-1);
    const mb = (bytes) => (bytes === null ? '?' : (bytes / 1e6).toFixed(1));
    console.log(
      `clip ${n + 1}: GPU ${mb(gpu)} MB, page ${mb(heap)} MB, worker ${mb(worker)} MB, buffers ${mb(buffers)} MB, storage ${mb(storage)} MB`,
    );
  }
} finally {
  await browser.close();
  await site.close();
}
const fifth = Math.floor(count / 5);
const grown = Object.keys(COLOURS).filter((name) => {
  const [early, late] = [mean(rows.slice(fifth, 2 * fifth), name), mean(rows.slice(-fifth), name)];
  console.log(`${name}: ${(early / 1e6).toFixed(1)} MB early, ${(late / 1e6).toFixed(1)} MB late`);
  return late > early * GROWTH;
});
console.log(grown.length === 0 ? `Flat. The plot is ${values.out}.` : `GROWN: ${grown.join(', ')}.`);
process.exit(grown.length === 0 ? 0 : 1);
