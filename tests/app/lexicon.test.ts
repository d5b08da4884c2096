/** Reading a prompt with a vocabulary: what is known, what is not, what was meant. */
import { describe, expect, test } from 'vitest';
import { readLexicon } from '../../src/app/lexicon/lexicon';
import { slip } from '../../src/app/lexicon/nearest';
import { read } from '../../src/app/lexicon/read';
import { withoutDirections } from '../../src/story/script';
import { FIRST, POCKET, SECOND } from './vocabulary';

const second = readLexicon(SECOND)!;
const first = readLexicon(FIRST)!;
const pocket = readLexicon(POCKET)!;
const unknown = (text: string, lexicon = second) => read(lexicon, text, 'en').unknown.map(({ text }) => text);
const said = (text: string, lexicon = second) => [...read(lexicon, text, 'en').said].sort();
const near = (text: string, lexicon = second) => read(lexicon, text, 'en').unknown.map(({ near }) => near);

describe('a vocabulary', () => {
  test.each([
    null,
    7,
    'x',
    [],
    {},
    { en: 7 },
    { en: { subject: 'boat' } },
    { en: { subject: { boat: [7] } } },
  ])('%j holds no words', (json) => expect(readLexicon(json)).toBeNull());

  test('is read in both editions’ forms; punctuation and the second subject’s copies are no words of it', () => {
    expect(second.languages).toEqual(['en', 'zh', 'es', 'fr', 'de', 'ja']);
    expect(first.languages).toEqual(['en', 'zh']);
    const attributes = new Set(second.forms.map(({ attribute }) => attribute));
    expect(attributes).not.toContain('subject2');
    expect(attributes).not.toContain('other');
  });

  test('keeps what is good of a damaged one', () => {
    const lexicon = readLexicon({ en: { subject: { boat: ['boat', null] }, colour: 'red' }, zh: null })!;
    expect(lexicon.forms.map(({ text }) => text)).toEqual(['boat']);
  });
});

describe('what is known', () => {
  test.each([
    'a red boat drifting to the left on the sea at night, the camera pans',
    'A HOT-AIR BALLOON',
    'ａ ｒｅｄ ｂｏａｔ',
    'the boat’s red… and two stars?'.replace('stars', 'star'),
    '一艘红色的船日落时在大海上旋转，镜头平移',
    '夜晚下着雨，一只蓝色的鸭子在沙漠里追着一个热气球',
    '海上 的 红色 帆船',
    'un barco rojo girando en el mar',
    "l'étoile rouge tournant sur elle-même",
    'ein rotes Boot dreht sich auf dem Meer',
    '赤い船が海の上で回転している',
    '赤のﾖｯﾄ',
    'a red 船 auf dem Meer',
    '[4s] a red boat\n[cut] [3 sec] a blue balloon rising',
    '— !!! …',
    '',
  ])('%s', (text) => expect(unknown(text)).toEqual([]));

  test('is the longest form, and a word of a longer form is known too', () => {
    const { pieces } = read(second, 'a sailing boat in the wide desert', 'en');
    expect(pieces.map(({ start, end }) => 'a sailing boat in the wide desert'.slice(start, end))).toEqual([
      'a', 'sailing boat', 'in', 'the', 'wide', 'desert',
    ]); // prettier-ignore
    expect(unknown('a sailing boat in the wide desert')).toEqual(['wide']);
    expect(said('a sailing boat in the wide desert')).toEqual(['place', 'subject']);
  });

  test('never reaches over a comma or a line’s end', () => {
    expect(said('moving, left')).toEqual(said('moving\nleft'));
    expect(read(second, 'moving, left', 'en').pieces).toHaveLength(2);
  });

  test('is little of another language than the model’s', () => {
    expect(unknown('дракон в замке')).toEqual(['дракон', 'замке']);
    expect(unknown('ein rotes Boot', first)).toEqual(['ein', 'rotes', 'Boot']);
  });

  test('of the first edition, with its glue in no list', () => {
    expect(unknown('an orange fish is drifting on the sea at night', first)).toEqual([]);
    expect(unknown('一艘红色的船夜晚在海上漂流', first)).toEqual([]);
  });
});

