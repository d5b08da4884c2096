/** What a short prompt leaves open is chosen by the seed, in a sentence of its own language. */
import { describe, expect, test } from 'vitest';
import model from '../../public/models/pocket/model.json';
import { readCard } from '../../src/app/card';
import { complete } from '../../src/app/lexicon/complete';
import { readLexicon } from '../../src/app/lexicon/lexicon';
import { read } from '../../src/app/lexicon/read';
import { withFirstShot } from '../../src/story/script';
import { POCKET } from './vocabulary';

const lexicon = readLexicon(POCKET)!;
const { unsaid } = readCard(model);
const completed = (prompt: string, seed = 1, language = 'en') =>
  complete(lexicon, unsaid, prompt, language, seed);
const seeds = Array.from({ length: 60 }, (_, seed) => seed);

describe('a short prompt becomes a whole sentence', () => {
  test.each([
    ['boat', 'en', 'boat'],
    ['a red car', 'en', 'car'],
    ['un pez', 'es', 'fish'],
    ['une maison bleue', 'fr', 'house'],
    ['ein Haus', 'de', 'house'],
    ['心', 'zh', 'heart'],
    ['赤い車', 'ja', 'car'],
  ])('“%s” of everything that a scene has, in its own language', (prompt, language, subject) => {
    for (const seed of seeds) {
      const sentence = completed(prompt, seed, language)!;
      const { said, unknown, pieces, language: own } = read(lexicon, sentence, language);
      expect(unknown, sentence).toEqual([]);
      expect(own, sentence).toBe(language);
      expect([...said].sort(), sentence).toEqual(['colour', 'motion', 'place', 'subject', 'time']);
      expect(pieces.find(({ attribute }) => attribute === 'subject')!.value, sentence).toBe(subject);
    }
  });

  test('keeps what was said, and chooses what suits the subject', () => {
    for (const seed of seeds) {
      expect(completed('a red boat', seed)).toMatch(/^a red boat .* on the sea /);
      expect(completed('a fish at night', seed)).toMatch(/^an? \w+ fish .* under water at night$/);
      expect(completed('a car spinning in the snow, the camera pans', seed)).toMatch(/^an? \w+ car spinning on the snow .*, the camera pans$/); // prettier-ignore
    }
  });

  test('is the same for a seed, and another for others', () => {
    expect(completed('boat', 7)).toBe(completed('boat', 7));
    const all = new Set(seeds.map((seed) => completed('boat', seed)));
    expect(all.size).toBeGreaterThan(30);
  });

  test('chooses a subject where none is named, but not where an unknown word may be one', () => {
    expect(new Set(seeds.map((seed) => completed('at sunset', seed))).size).toBeGreaterThan(20);
    expect(completed('a dragon at sunset')).toBeNull();
    expect(completed('a fluffy boat')).toMatch(/^an? \w+ boat /);
  });
});

test.each([
  ['all is said', 'a red boat swaying on the sea at sunset'],
  ['nothing of it is known', 'quantum entanglement'],
  ['two things', 'a red boat next to a blue house'],
  ['two colours', 'a red and blue boat'],
  ['here and there', 'a boat on the sea in the desert'],
  ['nothing at all', '…'],
])('nothing is chosen where %s', (_, prompt) => expect(completed(prompt)).toBeNull());

test('a model that does not say what to choose from chooses nothing', () => {
  expect(complete(lexicon, {}, 'boat', 'en', 1)).toBeNull();
  expect(readCard({ unsaid: 7 }).unsaid).toEqual({});
  expect(readCard({ unsaid: { place: [1], time: { '': ['night', 7] } } }).unsaid).toEqual({ place: { 0: [] }, time: { '': ['night'] } }); // prettier-ignore
});

test('the sentence takes the place of the first shot alone, behind its directions', () => {
  expect(withFirstShot('boat', 'a red boat')).toBe('a red boat');
  expect(withFirstShot('\n[4s] boat\n[cut] a car', 'a red boat')).toBe('\n[4s] a red boat\n[cut] a car');
});
