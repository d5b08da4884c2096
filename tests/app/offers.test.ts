/** How a sentence may go on. */
import { describe, expect, test } from 'vitest';
import { readLexicon } from '../../src/app/lexicon/lexicon';
import { MOST, offersAt, type Offer } from '../../src/app/lexicon/offers';
import { read } from '../../src/app/lexicon/read';
import { FIRST, POCKET, SECOND } from './vocabulary';

const second = readLexicon(SECOND)!;
const first = readLexicon(FIRST)!;
const pocket = readLexicon(POCKET)!;

/** Offers at the caret "|", or at the end. */
function at(text: string, language = 'en', lexicon = second): Offer[] {
  const caret = text.includes('|') ? text.indexOf('|') : text.length;
  return offersAt(lexicon, text.replace('|', ''), caret, language);
}
const texts = (...args: Parameters<typeof at>) => at(...args).map(({ text }) => text);
const taken = (text: string, offer: Offer) =>
  text.slice(0, offer.start) + offer.insert + text.slice(offer.end);

describe('the end of a word that was begun', () => {
  test.each([
    ['a red bal', ['balloon']],
    ['a red boat mov', ['moving left', 'moves left']],
    ['a red boat in the d', ['in the desert', 'in the dark']],
    ['a boat on ', ['on the sea', 'on the water', 'on the moon']],
    ['a hot a', ['hot-air balloon']],
    ['un barco ro', ['rojo']],
    ['ein Sch', ['Schiff']],
    ['a red sailing', ['sailing boat']],
  ])('%s: %j', (text, words) => {
    const offers = at(text);
    expect(offers.map((offer) => offer.text)).toEqual(expect.arrayContaining(words));
    expect(offers.every(({ typed }) => typed)).toBe(true);
    expect(offers.length).toBeLessThanOrEqual(MOST);
  });

  test('replaces what was typed of it, keeps its capital, and leaves room for the next word', () => {
    expect(taken('A red Bal', at('A red Bal')[0]!)).toBe('A red Balloon ');
    expect(taken('boat in the d', at('boat in the d')[0]!)).toBe('boat in the desert ');
    const text = 'a bal in space';
    expect(taken(text, at('a bal| in space')[0]!)).toBe('a balloon in space');
  });

  test('is nothing inside a word, or of a word that the model does not have', () => {
    expect(at('a red ba|lloon')).toEqual([]);
    expect(at('a drag')).toEqual([]);
  });

  test.each([
    ['a red b', ['boat', 'balloon']],
    ['ein rotes A', ['Auto']],
    ['ein rotes B', ['Boot']],
    ['un bateau r', ['rouge', 'rose']],
    ['un bateau a', ['avançant vers la gauche']],
    ['una estrella g', ['girando']],
    ['un barco e', ['en el mar']],
    ['un b', ['barco']],
  ])('after one letter, whatever the browser speaks; %s: %j first', (text, words) => {
    const offers = at(text, 'en', pocket);
    expect(offers.slice(0, words.length).map((offer) => offer.text)).toEqual(words);
    expect(offers[0]!.typed).toBe(true);
  });

  test.each([
    ['eine ro', ['rote', 'rosa'], /^(roter|rotes|rot)$/],
    ['ein ro', ['roter', 'rosa', 'rotes'], /^(rote|rot)$/],
    ['una estrella ro', ['roja', 'rosa'], /^rojo$/],
    ['une auto b', ['bleue', 'blanche'], /^(bleu|blanc)$/],
    ['ein roter B', ['Ballon', 'Baum'], /^Boot$/],
    ['eine T', ['Tanne'], /^Tannenbaum$/],
  ])('agrees with the article and the noun; %s: %j', (text, words, never) => {
    const found = texts(text, 'en', pocket);
    expect(found.slice(0, words.length)).toEqual(words);
    for (const word of found) expect(word).not.toMatch(never);
  });

  test('an article begins no other word while a thing is to come', () => {
    expect(texts('一', 'zh', pocket)).toContain('艘船');
    for (const text of ['一', 'a', '一只鸭子和一']) expect(at(text, 'zh', pocket).some(({ typed }) => typed), text).toBe(false); // prettier-ignore
    expect(texts('一艘船一', 'zh', pocket)[0]).toBe('一分为二');
    expect(texts('un bateau la', 'fr', pocket)).toContain('la nuit');
  });

  test('in Chinese and Japanese begins anywhere, though never within a word that is complete', () => {
    expect(texts('一个热气', 'zh')).toContain('热气球');
    expect(taken('一艘船在大', at('一艘船在大')[0]!)).toBe('一艘船在大海上');
    expect(texts('船旋')).toContain('旋转');
    expect(texts('赤い船が海の')).toContain('海の上で');
    expect(texts('一艘船升')).toContain('升空');
    expect(texts('一艘船上升').some((text) => text.startsWith('升'))).toBe(false);
  });
});

