import { describe, expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { MAX_PROMPT } from '../../src/limits';
import { checkPrompt, cleanPrompt } from '../../src/text/clean';
import { expected, texts } from './fixtures';

describe("as Wan's own cleaning with ftfy", () => {
  test.each(texts.dirty.map((text, i) => [text, expected.cleaned[i]!]))('%j', (text, want) => {
    expect(cleanPrompt(text)).toBe(want);
  });

  test('leaves clean multilingual prompts as they are, but for what NFC and width change', () => {
    const odd = texts.prompts.filter((p) => cleanPrompt(p) !== p.trim());
    expect(odd.length).toBeLessThan(25);
    expect(cleanPrompt('красная лодка дрейфует по морю на закате')).toBe(
      'красная лодка дрейфует по морю на закате',
    );
  });

  test('cleaning twice changes nothing more, but for entities', () => {
    for (const text of [...texts.prompts, ...texts.dirty]) {
      const once = cleanPrompt(text);
      if (!once.includes('&')) expect(cleanPrompt(once)).toBe(once);
    }
  });
});

test('lone halves of surrogate pairs become replacement characters', () => {
  expect(cleanPrompt('a\ud83db')).toBe('a\ufffdb');
  expect(cleanPrompt('a\ude00b')).toBe('a\ufffdb');
  expect(cleanPrompt('a😀b')).toBe('a😀b');
});

test('partly broken text is left alone', () => {
  expect(cleanPrompt('cafÃ© 日本')).toBe('cafÃ© 日本');
});

test.each<[string, string, object]>([
  ['', 'The prompt is empty', { length: 0 }],
  [' \n\t\x00\ufeff ', 'The prompt is empty', { length: 0 }],
  ['x'.repeat(MAX_PROMPT + 1), 'has 5001 characters; at most 5000', { length: 5001, max: 5000 }],
])('a person is told what is wrong: %#', (text, message, params) => {
  let error: unknown;
  try {
    checkPrompt(text);
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(KinoraError);
  expect(error).toMatchObject({ code: 'bad-request', params: { field: 'prompt', ...params } });
  expect(String(error)).toContain(message);
});

test('a good prompt is cleaned', () => {
  expect(checkPrompt('  “a  boat” ')).toBe('"a boat"');
  expect(checkPrompt('🎈'.repeat(MAX_PROMPT / 2))).toHaveLength(MAX_PROMPT);
});
