/**
 * `npm run clips -- FOLDER`: the clips of FOLDER/prompts.json as the page makes them, 000.mp4, 001.mp4 …, for
 * `python -m training.evaluate --clips FOLDER`. A clip that is there already is left alone, so a run may be broken off.
 */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launchProfile } from './browser.mjs';
import { addressOf, Failure, makeClip, readClip } from './page-clip.mjs';
import { ensureBuild, serveSite } from './site.mjs';

const USAGE = `Usage: npm run clips -- FOLDER [options]

  --backend KIND  auto (default), webgpu or cpu
  --adapter NAME  software (default) or hardware
  --seconds S     length of each clip; default 2.1, the 33 frames that the evaluation reads
  --steps N       steps a block; default the model's own
  --model NAME    default pocket
The seed of a clip is its number.`;

/** Clips that one page makes before another takes over. */
const IN_A_PAGE = 40;

/** The prompts, or null after saying what is wrong with the folder. */
function readPrompts(folder) {
  try {
    const prompts = JSON.parse(readFileSync(join(folder, 'prompts.json'), 'utf8'));
    if (Array.isArray(prompts) && prompts.every((prompt) => typeof prompt === 'string')) return prompts;
    console.error(`${folder}/prompts.json is no list of prompts.`);
  } catch (error) {
    console.error(`${folder}/prompts.json cannot be read: ${error.message}`);
  }
  console.error(`python -m training.evaluate --ask ${folder} writes it.`);
  return null;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      backend: { type: 'string', default: 'auto' },
      adapter: { type: 'string', default: 'software' },
      seconds: { type: 'string', default: '2.1' },
      steps: { type: 'string' },
      model: { type: 'string', default: 'pocket' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help || positionals.length !== 1) return (console.error(USAGE), values.help ? 0 : 2);
  const { backend, adapter, seconds, steps, model } = values;
  const [folder] = positionals;
  const prompts = readPrompts(folder);
  if (!prompts) return 2;

  ensureBuild();
  const site = await serveSite();
  const profile = mkdtempSync(join(tmpdir(), 'kinora-clips-'));
  const browser = await launchProfile(profile, { adapter });
  try {
    const began = Date.now();
    let [page, made] = [null, 0];
    for (const [seed, prompt] of prompts.entries()) {
      const out = join(folder, `${String(seed).padStart(3, '0')}.mp4`);
      if (existsSync(out)) continue;
      // As a person's page does, with the model loaded once; not all in one, for its library keeps what it made.
      const open = made % IN_A_PAGE > 0;
      if (!open) {
        await page?.close();
        page = await browser.newPage();
      }
      const auto = open ? undefined : 1;
      const address = addressOf(site.address, { backend, prompt, seed, seconds, steps, model, auto });
      const press = () => page.getByTestId('generate').click();
      const clip = await makeClip(page, address, () => {}, open ? press : undefined);
      writeFileSync(`${out}.tmp`, await readClip(page));
      renameSync(`${out}.tmp`, out);
      const pace = (Date.now() - began) / 1000 / ++made;
      const { load, total } = clip.timings;
      console.error(
        `${out}  ${clip.frames} frames, ${clip.backend}, load ${load.toFixed(1)} s, clip ${total.toFixed(1)} s, ${pace.toFixed(1)} s a clip  ${prompt}`,
      );
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return (console.error(error.message), 1);
  } finally {
    await browser.close();
    await site.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

process.exit(await main());
