/** Weights of 2-D convolutions as `conv` wants them, repacked from PyTorch's order, and the block that TAEHV is built of. */
import { conv } from '../ops/conv';
import { axesOf, rearrange, strided } from '../ops/strided';
import type { Tensor } from '../gpu/tensor';
import type { Run } from '../gpu/run';
import type { Weights } from '../weights/upload';

/** Repacked weights by their names in the checkpoint. Owns their buffers. */
export class ConvWeights {
  readonly #run: Run;
  readonly #source: Weights;
  readonly #made = new Map<string, Tensor>();

  /** @param source may be freed once the run was flushed */
  constructor(run: Run, source: Weights) {
    this.#run = run;
    this.#source = source;
  }

  /** `prefix.weight` [O, I, k, k] → [O, 1, k, k, I]. Throws `bad-model` for another shape. */
  conv(prefix: string, from: number, to: number, k: number, bias = true): void {
    const name = `${prefix}.weight`;
    this.#source.get(name, [to, from, k, k]);
    this.#give(name, [to, 1, k, k, from], (source, into) =>
      rearrange(this.#run, source, [to, 1, from, k, k], [0, 1, 3, 4, 2], into.shape, { into }),
    );
    if (bias) this.#bias(`${prefix}.bias`, to);
  }

  /** A MemBlock: three convolutions over n channels, the first over (x, the frame before). */
  mem(prefix: string, n: number): void {
    const name = `${prefix}.conv.0.weight`;
    // The channels of (x, frame before) become two taps in time, the frame before first.
    this.#source.get(name, [n, 2 * n, 3, 3]);
    this.#give(name, [n, 2, 3, 3, n], (source, into) => {
      const axis = (size: number, stride: number) => ({ size, stride });
      const axes = [axis(n, 18 * n), axis(2, -9 * n), axis(3, 3), axis(3, 1), axis(n, 9)];
      strided(this.#run, source, axes, into.shape, { into, offset: 9 * n });
    });
    this.#bias(`${prefix}.conv.0.bias`, n);
    for (const j of [2, 4]) this.conv(`${prefix}.conv.${j}`, n, n, 3);
  }

  get(name: string): Tensor {
    return this.#made.get(name)!;
  }

  get bytes(): number {
    return [...this.#made.values()].reduce((sum, t) => sum + t.storage.bytes, 0);
  }

  free(): void {
    for (const t of this.#made.values()) this.#run.gpu.memory.free(t);
    this.#made.clear();
  }

  #bias(name: string, width: number): void {
    const view = (_: Tensor, into: Tensor) =>
      strided(this.#run, this.#source.get(name, [width]), axesOf([width]), [width], { into });
    this.#give(name, [width], view, 'f32');
  }

  #give(
    name: string,
    shape: number[],
    view: (source: Tensor, into: Tensor) => void,
    dtype: 'f32' | 'f16' = this.#run.elem,
  ): void {
    const into = this.#run.gpu.memory.tensor(shape, dtype, name);
    this.#made.set(name, into);
    view(this.#source.get(name), into);
  }
}

/**
 * x + three 3×3 convolutions of x and the frame before, ReLU after each.
 * @param x [T, H, W, n]
 * @param kept [1, H, W, n]: the frame before, where `started`; keeps x's last
 */
export function memBlock(
  run: Run,
  w: ConvWeights,
  prefix: string,
  x: Tensor,
  kept?: Tensor,
  started = false,
): Tensor {
  const at = (j: number) => ({
    weight: w.get(`${prefix}.conv.${j}.weight`),
    bias: w.get(`${prefix}.conv.${j}.bias`),
  });
  const [a, b, c] = [at(0), at(2), at(4)];
  const past = kept && started ? { past: kept } : {};
  const y = conv(run, x, a.weight, { bias: a.bias, act: 'relu', ...past });
  if (kept) keepLast(run, x, kept);
  const z = conv(run, y, b.weight, { bias: b.bias, act: 'relu' });
  return conv(run, z, c.weight, { bias: c.bias, residual: x, act: 'relu' });
}

function keepLast(run: Run, x: Tensor, into: Tensor): void {
  const [T, ...rest] = x.shape as [number, number, number, number];
  const frame = axesOf([1, ...rest]);
  strided(run, x, frame, into.shape, { into, offset: (T - 1) * frame[0]!.stride });
}
