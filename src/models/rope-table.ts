/** The angles of the rotary embedding for the tokens of some frames, on the GPU; made anew only when those move on. */
import type { Gpu } from '../gpu/device';
import type { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { ropeAngles } from './wan-positions';

/** Owns one buffer, which the passes of a block share: their angles are the same. */
export class RopeTable {
  readonly #gpu: Gpu;
  #kept: { key: string; angles: Tensor } | null = null;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /** Arguments as of `ropeAngles` → [frames·rows·columns, d/2, 2] f32, which lives until the next call. */
  angles(run: Run, d: number, frames: number, rows: number, columns: number, firstFrame: number): Tensor {
    const shape = [frames * rows * columns, d / 2, 2];
    if (run.dry) return run.tensor(shape, 'rope angles', 'f32');
    const key = [d, frames, rows, columns, firstFrame].join();
    if (this.#kept?.key !== key) {
      run.flush(); // what is recorded still reads the old ones
      const [before, { memory }] = [this.#kept, this.#gpu];
      const values = ropeAngles(d, frames, rows, columns, firstFrame);
      const fits = before && before.angles.storage.bytes === values.byteLength;
      if (before && !fits) this.free();
      const angles = { ...(fits ? before.angles : memory.tensor(shape, 'f32', 'rope angles')), shape };
      memory.write(angles.storage, values);
      this.#kept = { key, angles };
    }
    return this.#kept!.angles;
  }

  free(): void {
    if (this.#kept) this.#gpu.memory.free(this.#kept.angles);
    this.#kept = null;
  }
}
