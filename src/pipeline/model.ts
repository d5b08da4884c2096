/** A model on the GPU, ready to run, and its loading: what model.json says, the tokenizer, weights and configs of the networks. */
import { KinoraError } from '../errors';
import type { Gpu } from '../gpu/device';
import type { Tensor } from '../gpu/tensor';
import { patchOf, readLora, type Lora } from '../models/lora';
import { matchTensors, umt5Shapes, wanShapes, type Shapes } from '../models/tensors';
import { readUmt5Config, type Umt5Config } from '../models/umt5';
import { readWanConfig, type WanConfig } from '../models/wan-config';
import { loadTokenizer, type Tokenizer } from '../text/tokenizer';
import type { ModelManifest } from '../weights/manifest';
import { readWeights } from '../weights/read';
import type { WeightFile } from '../weights/source';
import { openModel, type ModelFiles } from '../weights/store';
import { uploadWeights, type UploadOptions, type Weights } from '../weights/upload';
import type { Size } from '../worker/protocol/clip';
import type { LoadEvent, LoadRequest } from '../worker/protocol/model';
import {
  latentOf,
  matchAutoencoder,
  prepareAutoencoder,
  readAutoencoderConfig,
  type AutoencoderConfig,
  type FrameDecoder,
} from './autoencoder';
import type { Model } from './backend';
import { neededEditions } from './editions';
import { checkPlan, fitting, fittingTiles, gridOf, roomOfGpu, type Room } from './memory-plan';
import { Costs } from './progress';
import { encodeFrames } from './encode';
import type { FrameEncoder } from './frame-encoder';
import { residentEncoder, streamedEncoder, type TextEncoder } from './text-encoder';
import { openTokenizer } from './tokenizer';
import { warmUp } from './warm-up';
import { GpuClip } from './webgpu';

export interface GpuModel extends Model {
  readonly gpu: Gpu;
  readonly textEncoder: TextEncoder;
  readonly transformer: { weights: Weights; config: WanConfig };
  readonly decoder: FrameDecoder;
  /** Null where the checkpoint has none. */
  readonly encoder: FrameEncoder | null;
  /** Latents as the autoencoder has them = normalised · std + mean; both [C] f32. */
  readonly latent: { mean: Tensor; std: Tensor };
  /** Normalised latents → RGB: [C, 3] and [3], f32. */
  readonly preview: { matrix: Tensor; bias: Tensor };
}

export type OnEvent = (event: LoadEvent) => void;

export const roomOf = (gpu: Gpu) => roomOfGpu(gpu.adapter, gpu.elem === 'f16' ? 2 : 4, gpu.said);

/** Before a download: the files' own sizes stand for what they will take on the GPU. */
function roomBeside(gpu: Gpu, { components, files }: ModelManifest): Room {
  const weights = ['text_encoder', 'transformer', 'autoencoder'] as const;
  const paths = weights.map((part) => components[part].file);
  const bytes = files.filter(({ path }) => paths.includes(path)).reduce((sum, file) => sum + file.bytes, 0);
  return { ...roomOf(gpu), weights: bytes };
}

export interface LoadOptions extends Pick<LoadRequest, 'wanted' | 'edition'> {
  /** Hears which edition it will be, before any of its files is looked for; again where that one cannot be had. */
  onEdition?: (edition: string) => void;
}

/**
 * Fetches a model (or finds it in this browser), moves it to the GPU and compiles its kernels.
 * @param url absolute address of the folder of model.json
 * @param options the picture size that is waited for: one that will not do is refused before any download; and an edition
 *   that was here once, in place of the newest
 * @throws KinoraError; then nothing stays on the GPU
 */
export async function loadModel(
  gpu: Gpu,
  url: string,
  onEvent: OnEvent,
  { wanted, edition, onEdition }: LoadOptions = {},
): Promise<GpuModel> {
  const began = performance.now();
  const onDownload = (progress: { file: string; loaded: number; total: number }) =>
    onEvent({ type: 'download', ...progress });
  const onManifest = (manifest: ModelManifest) => {
    onEdition?.(manifest.edition);
    if (wanted) checkPlan(manifest, wanted, gridOf(manifest), roomBeside(gpu, manifest));
  };
  const files = await openModel(url, {
    edition,
    needed: () => neededEditions(url),
    onDownload,
    onManifest,
    onPlan: (plan) => onEvent({ type: 'plan', ...plan }),
  });
  return buildModel(gpu, files, onEvent, { began, wanted });
}

