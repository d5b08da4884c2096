/** A pause leaves the GPU empty; going on rebuilds all of it, in the same page, and not a bit of the clip is different. */
import { expect, test } from 'vitest';
import { Hold, PATIENCE } from './hold';
import { launch, PROMPT, Site } from './site';

/** Three blocks, as small as they can be. */
const CLIP = { prompt: PROMPT, seed: 7, seconds: 1.8, width: 16, height: 16, steps: 1 };
const LATENTS = 24 * 3 * 2 * 2 * 4;

test('paused in the second block on WebGPU: no byte stays on the GPU, and the frames are the same', async () => {
  const browser = await launch();
  const site = await Site.open(browser, { settings: CLIP });
  site.page.setDefaultTimeout(PATIENCE);
  const whole = await site.generate();
  expect(whole.blocks).toHaveLength(3);
  const used = whole.blocks.at(-1)!.gpuBytes;
  expect(used).toBeGreaterThan(1e7); // weights, at least
  const hold = await Hold.blocks(site, LATENTS, [2]);
  await site.at('generate').click();
  await hold.at(2);
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
  expect(site.foreign).toEqual([]);
  expect(site.failures).toEqual([]);
  await browser.close();
}, 900_000);
