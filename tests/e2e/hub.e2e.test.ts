/**
 * A larger model from a hub, in the built page: asked about, agreed to, fetched over a bad network into this browser's
 * storage, paused, gone on with at another visit, checked, used, deleted. The hub is a server on this machine that has its
 * names, so that the page's own policy is what lets it be reached.
 */
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SOFTWARE_FLAGS } from '../../scripts/browser.mjs';
import { FILES } from '../../src/models/catalogue/files';
import { family, ggufFile, inLayout, safetensorsFile } from '../helpers/wan-family';
import { arrayEntry, ggufText, join, textEntry, u32 } from '../weights/write';
import { HubServer } from './hub-server';
import { launch, Site } from './site';

/** A vocabulary of letters, as a text encoder's GGUF carries its tokenizer. */
function vocabulary(): Uint8Array[] {
  const pieces = ['<pad>', '</s>', '<s>', '<unk>', '▁', ...'abcdefghijklmnopqrstuvwxyz'];
  const floats = join(pieces.map((_, i) => new Uint8Array(new Float32Array([-i]).buffer)));
  const types = join(pieces.map((_, i) => u32(i < 3 ? 3 : i === 3 ? 2 : 1)));
  return [
    textEntry('general.architecture', 't5encoder'),
    arrayEntry('tokenizer.ggml.tokens', 8, join(pieces.map(ggufText)), pieces.length),
    arrayEntry('tokenizer.ggml.scores', 6, floats, pieces.length),
    arrayEntry('tokenizer.ggml.token_type', 5, types, pieces.length),
    textEntry('general.description', 'of no use '.repeat(300_000)), // so that it comes in pieces
  ];
}
const { selfForcingFp8, umt5Q4, taehv } = FILES;
const hubOf = () =>
  HubServer.start({
    [selfForcingFp8.repo]: {
      license: 'apache-2.0',
      files: {
        [selfForcingFp8.path]: safetensorsFile(inLayout('wan-transformer', family.transformer()), 'BF16'),
      },
    },
    [umt5Q4.repo]: {
      files: { [umt5Q4.path]: ggufFile(inLayout('umt5-gguf', family.text()), 'F32', vocabulary()) },
    },
    [taehv.repo]: { license: 'mit', files: { [taehv.path]: safetensorsFile(family.taehv()) } },
  });

let hub: HubServer;
let browser: Browser;
beforeAll(async () => {
  hub = await hubOf();
  browser = await launch({ args: [...SOFTWARE_FLAGS, ...hub.flags] });
});
afterAll(async () => {
  await browser?.close();
  await hub?.stop();
});

const settings = { prompt: 'a red boat', seed: 7, seconds: 0.7, width: 48, height: 32 };
const ready = (page: Page) =>
  page.waitForFunction(() => !document.querySelector('[data-testid=generate]')?.hasAttribute('disabled'));

/** Within the model of the catalogue that this test is about. */
const at = (site: Site, id: string) => site.at('hub-self-forcing-fp8').getByTestId(id);
const textOf = (site: Site, id: string) => at(site, id).innerText();

