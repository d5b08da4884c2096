/**
 * What the page has to say about the words of the prompt: which of them the model does not know, and how the sentence
 * may go on. Says nothing of a model without a vocabulary, nor of a word that is being typed.
 */
import { linesOf } from '../story/script';
import { complete, type Unsaid } from './lexicon/complete';
import { readLexicon, type Lexicon } from './lexicon/lexicon';
import { offersAt, type Offer } from './lexicon/offers';
import { read, type Unknown } from './lexicon/read';
import type { Settings } from './settings.svelte';

/** Milliseconds without a key after which a word counts as typed. */
export const PAUSE = 1200;
/** Unknown words that are named; a text in a language that the model cannot read is not listed word by word. */
const MOST_NAMED = 6;

/** A key as the prompt field hears it. */
export interface FieldKey {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  isComposing: boolean;
}

export class Wording {
  #own = $state.raw<Lexicon | null>(null);
  #unsaid: Unsaid = {};
  /** Another model than the vocabulary's is used. */
  silent = $state(false);
  /** The offer that Tab takes, -1: none. */
  active = $state(-1);
  /** The person went to the offers with an arrow key, so that arrows are theirs until something is typed. */
  #walking = false;
  /** Offers were sent away, and wait to be asked for. */
  #away = false;
  #offers = $state.raw<readonly Offer[]>([]);
  /** The prompt that the offers are for. */
  #of = $state('');
  /** End of the word that is being typed, -1: none. */
  #typing = $state(-1);
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #settings: Settings;
  readonly #tongue: (known: readonly string[]) => string;
  readonly #reading = $derived.by(() => this.lexicon && read(this.lexicon, this.#settings.prompt, this.#usual)); // prettier-ignore

  /** `tongue`: the person's language of those that are known, for a prompt that does not show its own. */
  constructor(settings: Settings, tongue: (known: readonly string[]) => string) {
    this.#settings = settings;
    this.#tongue = tongue;
  }

  get #usual(): string {
    return this.#tongue(this.lexicon?.languages ?? []);
  }

  /** The language that the person writes, where a word of it is known; else theirs. */
  get language(): string {
    const told = !this.#settings.promptIsOurs && this.#reading?.pieces.some(({ known }) => known);
    return told ? this.#reading!.language : this.#usual;
  }

  /** What the model knows; null where that is not known. */
  get lexicon(): Lexicon | null {
    return this.silent ? null : this.#own;
  }

  /** The vocabulary of the model, as it was read from its folder; null where it has none. `unsaid`: see lexicon/complete.ts. */
  learn(vocabulary: unknown, unsaid: Unsaid = {}): void {
    this.#own = readLexicon(vocabulary);
    this.#unsaid = unsaid;
    this.rest();
  }

  /** The first shot of a script as a whole sentence, where it leaves something open; null where nothing is to be chosen. */
  complete(script: string, seed: number): string | null {
    const first = linesOf(script).find((line) => line.trim() !== '');
    return first && this.lexicon ? complete(this.lexicon, this.#unsaid, first, this.#usual, seed) : null;
  }

  /** Words that the model does not know, each once, and how many more there are. */
  get unknown(): { named: Unknown[]; more: number } {
    const seen = new Set<string>();
    const all = (this.#reading?.unknown ?? []).filter(({ text, end }) => {
      const word = text.toLowerCase();
      return end !== this.#typing && !seen.has(word) && seen.add(word);
    });
    return { named: all.slice(0, MOST_NAMED), more: Math.max(0, all.length - MOST_NAMED) };
  }

  /** Ways on from the caret. A prompt that was changed by anything but typing has none. */
  get offers(): readonly Offer[] {
    return this.#of === this.#settings.prompt ? this.#offers : [];
  }

  /** The person typed. `caret` null: something is selected. An input method that composes is left alone. */
  typed(caret: number | null, composing: boolean): void {
    clearTimeout(this.#timer);
    this.#typing = caret ?? -1;
    if (composing) return this.#clear();
    this.#timer = setTimeout(() => (this.#typing = -1), PAUSE);
    if (this.#settings.prompt === '') this.#away = false;
    if (this.#away || caret === null) this.#clear();
    else this.#offer(caret);
  }

  /** The field was left, or the sentence is done. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#typing = -1;
    this.#away = false;
    this.#clear();
  }

  /** Sends the offers away until the field is left, emptied, or they are asked for with an arrow. */
  hide(): void {
    this.#away = true;
    this.#clear();
  }

  /**
   * What a key in the field does here: takes an offer, moves among them or hides them ('used'), or nothing (null), and
   * then it is the field's own. Enter is never taken.
   * @param caret the caret where nothing is selected
   */
  key(key: FieldKey, caret: number | null): Offer | 'used' | null {
    if (key.isComposing || key.ctrlKey || key.metaKey || key.altKey || key.shiftKey) return null;
    const count = this.offers.length;
    const atEnd = caret === this.#settings.prompt.length;
    if (count === 0) {
      if (key.key !== 'ArrowDown' || !atEnd || caret === null) return null;
      this.#away = false;
      this.#offer(caret);
      return this.offers.length > 0 ? this.#walk(0) : null;
    }
    switch (key.key) {
      case 'Escape':
        this.hide();
        return 'used';
      case 'Tab':
        return this.offers[this.active] ?? null;
      case 'ArrowDown':
        return this.#walking ? this.#walk((this.active + 1) % count) : atEnd ? this.#walk(0) : null;
      case 'ArrowRight':
        return this.#walking ? this.#walk((this.active + 1) % count) : null;
      case 'ArrowLeft':
      case 'ArrowUp':
        if (!this.#walking) return null;
        // Back over the first one, into the text.
        if (this.active > 0) return this.#walk(this.active - 1);
        this.#walking = false;
        this.active = -1;
        return 'used';
      default:
        return null;
    }
  }

  #walk(to: number): 'used' {
    this.#walking = true;
    this.active = to;
    return 'used';
  }

  #offer(caret: number): void {
    const { prompt } = this.#settings;
    this.#offers = this.lexicon ? offersAt(this.lexicon, prompt, caret, this.#usual) : [];
    this.#of = prompt;
    this.#walking = false;
    // The end of a word that was begun is there for Tab; a way on is not, or Tab would never leave the field.
    this.active = this.#offers[0]?.typed ? 0 : -1;
  }

  #clear(): void {
    this.#offers = [];
    this.#walking = false;
    this.active = -1;
  }
}
