/** Beside the usual settings: what is said of a loop, of short shots and of drafts before the clip is made. */
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import type { App } from '../../../src/app/app.svelte';
import { MODEL } from '../../app/helpers';
import { bareApp } from './bare';
import Harness from './Harness.svelte';

let [app, shown] = [null as unknown as App, {}];
const at = (id: string) => document.querySelector<HTMLElement>(`[data-testid=${id}]`);

beforeEach(() => {
  app = bareApp();
  app.studio.model = MODEL;
  app.settings.offer = { ...app.settings.offer, sight: { block: 3, window: 12, sink: 0 } };
  app.settings.choose({ seconds: 2 });
  app.settings.suggest('a red boat');
  shown = mount(Harness, { target: document.body, props: { app } });
  flushSync();
});
afterEach(() => unmount(shown));

test('a loop says how long it will really be, where one chooses it', async () => {
  expect(at('real-length')).toBeNull();
  await userEvent.click(at('loop')!);
  expect(at('real-length')!.innerText).toBe('It will last 2.25 s: a loop closes after whole blocks.');
  app.settings.choose({ seconds: 3 }); // four blocks exactly
  flushSync();
  expect(at('real-length')).toBeNull();
});

test('so do shots that are shorter than a block', () => {
  app.settings.type('prompt', '[0.1s] a boat\n[0.1s] a car\n[0.2s] a star');
  flushSync();
  expect(at('real-length')!.innerText).toMatch(/^It will last 1\.38 s: a shot has at least one whole block/);
  app.settings.type('prompt', '[2s] a boat\n[cut] [2s] a car');
  flushSync();
  expect(at('real-length')).toBeNull();
});

test('the tick for drafts says what Generate does while it is set, and how the final is had', async () => {
  expect(at('draft-hint')).toBeNull();
  await userEvent.click(at('draft')!);
  expect(at('draft-hint')!.innerText).toContain('Generate makes drafts; “Make the final” makes');
});
