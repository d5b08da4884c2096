/**
 * What goes with what: articles and adjectives with the gender of a noun, measure words with what they count. A
 * vocabulary lists words without saying so; these are the nouns of all worlds that were taught, as training/words has
 * them. Of a noun that is not here nothing is known, and anything goes with it.
 */
import { fold } from './lexicon';

/** What a noun is (gender; in Chinese the measure word), and the nouns that are so. */
const NOUNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  es: {
    m: 'barco, velero, bote, globo, globo aerostático, coche, carro, auto, cochecito, pez, pececito, pescado, cohete, cohete espacial, muñeco de nieve, hombre de nieve, pino, árbol, abeto, árbol de navidad, corazón, corazoncito, robot, robot de juguete, androide, faro, pájaro, pajarito, balón, cubo, bloque, hongo, champiñón, pato, patito de goma, pato de goma, patito, avión, aeroplano, fantasma, fantasmita, espectro',
    f: 'barca, casa, casita, cabaña, nave espacial, estrella, estrellita, pelota, pelota de playa, bola, caja, seta, avioneta, flor, margarita, florecita',
  },
  fr: {
    m: 'bateau, voilier, navire, ballon à air chaud, aérostat, chalet, poisson, petit poisson, vaisseau spatial, bonhomme de neige, sapin, arbre, pin, arbre de noël, cœur, petit cœur, robot, petit robot, androïde, phare, oiseau, petit oiseau, ballon de plage, ballon, cube, bloc, champignon, petit champignon, canard, canard en plastique, canard de bain, petit canard, avion, petit avion, aéroplane, fantôme, petit fantôme, spectre',
    f: 'barque, montgolfière, maison, maisonnette, cabane, voiture, auto, petite voiture, automobile, fusée, fusée spatiale, étoile, petite étoile, balle, boîte, fleur, marguerite, petite fleur',
  },
  de: {
    m: 'Heißluftballon, Ballon, Luftballon, Wagen, PKW, Fisch, Goldfisch, Schneemann, Tannenbaum, Baum, Weihnachtsbaum, Stern, Roboter, Spielzeugroboter, Blechroboter, Leuchtturm, Vogel, Piepmatz, Ball, Wasserball, Strandball, Würfel, Block, Pilz, Fliegenpilz, Flieger, Geist',
    f: 'Hütte, Rakete, Weltraumrakete, Tanne, Kiefer, Kiste, Ente, Gummiente, Badeente, Propellermaschine, Blume, Blüte',
    n: 'Boot, Segelboot, Schiff, Schiffchen, Haus, Häuschen, Auto, Spielzeugauto, Fischlein, Raumschiff, Sternchen, Herz, Herzchen, Vögelchen, Pilzchen, Entchen, Flugzeug, Blümchen, Gespenst, Schlossgespenst',
  },
  zh: {
    个: '热气球, 气球, 雪人, 小雪人, 心形, 机器人, 小机器人, 玩具机器人, 沙滩球, 球, 皮球, 方块, 立方体, 箱子, 蘑菇, 幽灵, 鬼魂',
    艘: '船, 帆船, 小船, 飞船, 宇宙飞船',
    条: '船, 鱼, 小鱼, 金鱼',
    只: '鸟, 小鸟, 鸟儿, 鸭子, 橡皮鸭, 小鸭子, 玩具鸭, 小幽灵, 热气球',
    座: '房子, 小房子, 灯塔',
    间: '小屋',
    栋: '房屋',
    辆: '汽车, 小汽车, 车, 轿车',
    枚: '火箭, 小火箭',
    棵: '松树, 树, 圣诞树, 杉树',
    颗: '星星, 小星星, 五角星, 爱心, 心',
    朵: '蘑菇, 小蘑菇, 花, 小花, 花儿, 雏菊',
    架: '飞机, 小飞机, 客机',
  },
}; // prettier-ignore

