/**
 * Bad input and what is said of it: one row a case, [what came, how it came in, code, words of the message].
 * Whatever comes in, the answer is a message that names what was wrong; nothing hangs, nothing is half done.
 * What is odd but harmless stands in the second table, with what becomes of it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { readArguments } from '../scripts/generate-arguments.mjs';
import { App } from '../src/app/app.svelte';
import { readFragment } from '../src/app/fragment';
import { Settings } from '../src/app/settings.svelte';
import { en } from '../src/app/words/en';
import { KinoraError } from '../src/errors';
import { chooseCodec } from '../src/media/codecs';
import { provenanceBox, readRecipe } from '../src/media/provenance';
import { readClip } from '../src/media/read';
import { parseRecipe } from '../src/media/recipe';
import { readLora } from '../src/models/lora';
import { readTaehvConfig } from '../src/models/taehv';
import { matchTensors, wanShapes } from '../src/models/tensors';
import { readUmt5Config } from '../src/models/umt5';
import { readWanConfig } from '../src/models/wan-config';
import { buildOnnxModel } from '../src/onnx/model';
import { openSession } from '../src/onnx/runtime';
import { checkPlan, roomOfGpu, ROOM_OF_CPU } from '../src/pipeline/memory-plan';
import { checkRequest } from '../src/pipeline/request';
import { windowOf } from '../src/pipeline/window';
import { checkPrompt, cleanPrompt } from '../src/text/clean';
import { ggufToJson, spieceToJson } from '../src/text/spiece';
import { loadTokenizer } from '../src/text/tokenizer';
import { fetchFromHub, lookAtHub } from '../src/weights/hub';
import { readModelManifest } from '../src/weights/manifest';
import { readWeights } from '../src/weights/read';
import { readSharded } from '../src/weights/shards';
import { fromBytes } from '../src/weights/source';
import { openModel } from '../src/weights/store';
import type { GenerateRequest, Recipe } from '../src/worker/protocol/clip';
import { memoryStore, MODEL, ScriptedEngine } from './app/helpers';
import { FakeEncoder, FakeFrame } from './helpers/webcodecs';
import { FILES, manifest } from './weights/model';
import { FakeDisk } from './weights/opfs';
import { arrayEntry, gguf, safetensors, textEntry, u32, u64 } from './weights/write';

// onnxruntime-web itself, from where it lies on this disk, with one thread.
const { ort } = vi.hoisted(() => ({ ort: (name: string) => ({ default: `file://${process.cwd()}/node_modules/onnxruntime-web/dist/${name}` }) })); // prettier-ignore
vi.mock('onnxruntime-web/ort-wasm-simd-threaded.mjs?url&no-inline', () => ort('ort-wasm-simd-threaded.mjs'));
vi.mock('onnxruntime-web/ort-wasm-simd-threaded.wasm?url&no-inline', () =>
  ort('ort-wasm-simd-threaded.wasm'),
);
vi.stubGlobal('crossOriginIsolated', false);

type Case = [what: string, how: () => unknown, code: string, message: string | RegExp];

// ---------------------------------------------------------------------------------------------- ways in

/** The page: fields as typed. What is wrong is said at the field. */
function page(change: Record<string, unknown>): void {
  const settings = new Settings(memoryStore({}), () => 1);
  Object.assign(settings, { prompt: 'a red boat', seed: '7', keepSeed: true, ...change });
  if (settings.request()) return;
  const [problem] = Object.values(settings.problems);
  throw new KinoraError('bad-request', en.problem[problem!.field](problem!));
}

/** The engine, which trusts no page. */
const request = (change: Record<string, unknown>) =>
  checkRequest(
    {
      prompt: 'a red boat',
      seed: 7,
      seconds: 2,
      width: 96,
      height: 64,
      steps: 4,
      ...change,
    } as GenerateRequest,
    { width: 16, height: 16 },
  );

const POCKET = readModelManifest(JSON.parse(readFileSync('public/models/pocket/model.json', 'utf8')));
const ADAPTER = { vendor: '', architecture: '', device: '', description: '', features: [] };
const LAPTOP = roomOfGpu({ ...ADAPTER, isFallback: false, maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 }, 2); // prettier-ignore
const size = (width: number, height: number, room = LAPTOP) =>
  checkPlan(POCKET, { width, height }, { width: 16, height: 16 }, room);

/** `npm run generate`. */
function command(...argv: string[]): void {
  try {
    readArguments(argv, () => POCKET);
  } catch (e) {
    throw new KinoraError('bad-request', (e as Error).message);
  }
}

/** model.json with something else in one place, e.g. "sampler.window". */
function model(path: string, value: unknown): void {
  const json = structuredClone(manifest()) as unknown as Record<string, unknown>;
  const names = path.split('.');
  let at = json;
  for (const name of names.slice(0, -1)) at = at[name] as Record<string, unknown>;
  at[names.at(-1)!] = value;
  readModelManifest(json);
}

