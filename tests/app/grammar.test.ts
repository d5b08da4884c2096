/** What goes with what, held against the tables that the models are taught with. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { indefinite, inflect, kindsOf, slotsAfter } from '../../src/app/lexicon/grammar';
import { readLexicon } from '../../src/app/lexicon/lexicon';
import { POCKET } from './vocabulary';

const pocket = readLexicon(POCKET)!;

/** "n Boot; n Segelboot" of `"boat": "n Boot; n Segelboot"`, of every subject. */
function taught(language: string): [kind: string, noun: string][] {
  const text = readFileSync(new URL(`../../training/words/${language}.py`, import.meta.url), 'utf8');
  const subjects = /"subject": \{([^}]*)\}/.exec(text)![1]!;
  const spellings = [...subjects.matchAll(/"\w+": "([^"]*)"/g)].flatMap((match) => match[1]!.split('; '));
  return spellings.map((spelling) => {
    const [kind, noun] = [spelling.split(' ')[0]!, spelling.slice(spelling.indexOf(' ') + 1)];
    return [kind, noun.replace(/\[([^|\]]*)[^\]]*\]/g, '$1').replace(language === 'zh' ? / /g : /$^/g, '')];
  });
}

test.each(['es', 'fr', 'de', 'zh'])('the nouns of %s are of the kinds that were taught', (language) => {
  const nouns = taught(language);
  expect(nouns.length).toBeGreaterThan(40);
  for (const [kind, noun] of nouns) expect(kindsOf(language, noun), noun).toContain(kind);
  const plain = pocket.forms.filter(
    (form) => form.language === language && form.attribute === 'subject' && form.rank === 0,
  );
  for (const { text } of plain)
    expect(kindsOf(language, text)[0], text).toBe(nouns.find(([, noun]) => noun === text)![0]);
});

test.each([
  ['de', 'er', ['roter', 'knallroter']],
  ['de', 'e', ['rote', 'knallrote']],
  ['es', 'a', ['roja', 'carmesí']],
  ['fr', 'e', ['rouge', 'écarlate', 'vermeille']],
])('red in %s with -%s is %j', (language, wanted, words) => {
  const red = pocket.forms.filter((form) => form.language === language && form.attribute === 'colour' && form.value === 'red'); // prettier-ignore
  expect(inflect(language, red.map(({ text }) => text), wanted)).toEqual(expect.arrayContaining(words)); // prettier-ignore
});

test('articles, and of what is not known nothing', () => {
  expect(indefinite('de', 'Haus')).toEqual({ article: 'ein', ending: 'es' });
  expect(indefinite('fr', 'étoile')).toEqual({ article: 'une', ending: 'e' });
  expect(indefinite('zh', '船').article).toBe('一艘');
  expect(indefinite('zh', '龙').article).toBe('一个');
  expect(kindsOf('de', 'Drache')).toEqual([]);
  expect(slotsAfter('zh', '一起')).toBeNull();
  expect(slotsAfter('en', 'a')).toBeNull();
});
