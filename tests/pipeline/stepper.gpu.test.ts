/**
 * The stepper on the GPU along diffusers' schedulers: it is given what their network predicted, and must stand where they
 * stood after each step (training/goldens/make_samplers.py).
 */
import { expect, test } from 'vitest';
import { Stepper } from '../../src/pipeline/stepper';
import { planSteps, SAMPLERS } from '../../src/sampling/plan';
import samplers from '../goldens/samplers.json';
import { onEveryElem } from '../helpers/tensors';

interface Walk {
  n: number;
  shift: number;
  sigmas: number[];
  xs?: number[][];
}
const walks = (list: Walk[], sampler: 'wan' | 'wan-euler') =>
  list.filter(({ xs, n }) => xs && n > 1).map((walk) => [sampler, walk.n, walk.shift, walk] as const);

await onEveryElem((kit) => {
  test.each([...walks(samplers.unipc, 'wan'), ...walks(samplers.euler, 'wan-euler')])(
    '%s, %i steps, shift %d',
    async (sampler, n, shift, { sigmas, xs }) => {
      const [before, F, H] = [[samplers.x, ...xs!], 1, 1];
      const shape = [samplers.x.length, F, H, 1];
      const start = kit.run.input(Float32Array.from(samplers.x), shape, 'x', 'f32');
      let at = 0;
      const told: number[] = [];
      const stepper = new Stepper(kit.run, start, (run, _, timestep) => {
        told.push(timestep);
        const v = before[at]!.map((x) => Math.sin(3 * x) + sigmas[at]! * x);
        return run.input(Float32Array.from(v), shape, 'v', 'f32');
      });
      for (const step of planSteps({ ...SAMPLERS[sampler], shift }, n)) {
        stepper.step(step, null);
        at++;
        const x = await kit.read(stepper.x);
        // UniPC's later steps weigh the rounding of the earlier ones.
        x.forEach((value, i) => expect(Math.abs(value - before[at]![i]!), `step ${at}`).toBeLessThan(1e-4));
      }
      expect(at).toBe(n);
      told.forEach((t, i) =>
        expect(Math.abs(t - 1000 * sigmas[i]!)).toBeLessThan(sampler === 'wan' ? 1 : 1e-3),
      );
      stepper.free();
    },
  );
});
