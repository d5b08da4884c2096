import { describe, expect, test } from 'vitest';
import { loadTokenizer } from '../../src/text/tokenizer';
import { expected, texts, tokenizerJson } from './fixtures';

/**
 * Without its precompiled character map (charsmap.test.ts) the package applies NFKC and its own list of spaces. That differs
 * from the map for joiners (U+200D becomes a space) and for marks stacked on one letter. Pocket has no such map.
 */
const DIFFERENT = texts.prompts.filter((p) => /\u200d|\u0301\u0302/.test(p));

describe.each(['umt5', 'words'])('%s: the ids of Python', (name) => {
  const tokenizer = loadTokenizer(tokenizerJson(name));
  const cases = texts.prompts.map((text, i) => [text, expected.ids[name]![i]!] as const);
  const same = cases.filter(([text]) => name === 'words' || !DIFFERENT.includes(text));

  test('there are at least 60 strings', () => expect(same.length).toBeGreaterThanOrEqual(60));

  test.each(same)('%j', (text, want) => {
    expect([...tokenizer.encode(text, 512)]).toEqual(want);
  });
});

test('what is known to differ still does; if not, take it off the list', () => {
  const tokenizer = loadTokenizer(tokenizerJson('umt5'));
  expect(DIFFERENT).toHaveLength(3);
  for (const text of DIFFERENT)
    expect([...tokenizer.encode(text, 512)]).not.toEqual(expected.ids.umt5![texts.prompts.indexOf(text)]);
});

test('cuts before </s>', () => {
  const tokenizer = loadTokenizer(tokenizerJson('words'));
  const whole = tokenizer.encode('a red boat drifting on the sea at sunset', 512);
  expect(tokenizer.end).toBe(1);
  expect(whole.at(-1)).toBe(1);
  expect([...tokenizer.encode('a red boat drifting on the sea at sunset', 4)]).toEqual([
    ...whole.slice(0, 3),
    1,
  ]);
  expect([...tokenizer.encode('a red boat', 1)]).toEqual([1]);
  expect([...tokenizer.encode('', 512)]).toEqual([1]);
  expect(() => tokenizer.encode('a', 0)).toThrow('maxLength is 0');
});

test('every id is below its size', () => {
  const tokenizer = loadTokenizer(tokenizerJson('umt5'));
  const most = Math.max(...texts.prompts.flatMap((p) => [...tokenizer.encode(p, 512)]));
  expect(most).toBeLessThan(tokenizer.size);
  expect(tokenizer.size).toBe((tokenizerJson('umt5') as { model: { vocab: unknown[] } }).model.vocab.length);
});

test.each<[unknown, string]>([
  [null, 'tokenizer.json is not an object'],
  [{}, 'is damaged or of a kind'],
  [{ ...(tokenizerJson('words') as object), model: { type: 'Nothing' } }, 'is damaged or of a kind'],
])('refuses %#', (json, message) => {
  expect(() => loadTokenizer(json)).toThrow(message);
});

test('a long prompt takes no long time', () => {
  const tokenizer = loadTokenizer(tokenizerJson('umt5'));
  const start = performance.now();
  expect(tokenizer.encode('a red boat on the sea '.repeat(230), 512)).toHaveLength(512);
  expect(performance.now() - start).toBeLessThan(5000);
});
