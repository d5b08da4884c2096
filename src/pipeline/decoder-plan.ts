/** GPU memory of the decoders at one latent frame, counted from their layers. Bytes. */
import type { TaehvConfig } from '../models/taehv';
import { haloOf, pieceFrames, spaceScale, type WanVaeConfig } from '../models/wan-vae-layers';
import { spansOf, tilingsOf, WHOLE, type Tiling } from '../models/tiling';
import type { AutoencoderConfig } from './autoencoder';

/** Of a decoder at a latent, or an encoder at what makes one. */
export interface FramesNeed {
  /** The largest tensor. */
  largest: number;
  /** What is kept from frame to frame. */
  kept: number;
  /** What lives at once while it is at work, over and above. */
  peak: number;
}

/** How pictures of h × w latents may be decoded, from the whole to what takes least memory. */
export function decoderTilings(a: AutoencoderConfig, h: number, w: number): Tiling[] {
  if (a.network === 'taehv') return [WHOLE]; // its largest tensor is small
  return everSmaller(h, w, haloOf(a.config, 'decoder'), (tiling) => estimateDecoder(a, h, w, 2, tiling));
}

/** Tilings of which each needs less than those before: smaller tiles need less at a time, but overlap, and so keep more. */
export function everSmaller(
  h: number,
  w: number,
  halo: number,
  needOf: (tiling: Tiling) => FramesNeed,
): Tiling[] {
  let least = Infinity;
  return tilingsOf(h, w, halo).filter((tiling) => {
    const { kept, peak } = needOf(tiling);
    const less = kept + peak < least;
    least = Math.min(least, kept + peak);
    return less;
  });
}

/** @param h,w of the latents @param e bytes of an activation's element */
export function estimateDecoder(
  a: AutoencoderConfig,
  h: number,
  w: number,
  e: number,
  { rows, columns }: Tiling = WHOLE,
): FramesNeed {
  if (a.network === 'taehv') return taehv(a.config, h * w, e);
  const halo = haloOf(a.config, 'decoder');
  const tiles = rows * columns;
  const tile = spansOf(h, rows, halo)[0]!.length * spansOf(w, columns, halo)[0]!.length;
  const { largest, kept, peak } = wanVae(a.config, h * w, { tile, tiles }, e);
  // The picture that tiles are put together in, and as it is shown.
  const shown = pieceFrames(a.config) * h * w * spaceScale(a.config) ** 2 * 3;
  const whole = tiles > 1 ? 8 : e + 8;
  return { largest: Math.max(largest, 4 * shown), kept, peak: peak + shown * whole };
}

function taehv(c: TaehvConfig, pixels: number, e: number): FramesNeed {
  let [frames, area, largest, kept] = [1, pixels, 0, 0];
  for (let i = 0; i < 3; i++) {
    const width = c.decoder_channels[i]!;
    kept += 3 * area * width * e; // each MemBlock keeps a frame
    if (c.decoder_space_upscale[i]) area *= 4;
    if (c.decoder_time_upscale[i]) frames *= 2;
    largest = Math.max(largest, frames * area * width * e);
  }
  const shown = frames * area * c.patch_size ** 2;
  largest = Math.max(largest, frames * area * c.decoder_channels[3] * e, shown * 3 * e);
  // What a MemBlock takes, and two of its convolutions at a time.
  return { largest, kept, peak: 3 * largest + shown * 3 * e };
}

/** Tensors of a level that live at once: a residual block's input, what is normalised and activated of it, and what comes out. */
export const LIVE = 4;
/** Frames that a convolution in time keeps. */
export const OF_PAST = 2;

function wanVae(
  c: WanVaeConfig,
  pixels: number,
  { tile, tiles }: { tile: number; tiles: number },
  e: number,
): FramesNeed {
  const widths = c.dim_mult.map((mult) => c.base_dim * mult).reverse();
  const [top] = widths as [number];
  let [frames, area, from, times] = [1, pixels, top, 1];
  let [largest, peak] = [0, 0];
  let kept = OF_PAST * area * (c.z_dim + 4 * top) * e; // conv_in, and the two blocks in the middle
  const split = Math.max(0, widths.length - 3);
  widths.forEach((to, i) => {
    const wide = frames * area * Math.max(from, to) * e;
    for (let j = 0; j <= c.num_res_blocks; j++, from = to) kept += times * OF_PAST * area * (from + to) * e;
    largest = Math.max(largest, wide);
    // Scratch of one size is not lent for another: each level has its own, and single frames, of which a clip's first
    // latent is made and which are put by, have theirs.
    peak += LIVE * (wide + area * to * e);
    if (i === widths.length - 1) return;
    if (i === split && tiles > 1) {
      [area, times] = [(area / pixels) * tile, tiles];
      peak += frames * area * to * e; // what is cut out
    }
    if (c.temporal.toReversed()[i]) {
      kept += times * OF_PAST * area * to * e;
      frames *= 2;
      largest = Math.max(largest, frames * area * to * e);
    }
    area *= 4;
    from = to / 2;
  });
  kept += times * OF_PAST * area * c.base_dim * e;
  return { largest, kept, peak };
}
