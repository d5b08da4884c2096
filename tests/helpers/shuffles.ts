/**
 * Matrices of subgroups, which no software adapter has, made of shuffles (reference/matrix.wgsl), for the kernels around
 * them; tests/gpu/matrix.gpu.test.ts has Dawn compile these with the real ones.
 */
import { ATTENTION, attentionMatrices, MATMUL, matrices, type Choice } from '../../src/ops/variants';
import { openTestGpu } from './gpu';
import matrixOfShuffles from '../reference/matrix.wgsl?raw';

/** Adds them to this test file's lists of variants, for subgroups of this adapter's size. */
export async function addShuffles(): Promise<void> {
  const { subgroupMinSize: SIZE = 0, subgroupMaxSize } = (await openTestGpu()).device.adapterInfo;
  // Where sizes vary nothing says in which thread a row is.
  if (SIZE === 0 || SIZE !== subgroupMaxSize) return;
  const add = <C extends Choice<never>>(list: readonly C[], real: C, rows: number) =>
    (list as C[]).unshift({
      ...real,
      name: `${real.name}, of shuffles`,
      needs: ['subgroups'],
      consts: (shape: never) => ({ ...real.consts(shape), SIZE, SLOTS: Math.ceil(rows / SIZE) }),
      lib: { matrixOfShuffles },
    });
  add(MATMUL, matrices('f16', 8, 16, 16), 16);
  add(MATMUL, matrices('f32', 8, 8, 8), 8);
  // One thread and two that see a row of scores.
  add(ATTENTION, attentionMatrices('f16', Math.min(SIZE, 16), 8, 8), 8);
  add(ATTENTION, attentionMatrices('f32', Math.min(SIZE / 2, 8), 8, 8), 8);
}
