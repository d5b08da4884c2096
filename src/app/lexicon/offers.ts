/** How a sentence may go on: the end of the word that is being typed, or what has not been said yet. */
import { withoutDirections } from '../../story/script';
import { SILENT } from './glue';
import { indefinite, inflect, kindsOf, slotsAfter, type Slot } from './grammar';
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

/** How a sentence goes in each language; adjectives stand before the noun, or in Spanish and French behind it. */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  zh: ['colour', 'subject', 'time', 'place', 'motion', 'weather', 'camera', 'look'],
  ja: ['time', 'place', 'colour', 'subject', 'motion', 'weather', 'camera', 'look'],
};
const USUAL_ORDER = ['colour', 'subject', 'motion', 'place', 'time', 'weather', 'camera', 'look'];
const orderOf = (language: string) => ORDER[language] ?? USUAL_ORDER;
const noBlanks = (language: string) => language === 'zh' || language === 'ja';
const colourBehind = (language: string) => language === 'es' || language === 'fr';
const hasEndings = (language: string) => colourBehind(language) || language === 'de';
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
  // A line that may be of two languages is of the one that the others are of.
  const usual = read(lexicon, prompt, preferred).language;
  const here: Here = {
    lexicon,
    line,
    caret,
    reading: read(lexicon, line, usual),
    rest,
    said: read(lexicon, line + rest, usual).said,
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

/** What the words before a place let follow. */
interface Bound {
  /** Kinds of nouns and endings of adjectives, the most usual first; none where nothing is known. */
  readonly slots: readonly Slot[];
  /** An article has no noun yet, so that only a thing and its colour can follow. */
  readonly open: boolean;
}

/** The last article or noun of the pieces decides, and an adjective between: "ein rotes" waits for a neuter. */
function boundBy(line: string, pieces: readonly Piece[], language: string): Bound {
  let [slots, open]: [readonly Slot[], boolean] = [[], false];
  for (const { start, end, attribute, known } of pieces) {
    const word = line.slice(start, end);
    const article = attribute === null && known ? slotsAfter(language, word) : null;
    if (article) [slots, open] = [article, true];
    else if (attribute === 'subject' || (!known && open)) {
      const [kind] = kindsOf(language, word);
      const own =
        colourBehind(language) && kind ? [{ kind, ending: indefinite(language, word).ending }] : slots;
      [slots, open] = [colourBehind(language) ? own : [], false];
    } else if (open && language === 'de' && /^(colour|material)$/.test(attribute ?? '')) {
      const shown = slots.filter(({ ending }) => fold(word).endsWith(ending));
      if (shown.length > 0) slots = shown;
    }
  }
  return { slots, open };
}

/** The forms of a value that agree with what stands before them, those to be preferred first; where all do, as they are. */
function agreeing(
  forms: readonly Form[],
  { slots, open }: Bound,
): { best: readonly Form[]; all: readonly Form[] } {
  const { language, attribute } = forms[0]!;
  let all = forms;
  if (slots.length > 0 && open && attribute === 'subject')
    all = forms.filter(({ text }) => fitsNoun(language, text, slots));
  if (slots.length === 0 || !/^(colour|material|motion|relation)$/.test(attribute))
    return { best: all.slice(0, 1), all };
  const words = forms.map(({ text }) => text);
  const good = slots.map((slot) => inflect(language, words, slot.ending));
  const formsOf = (texts: readonly string[]) => forms.filter(({ text }) => texts.includes(text));
  return { best: formsOf(good.map(([first]) => first!)), all: formsOf(good.flat()) };
}

function fitsNoun(language: string, noun: string, slots: readonly Slot[]): boolean {
  if (/^l['’]/.test(noun)) return false; // it has its article
  const kinds = kindsOf(language, noun);
  return kinds.length === 0 || slots.some(({ kind }) => kinds.includes(kind));
}

/** Forms that go on with the last word or words of the line, the longest agreement first. */
function typedOffers({ lexicon, line, caret, reading, rest, space }: Here): Offer[] {
  const { language } = reading;
  const forms = lexicon.forms.filter((form) => form.language === language);
  const order = orderOf(language);
  const [first, more]: [Offer[], Offer[]] = [[], []];
  const values = new Set<string>();
  for (const start of beginnings(line, reading.pieces)) {
    const begun = even(line.slice(start));
    const { pieces } = reading;
    const before = pieces.filter((piece) => piece.end <= start);
    const said = read(lexicon, `${line.slice(0, start)}\n${rest}`, language).said;
    // "a" and 一 where a thing is still to come are articles, and begin no other word.
    const awaits = !said.has('subject') || joins(line, before.at(-1));
    if (awaits && isArticle(language, begun)) continue;
    const bound = boundBy(line, before, language);
    const fitting = groups(forms).map((group) => agreeing(group, bound));
    const best = new Set(fitting.flatMap((group) => group.best));
    const agreed = new Set(fitting.flatMap((group) => group.all));
    const right = (form: Form) => agreed.has(form) && !(bound.open && !nounlike(form));
    // In the vocabulary's order, but what was said already and other words than the plain one are late.
    const late = (form: Form) =>
      (said.has(form.attribute) ? 100 : 0) +
      (best.has(form) ? 0 : 20 + form.rank / 100) +
      order.indexOf(form.attribute);
    const all = forms.filter((form) => form.text.length > begun.length && even(form.text).startsWith(begun));
    const going = all.some(right) ? all.filter(right) : all;
    for (const form of going.sort((a, b) => late(a) - late(b))) {
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
      (values.has(value) || said.has(form.attribute) ? more : first).push(offer);
      values.add(value);
    }
  }
  return [...first, ...more].slice(0, MOST);
}

/** What may stand between an article and the end of its noun. */
const nounlike = ({ language, attribute }: Form) =>
  attribute === 'subject' || (!colourBehind(language) && /^(colour|material)$/.test(attribute));
const isArticle = (language: string, word: string) =>
  language === 'en' ? /^an?$/.test(word) : word === '一' || slotsAfter(language, word) !== null;

/** The forms of each value together. */
function groups(forms: readonly Form[]): Form[][] {
  const found = new Map<string, Form[]>();
  for (const form of forms) {
    const key = `${form.attribute} ${form.value}`;
    const own = found.get(key);
    if (own) own.push(form);
    else found.set(key, [form]);
  }
  return [...found.values()];
}

/** Where a form that reaches up to the line's end may have begun, the farthest first; never inside another one. */
function beginnings(line: string, pieces: readonly Piece[]): number[] {
  const units = unitsOf(line);
  const starts: number[] = [];
  if (units.length === 0 || !/^[-‐‑'’ʼ\s]?$/.test(line.slice(units.at(-1)!.end))) return [];
  for (let i = units.length - 1; i >= 0 && units.length - i <= 8; i--) {
    const { start, gap } = units[i]!;
    const inside = pieces.some((piece) => piece.known && piece.start < start && start < piece.end);
    if (!inside) starts.unshift(start);
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
  const bound = boundBy(line, pieces, language);
  wanted.slice(0, 3).forEach((attribute, i) => {
    const share = wanted.length === 1 ? MOST : SHARES[i]!;
    for (const form of turned(plain(forms, attribute, line, bound), line).slice(0, share))
      offers.push(ending(here, form, last, touching));
  });
  return offers;
}

/** The plain form of every value, or where endings are told the one that has them; no noun of another gender. */
function plain(forms: readonly Form[], attribute: string, line: string, bound: Bound): Form[] {
  const all = groups(forms.filter((form) => form.attribute === attribute));
  const own = all.flatMap((group) => {
    const [best] = agreeing(group, bound).best;
    return best && (best.rank === 0 || attribute !== 'subject') ? [best] : [];
  });
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
  const subject = ['subject'].filter(many);
  const thing = colourBehind(language) ? subject : ['colour', 'subject'].filter(many);
  // An adjective with endings waits for its noun, or at least the article.
  if (pieces.length === 0 && language !== 'ja') return hasEndings(language) ? subject : thing;
  // Nothing of it is known: another language, or another world.
  if (pieces.length > 1 && !pieces.some(({ known }) => known)) return [];
  // 的 says nothing of its own: what counts is the word before it.
  const meant = pieces.findLast(({ attribute, known }) => attribute !== null || !known);
  const next = meant?.attribute === 'relation' && !SILENT.has(meant.value!);
  if (last?.known && last.attribute === null && last.end === line.trimEnd().length) {
    const word = fold(line.slice(last.start, last.end));
    if (word === '一') return said.has('subject') && !joins(line, pieces.at(-2)) ? [] : subject;
    if (/^(and|an?|the|和|与)$/.test(word)) return thing;
    // "la" begins "la nuit" too.
    if (slotsAfter(language, word) && !(hasEndings(language) && said.has('subject'))) return thing;
    if (/^(is|正在)$/.test(word)) return ['motion'].filter(many);
    if (!/^[的が]$/.test(word)) return [];
  }
  if (meant?.attribute === 'colour' && !colourBehind(language)) return subject;
  if (next && (language === 'en' || (language === 'zh' && meant.value === 'chasing'))) return thing;
  // A thing that is not known is a thing too: no second one is put behind it.
  const there = said.has('subject') || (meant !== undefined && !meant.known);
  // In Chinese and Japanese what moves comes last.
  const over = noBlanks(language) && said.has('motion');
  const touched = meant !== undefined && (meant.attribute === 'subject' || !meant.known);
  return orderOf(language)
    .filter((attribute) => !said.has(attribute) && many(attribute))
    .filter((attribute) => !(there && thing.includes(attribute)))
    .filter((attribute) => !(attribute === 'colour' && colourBehind(language) && !touched))
    .filter((attribute) => !(over && /^(time|place)$/.test(attribute)));
}

const wordOf = (line: string, piece: Piece | undefined) => piece && line.slice(piece.start, piece.end);

/** Another thing comes after it: "next to", "and". */
const joins = (line: string, piece: Piece | undefined) =>
  piece?.attribute === 'relation' || /^(and|和|与)$/.test(fold(wordOf(line, piece) ?? ''));

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
  if (hasEndings(language) && attribute === 'subject' && line.trim() === '')
    return `${indefinite(language, text).article} ${text}`;
  if (language === 'zh' && attribute === 'subject' && wordOf(line, last) === '一')
    return indefinite(language, text).article.slice(1) + text;
  if (language === 'zh' && attribute === 'colour' && !text.endsWith('的')) return `${text}的`;
  const doing = /^(motion|place|time)$/.test(attribute);
  if (language === 'ja' && doing && last?.attribute === 'subject') return `が${text}`;
  return text;
}

/** "a" or "an", by the letter that follows. */
export const articleOf = (text: string): string => (/^[aeiou]/i.test(text) ? 'an' : 'a');
