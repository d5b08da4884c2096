/**
 * Chooses between variants of a kernel by a short measured trial on this very adapter, and remembers. Tables by the
 * vendor's name age badly; a trial takes a tenth of a second.
 *
 * Ops ask through `Run.choose`. A dry run gathers their questions, `settle` answers what is not known yet, and from
 * then on every run takes the answers. A variant that does not compile here, or whose result differs from the plain
 * one's, is never chosen: drivers err.
 */
import { KinoraError } from '../errors';
import type { TuningAnswer } from '../worker/protocol/machine';
import type { Gpu } from './device';
import { Run } from './run';
import type { Tensor } from './tensor';

/** Where answers stay for the next visit. */
export interface KeyValue {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

export interface TunerOptions {
  /** Default: nothing is kept. */
  store?: KeyValue;
  /** Names adapter, browser version and build: answers hold for this only. */
  key?: string;
  /** Trials on software adapters too, for tests and the bench: elsewhere their first guess is as good. */
  always?: boolean;
  /** Milliseconds, on software adapters: the bench counts processor time there. Else it is performance.now(). */
  clock?: () => number | Promise<number>;
}

export interface Question {
  /** Operation, types and shape class. */
  readonly key: string;
  /** Names of the variants, best guess first. */
  readonly candidates: readonly string[];
  /** The one of them that the others must agree with. */
  readonly plain: string;
  /**
   * Makes inputs on `run` for the call itself, or as much of it as takes about so many floating-point operations.
   */
  prepare(run: Run, flops: number): Prepared;
}

export interface Prepared {
  /** Records one call of a variant, and returns the result. */
  call(candidate: string): Tensor;
  /** Floating-point operations of a call; absent where it is memory that limits it. */
  flops?: number;
}

/** Milliseconds of work between two waits, rounds of which the shortest counts, and all trials of one `settle`. */
const SPAN = 6;
const ROUNDS = 3;
const BUDGET = 4000;
/** Operations of a call whose speed nobody knows: a few milliseconds on a slow GPU. */
const FIRST_FLOPS = 4e9;
/** Seconds of a call once it is known. Parts of the real one, which fill a large GPU as that does: small ones favour small tiles. */
const CALL_SECONDS = 0.01;
/** A later candidate must be faster than an earlier one by this factor. */
const MARGIN = 0.97;
/** Of a result's root mean square: twice what the kernels' tests allow. */
const TOLERANCE = { f32: 2e-5, f16: 2 ** -9 };

export class Tuner {
  readonly #options: TunerOptions;
  #answers: Map<string, TuningAnswer> | null = null;

  constructor(options: TunerOptions = {}) {
    this.#options = options;
  }

