/**
 * Words that carry no picture: articles, particles, measure words. They are never told as unknown and never count as
 * something said. A vocabulary brings its own (`other`); the first edition's had none, and none has the measure words.
 */
export const GLUE: Readonly<Record<string, string>> = {
  en: `a an the is are was that this which it its it's there and of in on at to from with by for as while some one`,
  zh: `一 的 了 着 在 和 与 是 有 正在 里 上 中 下 地 这 那 一个 一只 一条 一艘 一座 一间 一栋 一辆 一枚 一棵 一颗 一架 一朵
    一片 一张 一匹 一头 一位 一台 一把 一块 一支 一群 个 只 条 艘 座 间 栋 辆 枚 棵 颗 架 朵`,
  es: `un una unos unas el la los las al del de que está es y e en con a por su hay`,
  fr: `un une des le la les l d du de qui est et en dans sur avec au aux à son sa il y a`,
  de: `ein eine einen einem einer der die das den dem und ist mit von in im auf am bei zu zum zur sich es`,
  ja: `が を に で の へ は と も や いる ある です ます する 一つの 一匹の 一台の 一人の 中 上 下`,
};

/** Values that need no word: a scene is so when nothing is said. Not worth offering. */
export const SILENT: ReadonlySet<string> = new Set(['matte', 'clear', 'still', 'natural', 'alone']);
