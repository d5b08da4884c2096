/**
 * What the person asks for. Fields hold what was typed, right or wrong, so that nothing is ever lost;
 * `request` checks them and says at which field something will not do. Kept across reloads.
 */
import {
  GRID,
  MAX_GUIDANCE,
  MAX_PROMPT,
  MAX_SECONDS,
  MAX_SEED,
  MAX_SHIFT,
  MAX_SIDE,
  MAX_STEPS,
} from '../limits';
import { parseScript, timeShots, totalSeconds, type TimedShot } from '../story/script';
import type { CacheBits, GenerateRequest, Recipe, Size } from '../worker/protocol/clip';
import type { Wish } from './fragment';
import type { Field, Problem } from './problems';
import { field, type Store } from './store';

/** What the model offers. Until it is known, Pocket's numbers stand in. */
export interface Offer {
  sizes: Size[];
  seconds: { default: number; max: number };
  /** The model's own number of steps. */
  steps: number;
  /** Latent frames of a block, those that it sees, those that stay; absent until the model is loaded. */
  sight?: { block: number; window: number; sink: number };
  /** Absent where the model has none. */
  guidance?: { scale: number; negative: string; shift: number };
}

/** As in pipeline/window.ts. */
const MAX_WINDOW = 1024;

const FIRST_OFFER: Offer = { sizes: [{ width: 96, height: 64 }], seconds: { default: 2, max: 5 }, steps: 4 };
const LENGTHS = [1, 2, 3, 5, 10, 15, 30, 60];
/** Offered whatever the model was taught: the window makes clips of any length possible. */
const LONG = [10, 30, 60];

export class Settings {
  prompt = $state('');
  /** True while the prompt is ours (an example or a surprise), which may be replaced without asking. */
  promptIsOurs = $state(true);
  /** As typed. */
  seed = $state('');
  /** Off: every clip gets a new seed, which then stands in the field. */
  keepSeed = $state(false);
  /** As typed; '' means the model's own number. */
  steps = $state('');
  /** null means the model's own. */
  seconds = $state<number | null>(null);
  size = $state.raw<Size | null>(null);
  /** How far a block sees, where it is not as the model has it. Latent frames. */
  window = $state<number | null>(null);
  sink = $state<number | null>(null);
  /** Of the keys and values of earlier frames; null: as memory allows. */
  cacheBits = $state<CacheBits | null>(null);
  /** Guidance, what shall not be seen, and the shift, as typed, where they are not as the model has them. */
  guidance = $state<string | null>(null);
  negative = $state<string | null>(null);
  shift = $state<string | null>(null);
  /** The end leads back to the beginning. */
  loop = $state(false);
  /** First a quick look, then, if it is liked, the final. */
  draft = $state(false);
  offer = $state.raw<Offer>(FIRST_OFFER);
  problems = $state.raw<Partial<Record<Field, Problem>>>({});
  /** How often something would not do: each time it is shown anew. */
  refusals = $state(0);

  #held: number | null = null;
  readonly #store: Store;
  readonly #random: () => number;

  /** `random` gives an unsigned 32-bit integer. */
  constructor(store: Store, random = () => crypto.getRandomValues(new Uint32Array(1))[0]!) {
    this.#store = store;
    this.#random = random;
    const kept = store.read('settings');
    const text = (name: string) => {
      const value = field(kept, name);
      return typeof value === 'string' ? value : '';
    };
    this.prompt = text('prompt').slice(0, 10 * MAX_PROMPT);
    this.promptIsOurs = this.prompt === '' || field(kept, 'promptIsOurs') === true;
    this.keepSeed = field(kept, 'keepSeed') === true;
    this.seed = text('seed') || String(random());
    this.steps = text('steps');
    this.loop = field(kept, 'loop') === true;
    this.draft = field(kept, 'draft') === true;
    for (const name of ['window', 'sink'] as const) {
      const value = field(kept, name);
      if (typeof value === 'number') this[name] = value;
    }
    this.cacheBits = readBits(field(kept, 'cacheBits'));
    for (const name of ['guidance', 'negative', 'shift'] as const) {
      const value = field(kept, name);
      if (typeof value === 'string') this[name] = value;
    }
    const seconds = field(kept, 'seconds');
    if (typeof seconds === 'number') this.seconds = seconds;
    const [width, height] = ['width', 'height'].map((side) => field(field(kept, 'size'), side));
    if (typeof width === 'number' && typeof height === 'number') this.size = { width, height };
  }

