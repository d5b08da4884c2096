/**
 * The Wan 2.1 VAE, with diffusers' key names (`AutoencoderKLWan`), piece by piece: one latent frame to 1 (the first)
 * or 4 pixel frames, and back. Every convolution in time keeps the last two frames that it saw, so pieces give the
 * same as the whole.
 *
 * z latent channels, T frames, H W height and width, C channels; inside everything is [T, H, W, C].
 */
import { attention } from '../ops/attention';
import { conv, type ConvOptions } from '../ops/conv';
import { activate, add } from '../ops/elementwise';
import { matmul } from '../ops/matmul';
import { rmsNorm } from '../ops/norm';
import { store } from '../ops/rope';
import { axesOf, permute, rearrange, strided } from '../ops/strided';
import { bytesOf, reshape, size, type Elem, type Tensor } from '../gpu/tensor';
import type { Gpu } from '../gpu/device';
import type { Run } from '../gpu/run';
import type { Weights } from '../weights/upload';
import type { Tap } from './config';
import {
  layersOf,
  pieceFrames,
  splitOf,
  wanVaeSideShapes,
  type Side,
  type WanVaeConfig,
} from './wan-vae-layers';

export {
  pieceFrames,
  readWanVaeConfig,
  spaceScale,
  wanVaeShapes,
  wanVaeSideShapes,
  type Side,
  type WanVaeConfig,
} from './wan-vae-layers';

/** One side with its weights as the operations want them. Owns their buffers. */
export class WanVaeSide {
  readonly #gpu: Gpu;

  constructor(
    gpu: Gpu,
    readonly side: Side,
    readonly config: WanVaeConfig,
    readonly weights: ReadonlyMap<string, Tensor>,
  ) {
    this.#gpu = gpu;
  }

  get bytes(): number {
    return [...this.weights.values()].reduce((sum, t) => sum + t.storage.bytes, 0);
  }

  free(): void {
    for (const t of this.weights.values()) this.#gpu.memory.free(t);
  }
}

/** Repacks one side's weights, channels last; `w` may be freed once the run was flushed. Throws `bad-model`. */
export function prepareWanVae(run: Run, w: Weights, c: WanVaeConfig, side: Side): WanVaeSide {
  const { memory } = run.gpu;
  const weights = new Map<string, Tensor>();
  try {
    for (const [name, shape] of wanVaeSideShapes(c, side)) {
      const source = w.get(name, shape);
      const [O, I] = shape as [number, number];
      const kernel = name.endsWith('.weight');
      // [O, I, kt, kh, kw] or [O, I, kh, kw] → [O, kt, kh, kw, I]; gammas and biases become vectors.
      const [kt, kh, kw] = shape.length === 5 ? shape.slice(2) : [1, ...shape.slice(2)];
      const made = kernel ? [O, kt!, kh!, kw!, I] : [O];
      const into = memory.tensor(made, kernel ? run.elem : 'f32', name);
      weights.set(name, into);
      const split = kernel ? [O, I, kt! * kh! * kw!] : [O];
      rearrange(run, source, split, kernel ? [0, 2, 1] : [0], made, { into });
    }
  } catch (e) {
    for (const t of weights.values()) memory.free(t);
    throw e;
  }
  return new WanVaeSide(run.gpu, side, c, weights);
}

/** The last two frames that each convolution in time saw. Owns its buffers, which are made when first used. */
export class WanVaeMemory {
  readonly #gpu: Gpu;
  readonly #dry: boolean;
  readonly #pasts = new Map<string, Tensor>();
  /** Pieces of the present clip that went through. */
  pieces = 0;

  /** @param options.dry as a run's: for one, no buffers are made */
  constructor(gpu: Gpu, { dry = false }: { dry?: boolean | undefined } = {}) {
    this.#gpu = gpu;
    this.#dry = dry;
  }

