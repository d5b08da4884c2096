/**
 * `npm run parity`: a network beside a reference that somebody else computed.
 *
 *   npm run parity -- DIR [--json] [--f16] [--weights FILE|URL]
 *
 * DIR holds
 *   case.json             {"network", "config", "layout"?, "tolerance"?}
 *   weights.safetensors   or weights.gguf, weights.pt, weights.pth: just one of them
 *   inputs.safetensors, expected.safetensors
 *
 * Networks: umt5, wan-transformer, wan-transformer-causal, taehv-decoder, taehv-encoder, patch-encoder, wan-vae-decoder,
 * wan-vae-encoder. Layouts: "diffusers" (which has none to say, so it may be left out) and "original"; whatever is said,
 * names are told by themselves: diffusers', transformers', original Wan's, ComfyUI's, Self-Forcing's, rCM's, llama.cpp's.
 * Weights may be quantized; types that no kernel reads (Q4_1, Q5_0, Q5_1, Q2_K, Q3_K) are computed with as f32 here, and
 * as q8_0 in the page, which was up to 1.2e-2 off on the small seeded networks of the tests in Q4_1.
 *
 * Prints for every expected tensor ‖out − ref‖/‖ref‖ and the largest absolute error. --json prints one line; --f16 keeps
 * activations in f16 where the adapter can; --weights takes the weights from elsewhere, and not from DIR: a file, which need
 * not be copied, or an address, which is read by range requests and not kept. Exit 0: all within the case's tolerance; where
 * it has none, within 3e-2 if any weights are Q8_0, else 1e-2 with f16 activations and 2e-3 with f32; 1: not, or something
 * is wrong with the case; 2: bad usage.
 * The first run with --f16 on a software adapter takes its time: the driver compiles every kernel anew (half a minute for
 * one small network beside other work, and a third of a second the next time, when it has kept them).
 * training/goldens/make_parity_cases.py makes cases.
 */
import { parseArgs } from 'node:util';
import { loadModule, openDawn } from './dawn.mjs';

const OPTIONS = {
  json: { type: 'boolean', default: false },
  f16: { type: 'boolean', default: false },
  weights: { type: 'string' },
};

function read() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    if (positionals.length === 1) return { dir: positionals[0], ...values };
    throw new Error(`One folder is needed, ${positionals.length} were given.`);
  } catch (error) {
    console.error(`${error.message}\nUsage: npm run parity -- DIR [--json] [--f16] [--weights FILE|URL]`);
    process.exit(2);
  }
}

const options = read();
const { main } = await loadModule('scripts/parity.ts');
process.exit(await main(options, openDawn)); // Dawn would keep the process alive
