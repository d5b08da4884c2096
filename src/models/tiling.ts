/** How a picture is cut into tiles. Numbers only. */
import type { Span } from '../ops/place-tile';
import type { Tiles } from '../worker/protocol/clip';

export type Tiling = Tiles;
export const WHOLE: Tiling = { rows: 1, columns: 1 };

/**
 * `count` tiles of one length over `length` latents, as evenly as can be. Every latent is taken from a tile that has at
 * least `halo` more to both sides, or the picture's border.
 */
export function spansOf(length: number, count: number, halo: number): Span[] {
  const tile = Math.ceil((length + (count - 1) * 2 * halo) / count);
  const starts = Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : Math.round((i * (length - tile)) / (count - 1)),
  );
  const cut = (i: number) => Math.floor((starts[i - 1]! + tile + starts[i]!) / 2);
  return starts.map((start, i) => ({
    start,
    length: tile,
    from: i === 0 ? 0 : cut(i),
    to: i === count - 1 ? length : cut(i + 1),
  }));
}

/**
 * Tilings of h × w latents, from the whole to ever smaller tiles; the longer side is cut first. No tile is smaller than six
 * times its halo: it would be mostly that.
 */
export function tilingsOf(h: number, w: number, halo: number): Tiling[] {
  const found = [WHOLE];
  const side = (length: number, count: number) => spansOf(length, count, halo)[0]!.length;
  for (;;) {
    const { rows, columns } = found.at(-1)!;
    const across = { rows, columns: columns + 1 };
    const down = { rows: rows + 1, columns };
    const next = (side(w, columns) >= side(h, rows) ? [across, down] : [down, across]).find(
      (t) => side(h, t.rows) >= 6 * halo && side(w, t.columns) >= 6 * halo,
    );
    if (!next) return found;
    found.push(next);
  }
}