  /** Bytes that are kept now. */
  get bytes(): number {
    return [...this.#pasts.values()].reduce((sum, { storage }) => sum + storage.bytes, 0);
  }

  /** The frames before a piece, [2, H, W, C]; undefined before the first of a clip: zeros. */
  past(name: string): Tensor | undefined {
    return this.#pasts.get(name);
  }

  /** Keeps the last two frames of what was there and x [T, H, W, C]. What was there must have been read before. */
  keep(run: Run, name: string, x: Tensor): void {
    const [T, H, W, C] = x.shape as [number, number, number, number];
    const known = this.#pasts.get(name);
    const kept = known ?? this.#make([2, H, W, C], run.elem, `${name} past`);
    this.#pasts.set(name, kept);
    const frame = (t: Tensor, i: number) => reshape(frames(run, t, i, 1), [H * W, C]);
    const into = { cache: reshape(kept, [2 * H * W, C]), tokensPerFrame: H * W, sink: 0, window: 2 };
    run.scope(() => {
      // Copied before it is overwritten: the queue keeps the order, and one buffer is enough.
      const before = T > 1 ? frame(x, T - 2) : known ? frame(kept, 1) : null;
      if (before) store(run, before, { ...into, firstFrame: 0 });
    });
    run.scope(() => void store(run, frame(x, T - 1), { ...into, firstFrame: 1 }));
  }

  #make(shape: number[], dtype: Elem, label: string): Tensor {
    if (!this.#dry) return this.#gpu.memory.tensor(shape, dtype, label);
    return { storage: { bytes: bytesOf(shape, dtype), buffer: null, id: 0 }, dtype, shape, label };
  }

  /** The next piece is the first of a clip. */
  reset(): void {
    this.free();
    this.pieces = 0;
  }

  free(): void {
    if (!this.#dry) for (const t of this.#pasts.values()) this.#gpu.memory.free(t);
    this.#pasts.clear();
  }
}

/** Frames first … first + count of x [T, H, W, C]. */
function frames(run: Run, x: Tensor, first: number, count: number): Tensor {
  const [, ...rest] = x.shape as [number, number, number, number];
  const axes = axesOf([count, ...rest]);
  return strided(run, x, axes, [count, ...rest], { offset: first * axes[0]!.stride });
}

/** One side at work on a piece. */
class Pass {
  constructor(
    readonly run: Run,
    readonly vae: WanVaeSide,
    readonly memory: WanVaeMemory,
  ) {}

  #weight(name: string): Tensor {
    return this.vae.weights.get(name)!;
  }

  /** A convolution; those over three frames go on from the piece before. */
  conv(name: string, x: Tensor, options: ConvOptions = {}): Tensor {
    const w = this.#weight(`${name}.weight`);
    const past = this.memory.past(name);
    const deep = w.shape[1]! > 1;
    const y = conv(this.run, x, w, {
      bias: this.#weight(`${name}.bias`),
      ...options,
      ...(deep && past && { past }),
    });
    if (deep) this.memory.keep(this.run, name, x);
    return y;
  }

  /** x / ‖x‖ · √C · γ over the channels. */
  norm(name: string, x: Tensor): Tensor {
    const C = x.shape.at(-1)!;
    // F.normalize's own bound is on the norm, 1e-12; the mean of squares has no other use for an eps.
    const y = rmsNorm(this.run, reshape(x, [size(x) / C, C]), this.#weight(`${name}.gamma`), 1e-24);
    return reshape(y, x.shape);
  }

  res(name: string, x: Tensor): Tensor {
    const { run } = this;
    return run.scope(() => {
      const residual = this.vae.weights.has(`${name}.conv_shortcut.weight`)
        ? this.conv(`${name}.conv_shortcut`, x)
        : x;
      const before = this.#ready(`${name}.norm1`, x);
      const y = this.conv(`${name}.conv1`, before);
      run.release(before);
      const between = this.#ready(`${name}.norm2`, y);
      run.release(y);
      return this.conv(`${name}.conv2`, between, { residual });
    });
  }

  /** What goes into a convolution: normalised and activated. Full pictures are large, so none is kept for longer than it is needed. */
  #ready(name: string, x: Tensor): Tensor {
    const normed = this.norm(name, x);
    const y = activate(this.run, normed, 'silu');
    this.run.release(normed);
    return y;
  }

  /** Single-head attention inside each frame. */
  attention(name: string, x: Tensor): Tensor {
    const { run } = this;
    const [T, H, W, C] = x.shape as [number, number, number, number];
    const N = H * W;
    return run.scope(() => {
      const rows = reshape(this.norm(`${name}.norm`, x), [T * N, C]);
      const matrix = (part: string, out: number) => reshape(this.#weight(`${name}.${part}.weight`), [out, C]);
      const qkv = matmul(run, rows, matrix('to_qkv', 3 * C), { bias: this.#weight(`${name}.to_qkv.bias`) });
      const all = run.tensor([T * N, C], 'attended');
      for (let t = 0; t < T; t++)
        run.scope(() => {
          const [q, k, v] = [0, 1, 2].map((i) =>
            strided(
              run,
              qkv,
              [
                { size: N, stride: 3 * C },
                { size: C, stride: 1 },
              ],
              [N, C],
              { offset: t * N * 3 * C + i * C },
            ),
          ) as [Tensor, Tensor, Tensor];
          const attended = attention(run, q, k, v, { heads: 1 });
          store(run, attended, { cache: all, tokensPerFrame: N, firstFrame: t, sink: 0, window: T });
        });
      const y = matmul(run, all, matrix('proj', C), { bias: this.#weight(`${name}.proj.bias`) });
      return add(run, x, reshape(y, x.shape));
    });
  }

  middle(x: Tensor): Tensor {
    const name = `${this.vae.side}.mid_block`;
    return this.run.scope(() => {
      const y = this.attention(`${name}.attentions.0`, this.res(`${name}.resnets.0`, x));
      return this.res(`${name}.resnets.1`, y);
    });
  }

  /** Twice the rows and columns; all but the clip's first latent also twice the frames. */
  up(name: string, x: Tensor, time: boolean): Tensor {
    const { run } = this;
    return run.scope(() => {
      let y = x;
      if (time && this.memory.pieces > 0) {
        const [T, H, W, C] = x.shape as [number, number, number, number];
        const both = this.conv(`${name}.time_conv`, x); // [T, H, W, 2·C]: this frame's two
        y = rearrange(run, both, [T, H, W, 2, C], [0, 3, 1, 2, 4], [2 * T, H, W, C]);
        run.release(both);
      }
      return this.conv(`${name}.resample.1`, y, { doubled: true });
    });
  }

  /** Half the rows and columns; all but the clip's first frame also half the frames. */
  down(name: string, x: Tensor, time: boolean): Tensor {
    const { run } = this;
    return run.scope(() => {
      const y = this.conv(`${name}.resample.1`, x, { stride: 2, pad: 'behind' });
      if (!time) return y;
      if (this.memory.pieces === 0) {
        this.memory.keep(run, `${name}.time_conv`, y);
        return y;
      }
      // Every second frame of the causal convolution: frame t sees t − 2 … t.
      const all = this.conv(`${name}.time_conv`, y);
      const [T, ...rest] = all.shape as [number, number, number, number];
      const [t, ...others] = axesOf(all.shape) as [Ax, Ax, Ax, Ax];
      const axes = [{ size: T / 2, stride: 2 * t.stride }, ...others];
      return strided(run, all, axes, [T / 2, ...rest], { offset: t.stride });
    });
  }

  /** Layers from the `first` one up to, not with, `end`. */
  layers(x: Tensor, tap?: Tap, first = 0, end?: number): Tensor {
    let y = x;
    for (const layer of layersOf(this.vae.config, this.vae.side).slice(first, end)) {
      const before = y;
      if (layer.kind === 'res') y = this.res(layer.name, before);
      else
        y =
          layer.kind === 'up'
            ? this.up(layer.name, before, layer.time)
            : this.down(layer.name, before, layer.time);
      if (before !== x) this.run.release(before);
      tap?.(layer.name, y);
    }
    return y;
  }

  out(x: Tensor): Tensor {
    const { side } = this.vae;
    return this.conv(`${side}.conv_out`, this.#ready(`${side}.norm_out`, x));
  }
}
type Ax = ReturnType<typeof axesOf>[number];

/**
 * One latent frame → 1 (a clip's first) or 4 pixel frames.
 * @param latent [z, 1, h, w] or [1, z, h, w], as the VAE has it (not normalised)
 * @returns [T, H, W, 3], f32 or the run's type, about −1…1 and not clamped
 */
export function wanVaeDecode(
  run: Run,
  vae: WanVaeSide,
  latent: Tensor,
  memory: WanVaeMemory,
  tap?: Tap,
): Tensor {
  const rgb = run.scope(() => {
    const x = decodeSmall(run, vae, latent, memory, tap);
    return decodeLarge(run, vae, x, memory, tap);
  });
  memory.pieces++;
  return rgb;
}

/** The decoder as long as pictures are small, up to `splitOf` [F, h′, w′, C]. Whoever calls it counts the memory's pieces. */
export function decodeSmall(
  run: Run,
  vae: WanVaeSide,
  latent: Tensor,
  memory: WanVaeMemory,
  tap?: Tap,
): Tensor {
  const z = vae.config.z_dim;
  const [h, w] = latent.shape.slice(2) as [number, number];
  const pass = new Pass(run, vae, memory);
  return run.scope(() => {
    const x = permute(run, reshape(latent, [z, 1, h, w]), [1, 2, 3, 0]); // [1, h, w, z]
    const y = pass.middle(pass.conv('decoder.conv_in', pass.conv('post_quant_conv', x)));
    tap?.('decoder.mid_block', y);
    return pass.layers(y, tap, 0, splitOf(vae.config, 'decoder'));
  });
}

/** The rest of it, on a part of the picture or the whole. */
export function decodeLarge(run: Run, vae: WanVaeSide, x: Tensor, memory: WanVaeMemory, tap?: Tap): Tensor {
  const pass = new Pass(run, vae, memory);
  return run.scope(() => pass.out(pass.layers(x, tap, splitOf(vae.config, 'decoder'))));
}

/**
 * A piece of a clip (`pieceFrames`; the first is one frame) → one latent frame.
 * @param frames [T, H, W, 3] in −1…1
 * @returns [1, h, w, 2·z]: the mean, then the logarithm of the variance; the mean is the latent
 */
export function wanVaeEncode(
  run: Run,
  vae: WanVaeSide,
  frames: Tensor,
  memory: WanVaeMemory,
  tap?: Tap,
): Tensor {
  const moments = run.scope(() => {
    const x = encodeLarge(run, vae, frames, memory, tap);
    return encodeSmall(run, vae, x, memory, tap);
  });
  memory.pieces++;
  return moments;
}

/**
 * The encoder as long as pictures are large, up to `splitOf` [F, h′, w′, C], on a part of the picture or the whole. Whoever
 * calls it counts the memory's pieces.
 */
export function encodeLarge(
  run: Run,
  vae: WanVaeSide,
  frames: Tensor,
  memory: WanVaeMemory,
  tap?: Tap,
): Tensor {
  const wanted = memory.pieces === 0 ? 1 : pieceFrames(vae.config);
  if (frames.shape[0] !== wanted)
    throw new RangeError(`wan-vae: piece ${memory.pieces} has ${frames.shape[0]} frames, not ${wanted}`);
  const pass = new Pass(run, vae, memory);
  return run.scope(() => {
    const x = pass.conv('encoder.conv_in', activate(run, frames, 'none'));
    return pass.layers(x, tap, 0, splitOf(vae.config, 'encoder'));
  });
}

/** The rest of it, on the whole picture. */
export function encodeSmall(run: Run, vae: WanVaeSide, x: Tensor, memory: WanVaeMemory, tap?: Tap): Tensor {
  const pass = new Pass(run, vae, memory);
  return run.scope(() => {
    const y = pass.middle(pass.layers(x, tap, splitOf(vae.config, 'encoder')));
    tap?.('encoder.mid_block', y);
    return pass.conv('quant_conv', pass.out(y));
  });
}
