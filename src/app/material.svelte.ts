/** What the next clip is made of besides words: a picture, a video, or an earlier clip; one of them at a time. */
import type { GenerateRequest, Recipe, Size } from '../worker/protocol';
import { lookAtVideo, readFootage } from './footage';
import { cropPicture } from './pictures';
import type { Item } from './shelf.svelte';

/** A file from outside. */
interface Given extends Size {
  file: Blob;
  /** Object URL of the file; the material owns it. */
  url: string;
}
export type Material =
  | ({ kind: 'picture' } & Given)
  | ({ kind: 'video'; seconds: number; use: 'extend' | 'remix' } & Given)
  /** `item`: null where only its recipe is known. */
  | { kind: 'clip'; recipe: Recipe; item: Item | null; use: 'extend' | 'remix' };

type Extra = Pick<GenerateRequest, 'picture' | 'footage' | 'source' | 'of' | 'strength'>;

export class Materials {
  given = $state.raw<Material | null>(null);
  /** Of a remix: how much is made anew, 0…1. */
  strength = $state(0.6);

  /** Throws what the browser says of a file that it cannot read. */
  async usePicture(file: Blob): Promise<void> {
    const bitmap = await createImageBitmap(file);
    const { width, height } = bitmap;
    bitmap.close();
    this.drop();
    this.given = { kind: 'picture', file, url: URL.createObjectURL(file), width, height };
  }

  /** Throws what the browser says of a file that it cannot play. */
  async useVideo(file: Blob, use: 'extend' | 'remix' = 'extend'): Promise<void> {
    const facts = await lookAtVideo(file);
    this.drop();
    this.given = { kind: 'video', file, url: URL.createObjectURL(file), ...facts, use };
  }

  useClip(recipe: Recipe, item: Item | null, use: 'extend' | 'remix'): void {
    this.drop();
    this.given = { kind: 'clip', recipe, item, use };
  }

  choose(use: 'extend' | 'remix'): void {
    if (this.given && this.given.kind !== 'picture') this.given = { ...this.given, use };
  }

  drop(): void {
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
    if (given.kind === 'picture') return { picture: await cropPicture(given.file, size) };
    if (given.kind === 'video') {
      const part = given.use === 'extend' ? 'end' : 'beginning';
      return {
        footage: { ...(await readFootage(given.file, size, fps, part)), use: given.use },
        ...strength,
      };
    }
    const kept = given.item && (await latents(given.item).catch(() => null));
    if (kept) return { source: { recipe: given.recipe, latents: kept, use: given.use }, ...strength };
    // Its recipe makes it again, first of all or as its first shots.
    return given.use === 'remix' ? { of: given.recipe, ...strength } : null;
  }
}
