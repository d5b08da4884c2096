/**
 * The clip while it is made: frames that are decoded, and behind them the present guess of the block in work. The
 * playhead goes forwards as frames come; at their end it waits for the next ones, no longer than it must, and the
 * guess shows what they will be. What was shown is let go, and of what was not yet so many frames are held at most: memory
 * does not grow with the clip.
 */

/** Frames of video that one latent frame stands for: Wan's temporal stride. */
const STRIDE = 4;

export class Reel<Picture> {
  readonly fps: number;
  readonly #release: (picture: Picture) => void;
  readonly #most: number;
  /** Decoded frames that are kept; the first is number `#dropped` of the clip. */
  #frames: Picture[] = [];
  #dropped = 0;
  /** Frames since the beginning. */
  #head = 0;
  /** Seconds that the playhead has waited at the end. */
  #waited = 0;
  #guess: { block: number; pictures: Picture[] } | null = null;

  /**
   * @param release frees a picture that is no longer needed
   * @param most frames to keep
   */
  constructor(fps: number, release: (picture: Picture) => void, most = Infinity) {
    this.fps = fps;
    this.#release = release;
    this.#most = most;
  }

  /** Decoded frames of a block; its guess is then of no more use. */
  add(block: number, pictures: readonly Picture[]): void {
    this.#frames.push(...pictures);
    while (this.#frames.length > this.#most) {
      this.#release(this.#frames.shift()!);
      this.#dropped++;
    }
    if (this.#guess && this.#guess.block <= block) this.#dropGuess();
    this.#waited = 0;
  }

  /** The newest guess of a block, one picture a latent frame. */
  guess(block: number, pictures: Picture[]): void {
    this.#dropGuess();
    this.#guess = { block, pictures };
  }

  /** Frames so far, whether they are still held or not. */
  get decoded(): number {
    return this.#dropped + this.#frames.length;
  }

  /** Plays on by `elapsed` seconds; the picture to show. Before anything is decoded, the guess stands still. */
  play(elapsed: number): Picture | null {
    const step = Math.max(0, elapsed);
    if (this.decoded === 0) return this.newest();
    // Frames that are gone, or came while the page was not looked at, are not waited for.
    this.#head = Math.max(this.#head, this.#dropped) + step * this.fps;
    this.#letGo();
    if (this.#head < this.decoded) return this.#frames[Math.floor(this.#head) - this.#dropped]!;
    this.#head = this.decoded;
    this.#waited += step;
    const guessed = this.#guess?.pictures ?? [];
    if (guessed.length === 0) return this.#frames.at(-1) ?? null;
    return guessed[Math.floor((this.#waited * this.fps) / STRIDE) % guessed.length]!;
  }

  /** The newest picture: what to show where nothing may move. */
  newest(): Picture | null {
    this.#head = Math.max(this.#head, this.decoded - 1);
    this.#letGo();
    return this.#guess?.pictures[0] ?? this.#frames.at(-1) ?? null;
  }

  clear(): void {
    this.#dropGuess();
    for (const picture of this.#frames) this.#release(picture);
    this.#dropped = 0;
    this.#frames = [];
  }

  /** Frames before the one that is shown; the last stays, for it may be all that there is to show. */
  #letGo(): void {
    const first = Math.min(Math.floor(this.#head), this.decoded - 1);
    while (this.#dropped < first) {
      this.#release(this.#frames.shift()!);
      this.#dropped++;
    }
  }

  #dropGuess(): void {
    for (const picture of this.#guess?.pictures ?? []) this.#release(picture);
    this.#guess = null;
  }
}
