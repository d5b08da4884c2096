/**
 * Open it once, then pull the plug: nothing is asked of anybody while clips are made, and with the host gone the page
 * opens, makes, saves and remembers, on both backends. A new edition comes only when the person agrees.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelManifest } from '../../src/weights/manifest';
import { Hold } from './hold';
import { Host } from './host';
import { launch, PROMPT, Site, SMALL, STOPPED, type Facts } from './site';

const TWO = { prompt: PROMPT, seed: 7, seconds: 1, width: 32, height: 32, steps: 2 };
/** Bytes of a block of TWO: 24 channels of 3 latent frames of 4 × 4. */
const FIRST = 4 * 24 * 3 * 4 * 4;
const HALF = { ...SMALL, prompt: PROMPT, seconds: 0.5 };

let browser: Browser;
let folder: string;
beforeAll(async () => {
  browser = await launch();
  folder = await mkdtemp(join(tmpdir(), 'kinora-offline-'));
});
afterAll(() => browser?.close());

describe.sequential.each(['cpu', 'webgpu'] as const)('on the backend %s', (backend) => {
  let host: Host;
  let site: Site;
  let first: Facts;
  let again: Facts;
  beforeAll(async () => {
    host = await Host.start();
    site = await Site.open(browser, { settings: HALF, backend, address: host.address });
  });
  afterAll(async () => {
    await site?.close();
    await host?.stop().catch(() => {});
  });

  test('once it is loaded, a whole clip asks nothing of anybody', async () => {
    await site.kept();
    // The words were in the address that was opened; what the host heard of it ends before them.
    expect(host.told).toContain('/some/where/');
    expect(host.told).not.toMatch(/prompt|boat|drifting/i);
    host.asked.length = 0;
    first = await site.generate();
    expect(first.backend).toBe(backend);
    await site.at('video').waitFor();
    await site.at('surprise').click();
    await site.download(join(folder, `${backend}-1.mp4`));
    // Whoever asked: page, worker, service worker. The browser looks for a newer sw.js by itself.
    expect(host.asked.filter((path) => !path.endsWith('/sw.js'))).toEqual([]);
    expect(site.foreign).toEqual([]);
    expect(site.failures).toEqual([]); // a breach of the content policy is an error on the console
    expect(await site.at('egress').innerText()).toMatch(/ 0 requests/);
  });

  test('what would leave, or be let in, is stopped by the policy and counted', async () => {
    const tried = await site.page.evaluate(async () => {
      const outcome = (work: () => unknown) =>
        Promise.resolve()
          .then(work)
          .then(
            () => 'done',
            () => 'refused',
          );
      return {
        fetch: await outcome(() => fetch('https://elsewhere.invalid/', { mode: 'no-cors' })),
        markup: await outcome(() => (document.body.innerHTML = '<b>x</b>')),
        worker: await outcome(() => new Worker('https://elsewhere.invalid/x.js')),
        inline: await outcome(() => document.body.setAttribute('onclick', 'alert(1)')),
        // As code of the page's own would, not as this test, which may do anything.
        eval: await new Promise((done) => setTimeout(() => done(outcome(() => globalThis.eval('1'))), 0)),
      };
    });
    expect(tried).toEqual({ fetch: 'refused', markup: 'refused', worker: 'refused', inline: 'refused', eval: 'refused' }); // prettier-ignore
    // The engine, whose policy lets it reach its own origin, does not even do that any more.
    const engine = site.page.workers().find((worker) => worker.url().includes('engine.worker'))!;
    const inWorker = await engine.evaluate(async () => {
      const outcome = (work: () => Promise<unknown>) => work().then(() => 'done', () => 'refused'); // prettier-ignore
      // As code would that knows where browsers keep it.
      const { fetch: hidden } = Object.getPrototypeOf(Object.getPrototypeOf(globalThis)) as typeof globalThis;
      return {
        own: await outcome(() => fetch('../model.json')),
        hidden: await outcome(() => hidden.call(globalThis, '../model.json')),
        cache: await outcome(async () => (await caches.open('x')).add('../model.json')),
        elsewhere: await outcome(() => fetch('https://elsewhere.invalid/', { mode: 'no-cors' })),
        socket: await outcome(async () => new WebSocket('wss://elsewhere.invalid/')),
      };
    });
    expect(inWorker).toEqual({ own: 'refused', hidden: 'refused', cache: 'refused', elsewhere: 'refused', socket: 'refused' }); // prettier-ignore
    expect(site.page.workers().some((worker) => worker.url().includes('hub.worker'))).toBe(false);
    expect(site.foreign).toEqual([]);
    await site.at('settings').click();
    const privacy = await site.at('privacy').innerText();
    expect(privacy).toMatch(/any other address\s*0/);
    // Five in the page, three in the engine that its Gate refused; some are told of twice.
    expect(Number(/content policy\s*(\d+)/.exec(privacy)?.[1])).toBeGreaterThanOrEqual(8);
  });

  test('with the host gone and the network cut it opens again, and makes and saves the same clip', async () => {
    await host.stop();
    await site.page.context().setOffline(true);
    await site.page.reload();
    await site.type(PROMPT);
    if (!(await site.at('seed').inputValue()).startsWith('7')) await site.at('seed').fill('7');
    again = await site.generate();
    expect(again.backend).toBe(backend);
    expect(again.frameHashes.length).toBe(first.frameHashes.length);
    // On a host without headers only later visits have threads, which share sums out in another way (host.e2e).
    if (backend === 'webgpu') expect(again.frameHashes).toEqual(first.frameHashes);
    const file = join(folder, `${backend}-2.mp4`);
    await site.download(file);
    expect((await stat(file)).size).toBeGreaterThan(1000);
  });

  test('and once more, with both clips in the strip and the showcase on the stage', async () => {
    await site.page.reload();
    await site.at('library-item').first().waitFor();
    expect(await site.at('library-item').count()).toBe(2);
    expect(await site.page.evaluate(() => crossOriginIsolated)).toBe(true);
    await site.at('settings').click();
    await site.at('model-card').locator('summary').click();
    await site.at('model-card').locator('h3').waitFor();
    expect(await site.at('model-card').innerText()).toMatch(/What it cannot/);
    await site.page.keyboard.press('Escape');
    await site.at('library-item').first().click();
    await site.at('video').waitFor();
    // The service worker gives every answer its headers: the engine has a policy of its own.
    const engine = site.page.workers().find((worker) => worker.url().includes('engine.worker'))!;
    expect(await engine.evaluate(STOPPED)).toMatch(/^script-src/);
    await site.type(PROMPT);
    if (!(await site.at('seed').inputValue()).startsWith('7')) await site.at('seed').fill('7');
    expect((await site.generate()).frameHashes).toEqual(again.frameHashes);
  });
});

