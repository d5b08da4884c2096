/**
 * How far the work is and how long it will take, in pieces of a few kinds whose costs are learnt on this
 * device while it works. What was learnt lasts as long as the engine, so the second clip's estimate is
 * right from its beginning.
 */
import type { GenerateEvent, Stage } from '../worker/protocol';

/** text: the prompt. pass: the transformer once over a block. decode: a latent frame. finish: the file. */
export type Work = 'text' | 'pass' | 'decode' | 'finish';

/** Costs relative to each other, until they are measured. */
const GUESS: Record<Work, number> = { text: 0.3, pass: 1, decode: 0.5, finish: 0.3 };
/** Weight of the newest measurement. */
const FRESH = 0.3;

/** Seconds a piece of work takes. Passes and decoding are taken to grow with the picture's area. */
export class Costs {
  #rates = new Map<Work, number>();

  learn(work: Work, pixels: number, seconds: number): void {
    const rate = seconds / area(work, pixels);
    const known = this.#rates.get(work);
    this.#rates.set(work, known === undefined ? rate : known + FRESH * (rate - known));
  }

  /** Seconds; null when nothing of the kind was measured. */
  measured(work: Work, pixels: number): number | null {
    const rate = this.#rates.get(work);
    return rate === undefined ? null : rate * area(work, pixels);
  }

  /** Seconds if anything was measured, else a relative cost. */
  estimate(work: Work, pixels: number): number {
    const known = this.measured(work, pixels);
    if (known !== null) return known;
    const pairs = [...this.#rates.keys()].map((w) => [this.measured(w, pixels)!, GUESS[w]] as const);
    const seconds = pairs.reduce((sum, [s]) => sum + s, 0);
    const guesses = pairs.reduce((sum, [, g]) => sum + g, 0);
    return GUESS[work] * (guesses > 0 ? seconds / guesses : 1);
  }
}

const area = (work: Work, pixels: number) => (work === 'pass' || work === 'decode' ? pixels : 1);

export interface ProgressOptions {
  costs: Costs;
  /** Pieces of each kind that the clip takes. */
  pieces: Record<Work, number>;
  /** Pixels of the picture. */
  pixels: number;
  blocks: number;
  steps: number;
  emit: (event: Extract<GenerateEvent, { type: 'progress' }>) => void;
  /** Milliseconds. */
  now?: () => number;
}

/** One clip's progress. One piece of work at a time: beginning the next ends the one before. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #left: Record<Work, number>;
  #present: { work: Work; since: number } | null = null;
  #fraction = 0;
  #place = { block: 0, step: 0 };

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#left = { ...options.pieces };
  }

  /** A piece of work begins; tells how far the clip is. Block and step stay as they were unless given. */
  begin(work: Work, stage: Stage, place: { block?: number; step?: number } = {}): void {
    this.#end();
    this.#present = { work, since: this.#now() };
    Object.assign(this.#place, place);
    this.#tell(stage);
  }

  /** Everything is done. */
  done(): void {
    this.#end();
    this.#fraction = 1;
    this.#tell('finish', 0);
  }

  #end(): void {
    const { costs, pixels } = this.#options;
    if (!this.#present) return;
    const { work, since } = this.#present;
    costs.learn(work, pixels, (this.#now() - since) / 1000);
    this.#left[work] = Math.max(0, this.#left[work] - 1);
    this.#present = null;
  }

  #tell(stage: Stage, secondsLeft = this.#secondsLeft()): void {
    const { costs, pieces, pixels, blocks, steps, emit } = this.#options;
    const cost = (count: Record<Work, number>) =>
      (Object.keys(count) as Work[]).reduce((sum, w) => sum + count[w] * costs.estimate(w, pixels), 0);
    // Costs change as they are learnt; what was told is not taken back.
    this.#fraction = Math.max(this.#fraction, Math.min(1, 1 - cost(this.#left) / cost(pieces)));
    emit({
      type: 'progress',
      stage,
      ...this.#place,
      blocks,
      steps,
      fraction: this.#fraction,
      secondsLeft,
    });
  }

  /** Null until a pass, which is most of the work, was measured. */
  #secondsLeft(): number | null {
    const { costs, pixels } = this.#options;
    if (costs.measured('pass', pixels) === null) return null;
    const works = Object.keys(this.#left) as Work[];
    return works.reduce((sum, w) => sum + this.#left[w] * costs.estimate(w, pixels), 0);
  }
}
