/** Prompts that the page makes up. */
import { describe, expect, test } from 'vitest';
import { readLexicon } from '../../src/app/lexicon/lexicon';
import { read } from '../../src/app/lexicon/read';
import { compose, surprise } from '../../src/app/surprise';
import { FIRST, SECOND } from './vocabulary';

const second = readLexicon(SECOND)!;
const first = readLexicon(FIRST)!;

/** Dice that always fall alike for the same seed (mulberry32). */
function diceOf(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const many = (lexicon: typeof second, language: string) =>
  Array.from({ length: 300 }, (_, i) => compose(lexicon, language, diceOf(i))!);

describe.each([
  ['the second edition', second, 'en'],
  ['the second edition', second, 'zh'],
  ['the first edition', first, 'en'],
  ['the first edition', first, 'zh'],
] as const)('a surprise of %s', (_, lexicon, language) => {
  const prompts = many(lexicon, language);

  test(`in ${language} says three to six things in words that the model knows`, () => {
    for (const prompt of prompts) {
      const { unknown, said, language: own } = read(lexicon, prompt, language);
      expect(unknown, prompt).toEqual([]);
      expect(own).toBe(language);
      expect(said.size, prompt).toBeGreaterThanOrEqual(3);
      expect(said.size, prompt).toBeLessThanOrEqual(6);
      expect([...said], prompt).toEqual(expect.arrayContaining(['colour', 'subject']));
    }
  });

  test(`in ${language} is seldom the same`, () => expect(new Set(prompts).size).toBeGreaterThan(25));
});

test('has weather, camera and pairs where the model has them, and only what is worth saying', () => {
  const prompts = many(second, 'en');
  for (const part of [/in the rain|snow/, /, (the camera pans|zoom in)$/, / next to an? /, / chasing an? /])
    expect(prompts.some((prompt) => part.test(prompt)), String(part)).toBe(true); // prettier-ignore
  for (const prompt of prompts) {
    expect(prompt).not.toMatch(/clear weather|still camera|realistic|alone|matte/);
    expect(prompt).not.toMatch(/\ba [aeiou]|\ban [^aeiou]|undefined| {2}|^ | $/);
    expect(prompt).not.toMatch(/(in space|on the moon).*(rain|snow)/);
  }
});

test('in Chinese has measure words, 的, and places where they belong', () => {
  const prompts = many(second, 'zh');
  for (const prompt of prompts) {
    expect(prompt).not.toMatch(/undefined|的的|在在| /);
    expect(prompt).toMatch(/一(艘|个|颗|只)(红|大红|蓝)色?的/);
  }
  const pairs = prompts.filter((prompt) => /和|追着/.test(prompt));
  expect(pairs.length).toBeGreaterThan(10);
  expect(prompts.some((prompt) => /^(夜晚|晚上|日落时)?(下着雨|在雾中)，一/.test(prompt))).toBe(true);
});

test('a language that this page cannot write, or no vocabulary, gives one of the examples, another than now', () => {
  expect(compose(second, 'fr')).toBeNull();
  expect(compose(null, 'en')).toBeNull();
  expect(compose(readLexicon({ en: { subject: { boat: ['boat'] } } }), 'en')).toBeNull();
  expect(surprise(second, ['un bateau', 'une étoile'], 'fr', 'un bateau')).toBe('une étoile');
  expect(surprise(null, ['a', 'b'], 'en', 'a')).toBe('b');
  expect(surprise(null, ['a'], 'en', 'a')).toBe('a');
  expect(surprise(null, [], 'en', 'a')).toBeNull();
});
