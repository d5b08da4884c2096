/** How a sentence may go on: the end of the word that is being typed, or what has not been said yet. */
import { withoutDirections } from '../../story/script';
import { SILENT } from './glue';
import { fold, unitsOf, type Form, type Lexicon } from './lexicon';
import { read, type Piece, type Reading } from './read';

export interface Offer {
  /** What is shown. */
  readonly text: string;
  /** UTF-16 range of the prompt that `insert` replaces; the end is the caret. */
  readonly start: number;
  readonly end: number;
  readonly insert: string;
  /** It ends a word that was begun, so that Tab may take it unasked. */
  readonly typed: boolean;
}

export const MOST = 5;

/** How a sentence goes in each language. Adjectives that must agree with a noun are left to those who know it. */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  en: ['colour', 'subject', 'motion', 'place', 'time', 'weather', 'camera', 'look'],
  zh: ['colour', 'subject', 'time', 'place', 'motion', 'weather', 'camera', 'look'],
  ja: ['time', 'place', 'colour', 'subject', 'motion', 'weather', 'camera', 'look'],
};
const LATIN_ORDER = ['subject', 'motion', 'place', 'time', 'weather', 'camera', 'look'];
const orderOf = (language: string) => ORDER[language] ?? LATIN_ORDER;
const noBlanks = (language: string) => language === 'zh' || language === 'ja';
/** How many of the first, second and third attribute that are not said yet. */
const SHARES = [2, 2, 1];

/**
 * At most five ways on from the caret, best first. None inside a word.
 * @param preferred language of a prompt that does not show its own
 */
export function offersAt(lexicon: Lexicon, prompt: string, caret: number, preferred: string): Offer[] {
  const blanked = withoutDirections(prompt);
  const rest = /^[^\n\r\u2028\u2029]*/.exec(blanked.slice(caret))![0];
  const begin = Math.max(...['\n', '\r', '\u2028', '\u2029'].map((end) => blanked.lastIndexOf(end, caret - 1))) + 1; // prettier-ignore
  const line = blanked.slice(Math.min(begin, caret), caret);
  if (/^[\p{L}\p{N}\p{M}]/u.test(rest)) return [];
  const here: Here = {
    lexicon,
    line,
    caret,
    reading: read(lexicon, line, preferred),
    rest,
    said: read(lexicon, line + rest, preferred).said,
    space: /^\s/.test(rest),
  };
  const typed = typedOffers(here);
  if (typed.length > 0 && !noBlanks(here.reading.language)) return typed;
  const offers = [...typed.slice(0, 3), ...nextOffers(here)];
  // The same words may stand for two things: "in the snow" is a place and a weather.
  return offers.filter(({ text }, i) => offers.findIndex((o) => o.text === text) === i).slice(0, MOST);
}

interface Here {
  lexicon: Lexicon;
  /** What stands before the caret, from the line's begin. */
  line: string;
  caret: number;
  reading: Reading;
  /** What stands behind it, up to the line's end. */
  rest: string;
  said: ReadonlySet<string>;
  /** A blank follows the caret. */
  space: boolean;
}

