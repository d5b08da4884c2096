/** GPU memory of the decoders at one latent frame, counted from their layers. Bytes. */
import type { TaehvConfig } from '../models/taehv';
import type { WanVaeConfig } from '../models/wan-vae';
import type { AutoencoderConfig } from './autoencoder';

export interface DecoderNeed {
  /** The largest tensor. */
  largest: number;
  /** What is kept from frame to frame. */
  kept: number;
  /** What lives at once while a latent is decoded, over and above. */
  peak: number;
}

/** @param h,w of the latents @param e bytes of an activation's element */
export function estimateDecoder(a: AutoencoderConfig, h: number, w: number, e: number): DecoderNeed {
  return a.network === 'taehv' ? taehv(a.config, h * w, e) : wanVae(a.config, h * w, e);
}

function taehv(c: TaehvConfig, pixels: number, e: number): DecoderNeed {
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
  // What a MemBlock takes, and its three convolutions; measured, for scratch of one size is not lent for another.
  return { largest, kept, peak: 4 * largest + shown * 3 * e };
}

/** What a residual block holds besides its input: two norms, two activations, two convolutions, a shortcut. */
const OF_BLOCK = 7;
/** Two buffers of two frames: one is read while the other is written. */
const OF_PAST = 4;

function wanVae(c: WanVaeConfig, pixels: number, e: number): DecoderNeed {
  const widths = c.dim_mult.map((mult) => c.base_dim * mult).reverse();
  const [top] = widths as [number];
  let [frames, area, from] = [1, pixels, top];
  let largest = 0;
  let kept = OF_PAST * area * (c.z_dim + 4 * top) * e; // conv_in, and the two blocks in the middle
  let peak = OF_BLOCK * area * top * e;
  widths.forEach((to, i) => {
    for (let j = 0; j <= c.num_res_blocks; j++, from = to) {
      const wide = frames * area * Math.max(from, to) * e;
      kept += OF_PAST * area * (from + to) * e;
      largest = Math.max(largest, wide);
      peak = Math.max(peak, OF_BLOCK * wide);
    }
    if (i === widths.length - 1) return;
    if (c.temporal.toReversed()[i]) {
      kept += OF_PAST * area * to * e;
      frames *= 2;
    }
    area *= 4;
    largest = Math.max(largest, frames * area * to * e);
    from = to / 2;
  });
  kept += OF_PAST * area * c.base_dim * e;
  const shown = frames * area * 3;
  return { largest, kept, peak: Math.max(peak, 2 * largest) + shown * (e + 8) };
}
