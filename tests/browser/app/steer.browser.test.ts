/** What happens next, typed while a clip is made: words that come too late are not lost. */
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import type { App } from '../../../src/app/app.svelte';
import { clipOf, MODEL, RECIPE, ScriptedEngine, settle } from '../../app/helpers';
import { bareApp } from './bare';
import Harness from './Harness.svelte';

let [app, engine, shown] = [null as unknown as App, null as unknown as ScriptedEngine, {}];
const at = <T extends HTMLElement>(id: string) => document.querySelector<T>(`[data-testid=${id}]`)!;
const field = () => at<HTMLInputElement>('steer-text');

beforeEach(async () => {
  engine = new ScriptedEngine();
  app = bareApp(engine);
  app.settings.suggest(RECIPE.prompt);
  app.studio.model = MODEL;
  app.studio.engine = 'ready';
  shown = mount(Harness, { target: document.body, props: { app } });
  void app.next.generate();
  await expect.poll(() => engine.making.count).toBe(1);
  flushSync();
});
afterEach(() => unmount(shown));

const progress = (block: number) =>
  engine.making.say({ type: 'progress', stage: 'denoise', ...{ block, blocks: 7, step: 0, steps: 4, fraction: 0.5, secondsLeft: 9, realTime: null } }); // prettier-ignore

test('the clip is done without them: they stand in the field again, and a button extends the clip with them', async () => {
  progress(2);
  await userEvent.fill(field(), 'a purple ghost');
  await userEvent.keyboard('{Enter}');
  expect(field().value).toBe('');
  expect(at('told').innerText).toBe('From the next block on: a purple ghost');
  progress(6);
  flushSync();
  // The last block follows nothing any more, and the page does not say that it does.
  expect(at('told').innerText).toBe('Too late for this clip, whose last block is being made: a purple ghost');
  engine.making.answer({ ok: true, value: clipOf() });
  await settle();
  flushSync();
  expect(field().value).toBe('a purple ghost');
  expect(at('told').innerText).toBe('That came too late for this clip; extend the clip with it.');
  await userEvent.click(at('extend-late'));
  await expect.poll(() => engine.making.count).toBe(2);
  expect(engine.making.request.prompt).toBe(`[1s] ${RECIPE.prompt}\n[2s] a purple ghost`);
  flushSync();
  expect(field().value).toBe('');
});

test('words that nobody sent before the clip was done stay, and can be dropped', async () => {
  progress(6);
  flushSync();
  await userEvent.fill(field(), 'a purple gh');
  await userEvent.keyboard('{Enter}'); // the last block is being made: nothing is sent
  expect(engine.told).toEqual([]);
  engine.making.answer({ ok: true, value: clipOf() });
  await settle();
  flushSync();
  expect(document.activeElement).toBe(field()); // nothing vanishes under the person's hands
  expect(field().value).toBe('a purple gh');
  await userEvent.click(at('drop-late'));
  expect(at('steer')).toBeNull();
});

test('a draft is extended as a draft', async () => {
  progress(2);
  app.studio.steer('a purple ghost');
  const recipe = { ...RECIPE, draft: { width: 192, height: 128, steps: 4 } };
  engine.making.answer({ ok: true, value: clipOf(recipe) });
  await settle();
  flushSync();
  await userEvent.click(at('extend-late'));
  await expect.poll(() => engine.making.count).toBe(2);
  expect(engine.making.request).toMatchObject({ draft: true, width: 192, height: 128 });
});
