/** A prompt put together from words that the model was taught, or one of its examples. */
import { measureOf, SILENT } from './lexicon/glue';
import type { Form, Lexicon } from './lexicon/lexicon';
import { articleOf } from './lexicon/offers';

/** A number from 0 up to 1, 1 excluded. */
type Dice = () => number;

/** What is seen: the chosen form of each attribute that is said. */
type Scene = Partial<Record<Said, Form>>;
type Said = 'colour' | 'subject' | 'motion' | 'place' | 'time' | 'weather' | 'camera' | 'relation' | 'colour2' | 'subject2'; // prettier-ignore

const WRITERS: Readonly<Record<string, (scene: Scene) => string>> = { en: writeEnglish, zh: writeChinese };

/**
 * A sentence of three to six attributes, or null where the vocabulary lacks the language, or this page its grammar.
 * `dice` decides: every scene of a vocabulary can come up.
 */
export function compose(lexicon: Lexicon | null, language: string, dice: Dice = Math.random): string | null {
  const scene = lexicon && chooseScene(lexicon, language, dice);
  return (scene && WRITERS[language]?.(scene)) ?? null;
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

function chooseScene(lexicon: Lexicon, language: string, dice: Dice): Scene | null {
  const own = lexicon.forms.filter((form) => form.language === language);
  const one = (attribute: string, fits: (form: Form) => boolean = () => true) => {
    const forms = own.filter((form) => form.attribute === attribute && !SILENT.has(form.value) && fits(form));
    const value = pick([...new Set(forms.map((form) => form.value))], dice);
    const words = forms.filter((form) => form.value === value);
    // Mostly the plain word, now and then another one.
    return dice() < 0.7 ? words[0] : pick(words, dice);
  };
  const plain = ({ rank }: Form) => rank === 0;
  const [colour, subject] = [one('colour', plain), one('subject', standsAlone)];
  if (!colour || !subject) return null;
  const scene: Scene = { colour, subject };

  const found = dice() < 0.2 ? one('relation', plain) : undefined;
  // Chinese says 和 rather than 在…旁边 where a place follows.
  const relation = own.find(({ text, value }) => text === '和' && value === found?.value) ?? found;
  const subject2 = relation && one('subject', (form) => standsAlone(form) && form.value !== subject.value);
  if (subject2) {
    Object.assign(scene, { relation, subject2, colour2: one('colour', (form) => plain(form) && form.value !== colour.value) }); // prettier-ignore
    // A chase is a motion, and two things with all that is theirs are enough for one sentence.
    scene.place = one('place');
    return scene;
  }
  if (dice() < 0.9) scene.motion = one('motion', plain);
  if (dice() < 0.85) scene.place = one('place');
  if (dice() < 0.75 || !scene.place) scene.time = one('time');
  // No rain falls in space, nor under water.
  const outside = !/^(space|underwater)$/.test(scene.place?.value ?? '');
  if (outside && dice() < 0.3) scene.weather = one('weather', (form) => language !== 'zh' || plain(form));
  if (dice() < 0.25 && Object.values(scene).filter(Boolean).length < 6) scene.camera = one('camera');
  return scene;
}

/** "a red little house" is no English; "a red cottage" is. In Chinese 小 goes with any colour, and without it too. */
const standsAlone = ({ text, rank }: Form): boolean => rank === 0 || !/^(little|big|toy|love|smiling|小|玩具)/.test(text); // prettier-ignore

const join = (glue: string, ...parts: (Form | string | undefined)[]): string =>
  parts
    .map((part) => (typeof part === 'object' ? part.text : part))
    .filter(Boolean)
    .join(glue);

function writeEnglish(scene: Scene): string {
  const thing = (...words: (Form | undefined)[]) => {
    const text = join(' ', ...words);
    return text && `${articleOf(text)} ${text}`;
  };
  const { colour, subject, motion, relation, colour2, subject2, place, time, weather, camera } = scene;
  const seen = join(' ', thing(colour, subject), motion, relation, thing(colour2, subject2), place, time, weather); // prettier-ignore
  return join(', ', seen, camera);
}

function writeChinese(scene: Scene): string {
  const thing = (colour: Form | undefined, subject: Form | undefined) =>
    subject ? `一${measureOf(subject.value)}${colour ? colour.text.replace(/的?$/, '的') : ''}${subject.text}` : ''; // prettier-ignore
  const { colour, subject, motion, relation, colour2, subject2, place, time, weather, camera } = scene;
  const other = thing(colour2, subject2);
  const joined = relation?.text === '和';
  // A chase stands before the other thing, "beside" and "above" behind it.
  const act =
    relation && (relation.value === 'chasing' ? relation.text + other : `在${other}${relation.text}`);
  const head = thing(colour, subject) + (joined ? `和${other}` : '');
  const where = place && place.text.replace(/^在?/, '在');
  const seen = join('', head, weather ? '' : time, where, joined ? '' : act, motion);
  return join('，', weather ? join('', time, weather) : '', seen, camera);
}