test('asked, agreed, fetched through faults, paused, gone on with, used, checked and deleted', async () => {
  const site = await Site.open(browser, { settings });
  await ready(site.page);
  await site.at('settings').click();
  // Looking costs nothing.
  await site.at('hub-self-forcing-fp8').locator('summary').click();
  expect(hub.asked).toEqual([]);
  expect(site.page.workers().some((worker) => worker.url().includes('hub.worker'))).toBe(false);

  // The hub is asked what the files are, and nothing more.
  await at(site, 'hub-ask').click();
  await at(site, 'hub-offer').waitFor();
  expect(hub.asked.toSorted()).toEqual([taehv, umt5Q4, selfForcingFp8].map(({ repo, revision }) => `huggingface.co /api/models/${repo}/revision/${revision}`)); // prettier-ignore
  const offer = await textOf(site, 'hub-offer');
  expect(offer).toContain('apache-2.0');
  expect(offer).toContain('the hub names none');
  expect(offer).toMatch(/[\d.]+ MB will be fetched\. This browser offers/);
  await expect.poll(() => site.page.workers().filter((w) => w.url().includes('hub.worker')).length).toBe(0);

  // Agreed: a connection breaks, a server is busy, and the person pauses when some of it is there.
  hub.delay = 1000;
  const once = new Set<string>();
  hub.fault = (path, start) => {
    const first = !once.has(`${path} ${start}`);
    once.add(`${path} ${start}`);
    if (path === selfForcingFp8.path && start === 0 && first) return { cut: 1000 };
    return path === umt5Q4.path && start === 0 && first ? { status: 503 } : null;
  };
  await at(site, 'hub-agree').click();
  await expect.poll(() => hub.asked.filter((line) => line.includes('umt5-xxl') && line.startsWith('cas-')).length, { timeout: 60_000 }).toBeGreaterThan(2); // prettier-ignore
  await at(site, 'hub-pause').dispatchEvent('click'); // Pocket is being loaded: nothing is "stable" enough to be clicked
  await at(site, 'hub-resume').waitFor();
  expect(await textOf(site, 'hub-state')).toMatch(/ of [\d.]+ MB are here\./);
  expect(await at(site, 'hub-problem').count()).toBe(0);
  expect(once.has(`${selfForcingFp8.path} 0`)).toBe(true);

  // Another visit goes on from there; a byte of it comes wrong once, and is not used.
  await site.page.reload();
  await ready(site.page);
  await site.at('settings').click();
  hub.delay = 0;
  let wrong = 0;
  hub.fault = (path) => (path === taehv.path && wrong++ === 0 ? { flip: 5 } : null);
  hub.asked.length = 0;
  await at(site, 'hub-resume').click();
  await at(site, 'hub-use').waitFor({ timeout: 60_000 });
  expect(wrong).toBeGreaterThan(1);
  expect(hub.asked.some((line) => line.includes('/api/'))).toBe(false);
  expect(hub.asked.some((line) => line.includes(selfForcingFp8.path))).toBe(false); // it was whole

  // Its own worker alone was let through, and the page says how often.
  expect(site.foreign.every((url) => /^https:\/\/(huggingface\.co|cas-bridge\.xethub\.hf\.co)\//.test(url))).toBe(true); // prettier-ignore
  const reached = await site.page.evaluate(() => fetch('https://huggingface.co/').then(() => true, () => false)); // prettier-ignore
  expect(reached).toBe(false);
  expect(Number(await site.at('requests-hub').innerText())).toBeGreaterThan(0);

  // Used: loaded from where it lies, with no network at all.
  await expect.poll(() => at(site, 'hub-use').isEnabled(), { timeout: 180_000 }).toBe(true); // Pocket is being loaded
  await site.page.context().setOffline(true);
  await at(site, 'hub-use').click();
  await expect.poll(() => site.page.getByRole('dialog').count(), { timeout: 120_000 }).toBe(0);
  await ready(site.page);
  await site.at('settings').click();
  expect(await site.at('own-sampling').inputValue()).toBe('self-forcing');
  await site.page.keyboard.press('Escape');
  await site.page.evaluate((wish) => (location.hash = wish), `#${new URLSearchParams(Object.entries(settings).map(([k, v]) => [k, String(v)]))}`); // prettier-ignore
  const clip = await site.generate();
  expect(clip).toMatchObject({ width: 48, height: 32, frames: 11 });
  await site.page.context().setOffline(false);

  // Opened anew, the page has the same model again, before anything is pressed.
  await site.page.reload();
  await ready(site.page);
  await site.at('settings').click();
  await site.at('own-leave').waitFor({ timeout: 120_000 });
  expect(await site.at('own-sampling').inputValue()).toBe('self-forcing');
  expect(await site.at('last-model').count()).toBe(0);

  // The manager checks it by its hashes, and deletes it.
  const stored = site.at('models').locator('.model', { hasText: 'from a hub' });
  await stored.getByRole('button', { name: 'Check' }).click();
  await expect.poll(() => stored.getByTestId('verified').innerText(), { timeout: 60_000 }).toContain('All 3 files are undamaged'); // prettier-ignore
  await stored.getByRole('button', { name: 'Delete' }).click();
  await expect.poll(() => at(site, 'hub-ask').count()).toBe(1);
  await expect.poll(() => at(site, 'hub-use').count()).toBe(0);
  const left = await site.page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('hub');
    return Array.fromAsync((folder as unknown as { keys(): AsyncIterable<string> }).keys());
  });
  expect(left).toEqual([]);
  const blocked = site.failures.filter((line) => !/huggingface|Failed to load resource/.test(line));
  expect(blocked).toEqual([]);
  await site.close();
});

test('what the hub refuses, promises wrongly or has no more is said, in the person’s language', async () => {
  const site = await Site.open(browser, { settings, locale: 'zh-CN' });
  await ready(site.page);
  await site.at('settings').click();
  await site.at('hub-wan').locator('summary').click();
  await site.at('hub-wan').getByTestId('hub-ask').click();
  expect(await site.at('hub-wan').getByTestId('hub-problem').innerText()).toContain(
    '模型站拒绝了请求（404）',
  );

  await site.at('hub-self-forcing-fp8').locator('summary').click();
  hub.fault = (path) => (path === taehv.path ? { flip: 5 } : null);
  await at(site, 'hub-ask').click();
  await at(site, 'hub-agree').click();
  await at(site, 'hub-problem').waitFor({ timeout: 60_000 });
  expect(await textOf(site, 'hub-problem')).toContain('收到的 taew2_1.safetensors 两次都与模型站的承诺不符');
  expect(await at(site, 'hub-use').count()).toBe(0);
  await site.close();
});

test('two tabs do not download the same twice', async () => {
  const site = await Site.open(browser, { settings });
  await ready(site.page);
  const other = await site.page.context().newPage();
  await other.goto(site.page.url());
  await ready(other);
  hub.fault = () => null;
  // However long the second page takes to ask, the first is not done before.
  let release = () => {};
  hub.held = new Promise((go) => (release = go));
  // Told, not clicked: of two pages on a busy machine, the one behind is long not "stable".
  for (const page of [site.page, other]) {
    await page.getByTestId('settings').dispatchEvent('click');
    await page.getByTestId('hub-self-forcing-fp8').locator('summary').dispatchEvent('click');
    await page.getByTestId('hub-self-forcing-fp8').getByTestId('hub-ask').dispatchEvent('click');
    await page.getByTestId('hub-agree').waitFor();
  }
  const asked = hub.asked.length;
  await site.at('hub-agree').dispatchEvent('click');
  await at(site, 'hub-progress').waitFor();
  // The page shows progress before its worker has the lock: only who asks for a file has it.
  await expect.poll(() => hub.asked.length, { timeout: 60_000 }).toBeGreaterThan(asked);
  await other.getByTestId('hub-agree').dispatchEvent('click');
  const problem = other.getByTestId('hub-problem');
  await problem.waitFor();
  expect(await problem.innerText()).toContain('Another tab downloads already');
  release();
  await at(site, 'hub-use').waitFor({ timeout: 60_000 });
  await site.close();
});
