/**
 * A model of a person's own files: which of them is which part, whether they fit together, and the document that a
 * downloaded model brings with it, made of what the files tell.
 */
import { KinoraError, toEngineError } from '../errors';
import type { Gpu } from '../gpu/device';
import { readLora } from '../models/lora';
import { matchTensors, umt5Shapes, wanShapes } from '../models/tensors';
import { readUmt5Config, type Umt5Config } from '../models/umt5';
import { readWanConfig, type WanConfig } from '../models/wan-config';
import { sha256Bytes } from '../weights/hash';
import { MAX_STRENGTH, type ModelManifest } from '../weights/manifest';
import { smallType } from '../weights/small';
import type { ModelFiles } from '../weights/store';
import type { Size } from '../worker/protocol/clip';
import type { ModelPart, OpenedFiles, Quantize, Recognition } from '../worker/protocol/files';
import type { EngineError } from '../worker/protocol/result';
import { latentOf, matchAutoencoder, readAutoencoderConfig, type AutoencoderConfig } from './autoencoder';
import { buildModel, roomOf, type GpuModel, type OnEvent } from './model';
import { layoutOfKnown, readFiles, toFinding, type Known } from './recognise';
import { likelySampling, previewOf, SAMPLINGS, WAN_LATENTS, type Sampling } from './samplings';
import { quantizeByPiece } from './quantizer';
import { shrink } from './shrink';
import { planOpened } from './whole-plan';

const PARTS: readonly ModelPart[] = ['transformer', 'text_encoder', 'autoencoder', 'tokenizer'];

/** What Wan 1.3B was trained for, and smaller ones of the same shapes. */
const SIZES: Size[] = [
  { width: 832, height: 480 },
  { width: 480, height: 832 },
  { width: 576, height: 320 },
  { width: 448, height: 256 },
  { width: 320, height: 192 },
];
const FPS = 16;
const PROMPTS = {
  en: [
    'a cat walks through tall grass at sunset, close to the ground, soft light',
    'waves roll onto a rocky shore under a stormy sky, slow motion',
  ],
  zh: ['一只猫在夕阳下走过高高的草丛，低角度，光线柔和', '暴风雨的天空下，海浪拍打着岩石海岸，慢动作'],
};

interface Configs {
  text: Umt5Config;
  wan: WanConfig;
  autoencoder: AutoencoderConfig;
}

/** The picked files, sorted. */
export interface Opened {
  recognition: Recognition;
  /** Null while it is not ready. */
  files: ModelFiles | null;
}

/**
 * Looks at picked files. Never throws for what is wrong with a file: that stands in the recognition.
 * @throws KinoraError `bad-request` for an unknown sampling, or a strength of a LoRA outside ±MAX_STRENGTH
 */
export async function openFiles({
  files,
  name: called,
  sampling: asked,
  quantize,
  strengths = {},
}: OpenedFiles): Promise<Opened> {
  checkStrengths(strengths);
  const known = await readFiles(files);
  const parts = choose(known);
  const loras = known.filter(({ part, problem }) => part === 'lora' && !problem);
  const likely = parts.transformer
    ? likelySampling(layoutOfKnown(parts.transformer), loras.length > 0, parts.transformer.sparse)
    : 'wan';
  const sampling = SAMPLINGS.find(({ id }) => id === (asked ?? likely));
  if (!sampling)
    throw new KinoraError('bad-request', `sampling must be one of ${SAMPLINGS.map(({ id }) => id).join(', ')}, but it is ${asked}.`, { field: 'sampling' }); // prettier-ignore
  const problems: EngineError[] = [];
  const configs = readConfigs(parts, loras);
  for (const lora of loras) lora.used = true;
  const broken = PARTS.some((part) => parts[part]?.problem) || loras.some(({ problem }) => problem);
  if (configs) problems.push(...misfits(configs).map(toEngineError));
  const missing = PARTS.filter((part) => !parts[part]);
  const ready = !broken && missing.length === 0 && configs !== null && problems.length === 0;
  const name = called ?? (parts.transformer?.source.name ?? '').replace(/(\.index)?\.\w+$/, '');
  return {
    recognition: {
      findings: known.map(toFinding),
      missing,
      problems,
      samplings: SAMPLINGS.map(({ id }) => id),
      sampling: sampling.id,
      ready,
      name,
      plan: null,
    },
    files: ready
      ? await assemble(name, parts as Record<ModelPart, Known>, loras, configs!, sampling, {
          strengths,
          quantize,
        })
      : null,
  };
}

