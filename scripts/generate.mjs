/**
 * `npm run generate -- "a prompt" --out clip.mp4`: the page's own job without a window. Opens the built
 * page in a headless Chromium with the settings in the address, and writes the MP4 that it makes.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { launchProfile } from './browser.mjs';
import { BadUsage, readArguments, USAGE } from './generate-arguments.mjs';
import { drawProgress } from './generate-progress.mjs';
import { Work } from './generate-work.mjs';
import { watchMemory, watchProcessorTime } from './memory.mjs';
import { addressOf, Failure, makeClip, readClip } from './page-clip.mjs';
import { ensureBuild, serveSite } from './site.mjs';

const ROOT = join(import.meta.dirname, '..');
/** Lines that do not say how long they last share `seconds`. */
function withLengths(prompt, seconds) {
  const lines = prompt.split(/\r?\n/).filter((line) => line.trim() !== '');
  const says = (line) =>
    /[[【]\s*[-+]?\d[\d.,]*(e[-+]?\d+)?\s*(s|sec|secs|seconds?|秒)\s*[\]】]/iu.test(line);
  const share = Math.max(1, seconds / Math.max(1, lines.filter((line) => !says(line)).length));
  return lines.map((line) => (says(line) ? line : `[${Math.round(share * 100) / 100}s] ${line}`)).join('\n');
}

/** Gives the page a file, as a person does, and begins. Throws a Failure when the page will not have it. */
async function beginWith(page, { image, extend, prompt, seconds }) {
  const file = image ?? extend;
  await page.waitForFunction(() => globalThis.kinoraLoaded, null, { timeout: 0 });
  await page.getByTestId('open').setInputFiles(file);
  await page.waitForFunction(() => globalThis.kinoraTaken, null, { timeout: 0 });
  const { as, message } = await page.evaluate(() => globalThis.kinoraTaken);
  const refuse = (text) => Object.assign(new Failure(`${basename(file)}: ${text}`), { code: 'bad-request' });
  if (as === null) throw refuse(message);
  if (image && as !== 'picture' && as !== 'script')
    throw refuse('this is no picture. A video goes behind --extend.');
  if (extend && as === 'picture') throw refuse('this is no video. A picture goes behind --image.');
  if (as === 'script') throw refuse('this is text. A script goes behind --script.');
  const field = page.getByTestId('prompt');
  if (as === 'clip') {
    // The page writes the clip's own words, and begins a line for what comes then.
    await page.getByTestId('extend').click();
    const own = (await field.inputValue()).replace(/\n[^\n]*$/, '');
    await field.fill(`${own}\n${withLengths(prompt, seconds)}`);
  } else await field.fill(prompt);
  await field.press('Control+Enter');
}

/** Decodes the MP4 in the page with mediabunny (not the writer) and yields each frame as PNG bytes. */
async function* decodeFrames(page) {
  await page.addScriptTag({ path: join(ROOT, 'node_modules/mediabunny/dist/bundles/mediabunny.min.cjs') });
  await page.evaluate(async () => {
    const { ALL_FORMATS, BlobSource, CanvasSink, Input } = globalThis.Mediabunny;
    const input = new Input({ formats: ALL_FORMATS, source: new BlobSource(globalThis.kinoraClip) });
    globalThis.kinoraFrames = new CanvasSink(await input.getPrimaryVideoTrack()).canvases();
  });
  for (;;) {
    const url = await page.evaluate(async () => {
      const { value, done } = await globalThis.kinoraFrames.next();
      if (done) return null;
      const canvas = value.canvas;
      const blob = await (canvas.convertToBlob?.({ type: 'image/png' }) ??
        new Promise((ready) => canvas.toBlob(ready, 'image/png')));
      return new Promise((ready) => {
        const reader = new FileReader();
        reader.onload = () => ready(reader.result);
        reader.readAsDataURL(blob);
      });
    });
    if (url === null) return;
    yield Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  }
}