export interface BuildOptions {
  /** When loading began, in ms of performance.now(). */
  began?: number;
  /** The picture size that is waited for: its kernels are compiled. Default: the model's own. */
  wanted?: Size;
  /** What matrices of plain types become, and who makes it (weights/upload). */
  smaller?: Smaller;
}
type Smaller = Pick<UploadOptions, 'quantize' | 'quantizer'>;

/** A model of files that are here. */
export async function buildModel(
  gpu: Gpu,
  files: ModelFiles,
  onEvent: OnEvent,
  { began = performance.now(), wanted, smaller = {} }: BuildOptions = {},
): Promise<GpuModel> {
  const { manifest } = files;
  const { text_encoder, transformer, autoencoder, tokenizer } = manifest.components;
  const configs = {
    text: readUmt5Config(text_encoder.config),
    wan: readWanConfig(transformer.config),
    autoencoder: readAutoencoderConfig(autoencoder),
  };
  const words = await (tokenizer.file.endsWith('.json')
    ? files.json(tokenizer.file).then(loadTokenizer)
    : openTokenizer(files.source(tokenizer.file)));
  checkFit(manifest, configs, words);

  const owned: { free(): void }[] = [];
  const own = <T extends { free(): void }>(thing: T): T => {
    owned.push(thing);
    return thing;
  };
  const free = () => {
    for (const thing of owned.splice(0).reverse()) thing.free();
  };
  const constant = (values: readonly number[], shape: readonly number[], label: string) => {
    const t = gpu.memory.upload(Float32Array.from(values), shape, 'f32', label);
    own({ free: () => gpu.memory.free(t) });
    return t;
  };
  let loadSeconds = 0;
  try {
    const opened = await uploader(gpu, files, [text_encoder.file, transformer.file, autoencoder.file], onEvent); // prettier-ignore
    const textEncoder = own(await openEncoder(gpu, opened, text_encoder.file, configs.text, smaller));
    const dit = {
      weights: own(await openTransformer(opened, files, transformer, configs.wan, smaller)),
      config: configs.wan,
    };
    const tensors = matchAutoencoder(opened.file(autoencoder.file), configs.autoencoder);
    const sides = await prepareAutoencoder(gpu, await opened.upload(autoencoder.file, { tensors }), manifest); // prettier-ignore
    const decoder = own(sides.decoder);
    const encoder = sides.encoder && own(sides.encoder);
    const { latent, preview } = manifest;
    const C = latent.channels;
    let weights = 0;
    const model: GpuModel = {
      backend: 'webgpu',
      adapter: gpu.adapter,
      textLength: configs.wan.text_len,
      get gpuBytes() {
        return gpu.memory.bytes;
      },
      get peakGpuBytes() {
        return gpu.memory.peak;
      },
      gpu,
      manifest,
      tokenizer: words,
      textEncoder,
      transformer: dit,
      decoder,
      encoder,
      encode: encoder && ((frames, size) => encodeFrames(model, encoder, frames, size)),
      latent: {
        mean: constant(latent.mean, [C], 'latent mean'),
        std: constant(latent.std, [C], 'latent std'),
      },
      preview: {
        matrix: constant(preview.matrix.flat(), [C, 3], 'preview matrix'),
        bias: constant(preview.bias, [3], 'preview bias'),
      },
      costs: new Costs(),
      grid: gridOf(manifest),
      get room() {
        return { ...roomOf(gpu), weights }; // the person may say more of the GPU, or less, at any time
      },
      unkept: files.problem,
      get loadSeconds() {
        return loadSeconds;
      },
      open: (request, plan) => GpuClip.open(model, request, plan),
      free,
    };
    weights = gpu.memory.bytes;
    const size = wanted ?? manifest.sizes[0]!;
    const fit = fitting(manifest, size, model.room) ?? { bits: 16, tiling: fittingTiles(manifest, size, model.room, 16) }; // prettier-ignore
    await warmUp(model, size, fit, (done, total) => onEvent({ type: 'compile', done, total }));
    loadSeconds = (performance.now() - began) / 1000;
    return model;
  } catch (e) {
    free();
    throw e;
  }
}

