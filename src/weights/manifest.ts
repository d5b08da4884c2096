/** model.json: what a model is, which files it has, and how it is sampled. Written by training/. */
import { KinoraError } from '../errors';
import type { CacheBits, Size } from '../worker/protocol/clip';
import type { ModelInfo } from '../worker/protocol/model';

export const MODEL_FORMAT = 'kinora-model/1';
/** How strongly a LoRA may be merged, turned round or not. */
export const MAX_STRENGTH = 10;

export interface ModelFile {
  /** Relative to model.json, with "/" between folders. */
  path: string;
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
  /** Hashes of its pieces of `bytes` bytes each, in order: a damaged piece is then fetched again by itself. */
  pieces?: { bytes: number; sha256: string[] };
}

export interface Component<Network extends string = string> {
  network: Network;
  /** The checkpoint's own config (diffusers', transformers' or taehv's); the network checks it. */
  config: Record<string, unknown>;
  file: string;
}

export interface ModelManifest {
  format: typeof MODEL_FORMAT;
  id: string;
  name: string;
  edition: string;
  license: string;
  fps: number;
  /** Multiples of the latent stride; the first is native. */
  sizes: Size[];
  seconds: { default: number; max: number };
  latent: {
    channels: number;
    /** Frames, height, width: pixels of one latent. */
    stride: [number, number, number];
    /** Per channel: latent = normalised · std + mean. */
    mean: number[];
    std: number[];
  };
  /** Normalised latent → RGB in [0, 1]: rgb = latent · matrix + bias. `matrix` is [channels][3]. */
  preview: { matrix: number[][]; bias: number[] };
  sampler: {
    /** renoise: each step predicts x0 and adds fresh noise (Self-Forcing); euler follows the flow; flow-match and unipc: base Wan. */
    kind: 'renoise' | 'euler' | 'flow-match' | 'unipc';
    /** Unwarped, strictly falling, in (0, 1000]. */
    timesteps: number[];
    shift: number;
    /** Classifier-free guidance: two passes a step, the second with the negative prompt, which may be empty. */
    guidance?: { scale: number; negative_prompt: string };
    /** Latent frames denoised together. */
    num_frame_per_block: number;
    /** Latent frames in the KV cache, the current block included. */
    window: number;
    /** First latent frames that stay in the cache. */
    sink: number;
    /** Where the sink stands for the rotary embedding (models/wan-transformer); default window. */
    positions?: 'clip' | 'window';
    /** Bits of the keys and values in the cache; default: as memory allows (pipeline/memory-plan). */
    cache_bits?: CacheBits;
  };
  components: {
    tokenizer: { file: string };
    text_encoder: Component<'umt5'>;
    /** `loras` are merged while it is loaded, one after the other. */
    transformer: Component<'wan-transformer-causal'> & { loras?: { file: string; strength: number }[] };
    autoencoder: Component<'taehv' | 'wan-vae'>;
  };
  files: ModelFile[];
  /** The same networks for the CPU backend; its files are fetched only there. `encoder`: where the model has one. */
  onnx?: { text_encoder: string; transformer: string; decoder: string; encoder?: string; files: ModelFile[] };
  /** Token ids of what a scene has and no prompt says, by kind: one of each may stand before a prompt (pipeline/details.ts). */
  details?: number[][];
  /** Example prompts by language. */
  prompts: Record<string, string[]>;
  /** File with the words that the model knows. */
  vocabulary?: string;
  /** Facts about the training, for people. */
  training?: Record<string, unknown>;
}

/**
 * Checks model.json completely (but for the networks' configs, which the networks check).
 * @param json what `JSON.parse` gave
 * @throws KinoraError `bad-model`, naming the field, what it must be and what it is
 */