/** A kind of noun that an article lets follow, and the ending that an adjective has then. */
export interface Slot {
  readonly kind: string;
  readonly ending: string;
}

/** Articles: "kind:ending" of each noun that may follow; the first that has a kind is the one of "a boat". */
const ARTICLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  es: { un: 'm:', una: 'f:a', el: 'm:', la: 'f:a' },
  fr: { un: 'm:', une: 'f:e', le: 'm:', la: 'f:e' },
  de: {
    ein: 'm:er n:es', eine: 'f:e', einen: 'm:en', einem: 'm:en n:en', einer: 'f:en',
    der: 'm:e f:en', die: 'f:e', das: 'n:e', den: 'm:en', dem: 'm:en n:en',
  },
}; // prettier-ignore

const slotsIn = (text: string): Slot[] =>
  text.split(' ').map((one) => ({ kind: one.split(':')[0]!, ending: one.split(':')[1]! }));

const tables = new Map<string, ReadonlyMap<string, readonly string[]>>();
function kindsIn(language: string): ReadonlyMap<string, readonly string[]> {
  let kinds = tables.get(language);
  if (kinds) return kinds;
  const found = new Map<string, string[]>();
  for (const [kind, nouns] of Object.entries(NOUNS[language] ?? {}))
    for (const noun of nouns.split(', ')) found.set(fold(noun), [...(found.get(fold(noun)) ?? []), kind]);
  tables.set(language, (kinds = found));
  return kinds;
}

/** What a noun is, gender or measure words; none where that is not known. */
export const kindsOf = (language: string, noun: string): readonly string[] =>
  kindsIn(language).get(fold(noun)) ?? [];

/** What may follow the word where it is an article, or a Chinese number with a measure word; null where it is neither. */
export function slotsAfter(language: string, word: string): readonly Slot[] | null {
  if (language === 'zh') return /^一.$/.test(word) && word !== '一起' ? [{ kind: word[1]!, ending: '' }] : null; // prettier-ignore
  const own = ARTICLES[language]?.[fold(word).split(/['’ ]/).at(-1)!];
  return own === undefined ? null : slotsIn(own);
}

/** "a" before a noun and the ending of its adjectives; Chinese: 一 and the measure word. 个 and m where nothing is known. */
export function indefinite(language: string, noun: string): { article: string; ending: string } {
  const [kind] = kindsOf(language, noun);
  if (language === 'zh') return { article: `一${kind ?? '个'}`, ending: '' };
  for (const [article, text] of Object.entries(ARTICLES[language] ?? {}))
    for (const slot of slotsIn(text))
      if (slot.kind === (kind ?? 'm')) return { article, ending: slot.ending };
  return { article: '', ending: '' };
}

/** All that an adjective may end on, beside nothing. */
const ENDINGS: Readonly<Record<string, readonly string[]>> = { es: ['a'], fr: ['e'], de: ['er', 'e', 'es', 'en'] }; // prettier-ignore

/** How a word may look with an ending: rojo, roja; blanc, blanche; orange, oranges. */
function withEnding(language: string, word: string, ending: string): string[] {
  if (ending === '') return [word];
  if (language === 'es') return [word.replace(/o$/, 'a')];
  if (language === 'fr') return [`${word}e`, `${word}${word.at(-1)}e`, `${word}he`, word.replace(/lui-même$/, 'elle-même')]; // prettier-ignore
  return [word.replace(/e$/, '') + ending];
}

/**
 * Of all words for one thing those that have the ending: of rot, roter, rotes, lila with "es" rotes and lila, for what
 * has no endings goes with all.
 */
export function inflect(language: string, words: readonly string[], wanted: string): string[] {
  const endings = ENDINGS[language] ?? [];
  const of = (word: string) => endings.flatMap((one) => withEnding(language, word, one));
  const plain = words.filter((word) => !words.some((other) => other !== word && of(other).includes(word)));
  return plain.map((word) => withEnding(language, word, wanted).find((form) => words.includes(form)) ?? word);
}
