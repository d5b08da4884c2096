/**
 * Faults, injected into the built page: a GPU that goes away, a disk without room, a browser without storage, a tab
 * that is killed, two tabs at once. In docs/faults.md each has its row; what was lost is nothing.
 */
import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page, Worker } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelManifest } from '../../src/weights/manifest';
import { piecesOf } from '../../src/weights/pieces';
import { Host } from './host';
import { launch, PROMPT, Site, SMALL, type OpenOptions, type Outcome } from './site';

const HALF = { ...SMALL, prompt: PROMPT, seconds: 0.5 };
/** Two blocks. */
const LONG = { ...SMALL, prompt: PROMPT, seconds: 1 };

let browser: Browser;
beforeAll(async () => void (browser = await launch()));
afterAll(() => browser?.close());

/** Opens the page with something else in it, before its own scripts run. */
async function openWith(script: () => void, options: OpenOptions = {}): Promise<Site> {
  const context = { ...options, settings: options.settings ?? HALF };
  return Site.open(browser, { ...context, before: (page: Page) => page.addInitScript(script) });
}

/** As the frames of a clip are told. */
const hashesOf = (outcome: Outcome) => 'done' in outcome && outcome.done.frameHashes;
/** Waits until the block `index` is being made, after the first `before` reports of progress. */
const begun = (site: Site, before: number, index: number) =>
  site.page.waitForFunction(
    ([from, block]) =>
      (globalThis as unknown as { heard: { progress: { block: number }[] } }).heard.progress
        .slice(from)
        .some((progress) => progress.block === block),
    [before, index] as const,
    { timeout: 120_000, polling: 50 },
  );
/** Bytes of clean latents that the library has of its clips. */
const latentBytes = (site: Site) =>
  site.page.evaluate(async () => {
    const clips = await (await navigator.storage.getDirectory()).getDirectoryHandle('clips');
    const sizes: number[] = [];
    for await (const folder of clips.values() as AsyncIterable<FileSystemDirectoryHandle>)
      sizes.push((await (await folder.getFileHandle('latents.bin')).getFile()).size);
    return sizes;
  });

const engineOf = (page: Page): Worker => page.workers().find((w) => w.url().includes('engine.worker'))!;

test('the GPU is destroyed in the middle of a clip: it goes on, to the same frames', async () => {
  const whole = await Site.open(browser, { settings: LONG });
  const expected = await whole.generate();
  expect(expected.backend).toBe('webgpu');

  // The same page, once more; its next device is remembered, and destroyed when the second block is begun.
  const worker = engineOf(whole.page);
  await worker.evaluate(() => {
    const { createBuffer } = GPUDevice.prototype;
    const scope = globalThis as { device?: GPUDevice };
    GPUDevice.prototype.createBuffer = function (descriptor) {
      scope.device = this;
      return createBuffer.call(this, descriptor);
    };
  });
  const { outcomes, progress } = await whole.heard();
  await whole.at('generate').click();
  await begun(whole, progress.length, 1);
  await worker.evaluate(() => (globalThis as { device?: GPUDevice }).device!.destroy());
  const outcome = await whole.outcome(outcomes.length);
  expect(outcome).toMatchObject({ done: { frames: 16 } });
  expect(hashesOf(outcome)).toEqual(expected.frameHashes);
  expect(await whole.at('recovered').innerText()).toMatch(/opened anew.*nothing was lost/s);
  expect(whole.failures).toEqual([]);
  await whole.close();
});

test('the worker hangs in the middle of a clip: another goes on, to the same frames', async () => {
  const whole = await Site.open(browser, { settings: LONG, backend: 'cpu' });
  const expected = await whole.generate();
  await whole.close();

  // The page's patience, in seconds instead of minutes.
  const site = await openWith(() => {
    const { setInterval } = globalThis;
    Object.assign(globalThis, {
      setInterval: (work: () => void, ms: number) => setInterval(work, ms === 15_000 ? 1000 : ms),
    });
  }, { backend: 'cpu', settings: LONG }); // prettier-ignore
  await expect.poll(() => engineOf(site.page) !== undefined).toBe(true);
  await engineOf(site.page).evaluate(() => {
    const { createSyncAccessHandle } = FileSystemFileHandle.prototype;
    FileSystemFileHandle.prototype.createSyncAccessHandle = async function () {
      const handle = await createSyncAccessHandle.call(this);
      const write = handle.write.bind(handle);
      let blocks = 0;
      handle.write = (data, options) => {
        while (this.name === 'blocks.bin' && blocks === 1); // behind the first block, for ever
        blocks++;
        return write(data, options);
      };
      return handle;
    };
  });
  await site.at('generate').click();
  const outcome = await site.outcome(0);
  expect(hashesOf(outcome)).toEqual(expected.frameHashes);
  expect(await site.at('recovered').innerText()).toMatch(
    /started anew.*behind its finished block; nothing was lost/s,
  );
  await expect.poll(() => site.at('library-item').count()).toBe(1);
  expect(await site.at('unfinished').count()).toBe(0);
  await site.close();
});

