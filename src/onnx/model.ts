/**
 * The CPU backend: the ONNX export of a model, run by onnxruntime-web. The same weights, noise, schedule and cache
 * rule as on WebGPU, so the same prompt and seed give the same clip but for rounding.
 */
import { KinoraError } from '../errors';
import { framesAt, type Block } from '../pipeline/blocks';
import type { ClipNetworks, Frames, Latents, Model, Picture } from '../pipeline/backend';
import { neededEditions } from '../pipeline/editions';
import { sliceLatents } from '../pipeline/latents';
import { checkPlan, gridOf, ROOM_OF_CPU } from '../pipeline/memory-plan';
import type { LoadOptions } from '../pipeline/model';
import { encodePieces } from '../pipeline/pieces';
import { Costs } from '../pipeline/progress';
import { windowOf, type Window } from '../pipeline/window';
import { euler, predictClean, renoise } from '../sampling/steppers';
import type { Step } from '../sampling/schedule';
import type { ModelManifest } from '../weights/manifest';
import { openModel, type ModelFiles } from '../weights/store';
import type { GenerateRequest, Size } from '../worker/protocol/clip';
import type { LoadEvent } from '../worker/protocol/model';
import { PastCache } from './cache';
import { latentsToRgba, rgbToI420, toPlanes } from './frames';
import { loadTransformersTokenizer } from './tokenizer';
import { asError, getRuntime, openSession, type OrtTensor, type Session } from './runtime';
import { turn } from './turn';

/** The sizes of the exported transformer that the caller must know. */
interface Shape {
  layers: number;
  heads: number;
  d: number;
  textLength: number;
  patch: [number, number, number];
}

/**
 * Fetches a model's ONNX files (or finds them in this browser) and opens them.
 * @param url absolute address of the folder of model.json
 * @param options as pipeline/model has them
 * @throws KinoraError `bad-model` where the model has no ONNX export
 */
export async function loadOnnxModel(
  url: string,
  onEvent: (event: LoadEvent) => void,
  { wanted, edition, onEdition }: LoadOptions = {},
): Promise<Model> {
  const began = performance.now();
  const onDownload = (progress: { file: string; loaded: number; total: number }) =>
    onEvent({ type: 'download', ...progress });
  const onManifest = (manifest: ModelManifest) => {
    onEdition?.(manifest.edition);
    if (wanted) checkPlan(manifest, wanted, gridOf(manifest), ROOM_OF_CPU);
  };
  const files = await openModel(url, {
    edition,
    needed: () => neededEditions(url),
    onDownload,
    onManifest,
    onPlan: (plan) => onEvent({ type: 'plan', ...plan }),
    backend: 'cpu',
  });
  return buildOnnxModel(files, onEvent, began);
}

export async function buildOnnxModel(
  files: ModelFiles,
  onEvent: (event: LoadEvent) => void,
  began = performance.now(),
): Promise<Model> {
  const { manifest } = files;
  const { onnx } = manifest;
  if (!onnx)
    throw new KinoraError('bad-model', `${manifest.name} has no ONNX export, which the CPU backend needs.`);
  const { kind, guidance } = manifest.sampler;
  if (kind === 'unipc' || guidance)
    throw new KinoraError(
      'bad-model',
      `${manifest.name} is sampled with ${guidance ? 'guidance' : kind}, which needs WebGPU: the CPU backend has renoise, euler and flow-match.`,
    );
  const tokenizer = await loadTransformersTokenizer(await files.json(manifest.components.tokenizer.file));
  await getRuntime();
  const names = [onnx.text_encoder, onnx.transformer, onnx.decoder, ...(onnx.encoder ? [onnx.encoder] : [])];
  const sessions: Session[] = [];
  const release = () => {
    for (const session of sessions.splice(0)) void session.release();
  };
  try {
    for (const [i, name] of names.entries()) {
      onEvent({ type: 'compile', done: i, total: names.length });
      const source = files.source(name);
      sessions.push(await openSession(name, await source.read(0, source.size)));
    }
    onEvent({ type: 'compile', done: names.length, total: names.length });
    const [text, transformer, decoder, encoder] = sessions as [Session, Session, Session, Session?];
    const shape = readShape(manifest);
    return {
      backend: 'cpu',
      adapter: null,
      manifest,
      tokenizer,
      textLength: shape.textLength,
      costs: new Costs(),
      grid: gridOf(manifest),
      room: ROOM_OF_CPU,
      unkept: files.problem,
      loadSeconds: (performance.now() - began) / 1000,
      gpuBytes: 0,
      encode: encoder ? (frames, size) => encodeFrames(manifest, encoder, frames, size) : null,
      peakGpuBytes: 0,
      open: (request) => OnnxClip.open({ manifest, shape, text, transformer, decoder }, request),
      free: release,
    };
  } catch (e) {
    release();
    throw e;
  }
}

