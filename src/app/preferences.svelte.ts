/** Language, theme and keys: how the page is, whatever it makes; and what the person says of the machine. */
import { GIB, GPU_MEMORY } from '../limits';
import { field, type Store } from './store';
import { baseOf, htmlLang, isLanguage, LANGUAGES, pickLanguage, type Language, type Words } from './words';

export type Theme = 'auto' | 'dark' | 'light';
export const THEMES: readonly Theme[] = ['auto', 'dark', 'light'];
const isTheme = (value: unknown): value is Theme => THEMES.some((theme) => theme === value);

export class Preferences {
  language = $state<Language>('en');
  theme = $state<Theme>('auto');
  /** WCAG 2.1.4: shortcuts of one key can be switched off. */
  singleKeys = $state(true);
  /** GiB that the GPU has, as the person says; null: they said nothing. One of GPU_MEMORY. */
  gpuMemory = $state<number | null>(null);
  readonly #store: Store;
  /** The person's languages, as the browser tells them. */
  readonly #languages: readonly string[];

  constructor(store: Store, languages: readonly string[]) {
    this.#store = store;
    this.#languages = languages;
    const kept = store.read('preferences');
    const [language, theme] = [field(kept, 'language'), field(kept, 'theme')];
    this.language = isLanguage(language) ? language : pickLanguage(languages);
    if (isTheme(theme)) this.theme = theme;
    this.singleKeys = field(kept, 'singleKeys') !== false;
    this.gpuMemory = GPU_MEMORY.find((n) => n === field(kept, 'gpuMemory')) ?? null;
  }

  get words(): Words {
    return LANGUAGES[this.language];
  }

  /**
   * The language to speak of what is seen, for a model may know more languages than the page: the first of the person's
   * that is `known`, else the page's. Who chose another one for the page than the browser's gets that.
   */
  tongue(known: readonly string[]): string {
    if (this.language !== pickLanguage(this.#languages)) return this.language;
    return this.#languages.map(baseOf).find((language) => known.includes(language)) ?? this.language;
  }

  /** The person chose; only a choice is kept, so that a detected language stays a detected one. */
  choose(choice: {
    language?: Language;
    theme?: Theme;
    singleKeys?: boolean;
    gpuMemory?: number | null;
  }): void {
    if (choice.language) this.language = choice.language;
    if (choice.theme) this.theme = choice.theme;
    if (choice.singleKeys !== undefined) this.singleKeys = choice.singleKeys;
    if (choice.gpuMemory !== undefined) this.gpuMemory = choice.gpuMemory;
    this.#store.write('preferences', { ...(this.#store.read('preferences') as object | null), ...choice });
  }

  /** The same in bytes, as the engine wants it. */
  get gpuBytes(): number | undefined {
    return this.gpuMemory === null ? undefined : this.gpuMemory * GIB;
  }

  /** To be called in an effect. `light` is what the system asks for. */
  show(root: HTMLElement, light: boolean): void {
    root.lang = htmlLang(this.language);
    root.dataset.theme = this.theme === 'auto' ? (light ? 'light' : 'dark') : this.theme;
  }
}
