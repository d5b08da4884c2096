/**
 * What a model was taught to read: its vocabulary.json, indexed. {language: {attribute: {value: [surface forms, the
 * plain one first]}}}; `other: {"": [...]}` holds the words between them. Pure, and of no model in particular.
 *
 * A text is cut into units: a word where words stand between blanks, a character where they do not (Chinese,
 * Japanese), an emoji. Forms are paths of units in a tree, so that the longest match is a walk.
 */
import { field } from '../store';
import { GLUE } from './glue';

export interface Form {
  /** As the vocabulary writes it. */
  readonly text: string;
  readonly language: string;
  /** `other` of words that carry no picture. */
  readonly attribute: string;
  readonly value: string;
  /** Place in its list: 0 is the plain one. */
  readonly rank: number;
}

export interface Node {
  readonly next: Map<string, Node>;
  readonly forms: Form[];
}

export interface Lexicon {
  readonly languages: readonly string[];
  /** Every form to offer, of all languages; without `other` and without the second subject's copies. */
  readonly forms: readonly Form[];
  readonly root: Node;
  /** Single words of forms that have several ("desert" of "in the desert"), with these forms. */
  readonly parts: ReadonlyMap<string, readonly Form[]>;
}

/** One word, one character where words have no blanks between them, or one emoji. Half-open range of UTF-16 units. */
export interface Unit {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly cjk: boolean;
  /** An emoji: a word of no language. */
  readonly emoji: boolean;
  /** How it follows the unit before it; a form never reaches over other punctuation or a line's end. */
  readonly gap: 'none' | 'blank' | 'hyphen' | 'apart';
}

const CJK = String.raw`(?=\p{L})[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]`;
/** A picture with what changes it (skin, sex, more pictures by zero-width joiners), or a flag. */
const PICTURE = String.raw`\p{Extended_Pictographic}(?:[\ufe0f\p{EMod}]|\u200d\p{Extended_Pictographic})*|\p{RI}{2}`;
const UNIT = new RegExp(`(${CJK}\\p{M}*[\\uff9e\\uff9f]?)|(${PICTURE})|(?:(?!${CJK})[\\p{L}\\p{M}\\p{N}])+`, 'gu'); // prettier-ignore

/** As words are compared: compatibility forms resolved, lower case. */
export const fold = (text: string): string => text.normalize('NFKC').toLowerCase();

export function unitsOf(text: string): Unit[] {
  const units: Unit[] = [];
  for (const match of text.matchAll(UNIT)) {
    const [start, end] = [match.index, match.index + match[0].length];
    const between = text.slice(units.at(-1)?.end ?? 0, start);
    const gap = units.length === 0 ? 'apart' : gapOf(between);
    const [cjk, emoji] = [match[1] !== undefined, match[2] !== undefined];
    units.push({ text: fold(match[0]), start, end, cjk, emoji, gap });
  }
  return units;
}

function gapOf(between: string): Unit['gap'] {
  if (between === '') return 'none';
  if (/^[-‐‑'’ʼ]$/.test(between)) return 'hyphen';
  return /^[ \t\u00a0\u3000]+$/.test(between) ? 'blank' : 'apart';
}

/** The index of a vocabulary, or null when there is none in it. Lenient: what is not a list of words is left out. */
export function readLexicon(json: unknown): Lexicon | null {
  const root: Node = { next: new Map(), forms: [] };
  const forms: Form[] = [];
  const parts = new Map<string, Form[]>();
  const languages = Object.keys(isObject(json) ? json : {}).filter((language) =>
    isObject(field(json, language)),
  );
  for (const language of languages) {
    for (const form of formsOf(language, field(json, language))) {
      // The second subject and its colour have the words of the first.
      if (form.attribute.endsWith('2')) continue;
      const own = unitsOf(form.text);
      if (own.length === 0) continue; // punctuation
      plant(root, own, form);
      if (form.attribute === 'other') continue;
      forms.push(form);
      for (const bare of bareForms(form)) plant(root, unitsOf(bare), { ...form, text: bare });
      if (own.length > 1) for (const { text, cjk } of own) if (!cjk) push(parts, text, form);
    }
    if (!forms.some((form) => form.language === language)) continue;
    for (const text of (GLUE[language] ?? '').split(/\s+/).filter(Boolean))
      plant(root, unitsOf(text), { text, language, attribute: 'other', value: '', rank: 0 });
  }
  return forms.length > 0 ? { languages, forms, root, parts } : null;
}

function* formsOf(language: string, table: unknown): Iterable<Form> {
  for (const [attribute, values] of Object.entries(table as object))
    for (const [value, listed] of Object.entries(isObject(values) ? values : {}))
      for (const [rank, text] of (Array.isArray(listed) ? listed : []).entries())
        if (typeof text === 'string') yield { text, language, attribute, value, rank };
}

/**
 * A form without what a sentence may leave away: the vocabulary says 在海上 and 赤い, people also say 海上 and 赤.
 * The models read the pieces, for theirs are words and not phrases.
 */
function bareForms({ text, language, attribute }: Form): string[] {
  if (language === 'zh' && /^(place|weather)$/.test(attribute)) {
    const bare = text.replace(/^在/, '');
    const noun = bare.replace(/(之间|[上里中下间前])$/, '');
    return [bare, noun].filter((word) => word !== text && word.length > 1);
  }
  if (/^(colour|material)$/.test(attribute)) {
    const ending = language === 'zh' ? /的$/ : language === 'ja' ? /[のない]$/ : /$^/;
    const bare = text.replace(ending, '');
    return bare === text ? [] : [bare];
  }
  return [];
}

function plant(root: Node, units: readonly Unit[], form: Form): void {
  let node = root;
  for (const { text } of units) {
    let next = node.next.get(text);
    if (!next) node.next.set(text, (next = { next: new Map(), forms: [] }));
    node = next;
  }
  if (
    !node.forms.some(
      (known) =>
        known.language === form.language && known.attribute === form.attribute && known.value === form.value,
    )
  )
    // prettier-ignore
    node.forms.push(form);
}

function push(map: Map<string, Form[]>, key: string, form: Form): void {
  const list = map.get(key);
  if (list) list.push(form);
  else map.set(key, [form]);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
