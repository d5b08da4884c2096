/** What page and engine hold in JavaScript while a clip is made, garbage collected: hardly more at block 78 than at block 30. */
import { expect, test } from 'vitest';
import { watchMemory } from '../../scripts/memory.mjs';
import { Hold, PATIENCE } from './hold';
import { launch, PROMPT, Site } from './site';

/** 80 blocks; one of them is 27648 bytes of latents and 12 frames of 9216. */
const CLIP = { prompt: PROMPT, seed: 7, seconds: 60, width: 96, height: 64, steps: 1 };
const LATENTS = 24 * 3 * 8 * 12 * 4;
const [FIRST, LAST] = [30, 78];
/**
 * Bytes a block. What must grow is the file's index (about 80 bytes a frame), every frame's hash (76) and what is told of a
 * block: some 2 KB, in docs/long-clips.md. The rest is room for what the compiler learns meanwhile.
 */
const MOST = { page: 4_000, worker: 6_000 };

test('the JavaScript heaps grow by a few bytes a frame, and by no frame and no latents', async () => {
  const browser = await launch();
  let read!: Awaited<ReturnType<typeof watchMemory>>;
  const site = await Site.open(browser, {
    settings: CLIP,
    backend: 'cpu',
    // Then the newest frame is shown, and none waits for the playhead.
    reducedMotion: 'reduce',
    before: async (page) => void (read = await watchMemory(page)),
  });
  site.page.setDefaultTimeout(PATIENCE);
  const hold = await Hold.blocks(site, LATENTS, [FIRST, LAST]);
  await site.at('generate').click();

  /** The least of a few looks: what is still being decoded and drawn counts in some of them. */
  const look = async () => {
    const found = { page: Infinity, worker: Infinity };
    for (let i = 0; i < 4; i++) {
      await site.page.evaluate(() => ((globalThis as unknown as { heard: { progress: unknown[] } }).heard.progress.length = 0)); // prettier-ignore
      await new Promise((later) => setTimeout(later, 500));
      const now = await read();
      for (const part of ['page', 'worker'] as const)
        found[part] = Math.min(found[part], now[part] ?? Infinity);
    }
    return found;
  };
  await hold.at(FIRST);
  const early = await look();
  await hold.goOn();
  await hold.at(LAST);
  const late = await look();
  await hold.goOn();
  expect(await site.outcome(0)).toMatchObject({ done: { frames: 960 } });
  expect(early.worker).toBeGreaterThan(3e6); // both were told
  expect(early.page).toBeGreaterThan(1e6);
  const growth = (part: 'page' | 'worker') => (late[part] - early[part]) / (LAST - FIRST);
  console.log(`bytes a block: page ${growth('page').toFixed(0)}, worker ${growth('worker').toFixed(0)}`);
  expect(growth('page')).toBeLessThan(MOST.page);
  expect(growth('worker')).toBeLessThan(MOST.worker);
  expect(site.failures).toEqual([]);
  await browser.close();
}, 900_000);
