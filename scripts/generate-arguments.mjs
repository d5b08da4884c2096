/** The arguments of `npm run generate`, checked before anything is started. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run generate -- "PROMPT" --out FILE.mp4 [options]
       npm run generate -- --script FILE --out FILE.mp4 [options]
       npm run generate -- "WHAT HAPPENS NEXT" --extend CLIP.mp4 --out FILE.mp4 [options]
       npm run generate -- --resume --out FILE.mp4

  --out FILE        where the MP4 goes; its folder must exist
  --script FILE     one shot a line; [4s] in a line is its length, [cut] begins it with a hard cut
  --image FILE      a picture that the clip begins with; where the model has an encoder
  --extend CLIP     goes on from the end of a clip; --seconds is then the length of what is new. One of Kinora's keeps
                    its settings and is made again first, to the bit; any other video needs a model with an encoder
  --loop            the end leads back to the beginning
  --resume          goes on with the clip of this --out that was interrupted; all its settings stay
  --seed N          0…4294967295; default: a random one
  --seconds S       length of the clip; default: the model's
  --size WxH        picture size in pixels, multiples of 16; default: the model's
  --steps N         denoising steps of each block, 1…50; default: the model's
  --window N        latent frames that a block sees; default: the model's
  --sink N          first latent frames that stay in sight; default: the model's
  --cache-bits N    8 or 16: how exactly earlier frames are kept; default: 16 where it fits, else 8; WebGPU only
  --model NAME      a folder of public/models; default: pocket
  --frames DIR      also writes each frame of the MP4 as DIR/frame-00000.png …
  --backend KIND    webgpu (default): our own kernels; cpu: onnxruntime-web; auto: as the page chooses
  --adapter KIND    software (default; the same on every machine, slow) or hardware (this machine's GPU)
  --json            prints one line of JSON on stdout
  --help            prints this

Exit codes: 0 done, 1 the clip could not be made, 2 bad usage.`;

/** As in src/limits.ts, which Node 20 cannot read. */
export const MAX_PROMPT = 5000;
export const MAX_SECONDS = 600;

/** A mistake in the command line. */
export class BadUsage extends Error {}

