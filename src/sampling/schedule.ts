/**
 * Noise levels of the denoising steps. A timestep t lies in [0, 1000], its noise level σ in [0, 1]:
 * x_t = (1 − σ)·x0 + σ·noise, and the network is told σ·1000.
 */

/** Timesteps of the training. */
export const TRAIN_STEPS = 1000;

/** σ of each unwarped timestep: shift·s / (1 + (shift − 1)·s) with s = t / numTrain. */
export function warp(timesteps: readonly number[], shift: number, numTrain = TRAIN_STEPS): number[] {
  return timesteps.map((t) => {
    const s = t / numTrain;
    return (shift * s) / (1 + (shift - 1) * s);
  });
}

/**
 * The list for another number of steps: read off the line through the original list, which ends at 0
 * after its last step. [1000, 750, 500, 250] becomes [1000, 500] for two.
 * @throws RangeError unless n is a whole number of at least 1
 */
export function resample(timesteps: readonly number[], n: number): number[] {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`resample: ${n} steps`);
  const points = [...timesteps, 0];
  return Array.from({ length: n }, (_, i) => {
    const at = (i * timesteps.length) / n;
    const left = Math.floor(at);
    return points[left]! + (points[left + 1]! - points[left]!) * (at - left);
  });
}

export interface Step {
  /** Counts from 0. */
  index: number;
  /** Noise level that the network is told, as a timestep: σ·1000. */
  timestep: number;
  sigma: number;
  /** Noise level after the step; 0 after the last. */
  next: number;
}

/** The steps of a schedule, the last one down to σ = 0. */
export function steps(sigmas: readonly number[]): Step[] {
  return sigmas.map((sigma, index) => ({
    index,
    sigma,
    timestep: sigma * TRAIN_STEPS,
    next: sigmas[index + 1] ?? 0,
  }));
}

/**
 * σ of flow-match Euler as diffusers' `FlowMatchEulerDiscreteScheduler.set_timesteps(n)` has them, without
 * its final 0. Its even spacing runs over σ warped once, and is then warped again.
 */
export function flowMatchSigmas(n: number, shift: number, numTrain = TRAIN_STEPS): number[] {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`flowMatchSigmas: ${n} steps`);
  const [last] = warp([1], shift, numTrain) as [number];
  const even = Array.from({ length: n }, (_, i) => (n === 1 ? 1 : 1 + ((last - 1) * i) / (n - 1)));
  return warp(
    even.map((sigma) => sigma * numTrain),
    shift,
    numTrain,
  );
}