function readShape(manifest: ModelManifest): Shape {
  const { config } = manifest.components.transformer;
  const number = (field: string): number => {
    const value = config[field];
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    throw new KinoraError('bad-model', `model.json: the transformer's ${field} must be a whole number.`, {
      field,
    });
  };
  const patch = config.patch_size;
  if (!Array.isArray(patch) || patch.length !== 3 || !patch.every((n) => Number.isInteger(n) && n > 0))
    throw new KinoraError('bad-model', 'model.json: patch_size must be three whole numbers.');
  return {
    layers: number('num_layers'),
    heads: number('num_attention_heads'),
    d: number('attention_head_dim'),
    textLength: number('text_len'),
    patch: patch as [number, number, number],
  };
}

interface Networks {
  manifest: ModelManifest;
  shape: Shape;
  text: Session;
  transformer: Session;
  decoder: Session;
}

/** The end of the last call: onnxruntime-web keeps its arguments on one stack, so calls must not overlap. */
let busy: Promise<unknown> = Promise.resolve();

/** Runs a session, one at a time, after a turn for messages; what goes wrong in it becomes a KinoraError. */
async function infer(session: Session, feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>> {
  const run = busy.then(turn).then(() => session.run(feeds));
  busy = run.catch(() => {});
  try {
    return (await run) as Record<string, OrtTensor>;
  } catch (e) {
    throw asError(e, 'The CPU backend failed at a network.', 'internal');
  }
}

/** What MemBlocks saw before the first latent: zeros, [1, width, h, w] each, by the name of the session's input. */
function emptyMemory(
  { inputMetadata }: Session,
  tensor: typeof OrtTensor,
  h: number,
  w: number,
): Record<string, OrtTensor> {
  const memory: Record<string, OrtTensor> = {};
  for (const meta of inputMetadata) {
    if (!meta.isTensor || !meta.name.startsWith('memory_')) continue;
    const width = Number(meta.shape[1]);
    memory[meta.name] = new tensor('float32', new Float32Array(width * h * w), [1, width, h, w]);
  }
  return memory;
}

/** What is remembered for the next latent, out of the results of this one. */
const nextMemory = (memory: Record<string, OrtTensor>, out: Record<string, OrtTensor>) =>
  Object.fromEntries(Object.keys(memory).map((name) => [name, out[`new_${name}`]!]));

/** frames [T, height, width, 3] in [0, 1], T = 1 + stride·(F − 1) → [C, F, h, w], normalised; see pipeline/pieces. */
async function encodeFrames(
  manifest: ModelManifest,
  encoder: Session,
  frames: Float32Array<ArrayBuffer>,
  size: Size,
): Promise<Latents> {
  const { Tensor } = await getRuntime();
  const { width, height } = size;
  const [T, y, x] = manifest.latent.stride;
  let memory = emptyMemory(encoder, Tensor, height / y, width / x);
  return encodePieces(manifest, frames, size, async (piece) => {
    const planes = new Tensor('float32', toPlanes(piece, width * height), [T, 3, height, width]);
    const out = await infer(encoder, { frames: planes, ...memory });
    memory = nextMemory(memory, out);
    return out.latents!.data as Latents;
  });
}

class OnnxClip implements ClipNetworks {
  #block: Block | null = null;
  #context: OrtTensor | null = null;
  #x: Latents = new Float32Array();
  #past: { k: OrtTensor; v: OrtTensor } | null = null;
  #memory: Record<string, OrtTensor> = {};
  readonly #cache: PastCache;

  private constructor(
    readonly networks: Networks,
    readonly tensor: typeof OrtTensor,
    /** Of a latent frame: [C, h, w] */
    readonly dims: readonly [number, number, number],
    window: Window,
  ) {
    const { shape } = networks;
    const [, h, w] = dims;
    const tokensPerFrame = (h / shape.patch[1]) * (w / shape.patch[2]);
    const rows = { groups: shape.layers * shape.heads, tokensPerFrame, d: shape.d };
    this.#cache = new PastCache(rows, window.window, window.sink, window.positions === 'window');
  }

  static async open(networks: Networks, request: GenerateRequest): Promise<OnnxClip> {
    const { Tensor } = await getRuntime();
    const { latent } = networks.manifest;
    const [, y, x] = latent.stride;
    const dims = [latent.channels, request.height / y, request.width / x] as const;
    return new OnnxClip(networks, Tensor, dims, windowOf(networks.manifest, request));
  }

  async say(ids: Int32Array): Promise<void> {
    const input_ids = new this.tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
    this.#context = (await infer(this.networks.text, { input_ids })).context!;
  }

  forget(): void {
    this.#cache.clear();
  }

  start(block: Block, noise: Latents): void {
    this.#block = block;
    this.#x = noise;
    const { shape } = this.networks;
    const { k, v, rows } = this.#cache.forBlock(block.size);
    const dims = [shape.layers, shape.heads, rows, shape.d];
    this.#past = { k: new this.tensor('float32', k, dims), v: new this.tensor('float32', v, dims) };
  }

  take(block: Block, latents: Latents): void {
    this.start(block, latents);
  }

  async step(step: Step, fresh: Latents | null): Promise<Picture> {
    const { preview } = this.networks.manifest;
    const { flow } = await this.#predict(step.timestep);
    const v = flow!.data as Latents;
    const clean = predictClean(this.#x, v, step.sigma);
    if (step.next === 0) this.#x = clean;
    else if (fresh) this.#x = renoise(clean, fresh, step.next);
    else this.#x = euler(this.#x, v, step.sigma, step.next);
    const [, height, width] = this.dims;
    return {
      type: 'preview',
      frames: this.#block!.size,
      width,
      height,
      rgba: latentsToRgba(clean, preview.matrix, preview.bias),
    };
  }

  async settle(): Promise<Latents> {
    if (!this.#x.every(Number.isFinite)) throw this.#broken('the transformer');
    return this.#x;
  }

  async decode(block: Block, clean: Latents, i: number): Promise<Frames> {
    const [C, h, w] = this.dims;
    // The decoder begins afresh with each take.
    if (i === 0 && block.firstLatent === block.take.firstLatent)
      this.#memory = emptyMemory(this.networks.decoder, this.tensor, h, w);
    const one = sliceLatents(clean, [C, block.size], i, 1);
    const latents = new this.tensor('float32', one, [1, C, 1, h, w]);
    const out = await infer(this.networks.decoder, { latents, ...this.#memory });
    this.#memory = nextMemory(this.#memory, out);
    const [T, , height, width] = out.frames!.dims as [number, number, number, number];
    const rgb = out.frames!.data as Latents;
    if (!rgb.every(Number.isFinite)) throw this.#broken('the decoder');
    const size = 3 * height * width;
    const all = Array.from({ length: T }, (_, t) =>
      rgbToI420(rgb.subarray(t * size, (t + 1) * size), width, height),
    );
    const { first, skip, count } = framesAt({ stride: this.networks.manifest.latent.stride[0] }, block, i);
    return { first, i420: all.slice(skip, skip + count) };
  }

  async remember(): Promise<void> {
    const { k, v } = await this.#predict(0);
    this.#cache.add(k!.data as Latents, v!.data as Latents, this.#block!.size);
  }

  /** The flow v = noise − x0 of the present block, and its keys and values. */
  #predict(timestep: number): Promise<Record<string, OrtTensor>> {
    const [C, h, w] = this.dims;
    const F = this.#block!.size;
    const tensor = this.tensor;
    return infer(this.networks.transformer, {
      latents: new tensor('float32', this.#x, [1, C, F, h, w]),
      timesteps: new tensor('float32', new Float32Array(F).fill(timestep), [1, F]),
      context: this.#context!,
      first_frame: new tensor('int64', BigInt64Array.of(BigInt(this.#cache.past)), [1]),
      past_k: this.#past!.k,
      past_v: this.#past!.v,
    });
  }

  #broken(operation: string): KinoraError {
    const block = this.#block!.index + 1;
    return new KinoraError(
      'not-finite',
      `The numbers of block ${block} broke down (NaN or Inf out of ${operation}). Try another seed.`,
      { operation, block },
    );
  }

  free(): void {
    this.#past = null;
    this.#memory = {};
  }
}
