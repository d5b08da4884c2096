/** Denoising steps on the GPU; sampling/steppers.ts has them in plain numbers. All f32, of one shape. */
import code from '../../shaders/sampler-step.wgsl?raw';
import { expectShape, grid, type Run } from '../gpu/run';
import { size, type Tensor } from '../gpu/tensor';
import { kernel } from './kernels';

interface Factors {
  a: number;
  b: number;
  c?: number;
}

function combine(run: Run, what: string, x: Tensor, v: Tensor, factors: Factors, noise?: Tensor): Tensor {
  expectShape(what, 'v', v, x.shape);
  if (noise) expectShape(what, 'noise', noise, x.shape);
  const out = run.tensor(x.shape, what, 'f32');
  run.dispatch({
    kernel: kernel('sampler-step', code, { overrides: { HAS_NOISE: noise ? 1 : 0 } }),
    bindings: { x, v, noise: noise ?? x, out },
    params: { count: size(x), c: 0, ...factors },
    workgroups: grid(size(x), 64),
  });
  return out;
}

/** One Euler step along the flow, from σ to σ′: x + (σ′ − σ)·v. */
export function eulerStep(run: Run, x: Tensor, v: Tensor, sigma: number, next: number): Tensor {
  return combine(run, 'eulerStep', x, v, { a: 1, b: next - sigma });
}

/** The clean latents that v points to: x0 = x − σ·v. */
export function predictClean(run: Run, x: Tensor, v: Tensor, sigma: number): Tensor {
  return combine(run, 'predictClean', x, v, { a: 1, b: -sigma });
}

/** Self-Forcing's step: x0 at noise level σ′ with fresh noise, (1 − σ′)·(x − σ·v) + σ′·noise. */
export function renoiseStep(
  run: Run,
  x: Tensor,
  v: Tensor,
  noise: Tensor,
  sigma: number,
  next: number,
): Tensor {
  return combine(run, 'renoiseStep', x, v, { a: 1 - next, b: -(1 - next) * sigma, c: next }, noise);
}

/**
 * A weighted sum of tensors, as the steps of sampling/unipc are. Terms of weight 0 are left out, but for the first.
 * Overwrites none of them.
 */
export function weightedSum(run: Run, terms: readonly (readonly [Tensor, number])[]): Tensor {
  const [first, ...rest] = terms.filter(([, weight], i) => i === 0 || weight !== 0) as [
    readonly [Tensor, number],
  ];
  const others = rest as (readonly [Tensor, number])[];
  let sum = combine(run, 'weightedSum', first[0], others[0]?.[0] ?? first[0], {
    a: first[1],
    b: others[0]?.[1] ?? 0,
  });
  for (const [t, weight] of others.slice(1)) {
    const next = combine(run, 'weightedSum', sum, t, { a: 1, b: weight });
    run.release(sum);
    sum = next;
  }
  return sum;
}

/** Classifier-free guidance: away from what the negative prompt predicts, without + scale·(with − without). */
export function guide(run: Run, withText: Tensor, without: Tensor, scale: number): Tensor {
  return combine(run, 'guide', withText, without, { a: scale, b: 1 - scale });
}