describe.sequential('a new edition', () => {
  let host: Host;
  let site: Site;
  /** Two blocks, uninterrupted. */
  let whole: Facts;
  beforeAll(async () => {
    host = await Host.start();
    site = await Site.open(browser, { settings: TWO, backend: 'cpu', address: host.address });
    await site.kept();
    await site.page.reload(); // from now on with the same number of threads, and so to the bit
    await ask();
    whole = await site.generate();
  });
  /** The words and the seed of the tests. */
  const ask = async () => {
    await site.type(PROMPT);
    if (!(await site.at('seed').inputValue()).startsWith('7')) await site.at('seed').fill('7');
  };
  afterAll(async () => {
    await site?.close();
    await host?.stop();
  });
  const { edition } = JSON.parse(readFileSync('public/models/pocket/model.json', 'utf8')) as {
    edition: string;
  };
  /** What stands in the browser of the model's files. */
  const stored = () =>
    site.page.evaluate(async () => {
      const names: string[] = [];
      const models = await (await navigator.storage.getDirectory()).getDirectoryHandle('models');
      for await (const folder of models.values() as AsyncIterable<FileSystemDirectoryHandle>)
        for await (const name of folder.keys()) names.push(name);
      return names;
    });
  const waiting = () => site.page.evaluate(() => navigator.serviceWorker.getRegistration().then((r) => r?.update().then(() => true))); // prettier-ignore

  /** Hashes of the file that is another in the new edition. */
  let [oldWords, newWords] = ['', ''];

  test('is told of, and not used', async () => {
    const page = await readFile('dist/index.html', 'utf8');
    host.edited.set('index.html', page.replace('<html', '<html data-edition="new"'));
    // The model, too, has a new edition, of which one file is another.
    const model = JSON.parse(await readFile('dist/models/pocket/model.json', 'utf8')) as ModelManifest;
    const words = `${await readFile('dist/models/pocket/tokenizer.json', 'utf8')} `;
    const file = model.files.find(({ path }) => path === 'tokenizer.json')!;
    [oldWords, newWords] = [file.sha256, createHash('sha256').update(words).digest('hex')];
    Object.assign(file, { bytes: Buffer.byteLength(words), sha256: newWords, pieces: undefined });
    host.edited.set('models/pocket/tokenizer.json', words);
    host.edited.set('models/pocket/model.json', JSON.stringify({ ...model, edition: 'new' }));
    const worker = await readFile('dist/sw.js', 'utf8');
    const edited = worker.replace(
      /("revision":")\w+(","url":"index.html")|(url:[`"']index.html[`"'],revision:[`"'])\w+/,
      (_, a, b, c) => (a ? `${a}beef${b}` : `${c}beef`),
    );
    expect(edited).not.toBe(worker);
    host.edited.set('sw.js', edited);
    await waiting();
    await site.at('update').waitFor({ timeout: 60_000 });
    await site.page.reload();
    await site.at('update').waitFor({ timeout: 60_000 });
    expect(await site.page.evaluate(() => document.documentElement.dataset.edition)).toBeUndefined();
  });

  test('cannot be taken in the middle of a clip', async () => {
    await ask();
    await site.at('generate').click();
    expect(await site.at('update').getByRole('button').first().isDisabled()).toBe(true);
    const outcome = await site.outcome(0);
    expect('done' in outcome && outcome.done.recipe.edition).toBe(edition); // of the model that was agreed to
  });

  test('nor in the middle of one that another tab makes', async () => {
    const other = await site.page.context().newPage();
    await other.goto(site.page.url());
    await other.locator('[data-testid=generate]:not([disabled])').waitFor({ timeout: 120_000 });
    const held = await Hold.blocks({ page: other }, FIRST, [1]); // however fast the machine is
    await other.getByTestId('generate').click();
    await held.at(1);
    const made = async () =>
      (await site.page.evaluate(() => navigator.locks.query())).held!.filter(({ name }) => name!.startsWith('kinora-clip')).length; // prettier-ignore
    await expect.poll(made, { timeout: 120_000 }).toBe(1);
    await site.at('update').getByRole('button').first().click();
    await site.at('toast').waitFor();
    expect(await site.at('toast').innerText()).toContain('being made in another tab');
    expect(await made()).toBe(1);
    await held.goOn();
    await expect.poll(made, { timeout: 300_000 }).toBe(0);
    await other.close();
    expect(await site.page.evaluate(() => document.documentElement.dataset.edition)).toBeUndefined();
  });

  test('leaves a clip that was interrupted what it needs, and says so beforehand', async () => {
    await site.page.reload(); // what stands on the stage would be taken over
    await ask();
    await site.page.locator('[data-testid=generate]:not([disabled])').waitFor({ timeout: 120_000 });
    const held = await Hold.blocks(site, FIRST, [1]);
    await site.at('generate').click();
    await held.at(1);
    await site.at('pause').click();
    await held.goOn();
    expect(await site.outcome(0)).toMatchObject({ error: { code: 'paused' } });
    await site.at('unfinished').waitFor();
    await expect.poll(() => site.at('update').innerText()).toContain('can be finished afterwards');
  });

  test('is taken when the person agrees', async () => {
    await Promise.all([
      site.page.waitForEvent('load'),
      site.at('update').getByRole('button').first().click(),
    ]);
    await site.at('prompt').waitFor();
    expect(await site.page.evaluate(() => document.documentElement.dataset.edition)).toBe('new');
    expect(await site.at('update').count()).toBe(0);
    await site.at('library-item').first().waitFor();
    await ask();
    expect((await site.generate()).recipe.edition).toBe('new');
    expect(await stored()).toEqual(expect.arrayContaining([oldWords, newWords]));
  });

  test('and the clip that was interrupted goes on with its own, to the bit; then that one is swept', async () => {
    await site.at('resume').click();
    const outcome = await site.outcome(1);
    if (!('done' in outcome)) throw new Error(outcome.error.message);
    expect(outcome.done.recipe.edition).toBe(edition);
    expect(outcome.done.frameHashes).toEqual(whole.frameHashes);
    await expect.poll(stored, { timeout: 120_000 }).not.toContain(oldWords);
    expect(await site.at('unfinished').count()).toBe(0);
    expect((await site.generate()).recipe.edition).toBe('new');
    expect(site.failures).toEqual([]);
  });
});
