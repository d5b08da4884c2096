/**
 * `npm run full-size`: loads large checkpoints as the page does, makes one block of a clip, and prints how long it took,
 * what was read, how much memory it needed at most and was planned, and the time of each kind of operation.
 *
 *   npm run synthetic -- DIR --format q8_0
 *   npm run full-size -- DIR [--size 256x256] [--steps 1] [--f16] [--quantize q8_0|q4_0]
 *
 * --tab (alone): in the built page, in a tab of its own, whose JS memory is watched until a prompt was read.
 *
 * DIR holds a transformer, a text encoder, a decoder and a tokenizer. Not a part of `npm test`: on a software adapter
 * it takes some minutes a step. --quantize makes F16 and BF16 matrices smaller on their way, by the GPU. Exit 0: JS memory
 * grew by 300 MB at most, no piece was over 64 MiB, and GPU memory was within a tenth of the plan; 1: not; 2: bad usage.
 */
import { parseArgs } from 'node:util';
import { loadModule, openDawn } from './dawn.mjs';

const OPTIONS = {
  size: { type: 'string', default: '256x256' },
  steps: { type: 'string', default: '1' },
  f16: { type: 'boolean', default: false },
  quantize: { type: 'string' },
  tab: { type: 'boolean', default: false },
};
/** JS memory may grow by so much while files are read. Bytes. */
const MOST_GROWTH = 300e6;

function read() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    const [, width, height] = /^(\d+)x(\d+)$/.exec(values.size) ?? [];
    if (positionals.length !== 1 || !width)
      throw new Error('One folder is needed, and a size such as 256x256.');
    const { quantize = null } = values;
    if (![null, 'q8_0', 'q4_0'].includes(quantize))
      throw new Error(`--quantize takes q8_0 or q4_0, not ${quantize}.`);
    return { dir: positionals[0], size: { width: Number(width), height: Number(height) }, steps: Number(values.steps), f16: values.f16, tab: values.tab, quantize }; // prettier-ignore
  } catch (error) {
    console.error(
      `${error.message}\nUsage: npm run full-size -- DIR [--size 256x256] [--steps 1] [--f16] [--quantize q8_0|q4_0]`,
    );
    process.exit(2);
  }
}

const options = { ...read(), most: MOST_GROWTH };
if (options.tab) {
  const { main } = await import('./full-size-tab.mjs');
  process.exit(await main(options).catch((e) => (console.error(e.message), 1)));
}
await openDawn(); // may start the command once more, before anything is counted
const { main } = await loadModule('scripts/full-size.ts');
const code = await main(options, openDawn).catch((e) => (console.error(e.message), 1));
process.exit(code); // Dawn would keep the process alive