const weights = (bytes: Uint8Array | string) =>
  readWeights(fromBytes('w.bin', typeof bytes === 'string' ? new TextEncoder().encode(bytes) : new Uint8Array(bytes))); // prettier-ignore
const tensor = (entry: object, data = new Uint8Array(8)) => weights(safetensors({ t: entry }, data));
const F32 = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
const ggufTensor = (change: object, data = new Uint8Array(64)) =>
  weights(gguf({ tensors: [{ name: 't', dims: [16], type: 0, offset: 0, ...change }], data }));

/** A site that serves what it is told. */
function site(
  change: Record<string, BodyInit | Response>,
  files = manifest(),
  room = Infinity,
): Promise<unknown> {
  const disk = new FakeDisk();
  disk.room = room;
  const fetch = async (url: URL | RequestInfo): Promise<Response> => {
    const path = String(url).split('/models/pocket/')[1]!;
    const odd = change[path];
    if (odd instanceof Response) return odd.clone();
    const body = odd ?? (path === 'model.json' ? JSON.stringify(files) : FILES[path]);
    return body === undefined ? new Response('', { status: 404 }) : new Response(body);
  };
  return openModel('https://kinora.example/models/pocket/', { fetch: fetch as typeof globalThis.fetch, storage: disk.storage }); // prettier-ignore
}

const RECIPE: Recipe = { prompt: 'a red boat', seed: 7, seconds: 2, width: 96, height: 64, steps: 4, model: 'pocket', edition: '1', fps: 16, frames: 32, app: 'Kinora', created: '2026-01-31T12:00:00Z' }; // prettier-ignore
const box = (type: string, size: number, rest: Uint8Array | string = '') =>
  new Blob([new Uint8Array([size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]), type, rest as BlobPart]); // prettier-ignore
const FTYP = box('ftyp', 16, 'isom\0\0\0\0');
/** A file dropped on the page: it reads the settings out of it. Null (another maker's) is told apart. */
async function dropped(...parts: BlobPart[]): Promise<void> {
  if ((await readRecipe(new Blob(parts))) === null)
    throw new KinoraError('bad-request', en.library.foreign('it'));
}
const file = (name: string) => new Uint8Array(readFileSync(`tests/weights/fixtures/${name}`));
/** model.json whose first file says the hashes of its pieces. */
function pieced(...sha256: string[]) {
  const json = manifest();
  return {
    ...json,
    files: json.files.map((f, i) => (i === 1 ? { ...f, pieces: { bytes: 1 << 16, sha256 } } : f)),
  };
}
const golden = (name: string) =>
  readWeights(fromBytes(name, new Uint8Array(readFileSync(`tests/goldens/lora/${name}`))));
const WAN = wanShapes(readWanConfig({ num_layers: 1 }));
const graph = new Uint8Array(readFileSync('tests/goldens/tiny-onnx/onnx/decoder.onnx'));
const disk = new FakeDisk();
disk.room = 10;
const ORDER = { id: 'wan', name: 'Wan', sampling: 'wan', license: '', hub: 'https://huggingface.co' };
const THEIRS = manifest().files.map((file) => ({ ...file, repo: 'a/b', commit: '0'.repeat(40) }));
const fromHub = (change: object) =>
  fetchFromHub(
    { ...ORDER, files: THEIRS, ...change },
    { fetch: async (url) => new Response(FILES[String(url).split('/').at(-1)!]), storage: disk.storage },
  );
/** What the hub answers when it is asked about a file. */
const asked = (answer: object) =>
  lookAtHub(
    { hub: ORDER.hub, files: [{ repo: 'a/b', revision: 'main', path: 'c.gguf' }] },
    { fetch: async () => Response.json(answer) },
  );
/** A picture that the person chose, in a browser that cannot make anything of it. */
async function picture(name: string, offer: object): Promise<void> {
  vi.stubGlobal('createImageBitmap', () => Promise.reject(new DOMException('The source image could not be decoded.', 'InvalidStateError'))); // prettier-ignore
  vi.stubGlobal('document', new EventTarget());
  const app = new App({
    engine: new ScriptedEngine(),
    store: memoryStore(),
    languages: ['en'],
    hash: '',
    search: '',
  });
  app.studio.model = { ...MODEL, ...offer };
  await app.take(new File(['not a picture'], name, { type: 'image/png' }));
  expect(app.material.given).toBeNull();
  throw new KinoraError('bad-request', app.toast!.text);
}
/** A browser whose encoders are like this. */
async function encodeWith(supported: () => boolean, encode?: () => void): Promise<unknown> {
  vi.stubGlobal('VideoEncoder', FakeEncoder);
  vi.stubGlobal('VideoFrame', FakeFrame);
  FakeEncoder.behaviour = { supported, ...(encode && { encode }) };
  try {
    return await chooseCodec(96, 64, 16);
  } finally {
    vi.unstubAllGlobals();
  }
}
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13);

