/** Pictures put together of tiles. */
import code from '../../shaders/place-tile.wgsl?raw';
import { expectShape, grid, type Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { elemOf, expectAxes, kernel, refuse } from './kernels';

/** A tile's place along one axis, and the part of the picture that is taken from it: `from` up to, not with, `to`. */
export interface Span {
  start: number;
  length: number;
  from: number;
  to: number;
}

/**
 * Copies what the spans take of a tile into the picture `into` [T, H, W, C].
 * @param tile [T, rows.length, columns.length, C]
 */
export function placeTile(run: Run, tile: Tensor, into: Tensor, rows: Span, columns: Span): void {
  expectAxes('placeTile', 'into', into, 'T,H,W,C');
  const [T, H, W, C] = into.shape as [number, number, number, number];
  const [h, w] = [rows.length, columns.length];
  expectShape('placeTile', 'tile', tile, [T, h, w, C]);
  const check = ({ start, length, from, to }: Span, most: number) => {
    if (start < 0 || start > from || from >= to || to > start + length || start + length > most)
      throw refuse('placeTile', `${from} to ${to} of a tile from ${start} to ${start + length} of ${most}`);
  };
  check(rows, H);
  check(columns, W);
  const kept = { rows: rows.to - rows.from, columns: columns.to - columns.from };
  run.dispatch({
    kernel: kernel('place-tile', code, {
      types: { XT: elemOf('placeTile', tile), OT: elemOf('placeTile', into) },
    }),
    bindings: { x: tile, out: into },
    params: {
      ...{ T, h, w, C, H, W, ...kept },
      ...{ y: rows.from - rows.start, x0: columns.from - columns.start, top: rows.from, left: columns.from },
    },
    workgroups: grid(T * kept.rows * kept.columns * C, 64),
  });
}