  /** What was found, sorted by question. */
  get answers(): TuningAnswer[] {
    return [...(this.#answers?.values() ?? [])].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Operations a second of the fastest call in any trial; 0 before one. */
  get speed(): number {
    const speeds = this.answers.map(({ chosen, ms, flops = 0 }) => (1000 * flops) / (ms[chosen] || Infinity));
    return Math.max(0, ...speeds);
  }

  /** The winner of a trial; the first candidate where there was none. */
  choice({ key, candidates }: Question): string {
    const chosen = this.#answers?.get(key)?.chosen;
    return chosen !== undefined && candidates.includes(chosen) ? chosen : candidates[0]!;
  }

  /** Reads what an earlier visit found. */
  async recall(): Promise<void> {
    if (this.#answers) return;
    const { store, key = '' } = this.#options;
    this.#answers = readAnswers((await store?.get(key).catch(() => null)) ?? null);
  }

  /** Holds the trials that are missing. True when something was found, so that other kernels may be needed. */
  async settle(gpu: Gpu, questions: Iterable<Question>): Promise<boolean> {
    await this.recall();
    if (gpu.adapter.isFallback && !this.#options.always) return false;
    const clock = (gpu.adapter.isFallback && this.#options.clock) || (() => performance.now());
    const until = performance.now() + BUDGET;
    let found = false;
    for (const question of questions) {
      if (this.#answers!.has(question.key) || question.candidates.length < 2) continue;
      if (performance.now() > until) break; // the next size or visit goes on
      this.#answers!.set(question.key, await hold(gpu, question, clock));
      gpu.reaches(this.speed);
      found = true;
    }
    const { store, key = '' } = this.#options;
    if (found) await store?.set(key, JSON.stringify(this.answers)).catch(() => {}); // then only for this visit
    return found;
  }

  /** Forgets all answers, also those kept. The next `settle` holds the trials again. */
  async reset(): Promise<void> {
    this.#answers = new Map();
    await this.#options.store?.delete(this.#options.key ?? '').catch(() => {});
  }
}

function readAnswers(text: string | null): Map<string, TuningAnswer> {
  try {
    const answers = JSON.parse(text ?? '[]') as TuningAnswer[];
    return new Map(
      answers
        .filter(
          (a) =>
            typeof a.key === 'string' && typeof a.chosen === 'string' && typeof a.ms === 'object' && a.ms,
        )
        .map((a) => [a.key, a]),
    );
  } catch {
    return new Map(); // damaged: as on a first visit
  }
}

type Clock = NonNullable<TunerOptions['clock']>;

async function hold(gpu: Gpu, question: Question, clock: Clock): Promise<TuningAnswer> {
  const { key, candidates } = question;
  const run = new Run(gpu);
  try {
    let { call, flops } = question.prepare(run, FIRST_FLOPS);
    const right = await rightOnes(gpu, run, question, call);
    const best = new Map(right.map((name) => [name, Infinity]));
    const counts = new Map<string, number>();
    if (flops !== undefined && right.length > 1) {
      const first = right[0]!;
      const count = await countFor(run, () => call(first), clock);
      const ms = await time(run, () => call(first), count, clock);
      const speed = ms > 0 ? (flops / ms) * 1000 : 0; // a coarse clock may not have moved
      gpu.reaches(speed);
      const more = CALL_SECONDS * speed;
      if (more > FIRST_FLOPS) ({ call, flops } = question.prepare(run, more));
    }
    for (const name of right) counts.set(name, await countFor(run, () => call(name), clock));
    // In turns, so that a machine that slows down does so for all.
    for (let round = 0; round < ROUNDS; round++)
      for (const name of right)
        best.set(
          name,
          Math.min(best.get(name)!, await time(run, () => call(name), counts.get(name)!, clock)),
        );
    let chosen = right[0] ?? candidates[0]!;
    for (const name of right) if (best.get(name)! < best.get(chosen)! * MARGIN) chosen = name;
    const ms = Object.fromEntries(candidates.map((name) => [name, best.get(name) ?? null]));
    return { key, chosen, ms, ...(flops !== undefined && { flops }) };
  } finally {
    run.destroy();
  }
}

/** The candidates that compile and agree with the plain one. */
async function rightOnes(
  gpu: Gpu,
  run: Run,
  { candidates, plain, prepare }: Question,
  call: Prepared['call'],
): Promise<string[]> {
  const results = new Map<string, Float32Array>();
  let tolerance = 0;
  for (const name of candidates) {
    const dry = new Run(gpu, { dry: true });
    try {
      prepare(dry, FIRST_FLOPS).call(name);
      await dry.compile();
      const result = run.scope(() => call(name));
      tolerance = TOLERANCE[result.dtype as 'f32' | 'f16'];
      results.set(name, await run.read(result));
      run.release(result);
    } catch (e) {
      if (e instanceof KinoraError && e.code !== 'internal') throw e; // a lost device, no memory
    } finally {
      dry.destroy();
    }
  }
  const right = results.get(plain) ?? [...results.values()].at(-1);
  return candidates.filter((name) => results.has(name) && agrees(results.get(name)!, right!, tolerance));
}

function agrees(a: Float32Array, b: Float32Array, tolerance: number): boolean {
  const rms = Math.sqrt(b.reduce((sum, v) => sum + v * v, 0) / b.length);
  return a.every((v, i) => Math.abs(v - b[i]!) <= tolerance * (Math.abs(b[i]!) + rms)); // false for NaN
}

async function countFor(run: Run, work: () => Tensor, clock: Clock): Promise<number> {
  const ms = await time(run, work, 1, clock);
  return Math.min(256, Math.max(1, Math.ceil(SPAN / Math.max(ms, 0.01))));
}

/** Milliseconds of a call, over `count` of them. */
async function time(run: Run, work: () => Tensor, count: number, clock: Clock): Promise<number> {
  await run.sync();
  const began = await clock();
  for (let i = 0; i < count; i++) run.release(run.scope(work));
  await run.sync();
  return ((await clock()) - began) / count;
}
