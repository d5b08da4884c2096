/**
 * What a prompt leaves open of a scene, a small model answers with an average of everything, which is a smear. So the seed
 * chooses what was not said, as it chooses the noise: the model reads a whole sentence, and the page shows it.
 */
import type { Form, Lexicon } from './lexicon';
import { read } from './read';
import { sentenceOf, type Scene } from './sentence';

/** What to choose from: {attribute: {value of the subject, or '' for the others: [values]}}. model.json's `unsaid`. */
export type Unsaid = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** In this order they are chosen: what there is decides where it may be. */
const OPEN = ['subject', 'colour', 'motion', 'place', 'time'] as const;
const SAYABLE: ReadonlySet<string> = new Set([...OPEN, 'weather', 'camera']);
/** A number in [0, 1) for a seed and a place (the last steps of MurmurHash3). */
function dice(seed: number, place: number): number {
  let x = seed ^ Math.imul(place + 1, 0x9e3779b9);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

/**
 * The prompt as a whole sentence, with what it does not say chosen by the seed; null where nothing is to be chosen: all is said,
 * nothing of it is known, an unknown word may be its subject, or it says what these sentences cannot (two things, materials).
 * @param prompt one shot's words
 * @param preferred language of a prompt that does not show its own
 */
export function complete(
  lexicon: Lexicon,
  unsaid: Unsaid,
  prompt: string,
  preferred: string,
  seed: number,
): string | null {
  const { pieces, said, unknown, language } = read(lexicon, prompt, preferred);
  if (!pieces.some(({ known }) => known) || [...said].some((attribute) => !SAYABLE.has(attribute)))
    return null;
  if (!said.has('subject') && unknown.length > 0) return null;
  const values = new Map<string, string>();
  for (const { attribute, value } of pieces) {
    if (attribute === null || value === null) continue;
    if ((values.get(attribute) ?? value) !== value) return null; // here and there, now and then
    values.set(attribute, value);
  }
  const open = OPEN.filter((attribute) => !values.has(attribute));
  if (open.length === 0) return null;
  const words = lexicon.forms.filter((form) => form.language === language);
  for (const [i, attribute] of OPEN.entries()) {
    if (values.has(attribute)) continue;
    const { [values.get('subject') ?? '']: own, '': usual = [] } = unsaid[attribute] ?? {};
    const known = (own ?? usual).filter((value) => plain(words, attribute, value) !== undefined);
    if (known.length === 0) return null;
    values.set(attribute, known[Math.floor(dice(seed, i) * known.length)]!);
  }
  const scene = Object.fromEntries([...values].map(([name, value]) => [name, plain(words, name, value)]));
  if (Object.values(scene).some((text) => text === undefined)) return null;
  return sentenceOf(language, scene as Scene, words);
}

/** The plain word for a value. */
const plain = (words: readonly Form[], attribute: string, value: string): string | undefined =>
  words.find((form) => form.attribute === attribute && form.value === value && form.rank === 0)?.text;