  /** Everything that is asked for, to be kept or brought back. */
  snapshot() {
    const { prompt, promptIsOurs, seed, keepSeed, steps, seconds, size, loop, draft, window, sink, cacheBits, guidance, negative, shift } = this; // prettier-ignore
    return { prompt, promptIsOurs, seed, keepSeed, steps, seconds, size, loop, draft, window, sink, cacheBits, guidance, negative, shift }; // prettier-ignore
  }

  revert(snapshot: ReturnType<Settings['snapshot']>): void {
    Object.assign(this, snapshot);
    this.problems = {};
  }

  /** To be called in an effect: it reads everything it keeps. */
  keep(): void {
    this.#store.write('settings', this.snapshot());
  }

  get effectiveSeconds(): number {
    return this.seconds ?? this.offer.seconds.default;
  }

  /** The shots of the prompt, or the number of the line that will not do; none of what is too long to be read. */
  get shots(): TimedShot[] | { line: number } {
    if (this.prompt.trim().length > MAX_PROMPT) return [];
    try {
      return timeShots(parseScript(this.prompt), this.effectiveSeconds);
    } catch (e) {
      return { line: Number(field(field(e, 'params'), 'line') ?? 1) };
    }
  }

  /** Length of the clip: what the lines of the script say, or what was chosen. */
  get totalSeconds(): number {
    const { shots } = this;
    return Array.isArray(shots) && shots.length > 0 ? totalSeconds(shots) : this.effectiveSeconds;
  }

  get effectiveSize(): Size {
    return this.size ?? this.offer.sizes[0]!;
  }

  /** Lengths to choose from, ascending; one that came from elsewhere (a clip, a link) is among them. */
  get lengths(): number[] {
    const { max, default: own } = this.offer.seconds;
    const offered = LENGTHS.filter((s) => s <= max || LONG.includes(s));
    return [...new Set([...offered, own, this.effectiveSeconds])]
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
  }

  /** Sizes that the model was taught, then other shapes of about the native area, then what was chosen. */
  get sizes(): Size[] {
    const { sizes } = this.offer;
    const { width, height } = sizes[0]!;
    const side = Math.round(Math.sqrt(width * height) / 16) * 16;
    const shapes = [
      ...(sizes.some((s) => s.width === s.height) ? [] : [{ width: side, height: side }]),
      ...(sizes.some((s) => s.height > s.width) ? [] : [{ width: height, height: width }]),
      this.effectiveSize,
    ];
    return shapes.reduce((all, next) => (all.some((s) => sameSize(s, next)) ? all : [...all, next]), sizes);
  }

  /** The model was made for this size; others come out less well. */
  isTaught(size: Size): boolean {
    return this.offer.sizes.some((s) => sameSize(s, size));
  }

  /** The person typed; a problem told at the field is withdrawn until the next try. */
  type(name: 'prompt' | 'seed' | 'steps', text: string): void {
    this[name] = text;
    if (name === 'prompt') this.promptIsOurs = false;
    if (name === 'seed') this.keepSeed = true; // who types a seed wants it
    this.#clear(name);
  }

  /** Puts a prompt of ours (an example, a surprise) into the field. */
  suggest(prompt: string): void {
    this.prompt = prompt;
    this.promptIsOurs = true;
    this.#clear('prompt');
  }

