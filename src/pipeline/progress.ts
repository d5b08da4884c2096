/**
 * How far the work is and how long it will take, in pieces of a few kinds whose costs are learnt on this
 * device while it works. What was learnt lasts as long as the engine, so the second clip's estimate is
 * right from its beginning.
 */
import type { GenerateEvent, Stage } from '../worker/protocol/clip';

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
  /** Seconds of video in a block. */
  secondsOfBlock: number;
  emit: (event: Extract<GenerateEvent, { type: 'progress' }>) => void;
  /** Milliseconds. */
  now?: () => number;
}

/** A piece of work that goes on. `known`: number of the block that was there before, null for what is being made. */
interface Piece {
  work: Work;
  stage: Stage;
  known: number | null;
}

/** Weight of the newest block in the pace. */
const NEWEST = 0.5;

/**
 * One clip's progress. Pieces of work overlap: decoding goes on while the next block is denoised, and what is told is
 * then the denoising.
 */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #left: Record<Work, number>;
  #open: Piece[] = [];
  #place = { block: 0, step: 0 };
  #fraction = 0;
  /** When the last block was done (ms), how many were made, and seconds from one to the next. */
  #last: number | null = null;
  #made = 0;
  #pace: number | null = null;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#left = { ...options.pieces };
  }

  /**
   * A piece of work begins; tells how far the clip is. Block and step stay as they were unless given.
   * @param place `known`: a block that was there before, and is decoded for its frames alone
   * @returns to be called when the piece is done
   */
  begin(
    work: Work,
    stage: Stage,
    { known = null, ...place }: { block?: number; step?: number; known?: number | null } = {},
  ): () => void {
    const piece: Piece = { work, stage, known };
    const since = this.#now();
    this.#open.push(piece);
    Object.assign(this.#place, place);
    this.#tell(this.#open.find((other) => other.work !== 'decode') ?? piece);
    return () => {
      this.#open = this.#open.filter((other) => other !== piece);
      this.#options.costs.learn(work, this.#options.pixels, (this.#now() - since) / 1000);
      this.#left[work] = Math.max(0, this.#left[work] - 1);
    };
  }

  /** How much of the piece of this kind that goes on is done, 0…1: told in between where a piece takes minutes. */
  part(work: Work, share: number): void {
    const piece = this.#open.find((one) => one.work === work);
    if (piece) this.#tell(piece, { share });
  }

  /** Work that need not be done after all, such as the steps of a block that is known. */
  skip(work: Work, pieces: number): void {
    this.#left[work] = Math.max(0, this.#left[work] - pieces);
  }

  /** A block's last frame is there. `made`: it was denoised, not taken over. */
  blockDone(made: boolean): void {
    const now = this.#now();
    if (made) {
      const seconds = this.#last === null ? null : (now - this.#last) / 1000;
      if (seconds !== null) this.#pace = this.#pace === null ? seconds : this.#pace + NEWEST * (seconds - this.#pace); // prettier-ignore
      this.#last = now;
    }
    this.#made++;
  }

  /** Seconds from one block to the next; null until two were made. */
  get pace(): number | null {
    return this.#pace;
  }

  /** Everything is done. */
  done(): void {
    this.#fraction = 1;
    this.#tell({ work: 'finish', stage: 'finish', known: null }, { secondsLeft: 0 });
  }

  #tell({ work, stage, known }: Piece, { secondsLeft = this.#secondsLeft(), share = 0 } = {}): void {
    const { costs, pieces, pixels, blocks, steps, secondsOfBlock, emit } = this.#options;
    const cost = (count: Record<Work, number>) =>
      (Object.keys(count) as Work[]).reduce((sum, w) => sum + count[w] * costs.estimate(w, pixels), 0);
    // Costs change as they are learnt; what was told is not taken back.
    const left = cost(this.#left) - share * costs.estimate(work, pixels);
    this.#fraction = Math.max(this.#fraction, Math.min(1, 1 - left / cost(pieces)));
    const pace = this.#pace ?? this.#expectedPace();
    const realTime = pace === null ? null : secondsOfBlock / pace;
    const told = {
      ...this.#place,
      ...(known !== null && { block: known, known: true }),
      blocks,
      steps,
      fraction: this.#fraction,
      secondsLeft,
      realTime,
    };
    emit({ type: 'progress', stage, ...told });
  }

  /** Seconds of a block by what its pieces cost, one after the other; null until both kinds were measured, in this clip or before. */
  #expectedPace(): number | null {
    const { costs, pieces, pixels, blocks } = this.#options;
    const [pass, decode] = [costs.measured('pass', pixels), costs.measured('decode', pixels)];
    if (pass === null || decode === null) return null;
    return (pieces.pass * pass + pieces.decode * decode) / blocks;
  }

  /**
   * By the pace of the blocks, which knows what overlaps; before there is one, by what the pieces cost one after
   * the other. Null until a pass, which is most of the work, was measured.
   */
  #secondsLeft(): number | null {
    const { costs, pixels, blocks } = this.#options;
    if (costs.measured('pass', pixels) === null) return null;
    if (this.#pace !== null) {
      const since = (this.#now() - this.#last!) / 1000;
      const finish = this.#left.finish * costs.estimate('finish', pixels);
      return Math.max(0, (blocks - this.#made) * this.#pace - since) + finish;
    }
    const works = Object.keys(this.#left) as Work[];
    return works.reduce((sum, w) => sum + this.#left[w] * costs.estimate(w, pixels), 0);
  }
}
