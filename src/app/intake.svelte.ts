/**
 * Files dropped, pasted or picked: one of our clips brings back its settings and plays; a picture or another video is what the
 * next clip begins with; a text is its script. The newest counts: an earlier file that is read more slowly comes too late.
 */
import { readRecipe } from '../library/library';
import { MAX_PROMPT } from '../limits';
import type { Recipe } from '../worker/protocol/clip';
import type { Materials } from './material.svelte';
import { asError } from './shelf.svelte';
import { kindOf, readText, type Kind } from './sniff';
import type { Emit, Studio } from './studio.svelte';
import type { Words } from './words';

/** Bytes of a text that could be a script; what is a little longer than a prompt may be is told as that at the prompt. */
const MOST_TEXT = 40 * MAX_PROMPT;

export interface IntakeOptions {
  studio: Pick<Studio, 'model' | 'busy' | 'error'>;
  material: Materials;
  emit: Emit;
  words: () => Words;
  /** How the page calls the model. */
  name: () => string;
  /** Says that a file will not do; `withdraw` takes that back. */
  refuse: (text: string) => void;
  withdraw: () => void;
  restore: (recipe: Recipe) => void;
  show: (file: Blob, recipe: Recipe) => void;
  /** Puts a script into the prompt, and says so. */
  write: (script: string, said: string) => void;
}

export class Intake {
  /** Ends when nothing is being read any more. */
  settled: Promise<unknown> = Promise.resolve();
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Never throws: what will not do is said to the person. */
  take(file: File): Promise<void> {
    const { studio, withdraw } = this.#options;
    studio.error = null; // of a file that was dropped before
    withdraw();
    const taken = this.#take(file);
    this.settled = taken;
    return taken;
  }

  async #take(file: File): Promise<void> {
    const { material, studio, restore, show, words } = this.#options;
    const isNewest = material.begin(file.name);
    const name = file.name || words().drop.unnamed;
    let kind: Kind | null;
    let recipe: Recipe | null = null;
    try {
      kind = await kindOf(file);
      if (kind === 'mp4') recipe = await readRecipe(file);
    } catch (e) {
      if (!isNewest()) return;
      studio.error = asError(e);
      return this.#told(null, studio.error.message);
    }
    if (!isNewest()) return;
    if (kind === 'picture') return this.#takePicture(file, name);
    if (kind === 'text') return this.#takeText(file, name);
    if (kind === null) return this.#refuse(words().drop.unknown(name));
    if (!recipe) return this.takeVideo(file, 'extend');
    restore(recipe);
    if (!studio.busy) show(file, recipe);
    this.#told('clip');
  }

  /** The model has no encoder. Before it is loaded that is not known, and the engine says so when it is to make the clip. */
  get #cannotEncode(): boolean {
    const { model } = this.#options.studio;
    return model !== null && !model.encodes;
  }

  async #takePicture(file: File, name: string): Promise<void> {
    const { material, words } = this.#options;
    if (this.#cannotEncode) return this.#refuse(words().picture.unable(this.#options.name()));
    try {
      if (await material.usePicture(file)) this.#told('picture');
    } catch {
      this.#refuse(words().picture.broken(name));
    }
  }

  /** A video, or a clip that cannot be made again. */
  async takeVideo(file: Blob, use: 'extend' | 'remix'): Promise<void> {
    const { material, words } = this.#options;
    const name = file instanceof File && file.name ? file.name : words().video.this;
    if (this.#cannotEncode) return this.#refuse(words().video.unable(name, this.#options.name()));
    try {
      if (await material.useVideo(file, use)) this.#told('video');
    } catch {
      this.#refuse(words().video.broken(name));
    }
  }

  async #takeText(file: File, name: string): Promise<void> {
    const { material, write, words } = this.#options;
    if (file.size > MOST_TEXT) return this.#refuse(words().drop.long(name, MAX_PROMPT));
    const isNewest = material.begin(name);
    const text = readText(new Uint8Array(await file.arrayBuffer()));
    if (!isNewest()) return;
    if (text === null) return this.#refuse(words().drop.unknown(name));
    write(text.trim(), words().drop.script(name));
    this.#told('script');
  }

  /** A file that will not do. */
  #refuse(text: string): void {
    this.#options.refuse(text);
    this.#told(null, text);
  }

  #told(as: 'picture' | 'video' | 'clip' | 'script' | null, message = ''): void {
    this.#options.emit('kinora:taken', { as, message });
  }
}
