/** What a model with this vocabulary finds in a text, and what it does not. */
import { withoutDirections } from '../../story/script';
import { unitsOf, type Form, type Lexicon, type Unit } from './lexicon';
import { nearest } from './nearest';

/** A stretch of the text that is known as one form, or as a word of forms; or one unit that is not known. */
export interface Piece {
  /** UTF-16 units of the text, end excluded. */
  readonly start: number;
  readonly end: number;
  readonly known: boolean;
  /** What it says (`colour`), null for unknown words, for those that carry no picture, and where that is not clear. */
  readonly attribute: string | null;
  readonly value: string | null;
}

export interface Unknown {
  /** As the person wrote it. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** A known word that is but a slip away. */
  readonly near: string | null;
}

export interface Reading {
  readonly pieces: readonly Piece[];
  readonly unknown: readonly Unknown[];
  /** Attributes that the text names; `subject2` and `relation` too where it has two subjects. */
  readonly said: ReadonlySet<string>;
  /** Language of most of its words. */
  readonly language: string;
}

/** Of so many unknown words the right one is looked for: a text that is all unknown is not full of slips. */
const MOST_GUESSES = 12;

interface Found {
  readonly from: number;
  readonly to: number;
  readonly forms: readonly Form[];
  readonly part: boolean;
}

/**
 * Reads a text with the words of all languages at once, with as few unknown units as can be, then in as few pieces.
 * @param preferred language of a text whose words are of several, or of none
 */
export function read(lexicon: Lexicon, text: string, preferred: string): Reading {
  const units = unitsOf(withoutDirections(text));
  const found = segment(lexicon, units);
  const language = languageOf(lexicon, units, found, preferred);
  const pieces = found.map(({ from, to, forms, part }): Piece => {
    const meant = meaning(forms, part, language);
    return {
      start: units[from]!.start,
      end: units[to - 1]!.end,
      known: forms.length > 0,
      attribute: meant && meant.attribute !== 'other' ? meant.attribute : null,
      value: meant && meant.attribute !== 'other' ? meant.value : null,
    };
  });
  const sure = found.some(({ forms }) => forms.length > 0);
  return { pieces, unknown: unknownWords(lexicon, text, units, found, sure ? language : null), said: saidBy(pieces), language }; // prettier-ignore
}

/** The cheapest way through the units, from the end. */
function segment(lexicon: Lexicon, units: readonly Unit[]): Found[] {
  const [UNKNOWN, PIECE, PART] = [1000, 10, 12];
  const cost = new Array<number>(units.length + 1).fill(0);
  const best: Found[] = [];
  for (let i = units.length - 1; i >= 0; i--) {
    best[i] = { from: i, to: i + 1, forms: [], part: false };
    cost[i] = UNKNOWN + cost[i + 1]!;
    const take = (price: number, found: Found) => {
      if (price + cost[found.to]! > cost[i]!) return;
      [cost[i], best[i]] = [price + cost[found.to]!, found];
    };
    const forms = lexicon.parts.get(units[i]!.text);
    if (forms) take(PART, { from: i, to: i + 1, forms, part: true });
    let node = lexicon.root.next.get(units[i]!.text);
    for (let to = i + 1; node; to++) {
      if (node.forms.length > 0) take(PIECE, { from: i, to, forms: node.forms, part: false });
      const unit = units[to];
      node = unit && unit.gap !== 'apart' ? node.next.get(unit.text) : undefined;
    }
  }
  const found: Found[] = [];
  for (let i = 0; i < units.length; i = found.at(-1)!.to) found.push(best[i]!);
  return found;
}

/** A letter alone (the "a" of "ein rotes A") says less of its language than a word. */
const LETTER = 0.5;

/** Chinese and Japanese share characters, but no letters with the others: kana, then the words, then `preferred` decide. */
function languageOf(
  { languages }: Lexicon,
  all: readonly Unit[],
  found: readonly Found[],
  preferred: string,
): string {
  const units = all.filter(({ emoji }) => !emoji);
  const cjk = units.filter((unit) => unit.cjk);
  const dense = cjk.length > 0 && 2 * cjk.length >= units.length;
  const kana = cjk.some(({ text }) => /[\p{scx=Hira}\p{scx=Kana}]/u.test(text) && !/\p{sc=Han}/u.test(text));
  if (dense && kana && languages.includes('ja')) return 'ja';
  const votes = new Map<string, number>();
  for (const { from, to, forms } of found) {
    const vote = to - from === 1 && /^[a-z]$/.test(all[from]!.text) ? LETTER : 1;
    for (const language of new Set(forms.map((form) => form.language)))
      votes.set(language, (votes.get(language) ?? 0) + vote);
  }
  const able = dense ? languages.filter((language) => /^(zh|ja)$/.test(language)) : [];
  const among = able.length > 0 ? able : languages;
  const most = Math.max(0, ...among.map((language) => votes.get(language) ?? 0));
  const leading = among.filter((language) => (votes.get(language) ?? 0) === most);
  if (most > 0 || able.length > 0) return leading.includes(preferred) ? preferred : leading[0]!;
  // Nothing known yet: letters of the alphabet are not the beginning of a Chinese word.
  const latin = units.length > 0 && cjk.length === 0;
  return latin && /^(zh|ja)$/.test(preferred) ? 'en' : preferred;
}

/** The form that is meant, first of the text's own language; null where it is not clear which. */
function meaning(forms: readonly Form[], part: boolean, language: string): Form | null {
  const own = forms.filter((form) => form.language === language);
  const among = own.length > 0 ? own : forms;
  // 和 and "and" join two things, and join sentences: by themselves they say nothing.
  const other = among.find((form) => form.attribute === 'other');
  if (other) return other;
  const [first] = among;
  return first && (!part || among.every(({ attribute }) => attribute === first.attribute)) ? first : null;
}

function saidBy(pieces: readonly Piece[]): Set<string> {
  const said = new Set(pieces.flatMap(({ attribute }) => attribute ?? []));
  const count = (name: string) => pieces.filter(({ attribute }) => attribute === name).length;
  if (count('subject') > 1) said.add('subject2').add('relation');
  if (count('colour') > 1) said.add('colour2');
  return said;
}

/** Unknown units, together where they are one word: 巨龙, "don't". */
function unknownWords(
  lexicon: Lexicon,
  text: string,
  units: readonly Unit[],
  found: readonly Found[],
  language: string | null,
): Unknown[] {
  const words: { first: number; last: number }[] = [];
  for (const { from, forms } of found) {
    if (forms.length > 0) continue;
    const [unit, word] = [units[from]!, words.at(-1)];
    const goesOn =
      word?.last === from - 1 &&
      units[from - 1]!.cjk === unit.cjk &&
      units[from - 1]!.emoji === unit.emoji &&
      /none|hyphen/.test(unit.gap);
    if (goesOn) word.last = from;
    else words.push({ first: from, last: from });
  }
  return words.flatMap(({ first, last }, i) => {
    const [start, end] = [units[first]!.start, units[last]!.end];
    // One letter says nothing: the s of "boat's".
    if (first === last && !units[first]!.cjk && /^\p{L}$/u.test(units[first]!.text)) return [];
    const one = first === last && !units[first]!.cjk && !units[first]!.emoji && i < MOST_GUESSES;
    const near = one ? nearest(lexicon, text.slice(start, end), language) : null;
    return [{ text: text.slice(start, end), start, end, near }];
  });
}