  /** How far a block sees; null: as the model has it. What will not do is told at once: the range is the model's, and nobody knows it. */
  look(name: 'window' | 'sink', frames: number | null): void {
    this[name] = frames;
    const { window: _, sink: __, ...rest } = this.problems;
    this.problems = { ...rest, ...this.#wrongSight() };
  }

  /** What will not do of window and sink. */
  #wrongSight(): Partial<Record<'window' | 'sink', Problem>> {
    if (this.window === null && this.sink === null) return {};
    const { block, window: usual, sink: own } = this.offer.sight ?? { block: 1, window: 1, sink: 0 };
    const window = this.window ?? usual;
    const inside = (n: number, least: number, most: number) => Number.isInteger(n) && n >= least && n <= most;
    const found = (n: number) => (Number.isNaN(n) ? '' : n); // what was typed is no number, and the field shows it
    if (!inside(window, block, MAX_WINDOW))
      return { window: { field: 'window', found: found(window), least: block, most: MAX_WINDOW } };
    if (inside(this.sink ?? Math.min(own, window - block), 0, window - block)) return {};
    return { sink: { field: 'sink', found: found(this.sink!), least: 0, most: window - block } };
  }

  /** The person typed; null: as the model has it. A number that will not do is told at once, as of `look`. */
  guide(name: 'guidance' | 'negative' | 'shift', text: string | null): void {
    this[name] = text;
    this.#clear(name);
    this.problems = { ...this.problems, ...this.#wrongGuidance() };
  }

  /** As typed, with either decimal sign; undefined: the model's own. What another model was told is not asked of one that has none. */
  #typed(text: string | null): number | undefined {
    return this.offer.guidance && text?.trim() ? Number(text.replace(',', '.')) : undefined;
  }

