/** A clip that is told another way while it plays, one that is paused, and a script that is edited: what a person does, on the page. */
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Hold, PATIENCE } from './hold';
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

/** A page whose engine waits when it is about to keep block `n` (counted from 1) and each that follows. */
async function openWaiting(n: number) {
  const site = await Site.open(browser, { settings: CLIP, backend: 'cpu' });
  site.page.setDefaultTimeout(PATIENCE);
  // 24 channels of 3 latent frames of 4 × 4.
  const hold = await Hold.blocks(site, 4608, [1, 2, 3, 4, 5, 6].slice(n - 1));
  return { site, hold };
}
const told = (site: Site, text: string) =>
  expect.poll(() => site.at('told').innerText(), { timeout: PATIENCE }).toBe(text);

test('typed while it plays: the coming blocks follow, and those before stay as they were', async () => {
  const { site, hold } = await openWaiting(2);
  await site.at('generate').click();
  await hold.at(2);
  // Directions without words are not sent, and stay in the field.
  await site.at('steer-text').fill('[cut]');
  await site.at('tell').click();
  await told(site, 'Say in words what shall be seen.');
  expect(await site.at('steer-text').inputValue()).toBe('[cut]');
  const words = 'a green star in the desert';
  await site.at('steer-text').fill(words);
  await site.at('tell').click();
  expect(await site.at('steer-text').inputValue()).toBe('');
  await told(site, `From the next block on: ${words}`);
  await hold.goOn();
  await hold.at(3);
  await told(site, `From block 3 on: ${words}`);
  for (const block of [3, 4, 5, 6]) {
    await hold.at(block);
    await hold.goOn();
  }
  const outcome = await site.outcome(0);
  if (!('done' in outcome)) throw new Error(outcome.error.message);
  const { frameHashes, recipe } = outcome.done;
  const first = framesBefore(3);
  expect(frameHashes).toHaveLength(64);
  const { progress } = await site.heard();
  expect(progress.some((p) => p.type === 'progress' && (p.realTime ?? 0) > 0)).toBe(true); // "real time ×N"
  expect(frameHashes.slice(0, first)).toEqual(whole.frameHashes.slice(0, first));
  expect(frameHashes[first]).not.toBe(whole.frameHashes[first]);
  expect(recipe.prompt).toMatch(new RegExp(`^\\[[\\d.]+s\\] ${PROMPT}\\n\\[[\\d.]+s\\] ${words}$`));
  expect(site.failures).toEqual([]);
  await site.close();
});

test('typed while nothing holds the engine still: the very next block follows', async () => {
  // Steps enough that a block takes far longer than a message, on any machine.
  const site = await Site.open(browser, { settings: { ...CLIP, steps: 24 }, backend: 'cpu' });
  site.page.setDefaultTimeout(PATIENCE);
  const words = 'a green star in the desert';
  await site.page.evaluate((text) => {
    const at = (id: string) => document.querySelector<HTMLElement>(`[data-testid=${id}]`)!;
    document.addEventListener('kinora:progress', function tell({ detail }: CustomEventInit) {
      const form = at('steer') as HTMLFormElement | null;
      if (!form || detail.stage !== 'denoise' || detail.block !== 1 || detail.step < 2) return;
      document.removeEventListener('kinora:progress', tell);
      const field = at('steer-text') as HTMLInputElement;
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      form.requestSubmit();
    });
  }, words);
  const clip = await site.generate();
  expect(clip.blocks).toHaveLength(6);
  expect(clip.blocks.map(({ shot }) => shot)).toEqual([0, 0, 1, 1, 1, 1]);
  expect(clip.recipe.prompt).toContain(`\n`);
  expect(await site.at('extend-late').count()).toBe(0);
  expect(site.failures).toEqual([]);
  await site.close();
});

test('paused, the page closed and opened again, gone on with: the same frames', async () => {
  const { site, hold } = await openWaiting(3);
  await site.at('generate').click();
  await hold.at(3);
  await site.at('pause').click();
  await hold.goOn();
  expect(await site.outcome(0)).toMatchObject({ error: { code: 'paused' } });
  await site.page.reload();
  await site.at('unfinished').waitFor();
  expect(await site.at('unfinished').innerText()).toContain('interrupted after block 3 of 6');
  await site.at('resume').click();
  const outcome = await site.outcome(0);
  expect('done' in outcome && outcome.done.frameHashes).toEqual(whole.frameHashes);
  await expect.poll(() => site.at('unfinished').count(), { timeout: PATIENCE }).toBe(0);
  expect(site.failures).toEqual([]);
  await site.close();
});

test('shot 3 of 5 is edited: shots 1 and 2 stay to the bit, and are not made again', async () => {
  const script = (third: string) => ['a red boat', 'a red boat at night', third, '[cut] a blue car', 'a green star'].map((shot) => `[0.75s] ${shot}`).join('\n'); // prettier-ignore
  const site = await Site.open(browser, { settings: UNSEEDED, backend: 'cpu' });
  site.page.setDefaultTimeout(PATIENCE);
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
