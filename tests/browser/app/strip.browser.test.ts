/** The strip: blocks of the clip in work, and behind them the earlier clips. */
import { flushSync, mount, unmount } from 'svelte';
import { expect, onTestFinished, test } from 'vitest';
import { page } from 'vitest/browser';
import { clipOf, entryOf, RECIPE } from '../../app/helpers';
import { bareApp } from './bare';
import StripHarness from './StripHarness.svelte';

test.each([1280, 400])(
  '%i pixels wide: no picture lies over another, however many there are',
  async (width) => {
    await page.viewport(width, 700);
    const app = bareApp();
    const { mp4, poster } = clipOf();
    const memory = { mp4, poster, latents: null };
    app.shelf.items = Array.from({ length: 9 }, (_, i) => ({
      entry: entryOf(`${i}`, RECIPE.created),
      memory,
    }));
    const { draft: _, ...settings } = RECIPE;
    app.studio.work.request = { ...settings, width: 128, height: 80 };
    app.studio.work.blocks = Array.from({ length: 7 }, (_, i) => ({
      state: i < 2 ? 'done' : i === 2 ? 'now' : 'next',
      picture: null,
      frames: i < 2 ? { first: 12 * i, count: 12 } : null,
    }));
    const shown = mount(StripHarness, { target: document.body, props: { app } });
    onTestFinished(() => unmount(shown));
    flushSync();
    const boxes = [...document.querySelectorAll('.strip .thumb')].map((thumb) =>
      thumb.getBoundingClientRect(),
    );
    expect(boxes).toHaveLength(16);
    for (const [i, box] of boxes.slice(1).entries()) expect(box.left, `picture ${i + 2}`).toBeGreaterThan(boxes[i]!.right); // prettier-ignore
    // None is squeezed, either; what has no room is scrolled to.
    expect(boxes[0]!.width / boxes[0]!.height).toBeCloseTo(1.6, 1);
    const strip = document.querySelector('.strip')!;
    expect(strip.scrollWidth).toBeGreaterThan(strip.clientWidth);
    await unmount(shown);
  },
);
