/**
 * The Wan VAE's decoder over tiles of the picture, one after the other: scratch memory is that of a tile, and so is the
 * largest buffer. While pictures are small, attention included, it works on the whole; then on tiles, which see so far
 * beyond what is taken of them (`haloOf`) that nothing in it is other than in the whole, and each of which keeps its own
 * frames before. So frames are the same to the bit, at the price of computing (and keeping) what tiles share twice.
 */
import { placeTile, type Span } from '../ops/place-tile';
import { axesOf, strided } from '../ops/strided';
import type { Tensor } from '../gpu/tensor';
import type { Gpu } from '../gpu/device';
import type { Run } from '../gpu/run';
import { spansOf, type Tiling } from './tiling';
import { decodeLarge, decodeSmall, spaceScale, wanVaeDecode, WanVaeMemory, type WanVaeSide } from './wan-vae';
import { haloOf, pieceFrames, type WanVaeConfig } from './wan-vae-layers';

/** What is kept of the frames before: of the small pictures, and of each tile. Owns their buffers. */
export class TiledMemory {
  readonly small: WanVaeMemory;
  /** By rows, each from the left; empty where the picture is decoded whole, all of it by `small`. */
  readonly tiles: { rows: Span; columns: Span; memory: WanVaeMemory }[];

  /** @param h,w of the latents @param options.dry as a run's: no buffers are made */
  constructor(
    gpu: Gpu,
    config: WanVaeConfig,
    h: number,
    w: number,
    { rows, columns }: Tiling,
    options: { dry?: boolean | undefined } = {},
  ) {
    this.small = new WanVaeMemory(gpu, options);
    const halo = haloOf(config);
    const whole = rows * columns === 1;
    this.tiles = (whole ? [] : spansOf(h, rows, halo)).flatMap((row) =>
      spansOf(w, columns, halo).map((column) => ({
        rows: row,
        columns: column,
        memory: new WanVaeMemory(gpu, options),
      })),
    );
  }

  get #all(): WanVaeMemory[] {
    return [this.small, ...this.tiles.map(({ memory }) => memory)];
  }

  /** Bytes that are kept now. */
  get bytes(): number {
    return this.#all.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The next latent is the first of a clip. */
  reset(): void {
    for (const memory of this.#all) memory.reset();
  }

  free(): void {
    for (const memory of this.#all) memory.free();
  }
}

/**
 * As `wanVaeDecode`, over the memory's tiles.
 * @param latent [1, z, h, w], as the VAE has it (not normalised)
 * @returns [T, H, W, 3], about −1…1 and not clamped; f32 where there are tiles
 */
export function wanVaeDecodeTiled(run: Run, vae: WanVaeSide, latent: Tensor, memory: TiledMemory): Tensor {
  const { tiles, small } = memory;
  if (tiles.length === 0) return wanVaeDecode(run, vae, latent, small);
  const [, , h, w] = latent.shape as [number, number, number, number];
  const scale = spaceScale(vae.config);
  const T = small.pieces === 0 ? 1 : pieceFrames(vae.config);
  const out = run.tensor([T, h * scale, w * scale, 3], 'tiles', 'f32');
  run.scope(() => {
    const x = decodeSmall(run, vae, latent, small); // [F, k·h, k·w, C]
    const [F, height, width, C] = x.shape as [number, number, number, number];
    const k = height / h;
    for (const { rows, columns, memory: own } of tiles)
      run.scope(() => {
        const [f, y, column, c] = axesOf(x.shape);
        const view = [f!, { ...y!, size: k * rows.length }, { ...column!, size: k * columns.length }, c!];
        const offset = (k * rows.start * width + k * columns.start) * C;
        const part = strided(run, x, view, [F, k * rows.length, k * columns.length, C], { offset });
        placeTile(run, decodeLarge(run, vae, part, own), out, grown(rows, scale), grown(columns, scale));
        own.pieces++;
      });
  });
  small.pieces++;
  return out;
}

const grown = ({ start, length, from, to }: Span, by: number): Span => ({
  start: start * by,
  length: length * by,
  from: from * by,
  to: to * by,
});