test('the disk fills up while a clip is journaled and written: it ends in memory, whole, and the page says so', async () => {
  const whole = await Site.open(browser, { settings: LONG, backend: 'cpu' });
  const expected = await whole.generate();
  const bytes = await latentBytes(whole);
  await whole.close();

  const site = await Site.open(browser, { settings: LONG, backend: 'cpu' });
  await expect.poll(() => engineOf(site.page) !== undefined).toBe(true);
  await engineOf(site.page).evaluate(() => {
    const { createSyncAccessHandle } = FileSystemFileHandle.prototype;
    FileSystemFileHandle.prototype.createSyncAccessHandle = async function () {
      const handle = await createSyncAccessHandle.call(this);
      const write = handle.write.bind(handle);
      // A journal takes its first block, a film its first pieces.
      let room = this.name === 'blocks.bin' ? 1 : this.name.endsWith('.mp4') ? 2 : Infinity;
      handle.write = (data, options) => {
        if (room-- <= 0) throw new DOMException('full', 'QuotaExceededError');
        return write(data, options);
      };
      return handle;
    };
  });
  const made = await site.generate();
  expect(made.frameHashes).toEqual(expected.frameHashes);
  expect(await site.at('full').innerText()).toMatch(/storage is full.*nothing of it is lost/s);
  expect(await latentBytes(site)).toEqual(bytes); // every block, those that the disk did not take included
  const file = join(await mkdtemp(join(tmpdir(), 'kinora-full-')), 'clip.mp4');
  await site.download(file);
  expect((await stat(file)).size).toBeGreaterThan(1000);
  expect(site.failures).toEqual([]);
  await site.close();
});

test('no storage at all: everything works in memory, and the page says so', async () => {
  const site = await openWith(() => {
    Object.defineProperty(StorageManager.prototype, 'getDirectory', {
      value: () => Promise.reject(new DOMException('no storage here', 'SecurityError')),
    });
  }, { backend: 'cpu' }); // prettier-ignore
  await site.generate();
  expect(await site.at('storage').innerText()).toMatch(/until this tab is closed/);
  await site.at('library-item').first().waitFor();
  expect(site.failures).toEqual([]);
  await site.close();
});

test('a disk that is full when the clip is kept: it stays, and can be downloaded', async () => {
  const site = await openWith(() => {
    const { createWritable } = FileSystemFileHandle.prototype;
    FileSystemFileHandle.prototype.createWritable = async function (options) {
      const writable = await createWritable.call(this, options);
      if (this.name === 'clip.mp4')
        writable.write = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
      return writable;
    };
  }, { backend: 'cpu' }); // prettier-ignore
  await site.generate();
  expect(await site.at('storage').innerText()).toMatch(/no room/i);
  expect(await site.at('library-item').count()).toBe(1);
  const file = join(await mkdtemp(join(tmpdir(), 'kinora-full-')), 'clip.mp4');
  await site.download(file);
  expect((await stat(file)).size).toBeGreaterThan(1000);
  await site.close();
});

test('two tabs at once fetch each file once; a download broken off by a closed tab goes on', async () => {
  const host = await Host.start();
  host.ranges = true; // a request a piece
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const address = `${host.address}?backend=cpu`;
  const open = async () => {
    const page = await context.newPage();
    await page.addInitScript(() =>
      document.addEventListener('kinora:loaded', () => Object.assign(globalThis, { loaded: true })),
    );
    await page.goto(address);
    return page;
  };
  const loaded = (page: Page) => page.waitForFunction(() => (globalThis as { loaded?: true }).loaded, null, { timeout: 120_000 }); // prettier-ignore
  const killed = await open();
  await killed.close({ runBeforeUnload: false });
  const [one, two] = await Promise.all([open(), open()]);
  await Promise.all([loaded(one), loaded(two)]);
  const weights = host.asked.filter((path) => path.endsWith('.onnx'));
  const { onnx } = JSON.parse(await readFile('public/models/pocket/model.json', 'utf8')) as Pick<ModelManifest, 'onnx'>; // prettier-ignore
  expect(new Set(weights).size).toBe(onnx!.files.length);
  const pieces = onnx!.files.flatMap(piecesOf).length;
  const inFlight = 4; // what the killed tab was fetching
  expect(weights.length).toBeGreaterThanOrEqual(pieces);
  expect(weights.length).toBeLessThanOrEqual(pieces + inFlight);
  await context.close();
  await host.stop();
});
