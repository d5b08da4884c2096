/** Honest seconds of GPU work: many repetitions between two waits, and the median of several such rounds. */
import type { Run } from '../../src/gpu/run';

const ROUNDS = 5;
/** A round is at least so long, in ms, so that the wait at its end does not count. */
const LEAST = 60;

/** Seconds that one call of `work` (which records dispatches on `run`) takes on the GPU. */
export async function measure(run: Run, work: () => void): Promise<number> {
  const round = async (repetitions: number) => {
    await run.sync();
    const began = performance.now();
    for (let i = 0; i < repetitions; i++) run.scope(() => work());
    await run.sync();
    return performance.now() - began;
  };
  await round(1); // compiles and warms up
  let repetitions = 1;
  for (let ms = await round(1); ms < LEAST && repetitions < 4096; ms = await round(repetitions))
    repetitions *= 2;
  const rounds: number[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push((await round(repetitions)) / repetitions);
  return median(rounds) / 1000;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
