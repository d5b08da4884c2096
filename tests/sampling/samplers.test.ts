/** Samplers against diffusers' schedulers (training/goldens/make_samplers.py) and the papers' numbers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planSteps, SAMPLERS, startScale, type SamplerPlan } from '../../src/sampling/plan';
import { unipcSigmas, unipcSteps, type UniPcStep } from '../../src/sampling/unipc';

interface Walk {
  n: number;
  shift: number;
  sigmas: number[];
  timesteps: number[];
  xs: number[][];
}
const golden = JSON.parse(readFileSync(join(import.meta.dirname, '../goldens/samplers.json'), 'utf8')) as {
  x: number[];
  unipc: Walk[];
  /** Without `xs` for most numbers of steps. */
  euler: (Omit<Walk, 'xs'> & { xs?: number[][] })[];
};
const flow = (x: number[], sigma: number) => x.map((v) => Math.sin(3 * v) + sigma * v);

function expectNear(got: readonly number[], want: readonly number[], tolerance: number): void {
  expect(got).toHaveLength(want.length);
  got.forEach((v, i) => {
    if (!(Math.abs(v - want[i]!) <= tolerance * Math.max(1, Math.abs(want[i]!))))
      throw new Error(`${i}: ${v}, not ${want[i]}`);
  });
}

/** One step of x in plain numbers. */
function walkUniPc(schedule: UniPcStep[], sigmas: number[]): number[][] {
  let [x, last, before, earlier] = [golden.x, golden.x, golden.x, golden.x];
  return schedule.map(({ index, corrector: c, predictor: p }) => {
    const v = flow(x, sigmas[index]!);
    const now = x.map((a, i) => a - sigmas[index]! * v[i]!);
    if (c)
      x = x.map(
        (_, i) => c.last * last[i]! + c.before * before[i]! + c.earlier * earlier[i]! + c.now * now[i]!,
      );
    last = x;
    x = x.map((a, i) => p.x * a + p.now * now[i]! + p.before * before[i]!);
    [earlier, before] = [before, now];
    return x;
  });
}

describe.each(golden.unipc)('UniPC, $n steps, shift $shift', ({ n, shift, sigmas, timesteps, xs }) => {
  test('has diffusers’ noise levels', () => {
    expectNear([...unipcSigmas(n, shift), 0], sigmas, 1e-6);
    expect(unipcSteps(unipcSigmas(n, shift)).map((s) => s.timestep)).toEqual(timesteps);
  });

  test('takes diffusers’ steps', () => {
    // With its own σ, which are f32.
    const got = walkUniPc(unipcSteps(sigmas.slice(0, -1)), sigmas);
    got.forEach((x, i) => expectNear(x, xs[i]!, 2e-5));
  });
});

describe.each(golden.euler)('base Wan by flow-match Euler, $n steps, shift $shift', (walk) => {
  const { n, shift, sigmas, timesteps } = walk;
  const plan: SamplerPlan = { ...SAMPLERS['wan-euler'], shift };
  const schedule = planSteps(plan, n);

  test('has diffusers’ noise levels and timesteps', () => {
    expectNear([...schedule.map(({ sigma }) => sigma), schedule.at(-1)!.next], sigmas, 1e-6);
    expectNear(
      schedule.map(({ next }) => next),
      sigmas.slice(1),
      1e-6,
    );
    expectNear(
      schedule.map(({ timestep }) => timestep),
      timesteps,
      1e-6,
    );
    expect(startScale(plan, schedule)).toBe(1);
  });

  test('has the last of them for what is already denoised so far', () => {
    const skipped = Math.floor(n / 2);
    expectNear(planSteps(plan, n, skipped).map(({ sigma }) => sigma), sigmas.slice(skipped, -1), 1e-6); // prettier-ignore
  });
});

test.each(golden.euler.filter(({ xs }) => xs))(
  'flow-match Euler takes diffusers’ steps: $n, shift $shift',
  ({ n, shift, xs }) => {
    let x = golden.x;
    planSteps({ ...SAMPLERS['wan-euler'], shift }, n).forEach(({ sigma, next }, i) => {
      const v = flow(x, sigma);
      x = x.map((a, j) => a + (next - sigma) * v[j]!);
      expectNear(x, xs![i]!, 1e-5);
    });
  },
);

test('few-step lists are those of the papers', () => {
  const told = (name: keyof typeof SAMPLERS) =>
    planSteps(SAMPLERS[name], SAMPLERS[name].timesteps.length).map((s) => Number(s.timestep.toFixed(2)));
  expect(told('self-forcing')).toEqual([1000, 937.5, 833.33, 625]);
  expect(told('causal-forcing-2')).toEqual([1000, 833.33]);
  expect(told('causal-forcing-1')).toEqual([1000]);
  expect(told('fastwan')).toEqual([1000, 757, 522]);
  const rcm = planSteps(SAMPLERS.rcm, 4);
  expect(rcm.map((s) => Number(s.sigma.toFixed(4)))).toEqual([0.9877, 0.9338, 0.8529, 0.609]);
  expect(rcm.at(-1)!.next).toBe(0);
  expect(startScale(SAMPLERS.rcm, rcm)).toBeCloseTo(80 / 81, 12);
  expect(startScale(SAMPLERS['self-forcing'], planSteps(SAMPLERS['self-forcing'], 4))).toBe(1);
  expect(planSteps(SAMPLERS.wan, 50)).toHaveLength(50);
  expect(planSteps(SAMPLERS['wan-euler'], 50)).toHaveLength(50);
});
