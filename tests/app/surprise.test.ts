/** Prompts that the page makes up. */
import { describe, expect, test } from 'vitest';
import { readLexicon } from '../../src/app/lexicon/lexicon';
import { read } from '../../src/app/lexicon/read';
import { compose, surprise } from '../../src/app/surprise';
import { FIRST, POCKET, SECOND } from './vocabulary';

const second = readLexicon(SECOND)!;
const first = readLexicon(FIRST)!;
const pocket = readLexicon(POCKET)!;

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
  ...['en', 'zh', 'es', 'fr', 'de', 'ja'].map((language) => ['Pocket', pocket, language] as const),
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
      expect([...said], prompt).not.toContain('subject2');
    }
  });

  test(`in ${language} is seldom the same`, () => expect(new Set(prompts).size).toBeGreaterThan(25));
});

test('has weather and camera where the model has them, and only what is worth saying', () => {
  const prompts = many(second, 'en');
  for (const part of [/while it snows|in the rain/, /, the camera pans|, zoom in$/])
    expect(prompts.some((prompt) => part.test(prompt)), String(part)).toBe(true); // prettier-ignore
  for (const prompt of prompts) {
    expect(prompt).not.toMatch(/clear weather|still camera|realistic|alone|matte/);
    expect(prompt).not.toMatch(/\ba [aeiou]|\ban [^aeiou]|undefined| {2}|^ | $/);
    expect(prompt).not.toMatch(/(in space|on the moon).*(rain|snow)/);
  }
});

test('says the plain word of each thing, of one thing, and nothing that cannot be seen', () => {
  const plain = new Set(pocket.forms.filter(({ rank }) => rank === 0).map(({ text }) => text));
  for (const prompt of many(pocket, 'en')) {
    const { pieces } = read(pocket, prompt, 'en');
    for (const { start, end, attribute } of pieces)
      if (attribute) expect(plain, prompt).toContain(prompt.slice(start, end));
    expect(prompt).not.toMatch(/tree spinning| next to | chasing /);
  }
});

test('in Chinese has measure words, 的, and places where they belong', () => {
  const prompts = many(pocket, 'zh');
  const counted = /一(艘|个|座|辆|条|枚|棵|颗|只)(红|橙|黄|绿|蓝|紫|粉|白)色的(船|热气球|雪人|幽灵|房子|汽车|鱼|火箭|松树|星星|爱心|鸭子)/; // prettier-ignore
  for (const prompt of prompts) {
    expect(prompt).not.toMatch(/undefined|的的|在在| /);
    expect(prompt).toMatch(counted);
    expect(prompt).not.toMatch(/松树.*旋转/);
  }
  expect(prompts.some((prompt) => /^(夜晚|日落时|早晨|白天)?(下着雨|在雾中)，一/.test(prompt))).toBe(true);
});

test('in the other languages agrees: articles, colours, and what turns on itself', () => {
  const one = (language: string, part: RegExp) =>
    many(pocket, language).filter((prompt) => part.test(prompt));
  for (const prompt of many(pocket, 'de')) expect(prompt).toMatch(/^(ein (\S+er|rosa|lila) (Heißluftballon|Fisch|Schneemann|Stern|Geist)|ein (\S+es|rosa|lila) (Boot|Haus|Auto|Herz)|eine (\S+e|rosa|lila) (Rakete|Tanne|Ente))\b/); // prettier-ignore
  for (const prompt of one('de', /steigt/)) expect(prompt).toMatch(/ steigt( .*)? auf(,|$)/);
  for (const prompt of one('es', /(casa|estrella) (roj|amarill|blanc|morad)/))
    expect(prompt).toMatch(/^una \S+ \S+a\b/);
  for (const prompt of one('fr', /étoile .*tournant sur/)) expect(prompt).toContain('elle-même');
  for (const prompt of one('fr', /bateau .*tournant sur/)) expect(prompt).toContain('lui-même');
  for (const prompt of many(pocket, 'ja')) expect(prompt).toMatch(/(い|の)(船|気球|家|車|魚|ロケット|雪だるま|木|星|ハート|アヒル|お化け)が/); // prettier-ignore
});

test('a language that this page cannot write, or no vocabulary, gives one of the examples, another than now', () => {
  const italian = readLexicon({ it: { subject: { boat: ['barca'] }, colour: { red: ['rossa'] } } })!;
  expect(compose(italian, 'it')).toBeNull();
  expect(compose(second, 'it')).toBeNull();
  expect(compose(null, 'en')).toBeNull();
  expect(compose(readLexicon({ en: { subject: { boat: ['boat'] } } }), 'en')).toBeNull();
  expect(surprise(italian, ['una barca', 'una stella'], 'it', 'una barca')).toBe('una stella');
  expect(surprise(null, ['a', 'b'], 'en', 'a')).toBe('b');
  expect(surprise(null, ['a'], 'en', 'a')).toBe('a');
  expect(surprise(null, [], 'en', 'a')).toBeNull();
});