/** A zip whose one entry says that it unpacks to 4 GB. */
const BOMB = new Uint8Array(64);
BOMB.set([0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 255, 255, 255, 255, 8]);

// -------------------------------------------------------------------------------------------- the table

// prettier-ignore
const TABLE: Record<string, Case[]> = {
  'the prompt': [
    ['nothing', () => checkPrompt(''), 'bad-request', 'The prompt is empty. Say in a sentence'],
    ['blanks and line breaks', () => checkPrompt(' \n\t\u00a0\u3000 '), 'bad-request', 'The prompt is empty'],
    ['control characters alone', () => checkPrompt('\0\x01\x07\x1b[31m\x7f'), 'bad-request', 'The prompt is empty'],
    ['a byte order mark alone', () => checkPrompt('\ufeff'), 'bad-request', 'The prompt is empty'],
    ['10 000 characters', () => checkPrompt('a'.repeat(10_000)), 'bad-request', 'has 10000 characters; at most 5000 are read. Shorten it'],
    ['10 000 characters, in the page', () => page({ prompt: 'a'.repeat(10_000) }), 'bad-request', 'has 10000 characters; at most 5000 can be read. Shorten it'],
    ['10 000 characters, in a command', () => command('a'.repeat(10_000), '--out', 'a.mp4'), 'bad-request', 'has 10000 characters; at most 5000 are read'],
    ['10 000 characters, in a clip', () => parseRecipe({ ...RECIPE, prompt: 'a'.repeat(10_000) }), 'bad-request', 'text of at most 5000 characters'],
    ['marks of direction alone', () => checkPrompt('\u202e\u200f\u202c'), 'bad-request', 'The prompt is empty'],
    ['a script whose shot lasts no time', () => page({ prompt: 'a boat\n[0s] a car' }), 'bad-request', 'Line 2 of the script will not do: it needs words, and a length, where it says one, of up to 3600 s, such as [4s]'],
    ['a script whose shot lasts less than none', () => page({ prompt: 'a boat\n[-3s] a car' }), 'bad-request', 'Line 2 of the script will not do'],
    ['a script whose shot lasts a billion seconds', () => page({ prompt: '[1e9s] a boat' }), 'bad-request', 'Line 1 of the script will not do'],
    ['a script whose shot lasts 1.2.3 s', () => page({ prompt: '[1.2.3s] a boat' }), 'bad-request', 'Line 1 of the script will not do'],
    ['a script of ten megabytes', () => page({ prompt: '[1s] a boat\n'.repeat(800_000) }), 'bad-request', 'at most 5000 can be read. Shorten it'],
    ['a script of an hour', () => page({ prompt: '[1800s] a boat\n[1800s] a car' }), 'bad-request', 'The length is 3600 s; a clip lasts up to 600 s'],
    ['a script whose shot has no words', () => page({ prompt: 'a boat\n[4s]' }), 'bad-request', 'Line 2 of the script will not do'],
    ['nothing, in the page', () => page({ prompt: ' ' }), 'bad-request', 'Say in a sentence what should be seen'],
    ['a number instead of text', () => request({ prompt: 7 }), 'bad-request', 'prompt must be text, but it is 7'],
  ],
  'settings in the page': [
    ['seed −1', () => page({ seed: '-1' }), 'bad-request', 'a whole number from 0 to 4294967295, but it is “-1”'],
    ['seed 2³²', () => page({ seed: '4294967296' }), 'bad-request', 'but it is “4294967296”'],
    ['seed 1e3', () => page({ seed: '1e3' }), 'bad-request', 'but it is “1e3”'],
    ['no seed', () => page({ seed: '' }), 'bad-request', 'The seed must be a whole number from 0 to 4294967295.'],
    ['0 steps', () => page({ steps: '0' }), 'bad-request', 'Steps must be a whole number from 1 to 50, but it is “0”'],
    ['half a step', () => page({ steps: '2.5' }), 'bad-request', 'but it is “2.5”'],
    ['steps in letters', () => page({ steps: 'ten' }), 'bad-request', 'but it is “ten”'],
    ['an hour', () => page({ seconds: 3600 }), 'bad-request', 'The length is 3600 s; a clip lasts up to 600 s'],
    ['no seconds at all', () => page({ seconds: NaN }), 'bad-request', 'The length is NaN s'],
    ['an odd width', () => page({ size: { width: 97, height: 64 } }), 'bad-request', '97 × 64 will not do: width and height must be multiples of 16, from 16 to 4096'],
    ['no height', () => page({ size: { width: 96, height: 0 } }), 'bad-request', '96 × 0 will not do'],
    ['a negative size', () => page({ size: { width: -96, height: 64 } }), 'bad-request', '-96 × 64 will not do'],
  ],
  'settings in a link': [
    ['#seed=abc', () => page({ seed: readFragment('#seed=abc')!.seed }), 'bad-request', 'but it is “abc”'],
    ['#seconds=', () => page({ seconds: readFragment('#seconds=')!.seconds }), 'bad-request', 'The length is NaN s'],
    ['#width=1e9&height=64', () => page({ size: readFragment('#width=1e9&height=64')!.size }), 'bad-request', '1000000000 × 64 will not do'],
    ['#steps=-3', () => page({ steps: readFragment('#steps=-3')!.steps }), 'bad-request', 'but it is “-3”'],
    ['#model=nope, a model that is not there', () => site({ 'model.json': new Response('', { status: 404 }) }), 'no-model', 'There is no model “pocket” here'],
  ],
  'settings that reach the engine': [
    ['seed NaN', () => request({ seed: NaN }), 'bad-request', 'seed must be a whole number from 0 to 4294967295, but it is NaN'],
    ['seed as text', () => request({ seed: '7' }), 'bad-request', 'but it is "7"'],
    ['seconds NaN', () => request({ seconds: NaN }), 'bad-request', 'seconds must be a number above 0 and up to 600, but it is NaN'],
    ['seconds −1', () => request({ seconds: -1 }), 'bad-request', 'but it is -1'],
    ['endless seconds', () => request({ seconds: Infinity }), 'bad-request', 'but it is Infinity'],
    ['width NaN', () => request({ width: NaN }), 'bad-request', 'width must be a multiple of 16 pixels from 16 to 4096, but it is NaN'],
    ['an odd height', () => request({ height: 63 }), 'bad-request', 'height must be a multiple of 16 pixels'],
    ['a side of 100 000', () => request({ width: 100_000 }), 'bad-request', 'from 16 to 4096, but it is 100000'],
    ['steps missing', () => request({ steps: undefined }), 'bad-request', 'steps must be a whole number from 1 to 50, but it is missing'],
    ['a window of NaN', () => windowOf(POCKET, { window: NaN }), 'bad-request', 'window must be a whole number of latent frames from 3'],
    ['a sink of −1', () => windowOf(POCKET, { sink: -1 }), 'bad-request', 'sink must be a whole number of latent frames from 0'],
    ['kept frames of 4 bits', () => request({ cacheBits: 4 }), 'bad-request', 'cacheBits must be 8 or 16, but it is 4'],
    ['a list as steps', () => request({ steps: [4] }), 'bad-request', 'but it is [4]'],
  ],
  'sizes that this machine has no room for': [
    ['4096² on a laptop', () => size(4096, 4096), 'out-of-memory', /4096 × 4096 need about [\d.]+ GB of memory, but 1\.1 GB can be counted on here \(if your GPU has more, [^)]+\)\. \d+ × \d+ fits/],
    ['4096² on the CPU', () => size(4096, 4096, ROOM_OF_CPU), 'out-of-memory', /but 2\.1 GB can be counted on/],
    ['a ribbon of 4096 × 16 pixels, on the CPU', () => size(4096, 1024, ROOM_OF_CPU), 'out-of-memory', /\d+ × \d+ fits/],
    ['a size with no encoder', () => chooseCodec(96, 64, 16), 'no-webcodecs', 'cannot write video (WebCodecs is missing)'],
  ],
  'the command line': [
    ['--seed -1', () => command('x', '--out', 'a.mp4', '--seed', '-1'), 'bad-request', '--seed -1: it must be a whole number from 0 to 4294967295'],
    ['--size 97x64', () => command('x', '--out', 'a.mp4', '--size', '97x64'), 'bad-request', 'both multiples of 16 from 16 to 4096, such as 96x64'],
    ['--seconds forever', () => command('x', '--out', 'a.mp4', '--seconds', 'forever'), 'bad-request', '--seconds forever: it must be a number'],
    ['an option misspelt', () => command('x', '--out', 'a.mp4', '--sede', '1'), 'bad-request', 'There is no option --sede'],
    ['a model outside its folder', () => command('x', '--out', 'a.mp4', '--model', '../../etc'), 'bad-request', 'must be the name of a folder'],
  ],
  'model.json': [
    ['a list', () => readModelManifest([]), 'bad-model', 'the file must be an object, but is []'],
    ['nothing', () => readModelManifest(null), 'bad-model', 'must be an object, but is null'],
    ['a later format', () => model('format', 'kinora-model/9'), 'bad-model', 'must be "kinora-model/1", but is "kinora-model/9"; update Kinora or the model'],
    ['a path that leaves the folder', () => model('files', [{ path: '../secret', bytes: 1, sha256: 'a'.repeat(64) }]), 'bad-model', 'must be a path inside the model\'s folder, but is "../secret"'],
    ['an address as a path', () => model('files', [{ path: 'https://x/y', bytes: 1, sha256: 'a'.repeat(64) }]), 'bad-model', 'must be a path inside'],
    ['a hash that is none', () => model('files', [{ path: 'a', bytes: 1, sha256: 'xyz' }]), 'bad-model', 'must be 64 hex digits, but is "xyz"'],
    ['a length of −1', () => model('files', [{ path: 'a', bytes: -1, sha256: 'a'.repeat(64) }]), 'bad-model', 'files[0].bytes must be a number from 1'],
    ['NaN frames a second', () => model('fps', NaN), 'bad-model', 'fps must be a number from 1 to 120, but is null'],
    ['timesteps that rise', () => model('sampler.timesteps', [250, 500]), 'bad-model', 'sampler.timesteps must fall, but 250 is followed by 500'],
    ['a window below a block', () => model('sampler.window', 1), 'bad-model', 'sampler.window must be a number from 3'],
    ['a spread of zero', () => model('latent.std', Array(16).fill(0)), 'bad-model', 'latent.std[0] must be a number from 0.000001'],
    ['a text encoder in the transformer’s slot', () => model('components.transformer.network', 'umt5'), 'bad-model', 'must be "wan-transformer-causal", but is "umt5"'],
    ['a file that is not listed', () => model('components.tokenizer', { file: 'other.json' }), 'bad-model', 'names "other.json", which "files" does not list'],
    ['no ONNX export, on the CPU', () => buildOnnxModel({ manifest: manifest() } as never, () => {}), 'bad-model', 'Kinora Pocket has no ONNX export, which the CPU backend needs'],
  ],
  'a file in the wrong slot': [
    ['a text encoder for the transformer', async () => matchTensors(await golden('../umt5-one-token.safetensors'), 'wan-transformer', WAN), 'bad-model', 'is not the wan-transformer that was expected. Tensors missing:'],
    ['a decoder for the text encoder', async () => matchTensors(await golden('../taehv-decoder.safetensors'), 'umt5', new Map([['shared.weight', [8, 8]]])), 'bad-model', 'is not the umt5 that was expected. Tensors missing: shared.weight'],
    ['a transformer of another width', async () => matchTensors(await weights(safetensors({ 'blocks.0.attn1.to_q.weight': { ...F32, shape: [2] } }, new Uint8Array(8))), 'wan-transformer', new Map([['blocks.0.attn1.to_q.weight', [4, 4]]])), 'bad-model', 'of another shape: blocks.0.attn1.to_q.weight [2], not [4,4]'],
    ['a LoRA of another model', async () => readLora(await golden('kohya.safetensors'), new Map(), 1), 'bad-model', 'it changes what this model does not have: lora_unet_blocks_0'],
    ['a transformer for a LoRA', async () => readLora(await golden('../umt5-one-token.safetensors'), WAN, 1), 'bad-model', 'it changes what this model does not have'],
  ],
  'configs in the wrong slot': [
    ['a width of 0 for the text encoder', () => readUmt5Config({ d_model: 0 }), 'bad-model', 'd_model'],
    ['a feed-forward that UMT5 has not', () => readUmt5Config({ feed_forward_proj: 'relu' }), 'bad-model', 'feed_forward_proj'],
    ['a norm that Wan has not', () => readWanConfig({ ...POCKET.components.transformer.config, qk_norm: 'none' }), 'bad-model', 'qk_norm'],
    ['five million layers', () => readWanConfig({ ...POCKET.components.transformer.config, num_layers: 5e6 }), 'bad-model', 'config.num_layers must be a whole number of at most 512, but is 5000000'],
    ['heads of 0', () => readWanConfig({ ...POCKET.components.transformer.config, num_attention_heads: 0 }), 'bad-model', 'num_attention_heads'],
    ['a decoder of 3 levels', () => readTaehvConfig({ decoder_channels: [64, 64, 64] }), 'bad-model', 'decoder_channels'],
  ],
  'weight files': [
    ['empty', () => weights(''), 'bad-model', 'w.bin: it has only 0 bytes'],
    ['an HTML page', () => weights('<!doctype html><title>404</title>'), 'bad-model', 'it is no safetensors file, or cut off'],
    ['a picture', () => weights(PNG), 'bad-model', 'no safetensors file, or cut off'],
    ['a hostile pickle, protocol 0', () => weights('cos\nsystem\n(S"id"\ntR.'), 'bad-model', 'no safetensors file'],
    ['a hostile pickle, protocol 2', () => weights(Uint8Array.of(0x80, 2, ...new TextEncoder().encode('cos\nsystem\n(S"id"\ntR.'))), 'bad-model', 'Python pickle, which may hold a program'],
    ['a bare pickle, protocol 4', () => weights(Uint8Array.of(0x80, 4, 0x95, 0, 0, 0, 0, 0, 0x2e)), 'bad-model', 'Python pickle, which may hold a program'],
    ['a bare pickle whose first frame ends with {', () => weights(Uint8Array.of(0x80, 4, 0x95, 1, 0, 1, 0, 0, 0x7b, 0x2e)), 'bad-model', 'Python pickle, which may hold a program'],
    ['safetensors: cut off in a header of 640 bytes', () => weights(safetensors('{'.padEnd(600), new Uint8Array(), 640)), 'bad-model', 'its header says 640 bytes, at most 600 can be'],
    ['a zip bomb', () => weights(BOMB), 'bad-model', 'w.bin'],
    ['safetensors: a header of 2⁵³ bytes', () => weights(safetensors({}, new Uint8Array(), 2 ** 53 - 1)), 'bad-model', 'its header says 9007199254740991 bytes'],
    ['safetensors: a header that is not JSON', () => weights(safetensors('{oops', new Uint8Array())), 'bad-model', 'header of 5 bytes is not JSON'],
    ['safetensors: cut off', () => tensor({ ...F32, data_offsets: [0, 8] }, new Uint8Array(4)), 'bad-model', 'ends at byte'],
    ['safetensors: shape and bytes disagree', () => tensor({ ...F32, shape: [3] }), 'bad-model', 'with shape [3] F32 needs 12 bytes, but has 8'],
    ['safetensors: a shape of 2⁹⁰ elements', () => tensor({ ...F32, shape: [2 ** 45, 2 ** 45] }), 'bad-model', 'too many elements'],
    ['safetensors: an unknown type', () => tensor({ ...F32, dtype: 'F7' }), 'bad-model', 'has type "F7", which Kinora does not know'],
    ['safetensors: hidden bytes at the end', () => tensor(F32, new Uint8Array(9)), 'bad-model', 'its tensors end at byte'],
    ['GGUF: version 1', () => weights(gguf({ version: 1 })), 'bad-model', 'GGUF version 1; Kinora reads 2 and 3'],
    ['GGUF: big-endian', () => weights(gguf({ version: 0x03000000 })), 'bad-model', 'big-endian'],
    ['GGUF: 2⁴⁰ tensors said', () => weights(gguf({ tensorCount: 2 ** 40 })), 'bad-model', /1099511627776/],
    ['GGUF: an array of 2⁵⁰ words said', () => weights(gguf({ entries: [arrayEntry('a', 8, u64(1), 2 ** 50)] })), 'bad-model', /a|1125899906842624/],
    ['GGUF: metadata twice', () => weights(gguf({ entries: [textEntry('a', 'x'), textEntry('a', 'y')] })), 'bad-model', 'the metadata "a" is there twice'],
    ['GGUF: an unknown type', () => ggufTensor({ type: 999 }), 'bad-model', 'unknown ggml type 999'],
    ['GGUF: cut off', () => ggufTensor({ dims: [1000] }), 'bad-model', 'It is cut off, or damaged'],
    ['GGUF: seven axes', () => ggufTensor({ dims: [1, 1, 1, 1, 1, 1, 1] }), 'bad-model', 'has 7 axes, at most 4 can be'],
    ['GGUF: quantized, cut off', () => weights(file('formats/quants.gguf').slice(0, -64)), 'bad-model', 'cut off, or damaged'],
    ['fp8 with a scale that is cut off', () => weights(file('formats/fp8.safetensors').slice(0, -1)), 'bad-model', 'ends at byte'],
    ['PyTorch: a pickle that runs a command', () => weights(file('formats/hostile.pt')), 'bad-model', 'it wants to run "posix.system". Kinora reads tensors only and runs nothing'],
    ['PyTorch: a zip bomb', () => weights(file('formats/bomb.pt')), 'bad-model', 'is compressed (method 8), which PyTorch never does'],
    ['PyTorch: a bare pickle, as before 2020', () => weights(file('formats/legacy.pt')), 'bad-model', 'it is a bare Python pickle'],
    ['PyTorch: a program', () => weights(file('formats/script.pt')), 'bad-model', 'it is a TorchScript program'],
    ['PyTorch: a transposed view', () => weights(file('formats/view.pt')), 'bad-model', 'it is a view of another'],
    ['PyTorch: cut off', () => weights(file('formats/nested.pt').slice(0, -30)), 'bad-model', 'w.bin'],
    ['ONNX: a text', () => openSession('decoder.onnx', new TextEncoder().encode('not a graph')), 'bad-model', 'decoder.onnx cannot be opened by the CPU backend'],
    ['ONNX: cut off', () => openSession('decoder.onnx', graph.slice(0, graph.length / 2)), 'bad-model', 'decoder.onnx cannot be opened by the CPU backend'],
    ['ONNX: empty', () => openSession('decoder.onnx', new Uint8Array()), 'bad-model', 'decoder.onnx cannot be opened by the CPU backend'],
    ['a zip of something else', () => weights(file('formats/other.zip')), 'bad-model', 'it is a zip file, but not a PyTorch checkpoint'],
    ['shards: one is not there', () => readSharded('i.json', { weight_map: { a: 'x.safetensors' } }, () => null), 'bad-model', 'it names 1 files that are not here: x.safetensors'],
    ['shards: a path that leaves the folder', () => readSharded('i.json', { weight_map: { a: '../x' } }, () => null), 'bad-model', 'which is no file name'],
    ['shards: an index of nothing', () => readSharded('i.json', { weight_map: {} }, () => null), 'bad-model', 'it names no tensors'],
    ['GGUF: only its first bytes', () => weights(Uint8Array.from([...new TextEncoder().encode('GGUF'), ...u32(3)])), 'bad-model', 'w.bin'],
  ],
  'the tokenizer': [
    ['null', () => loadTokenizer(null), 'bad-model', 'tokenizer.json is not an object'],
    ['a spiece.model that is none', () => spieceToJson(PNG), 'bad-model', 'The tokenizer’s SentencePiece model'],
    ['an empty spiece.model', () => spieceToJson(new Uint8Array()), 'bad-model', 'The tokenizer’s SentencePiece model'],
    ['a GGUF without one', () => ggufToJson(new Map()), 'bad-model', 'this GGUF has no tokenizer in its metadata'],
    ['of no kind', () => loadTokenizer({ model: { type: 'Magic' } }), 'bad-model', 'is damaged or of a kind that Kinora does not know'],
  ],
  'what the server sends': [
    ['its start page for everything', () => site({ 'model.json': '<!doctype html>' }), 'network', 'model.json could not be fetched: what came is not JSON'],
    ['an error', () => site({ 'transformer.gguf': new Response('', { status: 503 }) }), 'network', 'transformer.gguf could not be fetched: the server answered 503'],
    ['a wrong hash', () => site({ 'taehv.safetensors': 'x'.repeat(FILES['taehv.safetensors']!.length) }), 'hash-mismatch', 'taehv.safetensors is not the file that was promised'],
    ['half a file', () => site({ 'transformer.gguf': FILES['transformer.gguf']!.slice(0, 99) }), 'hash-mismatch', 'transformer.gguf is not the file'],
    ['hashes of too few pieces', () => site({}, pieced()), 'bad-model', 'must have 1 entries, but has 0'],
    ['too long a file', () => site({ 'tokenizer.json': 'y'.repeat(99_999) }), 'hash-mismatch', 'tokenizer.json is not the file'],
  ],
  'downloads from a hub': [
    ['an address that is none', () => fromHub({ hub: 'https://huggingface.co.evil.example' }), 'bad-request', 'is none of the hubs that Kinora downloads from'],
    ['plain http', () => fromHub({ hub: 'http://huggingface.co' }), 'bad-request', 'is none of the hubs'],
    ['a path that leaves the folder', () => fromHub({ files: [{ ...THEIRS[0], path: '../x' }] }), 'bad-model', 'must be a path inside'],
    ['a branch, which may move, for a commit', () => fromHub({ files: [{ ...THEIRS[0], commit: 'main' }] }), 'bad-model', '“a/b” at “main” is not a commit'],
    ['a repository that is a path', () => fromHub({ files: [{ ...THEIRS[0], repo: 'a/../b' }] }), 'bad-model', 'must be a path inside'],
    ['more than the disk holds', () => fromHub({}), 'storage', 'There is no room to keep the model, which needs 0.0 MB. Make room'],
    ['an answer that is no repository', () => asked({ error: 'sorry' }), 'network', 'What the hub says of a/b cannot be understood'],
    ['a file that is there no more', () => asked({ sha: '0'.repeat(40), siblings: [] }), 'no-model', 'a/b has no file c.gguf any more'],
    ['a file without a hash', () => asked({ sha: '0'.repeat(40), siblings: [{ rfilename: 'c.gguf', size: 9 }] }), 'no-model', 'The hub gives no SHA-256 of c.gguf'],
  ],
  'pictures and films': [
    ['a text called cat.png', () => picture('cat.png', { encodes: true }), 'bad-request', 'cat.png cannot be read as a picture. Choose a PNG, JPEG or WebP file'],
    ['a picture, for a model that has no encoder', () => picture('cat.png', {}), 'bad-request', 'Pocket cannot begin with a picture: it has no encoder. Nothing was changed'],
    ['a film without pictures', () => readClip(FTYP), 'bad-request', 'holds no video that can be read. Choose an MP4 video'],
    ['a picture as a film', () => readClip(new Blob([PNG])), 'bad-request', 'holds no video that can be read'],
    ['a codec that this browser has not', () => encodeWith(() => false), 'no-encoder', /96 × 64/],
    ['an encoder that promises and then fails', () => encodeWith(() => true, () => { throw new DOMException('not here', 'NotSupportedError'); }), 'no-encoder', /96 × 64/],
  ],
  'files dropped on the page': [
    ['an empty file', () => dropped(''), 'bad-request', 'This file is empty. Choose a clip made by Kinora'],
    ['a picture', () => dropped(PNG, new Uint8Array(40)), 'bad-request', /MP4/],
    ['a text with the name of a film', () => dropped('this is not a film, whatever it is called'), 'bad-request', /MP4/],
    ['a film of somebody else', () => dropped(FTYP, box('moov', 8)), 'bad-request', 'carries no Kinora settings. Nothing was changed'],
    ['a film cut off', () => dropped(FTYP, box('moov', 4000)), 'bad-request', /cut off|MP4/],
    ['a box that claims 4 GB', () => dropped(FTYP, box('mdat', 0xffffffff)), 'bad-request', /cut off|MP4/],
    ['settings that are no object', () => parseRecipe('hello'), 'bad-request', 'setting "recipe" should be an object, but it is "hello"'],
    ['a seed of −1 in its settings', () => parseRecipe({ ...RECIPE, seed: -1 }), 'bad-request', 'setting "seed" should be a whole number from 0 to 4294967295, but it is -1'],
    ['a date of nonsense', () => parseRecipe({ ...RECIPE, created: 'yesterday' }), 'bad-request', 'setting "created"'],
    ['a length of NaN', () => parseRecipe({ ...RECIPE, seconds: NaN }), 'bad-request', 'setting "seconds" should be a number above 0'],
  ],
};

