/**
 * `npm run full-size -- DIR --tab`: opens the files of DIR in the built page, in a browser, as a person does, and looks twice a
 * second at the JavaScript memory of the page and of its workers, garbage not collected: while the transformer is loaded, and
 * until a prompt has been read, for which the text encoder streams its layers. The prompt is one word: a software adapter takes
 * minutes for each, and memory is the same. The rest of the clip would take it an hour, so it is cancelled.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser } from './browser.mjs';
import { watchMemory } from './memory.mjs';
import { ensureBuild, serveSite } from './site.mjs';

const EVERY = 500; // ms
/** A piece of work that takes longer is given up. Minutes. */
const PATIENCE = 60;

/** The most that was in use since the last `take`, sampled; in bytes. */
class Peak {
  #look;
  #peak = 0;
  #on = true;
  #ended;

  constructor(look) {
    this.#look = look;
    this.#ended = this.#run();
  }

  async #run() {
    while (this.#on) {
      const { page, worker } = await this.#look();
      this.#peak = Math.max(this.#peak, (page ?? 0) + (worker ?? 0));
      await new Promise((next) => setTimeout(next, EVERY));
    }
  }

  take() {
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }

  stop() {
    this.#on = false;
    return this.#ended;
  }
}

/** Resolves at the page's next event of this name (and stage); rejects with the message of an error. */
const hear = (page, name, stage) =>
  page.evaluate(
    ([name, stage, minutes]) =>
      new Promise((resolve, reject) => {
        document.addEventListener(name, ({ detail }) => (!stage || detail.stage === stage) && resolve());
        document.addEventListener('kinora:error', ({ detail }) => reject(new Error(detail.message)));
        setTimeout(
          () => reject(new Error(`${name} did not come within ${minutes} minutes.`)),
          60_000 * minutes,
        );
      }),
    [name, stage, PATIENCE],
  );

/**
 * Resolves to the exit code: 1 where JavaScript memory grew by more than `most` bytes, or the model could not be used.
 * @param options `{ dir, most }`
 */
export async function main({ dir, most }) {
  ensureBuild();
  const files = readdirSync(dir).sort().map((name) => join(dir, name)); // prettier-ignore
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const site = await serveSite();
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ locale: 'en-GB' });
    page.setDefaultTimeout(60_000 * PATIENCE);
    const look = await watchMemory(page, { collect: false });
    const at = (id) => page.getByTestId(id);
    await page.goto(`${site.address}?backend=webgpu#seed=7&seconds=0.5&steps=1`);
    await page.waitForFunction(() => document.querySelector('[data-testid=generate]')?.disabled === false);
    const before = await look();
    const peak = new Peak(look);
    const since = performance.now();
    const told = (what, base) => {
      const grown = peak.take() - base;
      const seconds = (performance.now() - since) / 1000;
      console.log(
        `  ${what.padEnd(22)} at ${seconds.toFixed(0).padStart(5)} s, JS memory at most ${(grown / 1e6).toFixed(0)} MB more than before`,
      );
      return grown;
    };
    const base = before.page + (before.worker ?? 0);
    console.log(
      `${files.length} files of ${(bytes / 1e9).toFixed(2)} GB, in a tab that has ${(base / 1e6).toFixed(0)} MB of JS memory with Pocket loaded`,
    );
    const grown = [];
    await at('settings').click();
    await at('own-files').setInputFiles(files);
    await at('own-plan').waitFor();
    const counted = () =>
      page.waitForFunction(
        () => document.querySelector('[data-testid=own-plan]')?.getAttribute('aria-busy') === 'false',
      );
    await counted();
    // A software adapter is trusted with little memory; loading is the same for all sizes.
    if (await at('own-take-size').count()) {
      await at('own-take-size').click();
      await at('own-take-size').waitFor({ state: 'detached' }); // the next plan is begun
      await counted();
    }
    console.log(`  the page says: ${(await at('own-fits').innerText()).replaceAll('\n', ' ')}`);
    grown.push(told('recognised', base));
    const usable = () => document.querySelector('[data-testid=own-use]')?.disabled === false;
    await page.waitForFunction(usable, null, { timeout: 60_000 }).catch(() => {
      throw new Error('The page does not load this here.');
    });
    const loaded = hear(page, 'kinora:loaded');
    await at('own-use').click();
    await loaded;
    grown.push(told('loaded', base));
    await page.keyboard.press('Escape');
    const read = hear(page, 'kinora:progress', 'denoise');
    await at('prompt').fill('boat');
    await at('generate').click();
    await read.finally(() => grown.push(told('prompt read', base)));
    await peak.stop();
    const ok = Math.max(...grown) <= most;
    if (!ok) console.error(`More than may be: ${most / 1e6} MB.`);
    return ok ? 0 : 1;
  } finally {
    await browser.close();
    await site.close();
  }
}