export function readModelManifest(json: unknown): ModelManifest {
  const m = object(json, 'the file');
  const format = text(m.format, 'format');
  if (format !== MODEL_FORMAT)
    throw wrong('format', `must be "${MODEL_FORMAT}", but is "${format}"; update Kinora or the model`);
  const paths = new Set<string>();
  const files = readFiles(m.files, 'files', paths);
  const latent = readLatent(m.latent);
  const sizes = list(m.sizes, 'sizes', readSize, 1);
  sizes.forEach(({ width, height }, i) => {
    const [, y, x] = latent.stride;
    if (width % x !== 0 || height % y !== 0)
      throw wrong(`sizes[${i}]`, `must be multiples of ${x}×${y}, but is ${width}×${height}`);
  });
  const manifest: ModelManifest = {
    format: MODEL_FORMAT,
    id: text(m.id, 'id'),
    name: text(m.name, 'name'),
    edition: text(m.edition, 'edition'),
    license: text(m.license, 'license'),
    fps: number(m.fps, 'fps', 1, 120),
    sizes,
    seconds: readSeconds(m.seconds),
    latent,
    preview: readPreview(m.preview, latent.channels),
    sampler: readSampler(m.sampler),
    components: readComponents(m.components, paths),
    files,
    prompts: readPrompts(m.prompts),
  };
  if (m.onnx !== undefined) manifest.onnx = readOnnx(m.onnx, paths);
  if (m.details !== undefined) manifest.details = readDetails(m.details);
  if (m.vocabulary !== undefined) manifest.vocabulary = safePath(m.vocabulary, 'vocabulary');
  if (m.training !== undefined) manifest.training = object(m.training, 'training');
  return manifest;
}

/** What the page needs to know of a model. */
export function toModelInfo(m: ModelManifest): ModelInfo {
  const { num_frame_per_block: block, window, sink, guidance } = m.sampler;
  return {
    id: m.id,
    name: m.name,
    edition: m.edition,
    fps: m.fps,
    sizes: m.sizes,
    seconds: m.seconds,
    timesteps: m.sampler.timesteps,
    sight: { block, window, sink },
    ...(guidance && {
      guidance: { scale: guidance.scale, negative: guidance.negative_prompt, shift: m.sampler.shift },
    }),
    prompts: m.prompts,
    bytes: m.files.reduce((sum, file) => sum + file.bytes, 0),
  };
}

/** A list of files as model.json has it. Throws `bad-model`, naming `at`. */
export const readModelFiles = (value: unknown, at: string): ModelFile[] => readFiles(value, at, new Set());

/** Adds every path to `paths`. */
function readFiles(value: unknown, at: string, paths: Set<string>): ModelFile[] {
  const files = list(value, at, readFile, 1);
  for (const { path } of files) {
    if (paths.has(path)) throw wrong(at, `names "${path}" twice`);
    paths.add(path);
  }
  return files;
}

function readOnnx(value: unknown, others: ReadonlySet<string>): ModelManifest['onnx'] {
  const onnx = object(value, 'onnx');
  const paths = new Set(others);
  const files = readFiles(onnx.files, 'onnx.files', paths);
  const graph = (name: string) => {
    const path = text(onnx[name], `onnx.${name}`);
    if (!files.some((file) => file.path === path))
      throw wrong(`onnx.${name}`, `names "${path}", which "onnx.files" does not list`);
    return path;
  };
  return {
    text_encoder: graph('text_encoder'),
    transformer: graph('transformer'),
    decoder: graph('decoder'),
    ...(onnx.encoder !== undefined && { encoder: graph('encoder') }),
    files,
  };
}

function readFile(value: unknown, at: string): ModelFile {
  const file = object(value, at);
  const sha256 = text(file.sha256, `${at}.sha256`);
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw wrong(`${at}.sha256`, `must be 64 hex digits, but is "${sha256}"`);
  const bytes = integer(file.bytes, `${at}.bytes`, 1);
  const pieces = file.pieces === undefined ? {} : { pieces: readPieces(file.pieces, `${at}.pieces`, bytes) };
  return { path: safePath(file.path, `${at}.path`), bytes, sha256, ...pieces };
}

