/** A prompt put together from words that the model was taught, or one of its examples. */
import { SILENT } from './lexicon/glue';
import { indefinite, inflect } from './lexicon/grammar';
import type { Form, Lexicon } from './lexicon/lexicon';
import { articleOf } from './lexicon/offers';

/** A number from 0 up to 1, 1 excluded. */
type Dice = () => number;

/** What is seen, in the plain words for it; another word for the same thing may read badly beside the others. */
type Scene = Partial<Record<Said, string>> & { colour: string; subject: string };
type Said = 'colour' | 'subject' | 'motion' | 'place' | 'time' | 'weather' | 'camera';

/** `words`: all that the vocabulary has in the language. */
type Writer = (scene: Scene, words: readonly Form[]) => string;
const WRITERS: Readonly<Record<string, Writer>> = { en: english, zh: chinese, es: romance, fr: romance, de: german, ja: japanese }; // prettier-ignore

/**
 * A sentence of three to six attributes about one subject (two are beyond a small model), or null where the vocabulary
 * lacks the language, or this page its grammar. `dice` decides: every scene that can be seen can come up.
 */
export function compose(lexicon: Lexicon | null, language: string, dice: Dice = Math.random): string | null {
  const words = lexicon?.forms.filter((form) => form.language === language) ?? [];
  const scene = chooseScene(words, dice);
  return (scene && WRITERS[language]?.(scene, words)) ?? null;
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

const join = (glue: string, ...parts: (string | undefined)[]): string => parts.filter(Boolean).join(glue);

function english({ colour, subject, motion, place, time, weather, camera }: Scene): string {
  const thing = `${articleOf(colour)} ${colour} ${subject}`;
  return join(', ', join(' ', thing, motion, place, time, weather), camera);
}

/** The form of a plain word that agrees with a noun: rotes of rot for Boot. */
function agreed(words: readonly Form[], attribute: string, plain: string, ending: string): string {
  const { value } = words.find((form) => form.attribute === attribute && form.text === plain)!;
  const own = words.filter((form) => form.attribute === attribute && form.value === value);
  return inflect(words[0]!.language, own.map(({ text }) => text), ending)[0]!; // prettier-ignore
}

function romance({ colour, subject, motion, place, time, weather, camera }: Scene, words: readonly Form[]): string {
  const { article, ending } = indefinite(words[0]!.language, subject);
  const moving = motion && agreed(words, 'motion', motion, ending);
  const thing = join(' ', article, subject, agreed(words, 'colour', colour, ending));
  return join(', ', join(' ', thing, moving, place, time, weather), camera);
} // prettier-ignore

function german({ colour, subject, motion, place, time, weather, camera }: Scene, words: readonly Form[]): string {
  const { article, ending } = indefinite('de', subject);
  const [verb, prefix] = motion?.split(' ') ?? [];
  // "steigt auf" is one verb, aufsteigen, whose parts stand around all the rest.
  const parted = words.some(({ text }) => text === `${prefix}${verb}`);
  const thing = join(' ', article, agreed(words, 'colour', colour, ending), subject);
  const seen = join(' ', thing, parted ? verb : motion, place, time, weather, parted ? prefix : '');
  return join(', ', seen, camera);
} // prettier-ignore

function chinese({ colour, subject, motion, place, time, weather, camera }: Scene): string {
  const thing = `${indefinite('zh', subject).article}${colour.replace(/的?$/, '的')}${subject}`;
  const seen = join('', thing, weather ? '' : time, place?.replace(/^在?/, '在'), motion);
  return join('，', weather ? join('', time, weather) : '', seen, camera);
}

function japanese({ colour, subject, motion, place, time, weather, camera }: Scene): string {
  const seen = join('', time, weather, place, colour, subject, motion && `が${motion}`);
  return join('、', seen, camera);
}
