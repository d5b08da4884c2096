/** The prompt field with a real keyboard: words that the model does not know, completions, and nothing in the way. */
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import type { App } from '../../../src/app/app.svelte';
import { bareApp } from './bare';
import { FIRST, SECOND } from '../../app/vocabulary';
import Harness from './Harness.svelte';

let [app, shown, area] = [null as unknown as App, {}, null as unknown as HTMLTextAreaElement];
let generated = 0;
const at = (id: string) => document.querySelector<HTMLElement>(`[data-testid=${id}]`)!;
const offers = () => [...at('offers').querySelectorAll('[role=option]')] as HTMLElement[];
const line = () => at('unknown').innerText.replace(/\s+/g, ' ').trim();

beforeEach(async () => {
  app = bareApp();
  generated = 0;
  app.studio.generate = async () => void generated++;
  app.wording.learn(SECOND);
  shown = mount(Harness, { target: document.body, props: { app } });
  flushSync();
  area = at('prompt') as HTMLTextAreaElement;
  area.focus();
});
afterEach(() => unmount(shown));

test('Tab takes the word that was begun, the browser can undo it, and the next Tab leaves the field', async () => {
  await userEvent.keyboard('a red bal');
  expect(offers().map((offer) => offer.innerText)).toEqual([expect.stringContaining('balloon')]);
  expect(area.getAttribute('aria-activedescendant')).toBe(offers()[0]!.id);
  await userEvent.keyboard('{Tab}');
  expect(area.value).toBe('a red balloon ');
  expect(app.settings.prompt).toBe('a red balloon ');
  expect(document.activeElement).toBe(area);
  expect(offers().length).toBeGreaterThan(1);
  await userEvent.keyboard('{Control>}z{/Control}');
  expect(area.value).toBe('a red bal');
  await userEvent.keyboard('{End}l{Tab}{Tab}');
  expect(area.value).toBe('a red balloon ');
  expect(document.activeElement).not.toBe(area);
  expect(offers()).toEqual([]);
});

test('arrows choose, Tab takes, Enter is always for the clip', async () => {
  await userEvent.keyboard('a red boat ');
  await userEvent.keyboard('{ArrowDown}{ArrowRight}');
  const chosen = offers()[1]!;
  expect(chosen.getAttribute('aria-selected')).toBe('true');
  const { text } = app.wording.offers[1]!;
  await userEvent.keyboard('{Tab}');
  expect(area.value).toBe(`a red boat ${text} `);
  await userEvent.keyboard('{ArrowDown}{Enter}');
  expect(area.value).toBe(`a red boat ${text} `);
  expect(generated).toBe(1);
  expect(offers()).toEqual([]);
});

test('a click takes one and leaves the caret where the sentence goes on', async () => {
  await userEvent.keyboard('a red boat spin');
  await userEvent.click(offers()[0]!);
  expect(area.value).toBe('a red boat spinning ');
  expect(document.activeElement).toBe(area);
  await userEvent.keyboard('x');
  expect(area.value).toBe('a red boat spinning x');
});

test('unknown words are named when they end; a slip is put right by a click', async () => {
  await userEvent.keyboard('a red dragon');
  expect(line()).toBe('');
  await userEvent.keyboard(' and a blue balon ');
  expect(line()).toMatch(/^Pocket does not know: dragon balon → balloon$/);
  await userEvent.click(at('slip'));
  expect(area.value).toBe('a red dragon and a blue balloon ');
  expect(line()).toBe('Pocket does not know: dragon');
  app.preferences.choose({ language: 'zh' });
  flushSync();
  expect(line()).toBe('Pocket 不认识： dragon');
  expect(at('unknown').getAttribute('aria-live')).toBe('polite');
});

test('Escape hides the offers and is heard by nobody else; without offers it is', async () => {
  const heard = vi.fn((event: KeyboardEvent) => event.defaultPrevented);
  window.addEventListener('keydown', heard);
  await userEvent.keyboard('a red bal');
  await userEvent.keyboard('{Escape}');
  expect(offers()).toEqual([]);
  await userEvent.keyboard('{Escape}');
  window.removeEventListener('keydown', heard);
  expect(heard.mock.results.slice(-2).map(({ value }) => value)).toEqual([true, false]);
});

test('an input method composes in peace, and its word is read when it is done', () => {
  const compose = (text: string, type: string) => {
    area.value = text;
    area.setSelectionRange(text.length, text.length);
    if (type === 'compositionend') area.dispatchEvent(new CompositionEvent(type, { bubbles: true }));
    else area.dispatchEvent(new InputEvent('input', { isComposing: true, bubbles: true }));
    flushSync();
  };
  compose('一艘红色的chuan', 'input');
  expect([line(), offers().length]).toEqual(['', 0]);
  const enter = new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }); // prettier-ignore
  area.dispatchEvent(enter);
  expect([enter.defaultPrevented, generated]).toEqual([false, 0]);
  compose('一艘红色的船', 'input');
  compose('一艘红色的船', 'compositionend');
  expect(offers().length).toBeGreaterThan(1);
  expect(line()).toBe('');
});

test('a surprise is made of the model’s words; of the first edition too, and without any it is an example', async () => {
  for (const vocabulary of [SECOND, FIRST]) {
    app.wording.learn(vocabulary);
    at('surprise').click();
    await expect.poll(() => app.settings.prompt).toMatch(/^an? \w+ /);
    expect(app.wording.unknown.named).toEqual([]);
  }
  app.wording.learn(null);
  at('surprise').click();
  await expect.poll(() => app.settings.prompt).toBe(app.examples[0]);
});