/** Reads the headers of all files, so that one bar covers them all; then uploads them one by one. */
async function uploader(gpu: Gpu, files: ModelFiles, paths: readonly string[], onEvent: OnEvent) {
  const opened = new Map<string, WeightFile>();
  let total = 0;
  for (const path of paths) {
    const file = await openWeights(files, path);
    opened.set(path, file);
    for (const { bytes } of file.tensors.values()) total += bytes;
  }
  let before = 0;
  return {
    file: (path: string): WeightFile => opened.get(path)!,
    async upload(path: string, options: Omit<UploadOptions, 'onUpload'> = {}): Promise<Weights> {
      let size = 0;
      const weights = await uploadWeights(gpu, opened.get(path)!, {
        ...options,
        onUpload: (loaded, all) => {
          size = all;
          onEvent({ type: 'upload', loaded: before + loaded, total });
        },
      });
      before += size;
      return weights;
    },
  };
}
type Opened = Awaited<ReturnType<typeof uploader>>;

const openWeights = (files: ModelFiles, path: string): Promise<WeightFile> =>
  files.weights?.(path) ?? readWeights(files.source(path));

/** Encoders larger than this (in their file) are read anew for every prompt. UMT5-XXL in 4 bit has 3 GB; Pocket's has some MB. */
export const STREAMED = 2 ** 30;

async function openEncoder(
  gpu: Gpu,
  opened: Opened,
  path: string,
  config: Umt5Config,
  smaller: Smaller,
): Promise<TextEncoder> {
  const file = opened.file(path);
  const bytes = [...file.tensors.values()].reduce((sum, info) => sum + info.bytes, 0);
  if (bytes > STREAMED) return streamedEncoder(gpu, file, config, { smaller });
  const tensors = matchTensors(file, 'umt5', umt5Shapes(config));
  return residentEncoder(await opened.upload(path, { tensors, ...smaller }), config);
}

/** The transformer in whatever layout its file has, with its LoRAs merged in. */
async function openTransformer(
  opened: Opened,
  files: ModelFiles,
  component: ModelManifest['components']['transformer'],
  config: WanConfig,
  smaller: Smaller,
): Promise<Weights> {
  const { file } = component;
  const shapes = wanShapes(config);
  const tensors = matchTensors(opened.file(file), 'wan-transformer', shapes);
  const loras = await openLoras(files, component, shapes);
  return opened.upload(file, {
    tensors,
    ...smaller,
    ...(loras.length && { patch: (name, shape) => patchOf(loras, name, shape) }),
  });
}

/** The LoRAs that are merged into a transformer of these shapes: their headers only. */
export async function openLoras(
  files: ModelFiles,
  { loras = [] }: ModelManifest['components']['transformer'],
  shapes: Shapes,
): Promise<Lora[]> {
  const read: Lora[] = [];
  for (const { file, strength } of loras)
    read.push(readLora(await openWeights(files, file), shapes, strength));
  return read;
}

/** Throws `bad-model` unless the networks fit together and to what model.json says of latents. */
function checkFit(
  { latent, sampler }: ModelManifest,
  { text, wan, autoencoder }: { text: Umt5Config; wan: WanConfig; autoencoder: AutoencoderConfig },
  tokenizer: Tokenizer,
): void {
  const same = (what: string, found: number, of: string, expected: number) => {
    if (found !== expected)
      throw new KinoraError('bad-model', `model.json: ${what} is ${found}, but ${of} is ${expected}.`, {
        field: what,
      });
  };
  const channels = 'latent.channels';
  same('the transformer’s in_channels', wan.in_channels, channels, latent.channels);
  same('the transformer’s out_channels', wan.out_channels, channels, latent.channels);
  const made = latentOf(autoencoder);
  same('the autoencoder’s latent_channels', made.channels, channels, latent.channels);
  same('the transformer’s text_dim', wan.text_dim, 'the text encoder’s d_model', text.d_model);
  made.stride.forEach((n, i) =>
    same('the autoencoder’s stride', n, `latent.stride[${i}]`, latent.stride[i]!),
  );
  same('the rest of a block after whole patches', sampler.num_frame_per_block % wan.patch_size[0], 'it', 0);
  if (tokenizer.size > text.vocab_size)
    throw new KinoraError(
      'bad-model',
      `The tokenizer has ${tokenizer.size} ids, but the text encoder's table has ${text.vocab_size} rows.`,
      { ids: tokenizer.size, rows: text.vocab_size },
    );
}
