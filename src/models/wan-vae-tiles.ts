/**
 * The Wan VAE over tiles of the picture, one after the other: scratch memory is that of a tile, and so is the largest
 * buffer. While pictures are small, attention included, it works on the whole; while they are large on tiles, which see so
 * far beyond what is taken of them (`haloOf`) that nothing in it is other than in the whole, and each of which keeps its
 * own frames before. So what comes out is the same to the bit, at the price of computing (and keeping) what tiles share
 * twice. The decoder ends with tiles, the encoder begins with them.
 */
import { placeTile, type Span } from '../ops/place-tile';
import { axesOf, strided } from '../ops/strided';
import type { Tensor } from '../gpu/tensor';
import type { Gpu } from '../gpu/device';
import type { Run } from '../gpu/run';
import { spansOf, type Tiling } from './tiling';
import {
  decodeLarge,
  decodeSmall,
  encodeLarge,
  encodeSmall,
  spaceScale,
  wanVaeDecode,
  wanVaeEncode,
  WanVaeMemory,
  type Side,
  type WanVaeSide,
} from './wan-vae';
import { cellsOf, haloOf, pieceFrames, type WanVaeConfig } from './wan-vae-layers';

interface Tile {
  /** In latents. */
  rows: Span;
  columns: Span;
  memory: WanVaeMemory;
}

/** What is kept of the frames before: of the small pictures, and of each tile. Owns their buffers. */
export class TiledMemory {
  readonly small: WanVaeMemory;
  /** By rows, each from the left; empty where the picture goes through whole, all of it by `small`. */
  readonly tiles: Tile[];

  /** @param h,w of the latents @param options.dry as a run's: no buffers are made */
  constructor(
    gpu: Gpu,
    config: WanVaeConfig,
    h: number,
    w: number,
    { rows, columns }: Tiling,
    { side = 'decoder', ...options }: { side?: Side; dry?: boolean | undefined } = {},
  ) {
    this.small = new WanVaeMemory(gpu, options);
    const halo = haloOf(config, side);
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
    for (const tile of tiles)
      run.scope(() => {
        const part = cut(run, x, tile, cellsOf(vae.config, 'decoder'));
        place(run, decodeLarge(run, vae, part, tile.memory), out, tile, scale);
        tile.memory.pieces++;
      });
  });
  small.pieces++;
  return out;
}

/**
 * As `wanVaeEncode`, over the memory's tiles.
 * @param frames [T, H, W, 3] in −1…1
 * @returns [1, h, w, 2·z]: the mean, then the logarithm of the variance
 */
export function wanVaeEncodeTiled(run: Run, vae: WanVaeSide, frames: Tensor, memory: TiledMemory): Tensor {
  const { tiles, small } = memory;
  if (tiles.length === 0) return wanVaeEncode(run, vae, frames, small);
  const { config } = vae;
  const [, H, W] = frames.shape as [number, number, number];
  const [scale, cells] = [spaceScale(config), cellsOf(config, 'encoder')];
  const moments = run.scope(() => {
    let x: Tensor | null = null; // [F, k·h, k·w, C]
    for (const tile of tiles) {
      const part = cut(run, frames, tile, scale);
      const y = encodeLarge(run, vae, part, tile.memory);
      run.release(part);
      const [F, , , C] = y.shape as [number, number, number, number];
      x ??= run.tensor([F, (H / scale) * cells, (W / scale) * cells, C], 'tiles');
      place(run, y, x, tile, cells);
      run.release(y);
      tile.memory.pieces++;
    }
    return encodeSmall(run, vae, x!, small);
  });
  small.pieces++;
  return moments;
}

/** A tile of x [T, k·h, k·w, C], where a latent is k × k. */
function cut(run: Run, x: Tensor, { rows, columns }: Tile, k: number): Tensor {
  const [t, y, column, c] = axesOf(x.shape);
  const view = [t!, { ...y!, size: k * rows.length }, { ...column!, size: k * columns.length }, c!];
  const offset = k * (rows.start * y!.stride + columns.start * column!.stride);
  return strided(run, x, view, view.map(({ size }) => size), { offset }); // prettier-ignore
}

/** What is taken of a tile, into the picture `out` of k × k a latent. */
const place = (run: Run, tile: Tensor, out: Tensor, { rows, columns }: Tile, k: number): void =>
  placeTile(run, tile, out, grown(rows, k), grown(columns, k));

const grown = ({ start, length, from, to }: Span, by: number): Span => ({
  start: start * by,
  length: length * by,
  from: from * by,
  to: to * by,
});
