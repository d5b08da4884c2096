/** Honest seconds of work: many repetitions between two waits, and the median of several such rounds. */
import type { Run } from '../../src/gpu/run';

const ROUNDS = 5;
/** A round is at least so long, in ms, so that the wait at its end does not count. */
const LEAST = 60;

export interface Measured {
  seconds: number;
  /** Processor seconds, on software adapters: other work on the machine does not count in them. Else null. */
  cpu: number | null;
}

let processor: (() => Promise<number>) | null = null;

/** From now on processor time counts, too. @param seconds taken so far by all that computes; null: no longer */
export function watchProcessor(seconds: (() => Promise<number>) | null): void {
  processor = seconds;
}

/** What one repetition takes. @param work does so many and waits for them */
export async function repeat(work: (repetitions: number) => Promise<void>): Promise<Measured> {
  const round = async (repetitions: number): Promise<Measured> => {
    const before = (await processor?.()) ?? null;
    const began = performance.now();
    await work(repetitions);
    const seconds = (performance.now() - began) / 1000;
    return { seconds, cpu: before === null ? null : (await processor!()) - before };
  };
  await round(1); // compiles and warms up
  let repetitions = 1;
  // A round that only waited for its turn is no long one.
  const short = ({ seconds, cpu }: Measured) => 1000 * Math.min(seconds, cpu ?? seconds) < LEAST;
  for (let r = await round(1); short(r) && repetitions < 4096; r = await round(repetitions)) repetitions *= 2;
  const rounds: Measured[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(repetitions));
  const one = (values: number[]) => median(values) / repetitions;
  return {
    seconds: one(rounds.map(({ seconds }) => seconds)),
    cpu: processor ? one(rounds.map(({ cpu }) => cpu!)) : null,
  };
}

/** What one call of `work` (which records dispatches on `run`) takes on the GPU. */
export async function measure(run: Run, work: () => void): Promise<Measured> {
  await run.sync();
  return repeat(async (repetitions) => {
    for (let i = 0; i < repetitions; i++) run.scope(() => work());
    await run.sync();
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
