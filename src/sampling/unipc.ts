/**
 * UniPC for flow matching, as base Wan is sampled: a multistep predictor and corrector of order 2, B(h) = e^h − 1,
 * over predictions of x0 [Zhao et al. 2023, arXiv 2302.04867; huggingface/diffusers
 * `UniPCMultistepScheduler` with `prediction_type="flow_prediction", use_flow_sigmas=True`].
 *
 * Every step is a weighted sum of a few arrays, so this file only makes the weights; they do not depend on the data.
 */
import { TRAIN_STEPS, type Step } from './schedule';

/** Weights of the corrector: x at this step, again, now that the network has looked there. */
export interface Corrector {
  /** Of x at the step before, after its corrector. */
  last: number;
  /** Of the x0 predicted there, and one step earlier (0 when it is not used). */
  before: number;
  earlier: number;
  /** Of the x0 predicted now. */
  now: number;
}

/** Weights of the predictor: x at the next noise level. */
export interface Predictor {
  x: number;
  now: number;
  before: number;
}

export interface UniPcStep extends Step {
  corrector: Corrector | null;
  predictor: Predictor;
}

/** Just below 1, where the logarithm of the signal is still a number. */
const TOP = 1 - 1e-6;

/** σ of each step as diffusers has them: n even steps from 1 towards 1/T, warped; without the final 0. */
export function unipcSigmas(n: number, shift: number, numTrain = TRAIN_STEPS): number[] {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`unipcSigmas: ${n} steps`);
  return Array.from({ length: n }, (_, i) => {
    const s = 1 + ((1 / numTrain - 1) * i) / n;
    return Math.min(TOP, (shift * s) / (1 + (shift - 1) * s));
  });
}

/** The steps of a schedule down to σ = 0, with their weights. The network is told whole timesteps. */
export function unipcSteps(sigmas: readonly number[]): UniPcStep[] {
  const all = [...sigmas, 0];
  const n = sigmas.length;
  // The last steps have less to look back on, and the very last is of order 1: it jumps to σ = 0.
  const order = (i: number) => Math.min(2, n - i, i + 1);
  return sigmas.map((sigma, i) => ({
    index: i,
    sigma,
    timestep: Math.trunc(sigma * TRAIN_STEPS),
    next: all[i + 1]!,
    corrector: i === 0 ? null : correct(all, i, order(i - 1)),
    predictor: predict(all, i, order(i)),
  }));
}

const alpha = (sigma: number) => 1 - sigma;
/** Half the logarithm of the signal-to-noise ratio. */
const lambda = (sigma: number) => Math.log(alpha(sigma)) - Math.log(sigma);

/** From σ_i to σ_{i+1} with what is known at σ_i and before. */
function predict(sigmas: readonly number[], i: number, order: number): Predictor {
  const [s0, st] = [sigmas[i]!, sigmas[i + 1]!];
  const h = lambda(st) - lambda(s0);
  const grow = Math.expm1(-h);
  // D1 = (before − now) / r, weighted by B(h)·ρ with ρ = ½.
  let d = 0;
  if (order === 2) {
    const r = (lambda(sigmas[i - 1]!) - lambda(s0)) / h;
    d = (-alpha(st) * grow * 0.5) / r;
  }
  return { x: st / s0, now: -alpha(st) * grow - d, before: d };
}

/** From σ_{i−1} to σ_i once more, with the prediction at σ_i, too. */
function correct(sigmas: readonly number[], i: number, order: number): Corrector {
  const [s0, st] = [sigmas[i - 1]!, sigmas[i]!];
  const h = lambda(st) - lambda(s0);
  const grow = Math.expm1(-h); // h_phi_1 and, for bh2, B(h)
  const scale = -alpha(st) * grow;
  const [phi1, phi2] = weights(-h, grow);
  let [rhoEarlier, rhoNow, r] = [0, 0.5, 1];
  if (order === 2) {
    // [1 1; r 1]·ρ = [φ1, φ2]
    r = (lambda(sigmas[i - 2]!) - lambda(s0)) / h;
    rhoEarlier = (phi1 - phi2) / (1 - r);
    rhoNow = phi1 - rhoEarlier;
  }
  const earlier = order === 2 ? (scale * rhoEarlier) / r : 0;
  const now = scale * rhoNow;
  return { last: st / s0, before: scale - earlier - now, earlier, now };
}

/** The right-hand sides of the order conditions: k!·φ_{k+1} / B. */
function weights(h: number, b: number): [number, number] {
  const first = b / h - 1;
  const second = first / h - 1 / 2;
  return [first / b, (2 * second) / b];
}