function checkStrengths(strengths: Readonly<Record<string, number>>): void {
  for (const [path, strength] of Object.entries(strengths))
    if (!Number.isFinite(strength) || Math.abs(strength) > MAX_STRENGTH)
      throw new KinoraError('bad-request', `The strength of ${path} must be a number from −${MAX_STRENGTH} to ${MAX_STRENGTH}, but it is ${strength}.`, { field: 'loras', file: path, found: String(strength) }); // prettier-ignore
}

/** Loads the model that the files make. Throws why they make none, or why a clip of the wanted size will not do here. */
export async function loadOpened(
  gpu: Gpu,
  opened: OpenedFiles,
  onEvent: OnEvent,
  wanted?: Size,
): Promise<GpuModel> {
  const began = performance.now();
  const { files, recognition } = await openFiles(opened);
  if (!files) throw whyNot(recognition);
  const size = wanted ?? files.manifest.sizes[0]!;
  const { problem } = await planOpened(files, size, roomOf(gpu), opened.quantize);
  if (problem) throw new KinoraError(problem.code, problem.message, problem.params, problem.detail);
  const { quantize } = opened;
  if (!quantize) return buildModel(gpu, files, onEvent, { began, wanted });
  const smaller = await shrink(files, opened.files, quantize, onEvent, gpu);
  // What could not be kept is made smaller on its way to the GPU: while loading, or layer by layer at each prompt.
  const quantizer = quantizeByPiece(gpu);
  const made = {
    quantize: (name: string, row: number) => smallType(name, quantize, row),
    ...(quantizer && { quantizer }),
  };
  return buildModel(gpu, smaller, onEvent, { began, wanted, smaller: made });
}

function whyNot({ findings, missing, problems }: Recognition): KinoraError {
  const problem = findings.find(({ used, problem }) => used && problem)?.problem ?? problems[0];
  if (problem) return new KinoraError(problem.code, problem.message, problem.params, problem.detail);
  const names = { transformer: 'a transformer', text_encoder: 'a text encoder', autoencoder: 'a decoder', tokenizer: 'a tokenizer' }; // prettier-ignore
  const lacking = missing.map((part) => names[part]).join(', ');
  return new KinoraError('bad-model', `The opened files lack ${lacking}. Open these, too.`, { why: 'parts', parts: missing.join() }); // prettier-ignore
}

/** The last file of each part, for who picks another wants that one; without a problem if there is one. */
function choose(known: readonly Known[]): Partial<Record<ModelPart, Known>> {
  const parts: Partial<Record<ModelPart, Known>> = {};
  for (const part of PARTS) {
    const fitting = (one: Known) => one.part === part || (part === 'tokenizer' && one.speaks);
    const found = known.findLast((one) => fitting(one) && !one.problem) ?? known.findLast(fitting);
    if (!found) continue;
    found.used = true;
    parts[part] = found;
  }
  return parts;
}

/** Configs of the chosen parts, each held against its tensors; problems go to the files. Null while one is missing. */
function readConfigs(parts: Partial<Record<ModelPart, Known>>, loras: readonly Known[]): Configs | null {
  const check = <T>(one: Known | undefined, read: (one: Known) => T): T | null => {
    if (!one?.config || one.problem) return null;
    try {
      return read(one);
    } catch (e) {
      one.problem = toEngineError(e);
      return null;
    }
  };
  const wan = check(parts.transformer, ({ config, weights }) => {
    const read = readWanConfig(config!);
    matchTensors(weights!, 'wan-transformer', wanShapes(read));
    return read;
  });
  const text = check(parts.text_encoder, ({ config, weights }) => {
    const read = readUmt5Config(config!);
    matchTensors(weights!, 'umt5', umt5Shapes(read));
    return read;
  });
  const autoencoder = check(parts.autoencoder, ({ config, weights, network }) => {
    const read = readAutoencoderConfig({
      network: network as 'taehv' | 'wan-vae',
      config: config!,
      file: '',
    });
    matchAutoencoder(weights!, read);
    return read;
  });
  if (wan)
    for (const lora of loras) {
      try {
        readLora(lora.weights!, wanShapes(wan), 1);
      } catch (e) {
        lora.problem = toEngineError(e);
      }
    }
  return wan && text && autoencoder ? { wan, text, autoencoder } : null;
}

