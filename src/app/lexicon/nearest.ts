/** The known word that a slip of the finger turned into another one. */
import { fold, unitsOf, type Lexicon } from './lexicon';

interface Known {
  /** As it is written. */
  readonly text: string;
  readonly languages: Set<string>;
}

const tables = new WeakMap<Lexicon, Map<string, Known>>();

/** All single words of what can be seen, folded. Not the words in between: three is no "there". */
function knownWords(lexicon: Lexicon): Map<string, Known> {
  let words = tables.get(lexicon);
  if (words) return words;
  tables.set(lexicon, (words = new Map()));
  const add = (text: string, language: string) => {
    const known = words.get(fold(text)) ?? { text, languages: new Set() };
    words.set(fold(text), known);
    known.languages.add(language);
  };
  for (const { text, language } of lexicon.forms)
    for (const { start, end, cjk } of unitsOf(text)) if (!cjk) add(text.slice(start, end), language);
  return words;
}

/**
 * The known word that `word` was most probably meant to be, in its capitals, or null. One slip: two letters swapped, one
 * doubled, left out or too many, one of a neighbouring key, or accents left away. Careful, for a wrong guess is worse
 * than none: a horse is not a house, nor a goat a boat.
 * @param language the only language to look in; null: all
 */
export function nearest(lexicon: Lexicon, word: string, language: string | null): string | null {
  const wrong = fold(word);
  if (wrong.length < 3 || /\d/.test(wrong)) return null;
  let [best, least] = [null as Known | null, Infinity];
  for (const [right, known] of knownWords(lexicon)) {
    if (right.length < 3 || Math.abs(right.length - wrong.length) > 3) continue;
    if (language !== null && !known.languages.has(language)) continue;
    const cost = singular(wrong, right, known.languages) ? 2 : slip(wrong, right);
    if (cost < least) [best, least] = [known, cost];
  }
  if (!best) return null;
  return /^\p{Lu}/u.test(word) ? best.text[0]!.toUpperCase() + best.text.slice(1) : best.text;
}

const ASCII = /^[\0-\x7f]*$/;
const bare = (text: string) => (ASCII.test(text) ? text : text.normalize('NFD').replace(/\p{M}/gu, ''));
const single = (text: string) => text.replace(/(.)\1+/gu, '$1');

/** How a plural ends, and what stands there instead for one thing. */
const PLURALS: Readonly<Record<string, readonly (readonly [RegExp, string])[]>> = {
  en: [[/e?s$/, ''], [/s$/, ''], [/men$/, 'man']],
  es: [[/e?s$/, ''], [/s$/, ''], [/ces$/, 'z']],
  fr: [[/[sx]$/, '']],
  de: [[/(e|en|er|s)$/, ''], [/n$/, '']],
}; // prettier-ignore

/** `many` is the plural of `one` in a language of its own: the models know one of each. Umlauts and accents come and go. */
const singular = (many: string, one: string, languages: ReadonlySet<string>): boolean =>
  [...languages].some((language) =>
    PLURALS[language]?.some(
      ([end, instead]) => end.test(many) && bare(many.replace(end, instead)) === bare(one),
    ),
  );

/** How bad the slip is from the right word to the wrong one: 1 to 4, Infinity when it is none. */
export function slip(wrong: string, right: string): number {
  if (bare(wrong) === bare(right)) return 1;
  const swap = swapped(wrong, right);
  if (swap) return 2;
  if (wrong[0] !== right[0]) return Infinity;
  if (wrong.length >= 4 && single(wrong) === single(right)) return 3;
  if (wrong.length >= 4 && right.length > wrong.length && dropped(right, wrong)) return 3;
  if (right.length >= 5 && wrong.length > right.length && dropped(wrong, right)) return 4;
  return wrong.length >= 4 && wrong.length === right.length && besideKey(wrong, right) ? 4 : Infinity;
}

/** `short` is `long` without one letter. */
function dropped(long: string, short: string): boolean {
  if (long.length !== short.length + 1) return false;
  let i = 0;
  while (i < short.length && long[i] === short[i]) i++;
  return long.slice(i + 1) === short.slice(i);
}

/** Two neighbouring letters changed places. */
function swapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i < a.length - 1 && a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}

const ROWS = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'];
/** [row, column], rows shifted by half a key as on a keyboard. */
const KEYS = new Map(ROWS.flatMap((row, y) => [...row].map((key, x) => [key, [y, x + y / 2]] as const)));

/** One letter is of a neighbouring key. */
function besideKey(a: string, b: string): boolean {
  const at = [...a].flatMap((letter, i) => (letter === b[i] ? [] : [i]));
  if (at.length !== 1) return false;
  const [one, two] = [KEYS.get(a[at[0]!]!), KEYS.get(b[at[0]!]!)];
  return !!one && !!two && Math.abs(one[0]! - two[0]!) <= 1 && Math.abs(one[1]! - two[1]!) <= 1;
}
