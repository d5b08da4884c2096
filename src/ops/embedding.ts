/** Rows of a table by their number. */
import code from '../../shaders/embedding.wgsl?raw';
import { grid, type Run } from '../gpu/run';
import type { Elem, Tensor } from '../gpu/tensor';
import { expectAxes, kernel, readsW, refuse } from './kernels';

/**
 * table[ids]. Ids behind the table's end take its last row: check them beforehand.
 * @param table [V, D] f32, f16 or quantized (then D is whole blocks)
 * @param ids [L] i32
 * @returns [L, D]
 */
export function embedding(run: Run, table: Tensor, ids: Tensor, dtype: Elem = run.elem): Tensor {
  expectAxes('embedding', 'table', table, 'V,D');
  expectAxes('embedding', 'ids', ids, 'L');
  if (ids.dtype !== 'i32') throw refuse('embedding', `ids (${ids.label}) is ${ids.dtype}, expected i32`);
  const [rows, D] = table.shape as [number, number];
  const L = ids.shape[0]!;
  const ws = readsW('embedding', table, D);
  const out = run.tensor([L, D], `embedding ${table.label}`, dtype);
  run.dispatch({
    kernel: kernel('embedding', code, { types: { OT: dtype }, lib: { [ws.name]: ws.text } }),
    bindings: { ids, w: table.storage, scales: table.scales ?? table.storage, out },
    params: { L, rows, D },
    workgroups: grid(L * Math.ceil(D / 4), 64),
  });
  return out;
}
