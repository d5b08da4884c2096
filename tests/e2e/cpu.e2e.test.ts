/** The page on the CPU backend: chosen by itself without WebGPU, forced by the address, never fetched otherwise. */
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, PROMPT, Site, SMALL } from './site';

/** Chromium refuses to start its sandbox for root, as which containers run. */
const SANDBOX = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const HALF = { ...SMALL, prompt: PROMPT, seconds: 0.5 };

/** Addresses of what only the CPU backend needs. */
function watch(site: Site): string[] {
  const asked: string[] = [];
  site.page.context().on('request', (request) => {
    if (/\.onnx|ort-wasm/.test(request.url())) asked.push(request.url());
  });
  return asked;
}

describe('without WebGPU', () => {
  let browser: Browser;
  // Without its flags, Chromium on Linux offers navigator.gpu but no adapter.
  beforeAll(async () => void (browser = await launch({ args: SANDBOX })));
  afterAll(() => browser?.close());

  test('a clip is made all the same, and the page says how', async () => {
    const site = await Site.open(browser, { settings: HALF, backend: 'auto' });
    const clip = await site.generate();
    expect(clip).toMatchObject({ backend: 'cpu', adapter: null, width: 96, height: 64, frames: 8 });
    expect(await site.at('notice').innerText()).toMatch(/WebGPU.*CPU/s);
    expect((await site.generate()).frameHashes).toEqual(clip.frameHashes);
    expect(site.foreign).toEqual([]);
    expect(site.failures).toEqual([]);
    await site.close();
  });
});

describe('with a software adapter', () => {
  let browser: Browser;
  beforeAll(async () => void (browser = await launch()));
  afterAll(() => browser?.close());

  test('left to itself, the page takes the CPU and says why', async () => {
    const site = await Site.open(browser, { settings: HALF, backend: 'auto' });
    await expect.poll(() => site.at('backend').innerText(), { timeout: 60_000 }).toMatch(/software/);
    await site.close();
  });

  test('with WebGPU, nothing of the CPU backend is fetched', async () => {
    const site = await Site.open(browser, { settings: HALF });
    const asked = watch(site);
    await site.page.reload();
    await site.at('prompt').waitFor();
    await site.page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await site.type(PROMPT);
    expect((await site.generate()).backend).toBe('webgpu');
    expect(asked).toEqual([]);
    await site.close();
  });
});