  /** What will not do of guidance and shift. */
  #wrongGuidance(): Partial<Record<'guidance' | 'shift', Problem>> {
    const wrong: Partial<Record<'guidance' | 'shift', Problem>> = {};
    for (const [field, most] of [['guidance', MAX_GUIDANCE], ['shift', MAX_SHIFT]] as const) {
      const n = this.#typed(this[field]);
      if (n !== undefined && !(n >= 1 && n <= most)) wrong[field] = { field, found: this[field]!, most };
    } // prettier-ignore
    return wrong;
  }

  roll(): void {
    this.seed = String(this.#random());
    this.keepSeed = true;
    this.#clear('seed');
  }

  /** The next request has this seed, whether seeds are kept or not. */
  holdSeed(seed: number): void {
    this.#held = seed;
  }

  toggleSeed(): void {
    this.keepSeed = !this.keepSeed;
    this.#clear('seed');
  }

  choose(choice: { seconds?: number; size?: Size }): void {
    if (choice.seconds !== undefined) {
      this.seconds = choice.seconds;
      this.#clear('seconds');
    }
    if (choice.size) {
      this.size = choice.size;
      this.#clear('size');
    }
  }

  /** Settings of an earlier clip, of a draft those of the final. Its seed is kept, for who restores a clip wants that clip. */
  restore(recipe: Recipe): void {
    const { prompt, seed, seconds, window, sink, cacheBits, guidance, negative, shift, loop, draft } = recipe; // prettier-ignore
    const { width, height, steps } = draft ?? recipe;
    this.draft = draft !== undefined;
    this.loop = loop ?? false;
    this.cacheBits = cacheBits ?? null;
    [this.guidance, this.negative] = [guidance === undefined ? null : String(guidance), negative ?? null];
    this.shift = shift === undefined ? null : String(shift);
    [this.window, this.sink] = [window ?? null, sink ?? null];
    this.apply({
      prompt,
      seed: String(seed),
      steps: String(steps),
      seconds,
      size: { width, height },
      auto: false,
    });
  }

  apply(wish: Wish): void {
    this.problems = {};
    if (wish.prompt !== undefined) {
      this.prompt = wish.prompt;
      this.promptIsOurs = false;
    }
    if (wish.seed !== undefined) {
      this.seed = wish.seed;
      this.keepSeed = true;
    }
    if (wish.steps !== undefined) this.steps = wish.steps;
    if (wish.window !== undefined) this.window = wish.window;
    if (wish.sink !== undefined) this.sink = wish.sink;
    if (wish.cacheBits !== undefined) this.cacheBits = wish.cacheBits;
    if (wish.loop !== undefined) this.loop = wish.loop;
    if (wish.draft !== undefined) this.draft = wish.draft;
    if (wish.seconds !== undefined) this.seconds = wish.seconds;
    if (wish.size) this.size = wish.size;
  }

  /**
   * Checks every field. The request, or null when something will not do: `problems` then names it. Draws a
   * new seed first unless it is kept, or held for this once.
   */
  request(): GenerateRequest | null {
    if (this.#held !== null) this.seed = String(this.#held);
    else if (!this.keepSeed) this.seed = String(this.#random());
    this.#held = null;
    const problems: Partial<Record<Field, Problem>> = {};
    const wrong = (name: Field, found: string | number, most: number) =>
      void (problems[name] = { field: name, found, most });

    const prompt = this.prompt.trim();
    if (prompt.length === 0 || prompt.length > MAX_PROMPT) wrong('prompt', prompt.length, MAX_PROMPT);
    const shots = this.shots;
    if (!Array.isArray(shots))
      problems.prompt ??= { field: 'prompt', found: prompt.length, most: MAX_PROMPT, line: shots.line };
    const seed = whole(this.seed);
    if (!(seed <= MAX_SEED)) wrong('seed', this.seed, MAX_SEED);
    const steps = this.steps.trim() === '' ? this.offer.steps : whole(this.steps);
    if (!(steps >= 1 && steps <= MAX_STEPS)) wrong('steps', this.steps, MAX_STEPS);
    const seconds = this.effectiveSeconds;
    const total = this.totalSeconds;
    if (!(seconds > 0 && total > 0 && total <= MAX_SECONDS)) wrong('seconds', total, MAX_SECONDS);
    const { width, height } = this.effectiveSize;
    if (!goodSide(width) || !goodSide(height)) wrong('size', `${width} × ${height}`, MAX_SIDE);

    Object.assign(problems, this.#wrongSight());

    // What another model was told stays in the drawer, but is not asked of one that cannot do it.
    const guided = this.offer.guidance !== undefined;
    const [scale, shift] = [this.#typed(this.guidance), this.#typed(this.shift)];
    Object.assign(problems, this.#wrongGuidance());
    const negative = guided ? (this.negative?.trim() ?? undefined) : undefined;
    if (negative !== undefined && negative.length > MAX_PROMPT) wrong('negative', negative.length, MAX_PROMPT); // prettier-ignore

    this.problems = problems;
    if (Object.keys(problems).length > 0) {
      this.refusals++;
      return null;
    }
    const { window, sink, cacheBits, loop } = this;
    const seen = {
      ...(window !== null && { window }),
      ...(sink !== null && { sink }),
      ...(cacheBits !== null && { cacheBits }),
      ...(loop && { loop }),
      ...(scale !== undefined && { guidance: scale }),
      ...(negative !== undefined && { negative }),
      ...(shift !== undefined && { shift }),
    };
    return { prompt, seed, seconds, width, height, steps, ...seen };
  }

  /** The engine refused a setting: it is told at its field, as if it had been seen before. */
  refuse(problem: Problem): void {
    this.problems = { ...this.problems, [problem.field]: problem };
    this.refusals++;
  }

  #clear(name: Field): void {
    if (!(name in this.problems)) return;
    const { [name]: _, ...rest } = this.problems;
    this.problems = rest;
  }
}

const readBits = (value: unknown): CacheBits | null => (value === 8 || value === 16 ? value : null);

/** A plain decimal integer, NaN otherwise ("", "0x10", "1e3", "-1"). */
const whole = (text: string): number => (/^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN);
const goodSide = (n: number) => n >= GRID && n <= MAX_SIDE && n % GRID === 0;
export const sameSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;
