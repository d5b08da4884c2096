/**
 * `npm run full-size`: loads large checkpoints as the page does, makes one block of a clip, and prints how long it took,
 * what was read, how much memory it needed at most, and the time of each kind of operation.
 *
 *   npm run synthetic -- DIR --format q8_0
 *   npm run full-size -- DIR [--size 256x256] [--steps 1] [--f16]
 *
 * DIR holds a transformer, a text encoder, a decoder and a tokenizer. Not a part of `npm test`: on a software adapter
 * it takes some minutes a step. Exit 0: JS memory grew by 300 MB at most, and no piece was over 64 MiB; 1: not; 2: bad
 * usage.
 */
import { parseArgs } from 'node:util';
import { loadModule, openDawn } from './dawn.mjs';

const OPTIONS = {
  size: { type: 'string', default: '256x256' },
  steps: { type: 'string', default: '1' },
  f16: { type: 'boolean', default: false },
};

function read() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    const [, width, height] = /^(\d+)x(\d+)$/.exec(values.size) ?? [];
    if (positionals.length !== 1 || !width)
      throw new Error('One folder is needed, and a size such as 256x256.');
    return { dir: positionals[0], size: { width: Number(width), height: Number(height) }, steps: Number(values.steps), f16: values.f16 }; // prettier-ignore
  } catch (error) {
    console.error(`${error.message}\nUsage: npm run full-size -- DIR [--size 256x256] [--steps 1] [--f16]`);
    process.exit(2);
  }
}

const options = read();
await openDawn(); // may start the command once more, before anything is counted
const { main } = await loadModule('scripts/full-size.ts');
const code = await main(options, openDawn).catch((e) => (console.error(e.message), 1));
process.exit(code); // Dawn would keep the process alive
