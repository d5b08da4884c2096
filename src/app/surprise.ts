/** A prompt put together from words that the model was taught, or one of its examples. */
import { SILENT } from './lexicon/glue';
import type { Form, Lexicon } from './lexicon/lexicon';
import { sentenceOf, type Scene } from './lexicon/sentence';

/** A number from 0 up to 1, 1 excluded. */
type Dice = () => number;

/**
 * A sentence of three to six attributes about one subject (two are beyond a small model), or null where the vocabulary
 * lacks the language, or this page its grammar. `dice` decides: every scene that can be seen can come up.
 */
export function compose(lexicon: Lexicon | null, language: string, dice: Dice = Math.random): string | null {
  const words = lexicon?.forms.filter((form) => form.language === language) ?? [];
  const scene = chooseScene(words, dice);
  return scene && sentenceOf(language, scene, words);
}

/** Another one than `current` where there is a choice. */
export function surprise(
  lexicon: Lexicon | null,
  examples: readonly string[],
  language: string,
  current: string,
  dice: Dice = Math.random,
): string | null {
  for (let tries = 0; tries < 8; tries++) {
    const prompt = compose(lexicon, language, dice);
    if (prompt && prompt !== current) return prompt;
  }
  const others = examples.filter((example) => example !== current);
  return pick(others.length > 0 ? others : examples, dice) ?? null;
}

function pick<T>(list: readonly T[], dice: Dice): T | undefined {
  return list[Math.floor(dice() * list.length)];
}

function chooseScene(words: readonly Form[], dice: Dice): Scene | null {
  const one = (attribute: string, fits: (form: Form) => boolean = () => true) =>
    pick(words.filter((form) => form.rank === 0 && form.attribute === attribute && !SILENT.has(form.value) && fits(form)), dice); // prettier-ignore
  const [colour, subject] = [one('colour'), one('subject')];
  if (!colour || !subject) return null;
  // A tree looks the same from all sides: nobody sees it spin.
  const motion = one('motion', ({ value }) => !(subject.value === 'tree' && value === 'spin'));
  const place = dice() < 0.85 ? one('place') : undefined;
  const time = dice() < 0.75 || !place ? one('time') : undefined;
  // No rain falls in space, nor under water.
  const outside = !/^(space|underwater)$/.test(place?.value ?? '');
  const weather = outside && dice() < 0.3 ? one('weather') : undefined;
  const full = [motion, place, time, weather].every((form) => form !== undefined);
  const camera = !full && dice() < 0.25 ? one('camera') : undefined;
  return {
    colour: colour.text,
    subject: subject.text,
    motion: motion?.text,
    place: place?.text,
    time: time?.text,
    weather: weather?.text,
    camera: camera?.text,
  };
}