test('the graph that the table cuts off is sound', async () => {
  const session = await openSession('decoder.onnx', graph);
  expect(session.inputNames.length).toBeGreaterThan(0);
  await session.release();
});

describe.each(Object.entries(TABLE))('%s', (_, cases) => {
  test.each(cases)('%s', async (_what, how, code, message) => {
    let error: unknown = null;
    try {
      await how();
    } catch (e) {
      error = e;
    }
    expect(error, 'nothing was refused').toBeInstanceOf(KinoraError);
    expect((error as KinoraError).message).toMatch(message);
    expect((error as KinoraError).code).toBe(code);
  });
});

test('the table has at least sixty rows', () => {
  expect(Object.values(TABLE).flat().length).toBeGreaterThanOrEqual(60);
});

/** Odd, and harmless: [what came, what becomes of it]. */
// prettier-ignore
test.each<[string, () => unknown, unknown]>([
  ['nothing but emoji in the page is a prompt', () => void page({ prompt: '🚀🌊' }), undefined],
  ['right-to-left and Latin mixed stay in their order', () => cleanPrompt('a boat called سفينة at sea'), 'a boat called سفينة at sea'],
  ['zero-width joiners keep an emoji whole', () => checkPrompt('👩‍🚀 waves'), '👩‍🚀 waves'],
  ['an emoji alone is a prompt', () => checkPrompt('🎈🎈🎈'), '🎈🎈🎈'],
  ['text from right to left stays in its order', () => checkPrompt('سفينة حمراء في البحر'), 'سفينة حمراء في البحر'],
  ['marks of direction stay, for they carry meaning', () => cleanPrompt('\u202eboat\u202c'), '\u202eboat\u202c'],
  ['control characters inside are dropped', () => checkPrompt('a\0 red\x07 boat'), 'a red boat'],
  ['line breaks become blanks', () => checkPrompt('a red\r\n\tboat'), 'a red boat'],
  ['half an emoji becomes the mark for what cannot be read', () => checkPrompt('a \ud83c boat'), 'a \ufffd boat'],
  ['markup is text', () => checkPrompt('<b>boat</b><script>alert(1)</script>'), '<b>boat</b><script>alert(1)</script>'],
  ['exactly 5000 characters are read', () => checkPrompt('a'.repeat(5000)).length, 5000],
  ['a link with an address for a model keeps the page’s own', () => readFragment('#model=https://x/y&seed=1')!.model, undefined],
  ['a link with a path for a model keeps the page’s own', () => readFragment('#model=..%2F..&seed=1')!.model, undefined],
  ['a link of nonsense is no link', () => readFragment('#%%%'), null],
  ['a disk that is full leaves the model in memory', async () => ((await site({}, manifest(), 100)) as { persisted: boolean }).persisted, false],
  ['a clip’s settings come back as they were written', async () => (await readRecipe(new Blob([FTYP, provenanceBox(RECIPE)])))!.prompt, RECIPE.prompt],
])('%s', async (_, how, expected) => expect(await how()).toEqual(expected));
