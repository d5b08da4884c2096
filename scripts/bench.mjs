/**
 * `npm run bench`: the kernels on this machine's adapter through Dawn in Node.
 *
 *   npm run bench -- [--filter WORD] [--json] [--f32] [--large]
 *
 * Each row: time, operations and bytes a second, and the share of the adapter's own peak (an FMA loop or a copy,
 * measured in the same run). --f32 keeps activations in f32; --large adds the shapes of the 1.3B model, which are
 * left out on a software adapter.
 */
import { parseArgs } from 'node:util';
import { loadModule, openDawn } from './dawn.mjs';

const OPTIONS = {
  filter: { type: 'string', default: '' },
  json: { type: 'boolean', default: false },
  f32: { type: 'boolean', default: false },
  large: { type: 'boolean', default: false },
};

function read() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    console.error(`${error.message}\nUsage: npm run bench -- [--filter WORD] [--json] [--f32] [--large]`);
    process.exit(2);
  }
}

const { filter, json, f32, large } = read();
try {
  const entry = await openDawn();
  const { bench, formatRow, formatReport } = await loadModule('tests/bench/bench.ts');
  const adapter = await entry.requestAdapter();
  const software = /llvmpipe|lavapipe|swiftshader/i.test(
    `${adapter?.info.description} ${adapter?.info.device}`,
  );
  const report = await bench(entry, {
    filter,
    f16: !f32,
    software: software && !large,
    onRow: (row) => json || console.error(formatRow(row)),
  });
  console.log(json ? JSON.stringify(report) : formatReport(report));
  process.exit(0);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