describe('what has not been said', () => {
  test('in English: a colour and a thing, what it does, where, when, the weather, the camera', () => {
    const steps = [
      ['', /^an? (red|orange|blue|boat|balloon|star|house)$/],
      ['a red ', /^(boat|balloon|star|house)$/],
      ['a red boat ', /^(moving left|spinning|rising|on the sea|in the desert|in space|by day|at night)$/],
      ['a red boat spinning ', /^(on the sea|in the desert|in space|by day|at night|in the rain|while it snows)$/], // prettier-ignore
      ['a red boat spinning on the sea at night ', /^(in the rain|while it snows|the camera pans|zoom in)$/],
    ] as const;
    for (const [text, expected] of steps) {
      const offers = at(text);
      expect(offers.length, text).toBeGreaterThan(1);
      for (const offer of offers) expect(offer.text, text).toMatch(expected);
      expect(offers.every(({ typed }) => !typed)).toBe(true);
    }
  });

  test('whatever is taken is understood', () => {
    for (const begin of [
      '',
      'a red ',
      'a red boat',
      'a red boat, ',
      'a boat next to ',
      '一艘红色的',
      '一艘船',
      '赤い船',
      'un barco ',
      'ein Boot ',
    ])
      // prettier-ignore
      for (const offer of at(begin)) {
        const text = taken(begin, offer);
        expect(read(second, text, 'en').unknown, text).toEqual([]);
        expect(text).not.toMatch(/ {2}|[a-z](moving|spinning|the camera)| ,/);
      }
  });

  test('what was said is not offered again, wherever it stands', () => {
    expect(texts('a red boat | at night').join()).not.toMatch(/by day|at night/);
    expect(texts('at night a boat ').join()).not.toMatch(/by day|red|star/);
  });

  test('a camera is set off by a comma', () => {
    const text = 'a red boat spinning on the sea at night in the rain ';
    expect(at(text).map((offer) => taken(text, offer))).toContain(
      'a red boat spinning on the sea at night in the rain, zoom in ',
    );
  });

  test('articles agree; after "next to" and "and" another thing comes', () => {
    expect(texts('an ')).toEqual(['orange']);
    expect(texts('a ')).not.toContain('orange');
    for (const text of texts('a boat next to ')) expect(text).toMatch(/^an? /);
    for (const text of texts('a boat and ')) expect(text).toMatch(/^an? /);
    expect(texts('a boat with ').join()).toBe('with a matte finish');
  });

  test('in Chinese: after the thing time, place and motion, and nothing of that behind the motion', () => {
    expect(texts('', 'zh')).toEqual(expect.arrayContaining(['红色的']));
    for (const text of texts('一艘红色的')) expect(text).toMatch(/^(船|热气球|星星|鸭子)$/);
    for (const text of texts('一艘红色的船')) expect(text).toMatch(/^(夜晚|日落时|在海上|在沙漠里|向左移动|旋转|上升)$/); // prettier-ignore
    for (const text of texts('一艘红色的船旋转')) expect(text).toMatch(/^(下着雨|在雾中|镜头平移|镜头推近)$/);
    expect(at('船旋转').map((offer) => taken('船旋转', offer))).toContain('船旋转，下着雨');
  });

  test('in Chinese only what the measure word counts', () => {
    expect(texts('一艘', 'zh', pocket).filter((text) => !text.endsWith('的'))).toEqual(['船']);
    expect(texts('一艘红色的', 'zh', pocket)).toEqual(['船']);
    expect(texts('一颗', 'zh', pocket)).toEqual(expect.arrayContaining(['星星', '爱心']));
    expect(taken('一', at('一', 'zh', pocket)[0]!)).toMatch(/^一(艘船|个热气球|座房子|辆汽车|条鱼)$/);
  });

  test('in German, Spanish and French things with their article; behind it and behind an adjective what agrees', () => {
    for (const text of texts('', 'de', pocket)) expect(text).toMatch(/^(ein (Boot|Heißluftballon|Haus|Auto|Fisch)|eine .*)$/); // prettier-ignore
    expect(texts('', 'es', pocket)).toEqual(expect.arrayContaining(['un barco', 'una casa']));
    expect(texts('', 'fr', pocket)).toEqual(expect.arrayContaining(['un bateau', 'une montgolfière']));
    for (const text of texts('ein rotes ', 'en', pocket)) expect(text).toMatch(/^(Boot|Haus|Auto|Herz)$/);
    for (const text of texts('eine ', 'en', pocket)) expect(text).toMatch(/^([a-zäöüß]+e|rosa|lila|Rakete|Tanne|Ente)$/); // prettier-ignore
    expect(texts('una estrella ', 'en', pocket).join()).toMatch(/^(roja|naranja|amarilla|verde|azul|morada|rosa|blanca),/); // prettier-ignore
  });

  test('characters that two languages share are of the one that stands around them, or the person’s', () => {
    for (const text of texts('赤', 'en', pocket)) expect(text).not.toMatch(/[鱼爱颗]|火箭/);
    expect(texts('船', 'ja', pocket)[0]).toMatch(/^が/);
    expect(texts('夜に赤い車が走る\n船', 'en', pocket)[0]).toMatch(/^が/);
    expect(texts('船', 'en', pocket).join()).toMatch(/在/);
  });

  test('a thing that the model does not know is a thing; a text that it cannot read is left alone', () => {
    expect(texts('a dragon ').join()).not.toMatch(/red|boat/);
    expect(at('дракон в замке ')).toEqual([]);
  });

  test('in a script each line is for itself', () => {
    expect(texts('[2s] a red boat at night\n[cut] a blue ')).toContain('boat');
    expect(texts('a red boat at night\n').join()).toMatch(/an? /);
  });

  test('the same words are offered once, whatever they stand for', () => {
    const lexicon = readLexicon({ en: { subject: { boat: ['boat'] }, place: { snow: ['in the snow'], sea: ['at sea'] }, weather: { snow: ['in the snow'], fog: ['in the fog'] } } })!; // prettier-ignore
    const words = texts('boat ', 'en', lexicon);
    expect(words).toContain('in the snow');
    expect(new Set(words).size).toBe(words.length);
  });

  test('of the first edition', () => {
    expect(texts('a red boat ', 'en', first)).toEqual(expect.arrayContaining(['swaying', 'on the sea']));
    for (const text of texts('', 'zh', first)) expect(text).toMatch(/^(红色的|橙色的|船|鱼)$/);
    expect(at('a red boat swaying on the sea at night ', 'en', first)).toEqual([]);
  });
});
