import type { EngineError } from '../../worker/protocol/result';
import { en, type Words } from './en';
import { zh } from './zh';

export type { Words } from './en';

export const LANGUAGES = { en, zh } satisfies Record<string, Words>;
export type Language = keyof typeof LANGUAGES;

export const isLanguage = (tag: unknown): tag is Language => tag === 'en' || tag === 'zh';

/** "de" of "de-AT". */
export const baseOf = (tag: string): string => tag.toLowerCase().split('-')[0]!;

/** The first of the person's languages (navigator.languages) that the interface speaks. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = baseOf(tag);
    if (isLanguage(base)) return base;
  }
  return 'en';
}

/** For `html lang`: Chinese here is written in simplified characters. */
export const htmlLang = (language: Language): string => (language === 'zh' ? 'zh-Hans' : language);

export const errorText = (words: Words, error: EngineError): string => words.errors[error.code](error);
