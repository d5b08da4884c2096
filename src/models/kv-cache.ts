/** Keys and values of a causal transformer's frames, from block to block. */
import type { Gpu } from '../gpu/device';
import type { Elem, Tensor } from '../gpu/tensor';
import { wordsOf } from '../ops/store-8bit';
import type { CacheBits } from '../worker/protocol/clip';
import { RopeTable } from './rope-table';
import { widthOf, type Positions, type WanConfig } from './wan-config';

/**
 * Keys and values of the frames made so far: of 16 bit they are halves, on an adapter without shader-f16, too (but for heads
 * of odd sizes, which are of the activations' type), of 8 bit as ops/store-8bit has them. Keys are kept turned to where their frames stand; those of a sink that moves along
 * also as they were before, in the activations' type, for they are turned anew for every block. Owns its buffers, which
 * never grow.
 */
export class KvCache {
  readonly k: readonly Tensor[];
  readonly v: readonly Tensor[];
  /** [sink · tokensPerFrame, D] a layer: keys of the sink before their turn; empty unless the sink moves along. */
  readonly sinkKeys: readonly Tensor[];
  /** Where the present block's tokens stand, and those of a sink that moves along. */
  readonly places: RopeTable;
  readonly sinkPlaces: RopeTable;
  readonly #gpu: Gpu;

  constructor(
    gpu: Gpu,
    c: WanConfig,
    /** Latent frames that fit. */
    readonly window: number,
    readonly sink: number,
    readonly tokensPerFrame: number,
    positions: Positions,
    bits: CacheBits | 32,
  ) {
    this.#gpu = gpu;
    [this.places, this.sinkPlaces] = [new RopeTable(gpu), new RopeTable(gpu)];
    const halves = bits === 16 && c.attention_head_dim % 4 === 0;
    const make = (name: string, frames: number, packed: boolean, dtype: Elem = gpu.elem) =>
      Array.from({ length: frames > 0 ? c.num_layers : 0 }, (_, i) => {
        const row = packed ? [c.num_attention_heads, wordsOf(c.attention_head_dim)] : [widthOf(c)];
        return gpu.memory.tensor([frames * tokensPerFrame, ...row], packed ? 'u32' : dtype, `${name} ${i}`);
      });
    this.k = make('key cache', window, bits === 8, halves ? 'f16' : gpu.elem);
    this.v = make('value cache', window, bits === 8, halves ? 'f16' : gpu.elem);
    this.sinkKeys = make('sink keys', positions === 'window' ? sink : 0, false);
  }

  get #all(): Tensor[] {
    return [...this.k, ...this.v, ...this.sinkKeys];
  }

  get bytes(): number {
    return this.#all.reduce((sum, t) => sum + t.storage.bytes, 0);
  }

  free(): void {
    for (const t of this.#all) this.#gpu.memory.free(t);
    for (const table of [this.places, this.sinkPlaces]) table.free();
  }
}

export interface CacheSize {
  /** Latent frames, the present block included. */
  frames: number;
  sink?: number;
  /** Default: clip. */
  positions?: Positions;
  /** Default: 16. 32: of the activations' type, for comparisons with PyTorch in f32. */
  bits?: CacheBits | 32;
  /** Latent height and width. */
  height: number;
  width: number;
}

/** An empty cache for clips of this size. Throws `out-of-memory` over the adapter's limits. */
export function createKvCache(gpu: Gpu, c: WanConfig, size: CacheSize): KvCache {
  const [, p, q] = c.patch_size;
  const tokens = (size.height / p) * (size.width / q);
  return new KvCache(gpu, c, size.frames, size.sink ?? 0, tokens, size.positions ?? 'clip', size.bits ?? 16);
}
