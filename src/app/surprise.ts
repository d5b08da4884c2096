/** A prompt put together from words that the model was taught, or one of its examples. */
import { field } from './store';
import type { Language } from './words';

type Pick = <T>(list: readonly T[]) => T | undefined;

const pickAny: Pick = (list) => list[Math.floor(Math.random() * list.length)];

/** vocabulary: the model's vocabulary.json, {language: {attribute: {value: [words, the plain one first]}}}. */
export function compose(vocabulary: unknown, language: Language, pick: Pick = pickAny): string | null {
  const word = (attribute: string): string | null => {
    const values = field(field(vocabulary, language), attribute);
    if (typeof values !== 'object' || values === null) return null;
    const words: unknown = pick(Object.values(values));
    const first: unknown = Array.isArray(words) ? words[0] : null;
    return typeof first === 'string' ? first : null;
  };
  const [subject, colour, motion, place, time] = ['subject', 'colour', 'motion', 'place', 'time'].map(word);
  if (!subject || !colour || !motion || !place || !time) return null;
  if (language === 'zh') return `${colour}${subject}${time}${place}${motion}`;
  const article = /^[aeiou]/.test(colour) ? 'an' : 'a';
  return `${article} ${colour} ${subject} ${motion} ${place} ${time}`;
}

/** Another one than `current` where there is a choice. */
export function surprise(
  vocabulary: unknown,
  examples: readonly string[],
  language: Language,
  current: string,
  pick: Pick = pickAny,
): string | null {
  for (let tries = 0; tries < 8; tries++) {
    const prompt = compose(vocabulary, language, pick);
    if (prompt && prompt !== current) return prompt;
  }
  const others = examples.filter((example) => example !== current);
  return pick(others.length > 0 ? others : examples) ?? null;
}