function readPieces(value: unknown, at: string, total: number): NonNullable<ModelFile['pieces']> {
  const pieces = object(value, at);
  const bytes = integer(pieces.bytes, `${at}.bytes`, 1 << 16, 1 << 28);
  const count = Math.ceil(total / bytes);
  const hash = (item: unknown, where: string) => {
    const hex = text(item, where);
    if (!/^[0-9a-f]{64}$/.test(hex)) throw wrong(where, `must be 64 hex digits, but is "${hex}"`);
    return hex;
  };
  return { bytes, sha256: list(pieces.sha256, `${at}.sha256`, hash, count, count) };
}

function readDetails(value: unknown): number[][] {
  const id = (n: unknown, at: string) => integer(n, at, 0, 1 << 24);
  return list(value, 'details', (ids, at) => list(ids, at, id, 1), 1, 16);
}

function readSize(value: unknown, at: string): Size {
  const size = object(value, at);
  return {
    width: integer(size.width, `${at}.width`, 16, 8192),
    height: integer(size.height, `${at}.height`, 16, 8192),
  };
}

function readSeconds(value: unknown): ModelManifest['seconds'] {
  const seconds = object(value, 'seconds');
  const max = number(seconds.max, 'seconds.max', 0.1, 3600);
  return { default: number(seconds.default, 'seconds.default', 0.1, max), max };
}

function readLatent(value: unknown): ModelManifest['latent'] {
  const latent = object(value, 'latent');
  const channels = integer(latent.channels, 'latent.channels', 1, 1024);
  const stride = list(latent.stride, 'latent.stride', (v, at) => integer(v, at, 1, 64), 3, 3);
  const perChannel = (v: unknown, at: string, least = -Infinity) =>
    list(v, at, (n, where) => number(n, where, least), channels, channels);
  return {
    channels,
    stride: stride as [number, number, number],
    mean: perChannel(latent.mean, 'latent.mean'),
    std: perChannel(latent.std, 'latent.std', 1e-6),
  };
}

function readPreview(value: unknown, channels: number): ModelManifest['preview'] {
  const preview = object(value, 'preview');
  const rgb = (v: unknown, at: string) => list(v, at, (n, where) => number(n, where), 3, 3);
  return {
    matrix: list(preview.matrix, 'preview.matrix', rgb, channels, channels),
    bias: rgb(preview.bias, 'preview.bias'),
  };
}

function readSampler(value: unknown): ModelManifest['sampler'] {
  const s = object(value, 'sampler');
  const kind = oneOf(s.kind, 'sampler.kind', ['renoise', 'euler', 'flow-match', 'unipc'] as const);
  const timesteps = list(
    s.timesteps,
    'sampler.timesteps',
    (v, at) => number(v, at, Number.MIN_VALUE, 1000),
    1,
  );
  timesteps.forEach((t, i) => {
    const before = timesteps[i - 1];
    if (before !== undefined && t >= before)
      throw wrong('sampler.timesteps', `must fall, but ${before} is followed by ${t}`);
  });
  const block = integer(s.num_frame_per_block, 'sampler.num_frame_per_block', 1, 1024);
  const window = integer(s.window, 'sampler.window', block, 1 << 16);
  return {
    kind,
    timesteps,
    shift: number(s.shift, 'sampler.shift', Number.MIN_VALUE, 100),
    num_frame_per_block: block,
    window,
    sink: integer(s.sink, 'sampler.sink', 0, window - block),
    ...(s.guidance !== undefined && { guidance: readGuidance(s.guidance) }),
    ...(s.positions !== undefined && {
      positions: oneOf(s.positions, 'sampler.positions', ['clip', 'window'] as const),
    }),
    ...(s.cache_bits !== undefined && { cache_bits: readCacheBits(s.cache_bits) }),
  };
}

function readCacheBits(value: unknown): CacheBits {
  if (value === 8 || value === 16) return value;
  throw wrong('sampler.cache_bits', `must be 8 or 16, but is ${show(value)}`);
}

function readGuidance(value: unknown): NonNullable<ModelManifest['sampler']['guidance']> {
  const { scale, negative_prompt: words } = object(value, 'sampler.guidance');
  const at = 'sampler.guidance.negative_prompt';
  if (typeof words !== 'string' || words.length > 5000)
    throw wrong(at, `must be text of at most 5000 characters, but is ${show(words)}`);
  return { scale: number(scale, 'sampler.guidance.scale', 1, 100), negative_prompt: words };
}

