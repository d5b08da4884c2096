/**
 * A block on its way from noise to clean latents: x, and what the sampler remembers of earlier steps. Owns those
 * tensors; every sampler of sampling/plan goes through here.
 */
import type { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { eulerStep, predictClean, renoiseStep, weightedSum } from '../ops/sampler';
import type { Step } from '../sampling/schedule';
import type { UniPcStep } from '../sampling/unipc';
import type { Latents } from './backend';

/** The flow v = noise − x0 at a timestep. The stepper releases it. */
export type Predict = (run: Run, x: Tensor, timestep: number) => Tensor;

export class Stepper {
  readonly #run: Run;
  readonly #predict: Predict;
  /** [C, F, h, w], f32, at the noise level that the steps so far have reached. */
  x: Tensor;
  /** UniPC: x before the last predictor, and the clean blocks predicted there and one step earlier. */
  #last: Tensor | null = null;
  #before: Tensor | null = null;
  #earlier: Tensor | null = null;

  constructor(run: Run, x: Tensor, predict: Predict) {
    this.#run = run;
    this.x = x;
    this.#predict = predict;
  }

  /**
   * Records one denoising step. After the last one x is the clean block.
   * @param noise for samplers that add some after the step
   * @param look called with the clean block that the prediction points to, which lives only so long: what is recorded
   * then still finds it
   */
  step(step: Step | UniPcStep, noise: Latents | null, look?: (clean: Tensor) => void): void {
    const run = this.#run;
    const v = this.#predict(run, this.x, step.timestep);
    const clean = predictClean(run, this.x, v, step.sigma);
    look?.(clean);
    if ('predictor' in step) this.#multistep(step, clean);
    else if (step.next === 0) this.#become(clean);
    else {
      if (noise) {
        const fresh = run.input(noise, this.x.shape, 'fresh noise', 'f32');
        this.#become(renoiseStep(run, this.x, v, fresh, step.sigma, step.next));
        run.release(fresh);
      } else this.#become(eulerStep(run, this.x, v, step.sigma, step.next));
      run.release(clean);
    }
    run.release(v);
  }

  #become(x: Tensor): void {
    this.#run.release(this.x);
    this.x = x;
  }

  #multistep({ corrector: c, predictor: p }: UniPcStep, clean: Tensor): void {
    const run = this.#run;
    const [last, before, earlier] = [this.#last, this.#before, this.#earlier];
    if (c && last && before)
      this.#become(
        weightedSum(run, [
          [last, c.last],
          [before, c.before],
          [clean, c.now],
          ...(earlier ? ([[earlier, c.earlier]] as const) : []),
        ]),
      );
    const x = weightedSum(run, [
      [this.x, p.x],
      [clean, p.now],
      ...(before ? ([[before, p.before]] as const) : []),
    ]);
    for (const t of [last, earlier]) if (t) run.release(t);
    [this.#last, this.#before, this.#earlier] = [this.x, clean, before];
    this.x = x;
  }

  free(): void {
    for (const t of [this.x, this.#last, this.#before, this.#earlier]) if (t) this.#run.release(t);
  }
}