const OPTIONS = {
  out: { type: 'string' },
  script: { type: 'string' },
  image: { type: 'string' },
  extend: { type: 'string' },
  loop: { type: 'boolean', default: false },
  resume: { type: 'boolean', default: false },
  seed: { type: 'string' },
  seconds: { type: 'string' },
  size: { type: 'string' },
  steps: { type: 'string' },
  window: { type: 'string' },
  sink: { type: 'string' },
  'cache-bits': { type: 'string' },
  model: { type: 'string', default: 'pocket' },
  frames: { type: 'string' },
  adapter: { type: 'string', default: 'software' },
  backend: { type: 'string', default: 'webgpu' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

/** `--seed -1` as `--seed=-1`: what follows an option with a value is its value, whatever it begins with. */
function joinValues(argv) {
  const joined = [];
  for (let i = 0; i < argv.length; i++) {
    const option = argv[i].startsWith('--') ? OPTIONS[argv[i].slice(2)] : undefined;
    const next = argv[i + 1];
    // "--seed --json" lacks its value.
    const isValue = next !== undefined && !(next.startsWith('--') && next.slice(2).split('=')[0] in OPTIONS);
    if (option?.type === 'string' && isValue) joined.push(`${argv[i]}=${argv[++i]}`);
    else joined.push(argv[i]);
  }
  return joined;
}

function parse(argv) {
  try {
    return parseArgs({ args: joinValues(argv), options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const name = /'(-[^' <]*)/.exec(error.message)?.[1] ?? '';
    if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
      throw new BadUsage(
        `There is no option ${name}. A prompt that begins with "-" goes behind a lone "--".`,
      );
    const takesValue = OPTIONS[name.replace(/^--/, '')]?.type === 'string';
    throw new BadUsage(takesValue ? `${name}: its value is missing.` : `${name} takes no value.`);
  }
}

/** A plain decimal number: Number() alone would take "", "0x10" and "1e3" as well. */
function readNumber(name, text, { integer, least, most }) {
  const value = (integer ? /^\d+$/ : /^\d+(\.\d+)?$/).test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  const kind = integer ? 'a whole number' : 'a number';
  throw new BadUsage(`--${name} ${text}: it must be ${kind} from ${least} to ${most}.`);
}

function readSize(text) {
  const match = /^(\d+)[x×](\d+)$/.exec(text);
  const [width, height] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  const good = (n) => n >= 16 && n <= 4096 && n % 16 === 0;
  if (!good(width) || !good(height))
    throw new BadUsage(
      `--size ${text}: write WIDTHxHEIGHT, both multiples of 16 from 16 to 4096, such as 96x64.`,
    );
  return { width, height };
}

/** @returns the path, absolute, or undefined where the option was not given */
function readFile(name, path) {
  if (path === undefined) return undefined;
  if (!existsSync(path)) throw new BadUsage(`--${name} ${path}: there is no such file.`);
  if (!statSync(path).isFile()) throw new BadUsage(`--${name} ${path} is no file.`);
  if (statSync(path).size === 0) throw new BadUsage(`--${name} ${path} is empty.`);
  return resolve(path);
}

/** What an interrupted clip has of its own. */
const OWN = ['script', 'image', 'extend', 'loop', 'seed', 'seconds', 'size', 'steps', 'window', 'sink', 'cache-bits']; // prettier-ignore

function readResume(values, positionals) {
  const given = OWN.filter((name) => values[name] !== undefined && values[name] !== false).map((name) => `--${name}`); // prettier-ignore
  if (positionals.length > 0) given.unshift('a prompt');
  if (given.length > 0)
    throw new BadUsage(`--resume takes everything from the interrupted clip; leave out ${given.join(', ')}.`);
  checkPlaces(values);
  const { out, frames, json } = values;
  return /** @type {any} */ ({ resume: true, out, frames, json, help: false });
}

function checkPlaces({ out, frames }) {
  const folder = dirname(resolve(out));
  if (!existsSync(folder)) throw new BadUsage(`--out ${out}: there is no folder ${folder}.`);
  if (existsSync(out) && statSync(out).isDirectory()) throw new BadUsage(`--out ${out} is a folder.`);
  if (frames === undefined) return;
  const parent = dirname(resolve(frames));
  if (!existsSync(parent)) throw new BadUsage(`--frames ${frames}: there is no folder ${parent}.`);
  if (existsSync(frames) && !statSync(frames).isDirectory())
    throw new BadUsage(`--frames ${frames} is a file, not a folder.`);
}

/** The words: a prompt, or the lines of a script. */
function readPrompt(positionals, script) {
  if (positionals.length > 1)
    throw new BadUsage(`There are ${positionals.length} prompts; put one prompt in quotes.`);
  if (script !== undefined && positionals.length > 0)
    throw new BadUsage('There are a prompt and --script; give one of them.');
  if (script === undefined && positionals.length === 0) throw new BadUsage('The prompt is missing.');
  if (script !== undefined && !existsSync(script))
    throw new BadUsage(`--script ${script}: there is no such file.`);
  const prompt = (script === undefined ? positionals[0] : readFileSync(script, 'utf8')).trim();
  if (!prompt)
    throw new BadUsage(script === undefined ? 'The prompt is empty.' : `--script ${script} is empty.`);
  if (prompt.length > MAX_PROMPT)
    throw new BadUsage(
      `The prompt has ${prompt.length} characters; at most ${MAX_PROMPT} are read. Shorten it.`,
    );
  return prompt;
}

/**
 * @typedef {{help: boolean, prompt: string, seed: number, seconds: number, width: number, height: number,
 *   steps?: number, window?: number, sink?: number, cacheBits?: number, loop: boolean, image?: string, extend?: string, resume: boolean,
 *   asksSeconds: boolean, taught: boolean, model: string, out: string, frames?: string, json: boolean, adapter: string, backend: string}} Options
 */

/**
 * @param argv the words after `npm run generate --`
 * @param readModel gives a model's model.json by name; throws where there is none
 * @returns {Options} the settings, with the model's defaults in place. Throws `BadUsage`.
 */
export function readArguments(argv, readModel) {
  const { values, positionals } = parse(argv);
  if (values.help) return /** @type {any} */ ({ help: true });
  if (values.resume && values.out) return readResume(values, positionals);
  const prompt = values.resume ? '' : readPrompt(positionals, values.script);
  if (!values.out) throw new BadUsage('--out FILE.mp4 is missing.');
  if (!['software', 'hardware'].includes(values.adapter))
    throw new BadUsage(`--adapter ${values.adapter}: it must be software or hardware.`);

  if (!['auto', 'webgpu', 'cpu'].includes(values.backend))
    throw new BadUsage(`--backend ${values.backend}: it must be auto, webgpu or cpu.`);

  const { out, frames, json, adapter, backend } = values;
  checkPlaces(values);
  const [image, extend] = [readFile('image', values.image), readFile('extend', values.extend)];
  if (image && extend) throw new BadUsage('A clip begins with --image or with --extend: give one of them.');
  if (values.loop && (image || extend))
    throw new BadUsage('A loop begins with nothing but words: leave out --image and --extend.');
  const seed = readNumber('seed', values.seed ?? randomSeed(), {
    integer: true,
    least: 0,
    most: 2 ** 32 - 1,
  });
  const steps =
    values.steps === undefined
      ? undefined
      : readNumber('steps', values.steps, { integer: true, least: 1, most: 50 });
  const size = values.size === undefined ? undefined : readSize(values.size);
  if (!/^[\w-][\w.-]*$/.test(values.model))
    throw new BadUsage(`--model ${values.model}: it must be the name of a folder of public/models.`);
  const model = readModel(values.model);
  const seconds = readNumber('seconds', values.seconds ?? String(model.seconds.default), {
    integer: false,
    least: 1 / model.fps,
    most: MAX_SECONDS,
  });
  const { width, height } = size ?? model.sizes[0];
  const taught = model.sizes.some((one) => one.width === width && one.height === height);
  const frameCount = (name, least) =>
    values[name] === undefined
      ? undefined
      : readNumber(name, values[name], { integer: true, least, most: 1024 });
  const [window, sink] = [frameCount('window', 1), frameCount('sink', 0)];
  const bits = values['cache-bits'];
  if (bits !== undefined && bits !== '8' && bits !== '16')
    throw new BadUsage(`--cache-bits ${bits}: it must be 8 or 16.`);
  const cacheBits = bits === undefined ? undefined : Number(bits);
  const asksSeconds = values.seconds !== undefined;
  const settings = {
    prompt,
    seed,
    seconds,
    width,
    height,
    steps,
    window,
    sink,
    cacheBits,
    model: values.model,
  };
  return {
    ...settings,
    asksSeconds,
    taught,
    loop: values.loop,
    image,
    extend,
    resume: false,
    out,
    frames,
    json,
    adapter,
    backend,
    help: false,
  };
}

const randomSeed = () => String(Math.floor(Math.random() * 2 ** 32));
