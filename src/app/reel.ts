/**
 * The clip while it is made: frames that are decoded, and behind them the present guess of the block in
 * work. Says which picture belongs to a moment; plays over what there is, from the start, again and again.
 */

/** Frames of video that one latent frame stands for: Wan's temporal stride. */
const STRIDE = 4;

export class Reel<Picture> {
  readonly fps: number;
  readonly #release: (picture: Picture) => void;
  #frames: Picture[] = [];
  #head = 0;
  #guess: { block: number; pictures: Picture[] } | null = null;

  /** `release` frees a picture that is no longer needed. */
  constructor(fps: number, release: (picture: Picture) => void) {
    this.fps = fps;
    this.#release = release;
  }

  /** Decoded frames of a block; its guess is then of no more use. */
  add(block: number, pictures: readonly Picture[]): void {
    this.#frames.push(...pictures);
    if (this.#guess && this.#guess.block <= block) this.#dropGuess();
  }

  /** The newest guess of a block, one picture a latent frame. */
  guess(block: number, pictures: Picture[]): void {
    this.#dropGuess();
    this.#guess = { block, pictures };
  }

  get decoded(): number {
    return this.#frames.length;
  }

  /** Frames to play: what is decoded, then the guess at its place. Before anything is decoded, one still. */
  get length(): number {
    const guessed = this.#guess?.pictures.length ?? 0;
    return this.#frames.length > 0 ? this.#frames.length + guessed * STRIDE : Math.min(guessed, 1);
  }

  /** The picture of frame `index` (0…length−1), or null when nothing is there. */
  at(index: number): Picture | null {
    const later = index - this.#frames.length;
    if (later < 0) return this.#frames[index] ?? null;
    return this.#guess?.pictures[Math.floor(later / STRIDE)] ?? this.#frames.at(-1) ?? null;
  }

  /** Plays on by `elapsed` seconds, back to the start at the end of what there is; the picture to show. */
  play(elapsed: number): Picture | null {
    this.#head += Math.max(0, elapsed) * this.fps;
    if (this.#head >= this.length) this.#head = 0;
    return this.at(Math.floor(this.#head));
  }

  /** The newest picture: what to show where nothing may move. */
  newest(): Picture | null {
    return this.#guess?.pictures[0] ?? this.#frames.at(-1) ?? null;
  }

  clear(): void {
    this.#dropGuess();
    for (const picture of this.#frames) this.#release(picture);
    this.#frames = [];
  }

  #dropGuess(): void {
    for (const picture of this.#guess?.pictures ?? []) this.#release(picture);
    this.#guess = null;
  }
}
