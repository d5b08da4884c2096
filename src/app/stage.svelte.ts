/** What stands on the stage when nothing is being made, and how it plays. */
import type { Recipe, Size } from '../worker/protocol/clip';

/** A finished clip: just made, from the library, or dropped on the page. */
export interface Shown {
  file: Blob;
  /** Object URL of `file`; the stage owns it. */
  url: string;
  recipe: Recipe;
  /** Its id in the library, or null. */
  id: string | null;
}

export class Stage {
  clip = $state.raw<Shown | null>(null);
  /** Address of a clip that the model made, for the first visit. */
  showcase = $state<string | null>(null);
  showcaseSize = $state.raw<Size | null>(null);
  video = $state.raw<HTMLVideoElement | null>(null);
  playing = $state(false);
  /** Seconds. */
  time = $state(0);
  duration = $state(0);

  show(file: Blob, recipe: Recipe, id: string | null): void {
    this.#release();
    this.clip = { file, url: URL.createObjectURL(file), recipe, id };
    this.time = 0;
    this.duration = recipe.frames / recipe.fps;
  }

  /** The clip just shown was kept under this id. */
  keptAs(file: Blob, id: string): void {
    if (this.clip?.file === file) this.clip = { ...this.clip, id };
  }

  close(): void {
    this.#release();
    this.clip = null;
    this.playing = false;
  }

  async toggle(): Promise<void> {
    if (!this.video) return;
    if (!this.video.paused) return this.video.pause();
    // A browser may refuse to play (power saving): the button then still says Play.
    await this.video.play().catch(() => {});
  }

  /** Moves by whole frames and stays there. Times aim at the middle of a frame, so rounding cannot miss it. */
  step(frames: number): void {
    if (!this.video || !this.clip) return;
    const { fps, frames: count } = this.clip.recipe;
    this.video.pause();
    const now = Math.floor(this.video.currentTime * fps + 1e-3);
    const next = (((now + frames) % count) + count) % count;
    this.seek((next + 0.5) / fps);
  }

  skip(seconds: number): void {
    if (this.video) this.seek(Math.min(this.duration - 0.01, Math.max(0, this.video.currentTime + seconds)));
  }

  seek(time: number): void {
    if (!this.video) return;
    this.video.currentTime = time;
    this.time = time;
  }

  #release(): void {
    if (this.clip) URL.revokeObjectURL(this.clip.url);
  }
}
