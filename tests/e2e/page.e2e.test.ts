/** The page itself: accessibility in its main states, no network after the first visit, no WebGPU. */
import AxeBuilder from '@axe-core/playwright';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { launch, Site } from './site';

/** Chromium refuses to start its sandbox for root, as which containers run. */
const SANDBOX = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

/** Serious and critical violations, as lines that name rule and element. */
async function seriousViolations(site: Site): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page: site.page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html}`));
}

describe('with WebGPU', () => {
  let browser: Browser;
  beforeAll(async () => void (browser = await launch()));
  afterAll(() => browser?.close());

  test.each([
    { colorScheme: 'dark', locale: 'en-GB' },
    { colorScheme: 'light', locale: 'en-GB' },
    { colorScheme: 'dark', locale: 'zh-CN' },
    { colorScheme: 'light', locale: 'zh-CN' },
  ] as const)('no serious axe violation, at rest and at work: %o', async (options) => {
    const site = await Site.open(browser, { ...options, reducedMotion: 'reduce' });
    expect(await seriousViolations(site)).toEqual([]);
    expect(await site.page.evaluate(() => document.documentElement.lang.slice(0, 2))).toBe(
      options.locale.slice(0, 2),
    );
    await site.type('a red boat');
    await site.at('generate').click();
    await site.at('cancel').waitFor();
    expect(await seriousViolations(site)).toEqual([]);
    await site.at('cancel').click();
    await site.outcome(0);
    expect(await seriousViolations(site)).toEqual([]);
    await site.close();
  });

  test('the example in the prompt is selected, the model’s own too: the first key replaces it', async () => {
    const site = await Site.open(browser);
    const selected = () => site.at('prompt').evaluate((area: HTMLTextAreaElement) => area.value.slice(area.selectionStart, area.selectionEnd)); // prettier-ignore
    await expect.poll(selected).toBe(await site.at('prompt').inputValue());
    await site.page.keyboard.type('a green star');
    expect(await site.at('prompt').inputValue()).toBe('a green star');
    await site.close();
  });

  test.each([360, 320])(
    'a phone of %i pixels shows the whole page without scrolling sideways',
    async (width) => {
      const site = await Site.open(browser, { viewport: { width, height: 740 }, isMobile: true });
      const overflow = await site.page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
      expect(await seriousViolations(site)).toEqual([]);
      await site.close();
    },
  );

  test('after the first visit the page opens with the network off', async () => {
    const site = await Site.open(browser);
    await site.page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await site.page.context().setOffline(true);
    await site.page.reload();
    await site.at('prompt').waitFor();
    expect(await site.page.title()).not.toBe('');
    await site.close();
  });

  test('the first visit transfers less than 40 MB', async () => {
    const site = await Site.open(browser);
    await site.page.evaluate(async () => void (await navigator.serviceWorker.ready));
    const bytes = await site.page.evaluate(
      () =>
      performance.getEntriesByType('resource').reduce((sum, entry) => sum + (entry as PerformanceResourceTiming).transferSize, 0), // prettier-ignore
    );
    expect(bytes).toBeLessThan(40e6);
    await site.close();
  });
});

describe('without WebGPU', () => {
  let browser: Browser;
  // Without its flags, Chromium on Linux offers navigator.gpu but no adapter.
  beforeAll(async () => void (browser = await launch({ args: SANDBOX })));
  afterAll(() => browser?.close());

  test('no adapter: the page says so', async () => {
    const page = await browser.newPage();
    await page.goto(inject('address'));
    expect(await page.getByTestId('notice').innerText()).toMatch(/WebGPU/);
  });

  test('plain http from another machine, where browsers have no navigator.gpu: the page says so', async () => {
    const page = await browser.newPage({ serviceWorkers: 'block' });
    await page.route('http://kinora.test/**', async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.fulfill({ response: await route.fetch({ url: inject('address') + pathname.slice(1) }) });
    });
    await page.goto('http://kinora.test/');
    expect(await page.evaluate(() => 'gpu' in navigator)).toBe(false);
    expect(await page.getByTestId('notice').innerText()).toMatch(/WebGPU/);
  });
});
