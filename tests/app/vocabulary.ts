import pocket from '../../public/models/pocket/vocabulary.json';

/** The one that comes with the page. */
export const POCKET: unknown = pocket;

/** A small vocabulary in the form of Pocket's second edition, and one in the form of its first. */
export const SECOND = {
  en: {
    subject: { boat: ['boat', 'sailing boat', 'ship'], balloon: ['balloon', 'hot-air balloon'], star: ['star', 'little star'], house: ['house', 'cottage'] },
    colour: { red: ['red', 'crimson'], orange: ['orange'], blue: ['blue', 'navy'] },
    material: { matte: ['matte', 'with a matte finish'] },
    motion: { left: ['moving left', 'moves left', 'drifting to the left'], spin: ['spinning', 'spins'], rise: ['rising', 'flying up'] },
    place: { sea: ['on the sea', 'on the water'], desert: ['in the desert', 'among sand dunes'], space: ['in space', 'on the moon'] },
    time: { day: ['by day', 'in daylight'], night: ['at night', 'in the dark'] },
    weather: { clear: ['in clear weather'], rain: ['in the rain'], snow: ['while it snows', 'in falling snow'] },
    camera: { still: ['still camera'], pan: ['the camera pans'], in: ['zoom in'] },
    look: { natural: ['realistic'] },
    relation: { alone: ['alone'], beside: ['next to', 'and'], chasing: ['chasing', 'chases'] },
    subject2: { boat: ['boat', 'sailing boat', 'ship'], balloon: ['balloon', 'hot-air balloon'] },
    colour2: { red: ['red', 'crimson'], orange: ['orange'] },
    other: { '': ['a', 'an', 'the', 'is', 'and', ',', '.', "'", 'of', 'in', 'on', 'with', 'two'] },
  },
  zh: {
    subject: { boat: ['船', '帆船'], balloon: ['热气球', '气球'], star: ['星星'], duck: ['鸭子', '小鸭子'] },
    colour: { red: ['红色', '红', '大红'], blue: ['蓝色', '蓝'] },
    motion: { left: ['向左移动'], spin: ['旋转'], rise: ['上升', '升空'] },
    place: { sea: ['在海上', '在大海上'], desert: ['在沙漠里'] },
    time: { night: ['夜晚', '晚上'], sunset: ['日落时'] },
    weather: { clear: ['晴天'], rain: ['下着雨'], fog: ['在雾中'] },
    camera: { still: ['固定镜头'], pan: ['镜头平移'], in: ['镜头推近'] },
    relation: { alone: ['独自'], beside: ['旁边', '和'], chasing: ['追着'] },
    other: { '': ['一', '的', '在', '和', '正在', '，', '。'] },
  },
  es: {
    subject: { boat: ['barco', 'velero'], tree: ['pino', 'árbol'] },
    colour: { red: ['rojo', 'roja'], blue: ['azul'] },
    motion: { spin: ['girando', 'gira'], rise: ['subiendo'] },
    place: { sea: ['en el mar'], desert: ['en el desierto'] },
    other: { '': ['un', 'una', 'el', 'la', ','] },
  },
  fr: {
    subject: { star: ['étoile', "l'étoile"], boat: ['bateau'] },
    colour: { red: ['rouge'], blue: ['bleu', 'bleue'] },
    motion: { spin: ['tournant sur elle-même'], rise: ['montant'] },
    place: { sea: ['sur la mer'], desert: ['dans le désert'] },
    other: { '': ["l'", 'un', 'une', 'la', 'le'] },
  },
  de: {
    subject: { boat: ['Boot', 'Schiff'], balloon: ['Heißluftballon', 'Ballon'] },
    colour: { red: ['rot', 'roter', 'rotes'], blue: ['blau', 'blaues'] },
    motion: { spin: ['dreht sich', 'dreht'], rise: ['steigt auf'] },
    place: { sea: ['auf dem Meer'], desert: ['in der Wüste'] },
    other: { '': ['ein', 'eine', 'das', 'auf'] },
  },
  ja: {
    subject: { boat: ['船', 'ヨット'], duck: ['アヒル'] },
    colour: { red: ['赤い', '赤色の'], blue: ['青い'] },
    motion: { spin: ['回転する', '回転している'], rise: ['上昇する'] },
    place: { sea: ['海の上で', '海の上', '海'], desert: ['砂漠で'] },
    time: { night: ['夜に', '夜'], day: ['昼に'] },
    other: { '': ['が', 'を', 'に', 'で', 'の', '、'] },
  },
}; // prettier-ignore

/** Two languages, five attributes, no words in between. */
export const FIRST = {
  en: {
    subject: { boat: ['boat', 'ship'], fish: ['fish', 'little fish'] },
    colour: { red: ['red'], orange: ['orange'] },
    motion: { sway: ['swaying', 'drifting'], rise: ['rising', 'flying up'] },
    place: { sea: ['on the sea', 'at sea'], snow: ['in the snow'] },
    time: { day: ['in daylight'], night: ['at night'] },
  },
  zh: {
    subject: { boat: ['船', '帆船'], fish: ['鱼'] },
    colour: { red: ['红色的', '红', '红色'], orange: ['橙色的'] },
    motion: { sway: ['摇摆', '漂流'], rise: ['上升'] },
    place: { sea: ['在海上', '海上'], snow: ['在雪地里', '雪中'] },
    time: { day: ['白天'], night: ['夜晚'] },
  },
};
