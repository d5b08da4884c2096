/**
 * GPU memory of the Wan VAE's encoder at one piece of a clip, counted from its layers, and the tiles that pictures are
 * encoded in where memory asks for it. The other encoders have no more to hold than their decoders, and a clip decodes
 * what it encoded: nothing is counted of them. Bytes.
 */
import { KinoraError } from '../errors';
import { FILL } from '../gpu/arena';
import { spansOf, WHOLE, type Tiling } from '../models/tiling';
import { haloOf, layersOf, pieceFrames, spaceScale, splitOf, type WanVaeConfig } from '../models/wan-vae-layers'; // prettier-ignore
import type { ModelManifest } from '../weights/manifest';
import type { Size } from '../worker/protocol/clip';
import { readAutoencoderConfig, type AutoencoderConfig } from './autoencoder';
import { everSmaller, LIVE, OF_PAST, type FramesNeed } from './decoder-plan';
import { adjusting, countedOn, gb, type Room } from './memory-plan';

/** From the whole picture to what takes least memory; only the whole where the encoder knows no tiles. */
export function encoderTilings(a: AutoencoderConfig, h: number, w: number): Tiling[] {
  if (a.network === 'taehv') return [WHOLE];
  return everSmaller(h, w, haloOf(a.config, 'encoder'), (tiling) => estimateEncoder(a.config, h, w, 2, tiling)); // prettier-ignore
}

/** @param h,w of the latents @param e bytes of an activation's element */
export function estimateEncoder(
  c: WanVaeConfig,
  h: number,
  w: number,
  e: number,
  { rows, columns }: Tiling = WHOLE,
): FramesNeed {
  const halo = haloOf(c, 'encoder');
  const tiles = rows * columns;
  const scale = spaceScale(c) ** 2;
  const whole = h * w * scale;
  const tile = spansOf(h, rows, halo)[0]!.length * spansOf(w, columns, halo)[0]!.length * scale;
  const top = c.base_dim * c.dim_mult.at(-1)!;
  const split = splitOf(c, 'encoder');

  let [area, frames, times] = [tile, pieceFrames(c), tiles];
  let kept = times * OF_PAST * area * 3 * e; // conv_in
  const sizes = { single: [area * c.base_dim * e], wide: [frames * area * c.base_dim * e] };
  layersOf(c, 'encoder').forEach((layer, i) => {
    if (i === split) [area, times] = [(area / tile) * whole, 1];
    const { from, to } = layer;
    if (layer.kind === 'res') kept += times * OF_PAST * area * (from + to) * e;
    else {
      area /= 4;
      sizes.wide.push(frames * area * to * e);
      if (layer.kind === 'down' && layer.time) {
        kept += times * OF_PAST * area * to * e;
        frames /= 2;
      }
    }
    sizes.single.push(area * to * e);
    sizes.wide.push(frames * area * to * e);
  });
  kept += OF_PAST * area * 5 * top * e; // the two blocks in the middle, and conv_out
  // As they come, and as numbers of −1 … 1.
  const shown = pieceFrames(c) * whole * 3;
  const largest = Math.max(...sizes.wide, 4 * shown);
  // A clip's first piece is one frame: its buffers are there before those of the others.
  const scratch = lent([...sizes.single, ...sizes.wide]).reduce((sum, bytes) => sum + LIVE * bytes, 0);
  return { largest, kept, peak: scratch + Math.max(...sizes.wide) + (8 + e) * shown };
}

/** Sizes of buffers that are made for requests of these sizes, in their order: what is there is lent where it will do (gpu/arena). */
function lent(requests: readonly number[]): number[] {
  const made: number[] = [];
  for (const bytes of requests)
    if (!made.some((other) => bytes <= other && bytes >= other * FILL)) made.push(bytes);
  return made;
}

/** What encoding pictures of this size takes, weights included; null where it is no more than a clip takes anyway. */
export function encodingNeed(
  { latent, components }: ModelManifest,
  { width, height }: Size,
  room: Room,
  tiling: Tiling,
): { buffer: number; total: number } | null {
  const a = readAutoencoderConfig(components.autoencoder);
  if (a.network !== 'wan-vae') return null;
  const [, y, x] = latent.stride;
  const { largest, kept, peak } = estimateEncoder(a.config, height / y, width / x, room.element, tiling);
  return { buffer: largest, total: (room.weights ?? 0) + kept + peak };
}

/**
 * The tiles that pictures of this size can be encoded in here: those that cost least time first, then ever less memory.
 * @throws KinoraError `out-of-memory` with both numbers where none fits
 */
export function waysToEncode(manifest: ModelManifest, size: Size, room: Room): [Tiling, ...Tiling[]] {
  const { latent, components } = manifest;
  const [, y, x] = latent.stride;
  const all = encoderTilings(readAutoencoderConfig(components.autoencoder), size.height / y, size.width / x);
  const ways = all.slice(all.findIndex((tiling) => fits(encodingNeed(manifest, size, room, tiling), room)));
  const need = encodingNeed(manifest, size, room, ways[0]!);
  const found = `${size.width} × ${size.height}`;
  if (need && !fits(need, room))
    throw need.total > room.total
      ? new KinoraError(
          'out-of-memory',
          `Encoding pictures of ${found} needs about ${gb(need.total)} of memory, but ${countedOn(room)}. Choose a smaller size.`,
          { field: 'size', found, needed: need.total, limit: room.total, ...adjusting(room) },
        )
      : new KinoraError(
          'out-of-memory',
          `Encoding pictures of ${found} needs ${gb(need.buffer)} in one piece, but ${gb(room.buffer)} is the most here. Choose a smaller size.`,
          { field: 'size', found, needed: need.buffer, limit: room.buffer },
        );
  return ways as [Tiling, ...Tiling[]];
}

const fits = (need: { buffer: number; total: number } | null, room: Room): boolean =>
  need === null || (need.total <= room.total && need.buffer <= room.buffer);
