/**
 * `npm run parity`: a network beside a reference that somebody else computed.
 *
 *   npm run parity -- DIR [--json] [--f16]
 *
 * DIR holds case.json ({"network", "config", "layout": "diffusers", "tolerance"}), weights.safetensors,
 * inputs.safetensors and expected.safetensors. Prints for every expected tensor ‖out − ref‖/‖ref‖ and the largest
 * absolute error. --json prints one line; --f16 keeps activations in f16 where the adapter can.
 * Exit 0: all within the tolerance (2e-3 unless the case says otherwise); 1: not, or something is wrong with the
 * case; 2: bad usage. training/goldens/make_parity_cases.py makes cases.
 */
import { parseArgs } from 'node:util';
import { loadModule, openDawn } from './dawn.mjs';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  f16: { type: 'boolean', default: false },
};

function read() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    if (positionals.length === 1) return { dir: positionals[0], ...values };
    throw new Error(`One folder is needed, ${positionals.length} were given.`);
  } catch (error) {
    console.error(`${error.message}\nUsage: npm run parity -- DIR [--json] [--f16]`);
    process.exit(2);
  }
}

const options = read();
const { main } = await loadModule('scripts/parity.ts');
process.exit(await main(options, openDawn)); // Dawn would keep the process alive
