/** A clip that is told another way while it plays, one that is paused, and a script that is edited: what a person does, on the page. */
import type { Browser, Worker } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, PROMPT, Site } from './site';

/** Six blocks. */
const CLIP = { prompt: PROMPT, seed: 7, seconds: 4, width: 32, height: 32, steps: 2 };
const { seed: _, ...UNSEEDED } = CLIP;
/** Frames before block `n`, counted from 1. */
const framesBefore = (n: number) => (n === 1 ? 0 : 9 + 12 * (n - 2));

let browser: Browser;
let whole: { frameHashes: string[] };
beforeAll(async () => {
  browser = await launch();
  const site = await Site.open(browser, { settings: CLIP, backend: 'cpu' });
  whole = await site.generate();
  await site.close();
});
afterAll(() => browser?.close());

/** A page on which a block takes its time, so that there is some to type in. */
async function openSlow(): Promise<Site> {
  const site = await Site.open(browser, { settings: CLIP, backend: 'cpu' });
  const engine = (): Worker | undefined => site.page.workers().find((w) => w.url().includes('engine.worker'));
  await expect.poll(() => engine() !== undefined).toBe(true);
  await engine()!.evaluate(() => {
    const { createSyncAccessHandle } = FileSystemFileHandle.prototype;
    FileSystemFileHandle.prototype.createSyncAccessHandle = async function () {
      const handle = await createSyncAccessHandle.call(this);
      const write = handle.write.bind(handle);
      handle.write = (data, options) => {
        const until = performance.now() + (this.name === 'blocks.bin' ? 700 : 0);
        while (performance.now() < until);
        return write(data, options);
      };
      return handle;
    };
  });
  return site;
}

/** Waits until block `index` (from 0) is being made. */
const begun = (site: Site, index: number) =>
  site.page.waitForFunction(
    (block) =>
      (globalThis as unknown as { heard: { progress: { block: number }[] } }).heard.progress.some((p) => p.block >= block), // prettier-ignore
    index,
    { timeout: 120_000, polling: 50 },
  );

test('typed while it plays: the coming blocks follow, and those before stay as they were', async () => {
  const site = await openSlow();
  await site.at('generate').click();
  await begun(site, 1);
  // Directions without words are not sent, and stay in the field.
  await site.at('steer-text').fill('[cut]');
  await site.at('tell').click();
  expect(await site.at('told').innerText()).toBe('Say in words what shall be seen.');
  expect(await site.at('steer-text').inputValue()).toBe('[cut]');

  await site.at('steer-text').fill('a green star in the desert');
  await site.at('tell').click();
  expect(await site.at('steer-text').inputValue()).toBe('');
  await expect.poll(() => site.at('told').innerText(), { timeout: 60_000 }).toMatch(/^From block \d on: a green star in the desert$/); // prettier-ignore
  const block = Number(/\d/.exec(await site.at('told').innerText())![0]);
  expect(await site.page.getByTestId('status').innerText()).toMatch(/block/i); // it is being made still

  const outcome = await site.outcome(0);
  if (!('done' in outcome)) throw new Error(outcome.error.message);
  const { frameHashes, recipe } = outcome.done;
  const first = framesBefore(block);
  expect(block).toBeGreaterThan(1);
  expect(frameHashes).toHaveLength(64);
  expect(frameHashes.slice(0, first)).toEqual(whole.frameHashes.slice(0, first));
  expect(frameHashes[first]).not.toBe(whole.frameHashes[first]);
  expect(recipe.prompt.split('\n').map((line: string) => line.replace(/^\[[\d.]+s\] /, ''))).toEqual([PROMPT, 'a green star in the desert']); // prettier-ignore
  expect(site.failures).toEqual([]);
  await site.close();
});

test('paused, the page closed and opened again, gone on with: the same frames', async () => {
  const site = await openSlow();
  await site.at('generate').click();
  await begun(site, 2);
  await expect.poll(() => site.page.locator('.aside').innerText(), { timeout: 60_000 }).toMatch(/real time ×/); // prettier-ignore
  await site.at('pause').click();
  expect(await site.outcome(0)).toMatchObject({ error: { code: 'paused' } });
  expect(await site.at('unfinished').innerText()).toMatch(/interrupted after block [3-6] of 6/);
  await site.page.reload();
  await site.at('unfinished').waitFor({ timeout: 120_000 });
  await site.at('resume').click();
  const outcome = await site.outcome(0);
  expect('done' in outcome && outcome.done.frameHashes).toEqual(whole.frameHashes);
  expect(await site.at('unfinished').count()).toBe(0);
  expect(site.failures).toEqual([]);
  await site.close();
});

test('shot 3 of 5 is edited: shots 1 and 2 stay to the bit, and are not made again', async () => {
  const script = (third: string) => ['a red boat', 'a red boat at night', third, '[cut] a blue car', 'a green star'].map((shot) => `[0.75s] ${shot}`).join('\n'); // prettier-ignore
  const site = await Site.open(browser, { settings: UNSEEDED, backend: 'cpu' });
  await site.type(script('a white rocket in space'));
  const before = await site.generate();
  await site.at('library-item').first().waitFor();
  const { progress } = await site.heard();
  await site.type(script('a pink heart'));
  const after = await site.generate();
  expect(after.recipe.seed).toBe(before.recipe.seed); // though seeds are not locked
  expect([...new Set(after.blocks.map(({ shot }) => shot))]).toEqual([0, 1, 2, 3, 4]);
  expect(after.blocks.find(({ shot }) => shot === 2)!.block).toBe(2);
  const second = framesBefore(3);
  expect(after.frameHashes.slice(0, second)).toEqual(before.frameHashes.slice(0, second));
  expect(after.frameHashes[second]).not.toBe(before.frameHashes[second]);
  const denoised = (await site.heard()).progress.slice(progress.length).flatMap((p) => (p.type === 'progress' && p.stage === 'denoise' ? [p.block] : [])); // prettier-ignore
  expect(Math.min(...denoised)).toBe(2);
  // Nothing edited: another seed, another clip.
  const other = await site.generate();
  expect(other.recipe.seed).not.toBe(before.recipe.seed);
  expect(site.failures).toEqual([]);
  await site.close();
});
