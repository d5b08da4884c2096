/** PyTorch beside the bench: the same operations on the same card, through scripts/torch_peer.py. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const PEER = join(import.meta.dirname, 'torch_peer.py');

/**
 * Adds to the report's rows what share of PyTorch's speed they reach, in per cent, and what PyTorch ran on.
 * @param python the interpreter that has torch
 * @param report its rows with `torch` are measured (tests/bench/cases.ts)
 * @throws one line that names the interpreter
 */
export function compareTorch(python, report) {
  const rows = report.rows.filter((row) => row.torch);
  const { stdout, stderr, status, error } = spawnSync(python, [PEER], {
    input: JSON.stringify(rows.map((row) => row.torch)),
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(`--torch ${python}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
  const { device, dtype, seconds } = JSON.parse(stdout);
  if (seconds.length !== rows.length)
    throw new Error(`--torch ${python}: ${seconds.length} times for ${rows.length} operations`);
  rows.forEach((row, i) => (row.torchShare = (100_000 * seconds[i]) / row.ms));
  report.torch = `${device}, ${dtype}`;
}
