/** What the next clip is made of besides words: a picture, a video, or an earlier clip; one of them at a time. */
import type { GenerateRequest, Recipe, Size } from '../worker/protocol/clip';
import { lookAtVideo, readFootage } from './footage';
import { cropPicture } from './pictures';
import type { Item } from './shelf.svelte';

/** A file from outside. */
interface Given extends Size {
  file: Blob;
  /** Where the part that is used lies along the side that is longer than needed: 0…1, 0.5 is the middle. */
  crop: number;
  /** Object URL of the file; the material owns it. */
  url: string;
}
export type Material =
  | ({ kind: 'picture' } & Given)
  | ({ kind: 'video'; seconds: number; use: 'extend' | 'remix' } & Given)
  /** `item`: null where only its recipe is known. */
  | { kind: 'clip'; recipe: Recipe; item: Item | null; use: 'extend' | 'remix' };

type Extra = Pick<GenerateRequest, 'picture' | 'footage' | 'source' | 'of' | 'strength' | 'crop'>;

const MIDDLE = 0.5;

export class Materials {
  given = $state.raw<Material | null>(null);
  /** Of a remix: how much is made anew, 0…1. */
  strength = $state(0.6);

  /** Name of the file that is being read, null while none is. */
  reading = $state<string | null>(null);
  /** Where the next file is cropped: as that of a clip was whose settings came back. */
  #crop = MIDDLE;
  /** Counts what was chosen or begun to be read. */
  #newest = 0;

  /**
   * A file is going to be read, and takes the place of what is read still.
   * @returns to be called when it was read, well or not: false where something newer was chosen meanwhile
   */
  begin(name: string): () => boolean {
    const mine = ++this.#newest;
    this.reading = name;
    return () => {
      if (mine !== this.#newest) return false;
      this.reading = null;
      return true;
    };
  }

  /** False where something newer was chosen meanwhile. Throws what the browser says of a file that it cannot read. */
  usePicture(file: File): Promise<boolean> {
    return this.#read(file, async () => {
      const bitmap = await createImageBitmap(file);
      const { width, height } = bitmap;
      bitmap.close();
      return () => ({ kind: 'picture', ...this.#own(file), width, height });
    });
  }

  /** False where something newer was chosen meanwhile. Throws what the browser says of a file that it cannot play. */
  useVideo(file: Blob, use: 'extend' | 'remix' = 'extend'): Promise<boolean> {
    return this.#read(file, async () => {
      const facts = await lookAtVideo(file);
      return () => ({ kind: 'video', ...this.#own(file), ...facts, use });
    });
  }

  async #read(file: Blob, look: () => Promise<() => Material>): Promise<boolean> {
    const isNewest = this.begin(file instanceof File ? file.name : '');
    let found: () => Material;
    try {
      found = await look();
    } catch (e) {
      if (isNewest()) throw e;
      return false;
    }
    if (!isNewest()) return false;
    this.#let();
    this.given = found();
    return true;
  }

  #own(file: Blob) {
    const crop = this.#crop;
    this.#crop = MIDDLE;
    return { file, url: URL.createObjectURL(file), crop };
  }

  useClip(recipe: Recipe, item: Item | null, use: 'extend' | 'remix'): void {
    this.drop();
    this.given = { kind: 'clip', recipe, item, use };
  }

  /** Settings came back of a clip that was made of something that is not in them: when it is given again, it is cropped as it was. */
  expect({ crop = MIDDLE }: Pick<Recipe, 'crop'>): void {
    this.#crop = crop;
  }

  /** Moves the part that is used. 0…1; what is beyond is taken for the end. */
  move(crop: number): void {
    if (this.given && this.given.kind !== 'clip')
      this.given = { ...this.given, crop: Math.min(1, Math.max(0, crop)) };
  }

  choose(use: 'extend' | 'remix'): void {
    if (this.given && this.given.kind !== 'picture') this.given = { ...this.given, use };
  }

  drop(): void {
    this.#newest++;
    this.reading = null;
    this.#let();
  }

  #let(): void {
    if (this.given && 'url' in this.given) URL.revokeObjectURL(this.given.url);
    this.given = null;
  }

  /**
   * What goes into the request. Null where nothing is given, or the clip's latents are gone.
   * @param latents reads those of a clip that is kept
   */
  async read(size: Size, fps: number, latents: (item: Item) => Promise<Blob | null>): Promise<Extra | null> {
    const { given } = this;
    if (!given) return null;
    const strength = given.kind !== 'picture' && given.use === 'remix' ? { strength: this.strength } : {};
    if (given.kind !== 'clip') {
      const { file } = given;
      const crop = given.crop === MIDDLE ? {} : { crop: given.crop };
      if (given.kind === 'picture') return { picture: await cropPicture(file, size, given.crop), ...crop };
      const part = given.use === 'extend' ? 'end' : 'beginning';
      const footage = await readFootage(file, size, fps, part, given.crop);
      return { footage: { ...footage, use: given.use }, ...crop, ...strength };
    }
    const kept = given.item && (await latents(given.item).catch(() => null));
    if (kept) return { source: { recipe: given.recipe, latents: kept, use: given.use }, ...strength };
    // Its recipe makes it again, first of all or as its first shots.
    return given.use === 'remix' ? { of: given.recipe, ...strength } : null;
  }
}