function readComponents(value: unknown, paths: ReadonlySet<string>): ModelManifest['components'] {
  const components = object(value, 'components');
  const file = (v: unknown, at: string) => {
    const path = text(v, at);
    if (!paths.has(path)) throw wrong(at, `names "${path}", which "files" does not list`);
    return path;
  };
  const component = <N extends string>(name: string, ...networks: N[]): Component<N> => {
    const c = object(components[name], `components.${name}`);
    return {
      network: oneOf(c.network, `components.${name}.network`, networks),
      config: object(c.config, `components.${name}.config`),
      file: file(c.file, `components.${name}.file`),
    };
  };
  const readLoras = () => {
    const { loras } = object(components.transformer, 'components.transformer');
    if (loras === undefined) return {};
    const one = (v: unknown, at: string) => {
      const lora = object(v, at);
      return {
        file: file(lora.file, `${at}.file`),
        strength: number(lora.strength, `${at}.strength`, -MAX_STRENGTH, MAX_STRENGTH),
      };
    };
    return { loras: list(loras, 'components.transformer.loras', one, 0, 16) };
  };
  const tokenizer = object(components.tokenizer, 'components.tokenizer');
  return {
    tokenizer: { file: file(tokenizer.file, 'components.tokenizer.file') },
    text_encoder: component('text_encoder', 'umt5'),
    transformer: { ...component('transformer', 'wan-transformer-causal'), ...readLoras() },
    autoencoder: component('autoencoder', 'taehv', 'wan-vae'),
  };
}

function readPrompts(value: unknown): Record<string, string[]> {
  const entries = Object.entries(object(value, 'prompts'));
  return Object.fromEntries(entries.map(([k, v]) => [k, list(v, `prompts.${k}`, text)]));
}

function wrong(field: string, problem: string): KinoraError {
  return new KinoraError('bad-model', `model.json: ${field} ${problem}.`, { field });
}

/** A value in a message: short, whatever it is. */
function show(value: unknown): string {
  const json = value === undefined ? 'missing' : JSON.stringify(value);
  return json.length > 40 ? `${json.slice(0, 40)}…` : json;
}

function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(at, `must be an object, but is ${show(value)}`);
  return value as Record<string, unknown>;
}

function text(value: unknown, at: string): string {
  if (typeof value !== 'string' || value === '') throw wrong(at, `must be text, but is ${show(value)}`);
  return value;
}

function number(value: unknown, at: string, least = -Infinity, most = Infinity): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < least || value > most) {
    const range = least === -Infinity && most === Infinity ? 'a number' : `a number from ${least} to ${most}`;
    throw wrong(at, `must be ${range}, but is ${show(value)}`);
  }
  return value;
}

function integer(value: unknown, at: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const n = number(value, at, least, most);
  if (!Number.isInteger(n)) throw wrong(at, `must be a whole number, but is ${n}`);
  return n;
}

function list<T>(
  value: unknown,
  at: string,
  item: (value: unknown, at: string) => T,
  least = 0,
  most = 10_000,
): T[] {
  if (!Array.isArray(value)) throw wrong(at, `must be a list, but is ${show(value)}`);
  if (value.length < least || value.length > most) {
    const wanted = least === most ? `${least}` : `${least} to ${most}`;
    throw wrong(at, `must have ${wanted} entries, but has ${value.length}`);
  }
  return value.map((v, i) => item(v, `${at}[${i}]`));
}

function oneOf<T extends string>(value: unknown, at: string, choices: readonly T[]): T {
  const found = choices.find((c) => c === value);
  if (!found) throw wrong(at, `must be "${choices.join('" or "')}", but is ${show(value)}`);
  return found;
}

/** A path that stays inside the model's folder. */
function safePath(value: unknown, at: string): string {
  const path = text(value, at);
  const parts = path.split('/');
  if (/[\\:?#%]/.test(path) || parts.some((p) => p === '' || p === '.' || p === '..'))
    throw wrong(at, `must be a path inside the model's folder, but is "${path}"`);
  return path;
}