/** What of two parts disagrees, with both numbers and what to do. */
function misfits({ wan, text, autoencoder }: Configs): KinoraError[] {
  const { channels } = latentOf(autoencoder);
  const found: KinoraError[] = [];
  if (wan.text_dim !== text.d_model)
    found.push(new KinoraError('bad-model', `The transformer reads texts of ${wan.text_dim} numbers a word, but the text encoder makes ${text.d_model}. Take the text encoder that belongs to it (for Wan: UMT5-XXL).`, { why: 'texts', transformer: wan.text_dim, encoder: text.d_model })); // prettier-ignore
  if (wan.in_channels !== wan.out_channels)
    found.push(new KinoraError('bad-model', `The transformer takes ${wan.in_channels} channels and makes ${wan.out_channels}: it begins with a picture. Take the text-to-video (T2V) file.`, { why: 'picture', in: wan.in_channels, out: wan.out_channels })); // prettier-ignore
  else if (wan.out_channels !== channels)
    found.push(new KinoraError('bad-model', `The transformer makes latents of ${wan.out_channels} channels, but the decoder reads ${channels}. Take the VAE of Wan 2.1, or taew2_1.`, { why: 'latents', transformer: wan.out_channels, decoder: channels })); // prettier-ignore
  return found;
}

async function assemble(
  name: string,
  parts: Record<ModelPart, Known>,
  loras: readonly Known[],
  { autoencoder }: Configs,
  { id: edition, sampler, seconds }: Sampling,
  { strengths, quantize }: { strengths: Readonly<Record<string, number>>; quantize: Quantize | undefined },
): Promise<ModelFiles> {
  const all = [...new Set([...Object.values(parts), ...loras])];
  const strengthOf = (path: string) => strengths[path] ?? 1;
  const merged = loras.filter(({ path }) => strengthOf(path) !== 0);
  const by = new Map(all.map((one) => [one.path, one]));
  const { channels, stride } = latentOf(autoencoder);
  const manifest: ModelManifest = {
    format: 'kinora-model/1',
    id: `file-${await fingerprint(all, new Map(loras.map((one) => [one, strengthOf(one.path)])), quantize)}`,
    name,
    edition,
    license: '',
    fps: FPS,
    sizes: SIZES,
    seconds,
    latent: {
      channels,
      stride: stride as [number, number, number],
      ...spreadOf(parts.autoencoder, channels),
    },
    preview: previewOf(channels),
    sampler,
    components: {
      tokenizer: { file: parts.tokenizer.path },
      text_encoder: { network: 'umt5', config: parts.text_encoder.config!, file: parts.text_encoder.path },
      transformer: {
        network: 'wan-transformer-causal',
        config: parts.transformer.config!,
        file: parts.transformer.path,
        loras: merged.map(({ path }) => ({ file: path, strength: strengthOf(path) })),
      },
      autoencoder: {
        network: autoencoder.network,
        config: parts.autoencoder.config!,
        file: parts.autoencoder.path,
      },
    },
    files: all.map(({ path, bytes }) => ({ path, bytes, sha256: '' })),
    prompts: PROMPTS,
  };
  return {
    manifest,
    persisted: true,
    problem: null,
    offline: false,
    source: (path) => by.get(path)!.source,
    weights: async (path) => by.get(path)!.weights!,
    async json(path) {
      const { source } = by.get(path)!;
      return JSON.parse(new TextDecoder().decode(await source.read(0, source.size))) as unknown;
    },
  };
}

/** TAEHV takes latents as they are; the VAE those that are spread as in its training. */
function spreadOf({ network, config }: Known, channels: number): { mean: number[]; std: number[] } {
  const plain = { mean: Array<number>(channels).fill(0), std: Array<number>(channels).fill(1) };
  if (network !== 'wan-vae') return plain;
  const { latents_mean: mean, latents_std: std } = config as {
    latents_mean?: number[];
    latents_std?: number[];
  };
  const fits = (list: unknown): list is number[] => Array.isArray(list) && list.length === channels && list.every(Number.isFinite); // prettier-ignore
  if (fits(mean) && fits(std)) return { mean, std };
  return channels === WAN_LATENTS.mean.length ? WAN_LATENTS : plain;
}

/**
 * The same files at the same strengths, made as small, have the same: names, sizes, and when they were changed. Blocks of a
 * clip are taken over by it, so each LoRA's own strength counts, 0 as well, and so do the bits that weights are read with.
 */
async function fingerprint(
  all: readonly Known[],
  strengths: ReadonlyMap<Known, number>,
  quantize: Quantize | undefined,
): Promise<string> {
  const facts = all.map((one) => {
    const { path, bytes, picked } = one;
    const strength = strengths.get(one) ?? 1;
    return [path.split('/').at(-1), bytes, picked.changed, ...(strength === 1 ? [] : [strength])];
  });
  const made = quantize ? [...facts.sort(), quantize] : facts.sort();
  return (await sha256Bytes(new TextEncoder().encode(JSON.stringify(made)))).slice(0, 16);
}
