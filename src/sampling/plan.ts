/** The steps of a clip, by the sampler that model.json names. */
import { flowMatchSigmas, resample, steps, warp, type Step } from './schedule';
import { unipcSigmas, unipcSteps, type UniPcStep } from './unipc';

/**
 * - renoise: each step predicts x0 and adds fresh noise. Self-Forcing, Causal-Forcing, rCM, FastWan; lists in SAMPLERS
 * - euler: follows the flow at the model's own timesteps. Kinora Pocket
 * - flow-match: follows it at diffusers' noise levels for so many steps. Base Wan
 * - unipc: base Wan, too
 */
export type SamplerKind = 'renoise' | 'euler' | 'flow-match' | 'unipc';

export interface SamplerPlan {
  kind: SamplerKind;
  /** Unwarped; flow-match and UniPC only take their number. */
  timesteps: readonly number[];
  shift: number;
}

/** As many steps as asked for, but for the first `skipped`: what is already denoised so far needs only the others. */
export function planSteps(
  { kind, timesteps, shift }: SamplerPlan,
  count: number,
  skipped = 0,
): (Step | UniPcStep)[] {
  if (kind === 'unipc') return unipcSteps(unipcSigmas(count, shift).slice(skipped));
  if (kind === 'flow-match') return steps(flowMatchSigmas(count, shift).slice(skipped));
  return steps(warp(resample(timesteps, count), shift).slice(skipped));
}

/** x of the first step is this much of the noise: samplers that begin below σ = 1 begin with less of it. */
export const startScale = ({ kind }: SamplerPlan, schedule: readonly Step[]): number =>
  kind === 'renoise' ? schedule[0]!.sigma : 1;

/** Step lists of the published few-step checkpoints, as `sampler` of a model document. */
export const SAMPLERS = {
  /** [guandeh17/Self-Forcing `configs/self_forcing_dmd.yaml`], LongLive too. */
  'self-forcing': { kind: 'renoise', timesteps: [1000, 750, 500, 250], shift: 5 },
  /** Causal-Forcing++ with two steps and with one [zhuhz22/Causal-Forcing]. */
  'causal-forcing-2': { kind: 'renoise', timesteps: [1000, 500], shift: 5 },
  'causal-forcing-1': { kind: 'renoise', timesteps: [1000], shift: 5 },
  /** [hao-ai-lab/FastVideo `--dmd-denoising-steps "1000,757,522"`]; the list is warped already. */
  fastwan: { kind: 'renoise', timesteps: [1000, 757, 522], shift: 1 },
  /**
   * TrigFlow angles atan(80), 1.5, 1.4, 1.0 as rectified flow has them: t = sin / (sin + cos) [NVlabs/rcm
   * `wan2pt1_t2v_rcm_infer.py`].
   */
  rcm: { kind: 'renoise', timesteps: [Math.atan(80), 1.5, 1.4, 1.0].map(rectified), shift: 1 },
  /** Base Wan: 50 steps, shift 5 [Wan-Video/Wan2.1 `generate.py`], guidance 5. */
  wan: { kind: 'unipc', timesteps: fifty(), shift: 5 },
  'wan-euler': { kind: 'flow-match', timesteps: fifty(), shift: 5 },
} as const satisfies Record<string, SamplerPlan>;

function fifty(): number[] {
  return Array.from({ length: 50 }, (_, i) => 1000 - 20 * i);
}

function rectified(angle: number): number {
  return (1000 * Math.sin(angle)) / (Math.sin(angle) + Math.cos(angle));
}
