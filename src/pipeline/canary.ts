/** Finding NaN and Inf, and the kernel that made the first. */
import { KinoraError } from '../errors';
import type { Gpu } from '../gpu/device';
import { Run } from '../gpu/run';
import { size, type Tensor } from '../gpu/tensor';
import { notFinite } from '../ops/canary';

/** Whether `notFinite` found anything. Its copy is queued at once; waits for the GPU. */
export async function foundBad(gpu: Gpu, counts: Tensor): Promise<boolean> {
  const bytes = await gpu.readBytes(counts);
  return new Uint32Array(bytes.buffer, 0, size(counts)).some((count) => count > 0);
}

interface Finding {
  kernel: string;
  /** Label and shape of what it wrote. */
  output: string;
  storage: number;
  bad: Promise<boolean>;
}

/**
 * Does `work` once more on a run of its own, looking at what every kernel writes.
 * @returns the first kernel that wrote NaN or Inf, and what it wrote; null when all was well this time
 */
export async function findFirstBad(
  gpu: Gpu,
  work: (run: Run) => void | Promise<void>,
): Promise<{ operation: string; output: string } | null> {
  const run = new Run(gpu);
  const findings: Finding[] = [];
  run.onOutput = (kernel, t) => {
    if (t.dtype !== 'f32' && t.dtype !== 'f16') return;
    const counts = notFinite(run, t);
    run.flush();
    const bad = foundBad(gpu, counts); // before their memory is lent again
    bad.catch(() => {}); // awaited below
    const finding = { kernel, output: `${t.label} [${t.shape}]`, storage: t.storage.id, bad };
    // Long work is cut into several dispatches on one output, which is complete only after the last.
    const before = findings.at(-1);
    if (before && before.kernel === kernel && before.storage === finding.storage) findings.pop();
    findings.push(finding);
  };
  try {
    await work(run);
    run.flush();
    for (const { kernel, output, bad } of findings) if (await bad) return { operation: kernel, output };
    return null;
  } finally {
    await gpu.sync().catch(() => {});
    run.destroy();
  }
}

/** The error of a clip that broke down in block `block` (from 0). */
export function notFiniteError(
  block: number,
  found: { operation: string; output: string } | null,
  where: string,
): KinoraError {
  const operation = found?.operation ?? where;
  return new KinoraError(
    'not-finite',
    `The numbers of block ${block + 1} broke down (NaN or Inf out of ${operation}). ` +
      'Try another seed; if it happens again, the model or the graphics driver is at fault.',
    { operation, block: block + 1 },
    found ? `first in ${found.output}` : `in the ${where}; not seen again when it was repeated`,
  );
}