/** Blanks and hyphens alike, as they are to a reader. */
const even = (text: string) => fold(text).replace(/[-‐‑'’ʼ\s]+/g, ' ');

/** Forms that go on with the last word or words of the line, the longest agreement first. */
function typedOffers({ lexicon, line, caret, reading, rest, space }: Here): Offer[] {
  const { language } = reading;
  const forms = lexicon.forms.filter((form) => form.language === language);
  const order = orderOf(language);
  const [first, more]: [Offer[], Offer[]] = [[], []];
  const values = new Set<string>();
  for (const start of beginnings(line, reading.pieces)) {
    const begun = even(line.slice(start));
    const said = read(lexicon, `${line.slice(0, start)}\n${rest}`, language).said;
    const late = ({ attribute, rank }: Form) =>
      (said.has(attribute) ? 100 : 0) + (rank > 0 ? 20 : 0) + order.indexOf(attribute);
    const going = forms
      .filter((form) => form.text.length > begun.length && even(form.text).startsWith(begun))
      .sort((a, b) => late(a) - late(b) || a.rank - b.rank);
    for (const form of going) {
      const value = `${form.attribute} ${form.value}`;
      if ([...first, ...more].some(({ text }) => text === form.text)) continue;
      // The capitals that were typed stay.
      const insert = keepCase(line.slice(start), form.text) + (space || noBlanks(language) ? '' : ' ');
      const offer = {
        text: form.text,
        start: caret - (line.length - start),
        end: caret,
        insert,
        typed: true,
      };
      (values.has(value) ? more : first).push(offer);
      values.add(value);
    }
  }
  return [...first, ...more].slice(0, MOST);
}

/** Where a form that reaches up to the line's end may have begun, the farthest first; never inside another one. */
function beginnings(line: string, pieces: readonly Piece[]): number[] {
  const units = unitsOf(line);
  const starts: number[] = [];
  if (units.length === 0 || !/^[-‐‑'’ʼ\s]?$/.test(line.slice(units.at(-1)!.end))) return [];
  for (let i = units.length - 1; i >= 0 && units.length - i <= 8; i--) {
    const { start, cjk, text, gap } = units[i]!;
    const inside = pieces.some((piece) => piece.known && piece.start < start && start < piece.end);
    // One letter is too little to guess from, one character is not.
    if (!inside && (cjk || units.length - i > 1 || text.length > 1)) starts.unshift(start);
    if (gap === 'apart') break;
  }
  return starts;
}

const keepCase = (typed: string, form: string) =>
  /^\p{Lu}/u.test(typed) ? form[0]!.toUpperCase() + form.slice(1) : form;

/** What has not been said, in the order of the language; after a colour a thing, after "next to" another one. */
function nextOffers(here: Here): Offer[] {
  const { lexicon, line, reading } = here;
  const { language, pieces } = reading;
  const last = pieces.at(-1);
  const touching = last !== undefined && last.end === line.length;
  // A word that is not known may go on; where blanks end words, one that stands before a blank is a thing of its own.
  if (touching && !last.known) return [];
  if (/[([{"“'‘-]$/.test(line)) return [];
  const forms = lexicon.forms.filter((form) => form.language === language && !SILENT.has(form.value));
  const offers: Offer[] = [];
  const wanted = wantedAfter(here, last);
  wanted.slice(0, 3).forEach((attribute, i) => {
    const share = wanted.length === 1 ? MOST : SHARES[i]!;
    for (const form of turned(plain(forms, attribute, line), line).slice(0, share))
      offers.push(ending(here, form, last, touching));
  });
  return offers;
}

/** The plain form of every value. */
function plain(forms: readonly Form[], attribute: string, line: string): Form[] {
  const own = forms.filter((form) => form.rank === 0 && form.attribute === attribute);
  const article = /\b(an?)\s*$/i.exec(line)?.[1]?.toLowerCase();
  if (!article || own[0]?.language !== 'en') return own;
  return own.filter(({ text }) => /^[aeiou]/i.test(text) === (article === 'an'));
}

/** The list from another beginning for every text, so that it is not always the same five that are seen. */
function turned<T>(list: readonly T[], text: string): T[] {
  let sum = 0;
  for (const c of text.trim()) sum = (sum * 31 + c.codePointAt(0)!) >>> 0;
  const from = list.length > 0 ? sum % list.length : 0;
  return [...list.slice(from), ...list.slice(0, from)];
}

function wantedAfter({ lexicon, line, reading, said }: Here, last: Piece | undefined): string[] {
  const { language, pieces } = reading;
  const many = (attribute: string) => {
    const own = lexicon.forms.filter((form) => form.language === language && form.attribute === attribute);
    return new Set(own.map(({ value }) => value)).size > 1;
  };
  const thing = ['colour', 'subject'].filter(many);
  if (pieces.length === 0 && /^(en|zh)$/.test(language)) return thing;
  // Nothing of it is known: another language, or another world.
  if (pieces.length > 1 && !pieces.some(({ known }) => known)) return [];
  if (last?.known && last.attribute === null && last.end === line.trimEnd().length) {
    const word = fold(line.slice(last.start, last.end));
    if (/^(and|an?|the|和|与|一.?)$/.test(word)) return thing;
    if (/^(is|正在)$/.test(word)) return ['motion'].filter(many);
    if (!/^[的が]$/.test(word)) return [];
  }
  // 的 says nothing of its own: what counts is the word before it.
  const meant = pieces.findLast(({ attribute, known }) => attribute !== null || !known);
  if (meant?.attribute === 'colour' && ORDER[language]) return ['subject'].filter(many);
  const next = meant?.attribute === 'relation' && !SILENT.has(meant.value!);
  if (next && (language === 'en' || (language === 'zh' && meant.value === 'chasing'))) return thing;
  // A thing that is not known is a thing too: no second one is put behind it.
  const there = said.has('subject') || (meant !== undefined && !meant.known);
  // In Chinese and Japanese what moves comes last.
  const over = noBlanks(language) && said.has('motion');
  return orderOf(language)
    .filter((attribute) => !said.has(attribute) && many(attribute))
    .filter((attribute) => !(there && thing.includes(attribute)))
    .filter((attribute) => !(over && /^(time|place)$/.test(attribute)));
}

/** The form as it is put behind the line. */
function ending(
  { line, caret, reading, space }: Here,
  form: Form,
  last: Piece | undefined,
  touching: boolean,
): Offer {
  const { language } = reading;
  const text = withWords(form, language, line, last);
  const dense = noBlanks(language);
  const tail =
    form.attribute === 'camera' || form.attribute === 'look' || (dense && form.attribute === 'weather');
  const comma = language === 'zh' ? '，' : language === 'ja' ? '、' : ',';
  const open = line.trim() === '' || /[,，、;；:：]\s*$/.test(line);
  const before = tail && !open ? comma : '';
  // A comma stands at the word, not behind the blank after it.
  const cut = before ? line.length - line.trimEnd().length : 0;
  const blank = !dense && (before !== '' || touching || /[,;:]$/.test(line)) ? ' ' : '';
  const insert = before + blank + text + (space || dense ? '' : ' ');
  return { text, start: caret - cut, end: caret, insert, typed: false };
}

/** With what the language puts before or behind it: a red, 红色的, が揺れる. */
function withWords(form: Form, language: string, line: string, last: Piece | undefined): string {
  const { text, attribute } = form;
  const noun = attribute === 'colour' || attribute === 'subject';
  const first = line.trim() === '' || last?.attribute === 'relation' || /\band\s*$/i.test(line);
  if (language === 'en' && noun && first) return `${articleOf(text)} ${text}`;
  if (language === 'zh' && attribute === 'colour' && !text.endsWith('的')) return `${text}的`;
  const doing = /^(motion|place|time)$/.test(attribute);
  if (language === 'ja' && doing && last?.attribute === 'subject') return `が${text}`;
  return text;
}

/** "a" or "an", by the letter that follows. */
export const articleOf = (text: string): string => (/^[aeiou]/i.test(text) ? 'an' : 'a');
