/**
 * Writes checkpoints of Wan 2.1 1.3B's shapes with seeded numbers, for `npm run full-size`:
 *
 *   npm run synthetic -- DIR [--format safetensors|q8_0|q4_0] [--layers 30] [--text-layers 24] [--vocabulary 256384]
 *
 * At full size: 14.2 GB as safetensors (F16), 7.6 GB in Q8_0, 4.0 GB in Q4_0. Exit 2: bad usage.
 */
import { parseArgs } from 'node:util';
import { loadModule } from './dawn.mjs';

const OPTIONS = {
  format: { type: 'string', default: 'q8_0' },
  layers: { type: 'string', default: '30' },
  'text-layers': { type: 'string', default: '24' },
  vocabulary: { type: 'string', default: '256384' },
};

function read() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    if (positionals.length !== 1) throw new Error(`One folder is needed, ${positionals.length} were given.`);
    if (!['safetensors', 'q8_0', 'q4_0'].includes(values.format)) throw new Error(`--format is ${values.format}`); // prettier-ignore
    const [layers, textLayers, vocabulary] = ['layers', 'text-layers', 'vocabulary'].map((name) => {
      const n = Number(values[name]);
      if (!Number.isInteger(n) || n < 1) throw new Error(`--${name} must be a whole number above 0, but is ${values[name]}`); // prettier-ignore
      return n;
    });
    return { dir: positionals[0], format: values.format, shape: { layers, textLayers, vocabulary } };
  } catch (error) {
    console.error(`${error.message}\nUsage: npm run synthetic -- DIR [--format safetensors|q8_0|q4_0]`);
    process.exit(2);
  }
}

const { dir, format, shape } = read();
const { writeCheckpoints } = await loadModule('scripts/synthetic.ts');
for (const [name, bytes] of await writeCheckpoints(dir, format, shape)) console.log(`${name}: ${(bytes / 1e9).toFixed(3)} GB`); // prettier-ignore
process.exit(0);