/** Files under temporary names next to their places; `commit` moves all, `discard` leaves no trace. */
class Outputs {
  #files = new Map();

  write(path, bytes) {
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
    this.#files.set(temporary, path);
    writeFileSync(temporary, bytes);
  }

  commit() {
    for (const [temporary, path] of this.#files) renameSync(temporary, path);
    this.#files.clear();
  }

  discard() {
    for (const temporary of this.#files.keys()) rmSync(temporary, { force: true });
    this.#files.clear();
  }
}

/** Writes frame-00000.png … and drops frames that an earlier, longer clip left in the folder. */
async function writeFrames(page, folder, expected, outputs) {
  mkdirSync(folder, { recursive: true });
  const names = new Set();
  for await (const png of decodeFrames(page)) {
    const name = `frame-${String(names.size).padStart(5, '0')}.png`;
    names.add(name);
    outputs.write(join(folder, name), png);
  }
  if (names.size !== expected)
    throw new Failure(`The clip has ${expected} frames, but ${names.size} could be read back from it.`);
  return () => {
    for (const name of readdirSync(folder))
      if (/^frame-\d{5}\.png$/.test(name) && !names.has(name)) rmSync(join(folder, name));
  };
}

/** Facts about the machine and the model that bound what may be asked for. */
function readModel(id) {
  const folder = join(ROOT, 'public', 'models', id);
  const path = join(folder, 'model.json');
  if (!/^[\w.-]+$/.test(id) || !existsSync(folder)) {
    const models = readdirSync(join(ROOT, 'public', 'models'));
    throw new BadUsage(`There is no model "${id}". There is: ${models.join(', ')}.`);
  }
  if (!existsSync(path)) throw new Failure(`The model "${id}" has no model.json.`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** null on the CPU. */
const nameOf = (adapter) =>
  adapter && (adapter.description || adapter.device || `${adapter.vendor} ${adapter.architecture}`.trim());

/**
 * Looks at what is in use whenever a block is done; what was found lies in `found`, by block. A look that is still going
 * on (a worker that computes WebAssembly answers late) lets the next blocks pass: late numbers would be of other blocks.
 */
class Meter {
  found = [];
  /** Seconds of processor time when each block was denoised. */
  cpu = [];
  #read = null;
  #cpu = null;
  #told = 0;
  #next = 0;
  #looking = Promise.resolve();
  #busy = false;

  async open(page) {
    this.#read = await watchMemory(page);
    this.#cpu = await watchProcessorTime(page);
  }

  /** @param event of the page */
  hear({ type, block }) {
    if (type !== 'progress') return;
    if (block > this.#told) void this.tell(block - 1);
    if (block > this.#next && !this.#busy) this.look(block - 1);
  }

  /** Processor time at the end of a block's denoising. */
  async tell(block) {
    this.#told = block + 1;
    this.cpu[block] = (await this.#cpu?.().catch(() => null)) ?? null;
  }

  look(block) {
    this.#next = block + 1;
    this.#looking = this.#looking.then(async () => {
      this.#busy = true;
      this.found[block] = await this.#read?.().catch(() => null);
      this.#busy = false;
    });
    return this.#looking;
  }
}

/** The line that --json prints. Times in seconds, memory in bytes; null for what was not told. */
function summary(options, clip, { found: memory, cpu }) {
  const { width, height, frames, fps, recipe, backend, adapter, timings, peakGpuBytes } = clip;
  const { codec, frameHashes, seam } = clip;
  const blocks = clip.blocks.map((report) => {
    const { page = null, worker = null, processes = null } = memory[report.block] ?? {};
    const cpuSeconds = cpu[report.block] ?? null;
    return { ...report, jsBytes: { page, worker }, processBytes: processes, cpuSeconds };
  });
  const { load, firstFrame, total } = timings;
  return {
    out: options.out,
    ...{ width, height, frames, fps, seed: recipe.seed, model: recipe.model, backend },
    adapter: nameOf(adapter),
    timings: { load, firstFrame, total },
    ...{ peakGpuBytes, blocks, seam, codec, frameHashes },
  };
}

/** Ctrl-C came: what fails from now on fails because of it. */
let stopping = false;

async function main(argv) {
  const options = readArguments(argv, readModel);
  if (options.help) return void console.log(USAGE);

  // As the page says it.
  if (options.taught === false)
    console.error(
      `The model was not taught this picture size (${options.width}×${options.height}): expect less of it.`,
    );

  const outputs = new Outputs();
  const progress = drawProgress(process.stderr);
  const work = options.resume ? Work.resume(options.out) : Work.begin(options);
  const meter = new Meter();
  let browser, site;
  const clean = async () => {
    outputs.discard();
    await browser?.close().catch(() => {});
    await site?.close().catch(() => {});
    work.close();
  };
  const kept = () => (work.keeps ? `What is made of it is kept: npm run generate -- --resume --out ${options.out}` : ''); // prettier-ignore
  const interrupted = (code) => () => {
    stopping = true;
    progress.end();
    console.error(kept() ? `Stopped. ${kept()}` : 'Stopped; nothing was written.');
    setTimeout(() => process.exit(code), 5000).unref(); // should the browser not close
    void clean().then(() => process.exit(code));
  };
  process.once('SIGINT', interrupted(130));
  process.once('SIGTERM', interrupted(143));

  try {
    ensureBuild();
    site = await serveSite({ port: work.port });
    work.serve(site.address);
    const ownSignals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    // bypassCSP: for the script that decodes the frames.
    browser = await launchProfile(work.profile, {
      adapter: work.job.adapter,
      bypassCSP: true,
      ...ownSignals,
    });
    const page = browser.pages()[0] ?? (await browser.newPage());
    await meter.open(page);
    const { prompt, seed, seconds, width, height, steps, window, sink, cacheBits, model } = options;
    const file = options.image ?? options.extend;
    const auto = file === undefined ? 1 : undefined;
    const { backend } = work.job;
    const settings = options.resume
      ? { resume: 1, model: work.job.model }
      : {
          prompt,
          seed,
          seconds,
          width,
          height,
          steps,
          window,
          sink,
          cacheBits,
          model,
          loop: options.loop ? 1 : undefined,
        };
    const clip = await makeClip(
      page,
      addressOf(site.address, { backend, ...settings, auto }),
      (event) => {
        work.hear(event);
        meter.hear(event);
        progress.show(event);
      },
      file === undefined ? undefined : () => beginWith(page, options),
    );
    await meter.tell(clip.blocks.length - 1);
    await meter.look(clip.blocks.length - 1);
    outputs.write(resolve(options.out), await readClip(page));
    let dropOldFrames = () => {};
    if (options.frames) dropOldFrames = await writeFrames(page, options.frames, clip.frames, outputs);
    outputs.commit();
    dropOldFrames();
    work.done();
    progress.end();
    if (options.json) console.log(JSON.stringify(summary(options, clip, meter)));
    else
      console.log(
        `${options.out}: ${clip.frames} frames, ${clip.width}×${clip.height}, ${clip.fps} a second, ` +
          `${clip.codec}, seed ${clip.recipe.seed}, made in ${clip.timings.total.toFixed(1)} s`,
      );
  } catch (error) {
    if (work.keeps && !stopping) error.message += `\n${kept()}`;
    throw error;
  } finally {
    progress.end();
    await clean();
  }
}

try {
  await main(process.argv.slice(2));
  process.exit(0);
} catch (error) {
  if (stopping) await new Promise(() => {});
  const badUsage = error instanceof BadUsage || error.code === 'bad-request';
  console.error(error instanceof BadUsage || error instanceof Failure ? error.message : error.stack);
  if (error instanceof Failure && error.detail) console.error(error.detail);
  if (error instanceof BadUsage) console.error('See npm run generate -- --help');
  process.exit(badUsage ? 2 : 1);
}
