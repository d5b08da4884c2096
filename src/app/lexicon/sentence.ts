/** Sentences about one subject, as a person would write them in each language that the page has a grammar for. */
import { indefinite, inflect } from './grammar';
import type { Form } from './lexicon';
import { articleOf } from './offers';

/** What is seen, in the plain words for it; another word for the same thing may read badly beside the others. */
export type Scene = Partial<Record<Said, string>> & { colour: string; subject: string };
type Said = 'colour' | 'subject' | 'motion' | 'place' | 'time' | 'weather' | 'camera';

/** `words`: all that the vocabulary has in the language. */
type Writer = (scene: Scene, words: readonly Form[]) => string;
const WRITERS: Readonly<Record<string, Writer>> = { en: english, zh: chinese, es: romance, fr: romance, de: german, ja: japanese }; // prettier-ignore

/** The sentence for a scene; null where this page lacks the language's grammar. `words`: all that the vocabulary has in it. */
export const sentenceOf = (language: string, scene: Scene, words: readonly Form[]): string | null =>
  WRITERS[language]?.(scene, words) ?? null;

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