describe('what is not known', () => {
  test.each([
    ['a red dragon on the castle', ['dragon', 'castle']],
    ['don’t paint semi-transparent boats', ['don’t', 'paint', 'semi-transparent', 'boats']],
    ['一条巨龙在城堡里', ['巨龙', '城堡']],
    ['红色的龙 旋转', ['龙']],
    ['赤い龍が海で回転する', ['龍']],
    ['3 boat', ['3']],
    ['a red 🐱 boat', ['🐱']],
    ['a red👩🏽‍🚀dragon ❤️🇩🇪', ['👩🏽‍🚀', 'dragon', '❤️🇩🇪']],
  ])('%s: %j', (text, words) => expect(unknown(text)).toEqual(words));

  test('is told with its place in the text, directions counted', () => {
    const text = '[4s] a red dragon';
    const { start, end } = read(second, text, 'en').unknown[0]!;
    expect(text.slice(start, end)).toBe('dragon');
    expect(withoutDirections(text)).toHaveLength(text.length);
  });

  test('a text of the greatest length that is all unknown is read in a moment', () => {
    const before = performance.now();
    expect(read(second, 'xylophone '.repeat(500), 'en').unknown).toHaveLength(500);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe('what was meant', () => {
  test.each([
    ['a red balon', 'balloon'],
    ['a red baloon', 'balloon'],
    ['a red ballloon', 'balloon'],
    ['a rde boat', 'red'],
    ['a red boat spining', 'spinning'],
    ['two boats and a star', 'boat'],
    ['a Crimsom boat', 'Crimson'],
    ['un arbol rojo', 'árbol'],
    ['ein rotes Schif auf dem Meer', 'Schiff'],
    ['a red boat wiht a balloon', 'with'],
  ])('%s: %s', (text, word) => expect(near(text)).toEqual([word]));

  test.each(['horse', 'goat', 'mouse', 'cat', 'start', 'three', 'coat', 'dragon', 'x1y2z'])(
    'a %s is no slip of anything',
    (word) => expect(near(`a red ${word}`)).toEqual([null]),
  );

  test.each([
    ['two houses', 'house'],
    ['two ducks', 'duck'],
    ['snowmen', 'snowman'],
    ['dos corazones', 'corazón'],
    ['dos peces', 'pez'],
    ['deux bateaux', 'bateau'],
    ['zwei rote Häuser', 'Haus'],
    ['drei Enten', 'Ente'],
  ])('of a plural is the singular: %s, %s', (text, word) => expect(near(text, pocket)).toContain(word));

  test('is looked for in the prompt’s own language', () => {
    expect(near('a red Balon on the sea')).toEqual(['Balloon']);
    expect(near('ein rotes Balon auf dem Meer')).toEqual(['Ballon']);
  });

  test('slips are told apart from other words', () => {
    expect(slip('arbol', 'árbol')).toBeLessThan(slip('sptar', 'star'));
    expect(slip('boat', 'boats')).toBeLessThan(Infinity);
    expect(slip('hut', 'hat')).toBe(Infinity);
  });
});

test.each([
  ['a red boat', 'en', 'en'],
  ['a red boat', 'zh', 'en'],
  ['红色的船', 'en', 'zh'],
  ['赤い船', 'en', 'ja'],
  ['un barco rojo', 'en', 'es'],
  ['ein rotes Boot', 'zh', 'de'],
  ['bal', 'zh', 'en'],
  ['', 'zh', 'zh'],
  ['ein A', 'en', 'de'],
  ['赤', 'en', 'ja'],
  ['蓝', 'ja', 'zh'],
  ['船', 'ja', 'ja'],
  ['船', 'en', 'zh'],
  ['🐱', 'de', 'de'],
])('%s, in a page in %s, is %s', (text, preferred, language) => {
  expect(read(second, text, preferred).language).toBe(language);
});

test('two subjects are a pair', () => {
  expect(said('a red boat chasing a blue star')).toEqual(['colour', 'colour2', 'relation', 'subject', 'subject2']); // prettier-ignore
  expect(said('a red boat and a blue star')).toContain('relation');
  expect(said('a boat and')).toEqual(['subject']);
});
