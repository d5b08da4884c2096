/** When the page speaks of words, and whose the keys are. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Settings } from '../../src/app/settings.svelte';
import { PAUSE, Wording, type FieldKey } from '../../src/app/wording.svelte';
import { memoryStore } from './helpers';
import { SECOND } from './vocabulary';

let [settings, wording] = [null as unknown as Settings, null as unknown as Wording];

beforeEach(() => {
  vi.useFakeTimers();
  settings = new Settings(memoryStore(), () => 7);
  wording = new Wording(settings, () => 'en');
  wording.learn(SECOND);
});
afterEach(() => vi.useRealTimers());

function type(text: string, composing = false): void {
  settings.type('prompt', text);
  wording.typed(text.length, composing);
}
const press = (key: string, more: Partial<FieldKey> = {}, caret: number | null = settings.prompt.length) =>
  wording.key({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, ...more }, caret); // prettier-ignore
const named = () => wording.unknown.named.map(({ text }) => text);
const texts = () => wording.offers.map(({ text }) => text);

describe('unknown words', () => {
  test('are not told while they are typed, but when they end, or after a pause', () => {
    type('a red drag');
    expect(named()).toEqual([]);
    vi.advanceTimersByTime(PAUSE + 1);
    expect(named()).toEqual(['drag']);
    type('a red dragon');
    expect(named()).toEqual([]);
    type('a red dragon ');
    expect(named()).toEqual(['dragon']);
  });

  test('are told when the field is left; those of a restored prompt at once', () => {
    type('a castle');
    expect(named()).toEqual([]);
    wording.rest();
    expect(named()).toEqual(['castle']);
    settings.suggest('a unicorn');
    expect(named()).toEqual(['unicorn']);
  });

  test('of an input method are not told while it composes, however long that takes', () => {
    type('一艘 chuan', true);
    vi.advanceTimersByTime(10 * PAUSE);
    expect(named()).toEqual([]);
    expect(texts()).toEqual([]);
    type('一艘船');
    expect(texts().length).toBeGreaterThan(0);
  });

  test('are told once each, and not without end', () => {
    settings.suggest('dragon Dragon DRAGON castle');
    expect(named()).toEqual(['dragon', 'castle']);
    settings.suggest('aa bb cc dd ee ff gg hh');
    expect(wording.unknown).toMatchObject({ named: { length: 6 }, more: 2 });
  });

  test('are none for a model without a vocabulary', () => {
    for (const nothing of [null, undefined, {}]) {
      wording.learn(nothing);
      type('a dragon ');
      expect([named(), texts()]).toEqual([[], []]);
      expect(press('ArrowDown')).toBeNull();
    }
  });
});

describe('keys', () => {
  test('Tab takes the word that was begun', () => {
    type('a red bal');
    expect(wording.active).toBe(0);
    expect(press('Tab')).toMatchObject({ insert: 'balloon ', start: 6, end: 9 });
  });

  test('Tab leaves the field where no word was begun, until an offer is chosen', () => {
    type('a red boat ');
    expect(texts().length).toBeGreaterThan(1);
    expect(press('Tab')).toBeNull();
    expect(press('ArrowDown')).toBe('used');
    expect(press('ArrowRight')).toBe('used');
    expect(press('Tab')).toMatchObject({ text: texts()[1] });
    expect(press('Tab', { shiftKey: true })).toBeNull();
  });

  test('Enter, letters, and arrows in the text are the field’s own', () => {
    type('a red bal');
    for (const key of ['Enter', 'x', ' ', 'Backspace', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'Home'])
      expect(press(key), key).toBeNull();
    expect(press('ArrowDown', {}, 3)).toBeNull();
    press('ArrowDown');
    expect(press('Enter')).toBeNull();
  });

  test('arrows go round, and back into the text', () => {
    type('a red boat ');
    for (const _ of texts()) press('ArrowDown');
    expect(wording.active).toBe(texts().length - 1);
    press('ArrowDown');
    expect(wording.active).toBe(0);
    expect(press('ArrowUp')).toBe('used');
    expect(wording.active).toBe(-1);
    expect(press('ArrowUp')).toBeNull();
  });

  test('Escape hides the offers until they are asked for; without offers it is the page’s', () => {
    type('a red bal');
    expect(press('Escape')).toBe('used');
    expect(press('Escape')).toBeNull();
    type('a red ball');
    expect(texts()).toEqual([]);
    expect(press('ArrowDown')).toBe('used');
    expect(texts()).toEqual(['balloon']);
    press('Escape');
    wording.rest();
    type('a red bal');
    expect(texts()).toEqual(['balloon']);
  });

  test('of an input method, and with Ctrl or Alt, do nothing here', () => {
    type('a red bal');
    for (const more of [{ isComposing: true }, { ctrlKey: true }, { altKey: true }, { metaKey: true }])
      for (const key of ['Tab', 'Escape', 'ArrowDown', 'Enter']) expect(press(key, more)).toBeNull();
    expect(texts()).toEqual(['balloon']);
  });
});

test('offers are for what was typed alone: a selection, a surprise or a restored prompt has none', () => {
  type('a red bal');
  settings.suggest('a red bal and more');
  expect(texts()).toEqual([]);
  settings.type('prompt', 'a red bal');
  wording.typed(null, false);
  expect(texts()).toEqual([]);
});

test('speaks the person’s language until they write another; words of ours are not theirs', () => {
  wording = new Wording(settings, (known) => (known.includes('de') ? 'de' : 'en'));
  wording.learn(SECOND);
  type('');
  expect(wording.language).toBe('de');
  expect(texts()[0]).toBe('ein Boot');
  type('un barco rojo');
  expect(wording.language).toBe('es');
  type('дракон');
  expect(wording.language).toBe('de');
  settings.suggest('a red boat');
  expect(wording.language).toBe('de');
});
