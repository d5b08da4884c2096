/** The built page on the plainest of hosts: static files in a sub-path, without any special header. */
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { psnr } from '../helpers/clips';
import { Host } from './host';
import { launch, STOPPED } from './site';

interface Made {
  error?: unknown;
  done?: { backend: string; frames: number; frameHashes: string[]; numbers: number[] };
}

/** Opens the page so that it makes half a second at once, and waits for it. */
async function make(page: Page, address: string): Promise<Made> {
  await page.addInitScript(() => {
    const tell = (made: unknown) => Object.assign(globalThis, { made });
    document.addEventListener('kinora:done', async (e) => {
      const { backend, frames, frameHashes, poster } = (e as CustomEvent).detail;
      const picture = await createImageBitmap(poster);
      const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d')!;
      context.drawImage(picture, 0, 0);
      const numbers = [...context.getImageData(0, 0, picture.width, picture.height).data];
      tell({ done: { backend, frames, frameHashes, numbers } });
    });
    document.addEventListener('kinora:error', (e) => tell({ error: { ...(e as CustomEvent).detail } }));
  });
  await page.goto('about:blank'); // or the next address would be another fragment of the same page
  await page.goto(
    `${address}?backend=cpu#prompt=a+red+boat&seed=7&seconds=0.5&width=96&height=64&steps=2&auto=1`,
  );
  const made = await page.waitForFunction(() => (globalThis as { made?: unknown }).made, null, {
    timeout: 180_000,
  });
  return (await made.jsonValue()) as Made;
}

describe.sequential('a static host without headers', () => {
  let browser: Browser;
  let host: Host;
  let address: string;
  let page: Page;
  let first: Made;
  let second: Made;
  beforeAll(async () => {
    browser = await launch();
    host = await Host.start();
    address = host.address;
    page = await (await browser.newContext()).newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await host?.stop().catch(() => {});
  });

  test('the first visit has no threads, and makes a clip', async () => {
    first = await make(page, address);
    expect(first).toMatchObject({ done: { backend: 'cpu', frames: 8 } });
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    // The page waited for its service worker, so the engine has a policy of its own already.
    const engine = page.workers().find((worker) => worker.url().includes('engine.worker'))!;
    expect(await engine.evaluate(STOPPED)).toMatch(/^script-src/);
  });

  test('the second visit is isolated by the service worker, has threads, and makes the same clip', async () => {
    second = await make(page, address);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    // Threads share sums out in another way: what they make differs by rounding, and only by that.
    expect(second.done?.frames).toBe(first.done?.frames);
    const threads = page.workers().map((worker) => worker.url()).filter((url) => /ort-wasm/.test(url)); // prettier-ignore
    expect(threads.length).toBeGreaterThan(0);
    const devtools = await page.context().newCDPSession(page);
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    // Tests run in a private window, which is no place to install anything.
    expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([]);
    const policy = await page.evaluate(
      async (url) => (await fetch(url)).headers.get('Content-Security-Policy'),
      threads[0]!,
    );
    expect(policy).toContain("connect-src 'none'");
    expect(psnr(second.done!.numbers, first.done!.numbers)).toBeGreaterThan(45);
  });

  test('with the host gone, the page opens and makes it once more', async () => {
    await host.stop();
    const offline = await make(page, address);
    expect(offline.done?.frameHashes).toEqual(second.done?.frameHashes);
  });
});
