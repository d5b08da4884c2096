/**
 * Faults, injected into the built page: a GPU that goes away, a disk without room, a browser without storage, a tab
 * that is killed, two tabs at once. In docs/faults.md each has its row; what was lost is nothing.
 */
import { mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page, Worker } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Host } from './host';
import { launch, PROMPT, Site, SMALL, type OpenOptions } from './site';

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
  await whole.page.waitForFunction(
    (n) =>
      (globalThis as unknown as { heard: { progress: { block: number }[] } }).heard.progress
        .slice(n)
        .some(({ block }) => block === 1),
    progress.length,
    { timeout: 120_000, polling: 50 },
  );
  await worker.evaluate(() => (globalThis as { device?: GPUDevice }).device!.destroy());
  const outcome = await whole.outcome(outcomes.length);
  expect(outcome).toMatchObject({ done: { frames: 16 } });
  expect('done' in outcome && outcome.done.frameHashes).toEqual(expected.frameHashes);
  expect(await whole.at('recovered').innerText()).toMatch(/opened anew.*nothing was lost/s);
  expect(whole.failures).toEqual([]);
  await whole.close();
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
  expect(new Set(weights).size).toBe(3);
  expect(weights.length).toBeLessThanOrEqual(6); // the killed tab may have begun
  await context.close();
  await host.stop();
});
