/** A pause leaves the GPU empty; going on rebuilds all of it, in the same page, and not a bit of the clip is different. */
import { expect, test } from 'vitest';
import { Hold, PATIENCE } from './hold';
import { launch, PROMPT, Site } from './site';

/** Four blocks: one more than the window holds, so that the cache matters. */
const CLIP = { prompt: PROMPT, seed: 7, seconds: 2.6, width: 32, height: 32, steps: 1 };
const LATENTS = 24 * 3 * 4 * 4 * 4;

test('paused in the third block on WebGPU: no byte stays on the GPU, and the frames are the same', async () => {
  const browser = await launch();
  const site = await Site.open(browser, { settings: CLIP });
  site.page.setDefaultTimeout(PATIENCE);
  const whole = await site.generate();
  expect(whole.blocks).toHaveLength(4);
  const used = whole.blocks.at(-1)!.gpuBytes;
  expect(used).toBeGreaterThan(1e7); // weights, at least
  const hold = await Hold.blocks(site, LATENTS, [3]);
  await site.at('generate').click();
  await hold.at(3);
  await site.at('pause').click();
  await hold.goOn();
  const paused = await site.outcome(1);
  expect(paused).toMatchObject({ error: { code: 'paused', params: { gpuBytes: 0 } } });
  await site.at('unfinished').waitFor();
  await site.at('resume').click();
  const outcome = await site.outcome(2);
  if (!('done' in outcome)) throw new Error(`${outcome.error.message}\n${outcome.error.detail}`);
  expect(outcome.done.frameHashes).toEqual(whole.frameHashes);
  expect(outcome.done.blocks.at(-1)!.gpuBytes).toBe(used);
  // A new clip after a pause is no different either.
  expect((await site.generate()).frameHashes).toEqual(whole.frameHashes);
  expect(site.foreign).toEqual([]);
  expect(site.failures).toEqual([]);
  await browser.close();
}, 900_000);
