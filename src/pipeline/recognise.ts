/**
 * What picked files are: told by their tensors, never by their names. Reads headers, indices and configs, and no weights.
 */
import { KinoraError, toEngineError } from '../errors';
import { inferTaehvConfig, inferWanVaeConfig } from '../models/infer-decoders';
import { detectNetwork, inferUmt5Config, inferWanConfig } from '../models/infer';
import { isLora } from '../models/lora';
import { isSparse, layoutOf, type LayoutName, type NetworkName } from '../models/names';
import type { Config } from '../models/config';
import { countElements } from '../weights/dtypes';
import { readWeights } from '../weights/read';
import { isUnscaled } from '../weights/scaled';
import { readSharded, shardNames } from '../weights/shards';
import { fromBlob, readExactly, type ByteSource, type WeightFile } from '../weights/source';
import type { Finding, ModelPart, PickedFile } from '../worker/protocol/files';

/** A picked file, read as far as needed. */
export interface Known extends Finding {
  source: ByteSource;
  picked: PickedFile;
  network: NetworkName | null;
  weights: WeightFile | null;
  /** Of the checkpoint, as diffusers or transformers write it; of a config, itself. */
  config: Config | null;
  /** A text encoder that carries its tokenizer, as GGUF and ComfyUI's files do. */
  speaks: boolean;
}

export const PART_OF: Readonly<Record<NetworkName, ModelPart>> = {
  'wan-transformer': 'transformer',
  umt5: 'text_encoder',
  'wan-vae': 'autoencoder',
  taehv: 'autoencoder',
};
const INFER: Readonly<Record<NetworkName, (file: WeightFile) => Config>> = {
  'wan-transformer': inferWanConfig,
  umt5: inferUmt5Config,
  'wan-vae': inferWanVaeConfig,
  taehv: inferTaehvConfig,
};
/** `_class_name` of diffusers and `model_type` of transformers. */
const CLASSES: Readonly<Record<string, NetworkName>> = {
  WanTransformer3DModel: 'wan-transformer',
  CausalWanTransformer3DModel: 'wan-transformer',
  AutoencoderKLWan: 'wan-vae',
  umt5: 'umt5',
};
/** A tokenizer.json of 256k words has 17 MB. */
const MOST_JSON = 64 << 20;

/** Reads what every file is; one that cannot be read has its problem with it. Later files come later. */
export async function readFiles(files: readonly PickedFile[]): Promise<Known[]> {
  const known = await Promise.all(files.map(readOne));
  for (const index of known.filter(({ path }) => path.endsWith('.index.json'))) await join(index, known);
  for (const one of known.filter(({ network }) => network)) {
    complete(one, known);
    findScales(one, known);
  }
  return known;
}

async function readOne(picked: PickedFile): Promise<Known> {
  const { path, file } = picked;
  const source = fromBlob(path.split('/').at(-1)!, file);
  const one: Known = {
    ...{ path, bytes: file.size, picked, source, part: null, layout: '', types: [], parameters: 0 },
    ...{
      sparse: false,
      used: false,
      problem: null,
      network: null,
      weights: null,
      config: null,
      speaks: false,
    },
  };
  try {
    if (/\.json$/i.test(path)) await readJson(one);
    else if (/\.model$/i.test(path)) one.part = 'tokenizer';
    else if (/\.(safetensors|gguf|pt|pth|bin|ckpt|sft)$/i.test(path))
      describe(one, await readWeights(source));
  } catch (e) {
    one.problem = toEngineError(e);
  }
  return one;
}

async function readJson(one: Known): Promise<void> {
  const { source } = one;
  if (source.size > MOST_JSON)
    throw new KinoraError('bad-model', `${source.name}: it has ${source.size} bytes, at most ${MOST_JSON} are read.`, { file: source.name }); // prettier-ignore
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(await readExactly(source, 0, source.size)));
  } catch (e) {
    if (e instanceof KinoraError) throw e;
    throw new KinoraError('bad-model', `${source.name} is not JSON.`, { file: source.name }, String(e));
  }
  if (typeof json !== 'object' || json === null) return;
  if ('weight_map' in json) {
    shardNames(source.name, json); // is it sound?
    one.config = json as Config;
  } else if ('model' in json && typeof json.model === 'object') one.part = 'tokenizer';
  else if (networkOf(json as Config)) {
    one.part = 'config';
    one.config = json as Config;
  }
}

const networkOf = (config: Config): NetworkName | undefined =>
  CLASSES[String(config._class_name)] ?? CLASSES[String(config.model_type)];

/** Fills in what tensors tell. */
function describe(one: Known, file: WeightFile): void {
  one.weights = file;
  const names = [...file.tensors.keys()];
  const bytes = new Map<string, number>();
  for (const { dtype, shape, bytes: n } of file.tensors.values()) {
    bytes.set(dtype, (bytes.get(dtype) ?? 0) + n);
    one.parameters += countElements(shape) ?? 0;
  }
  one.types = [...bytes].sort((a, b) => b[1] - a[1]).map(([dtype]) => dtype);
  if (isLora(names)) {
    one.part = 'lora';
    return;
  }
  one.network = detectNetwork(file);
  if (!one.network) return; // it may be a shard of a network
  one.part = PART_OF[one.network];
  one.layout = layoutOf(one.network, names);
  one.sparse = one.network === 'wan-transformer' && isSparse(names);
  one.speaks = one.network === 'umt5' && (file.tensors.has('spiece_model') || file.metadata.has('tokenizer.ggml.tokens')); // prettier-ignore
}

/** An index stands for the files that it names, which must be among the picked ones of its folder; none is a model by itself. */
async function join(index: Known, all: readonly Known[]): Promise<void> {
  if (!index.config || index.problem) return;
  const { name } = index.source;
  const find = (shard: string) => all.find(({ path }) => path === folderOf(index) + shard);
  const shards = shardNames(name, index.config).flatMap((shard) => find(shard) ?? []);
  for (const shard of shards) Object.assign(shard, { part: 'shard', network: null });
  try {
    const file = await readSharded(name, index.config, (shard) => find(shard)?.source ?? null);
    index.config = null;
    describe(index, file);
    index.bytes = shards.reduce((sum, { bytes }) => sum + bytes, index.source.size);
    for (const shard of shards) Object.assign(shard, { used: true, problem: null });
  } catch (e) {
    index.problem = toEngineError(e);
  }
}

const folderOf = ({ path }: Known) => path.slice(0, path.lastIndexOf('/') + 1);

/** A file beside it may have the scales that its tensors lack, where no index names both. */
function findScales(one: Known, all: readonly Known[]): void {
  for (const { source, problem } of all.filter((other) => folderOf(other) === folderOf(one))) {
    const { why, tensor } = problem?.params ?? {};
    const info = why === 'scales' ? one.weights!.tensors.get(String(tensor)) : undefined;
    if (!info || !isUnscaled(info)) continue;
    const { name } = one.source;
    const error = new KinoraError('bad-model', `${name}: its 8-bit tensors (such as "${info.name}") have no scales. ${source.name} has them, but no index says that it belongs to it, and without them these are other numbers. Open both with an index that names both, or take the model in one file.`, { file: name, tensor: info.name }); // prettier-ignore
    one.problem = toEngineError(error);
    return;
  }
}

/** The config that lies beside it, or the only one of its kind, over what its shapes tell. */
function complete(one: Known, all: readonly Known[]): void {
  const configs = all.filter(({ part, config }) => part === 'config' && networkOf(config!) === one.network);
  const config = configs.find((other) => folderOf(other) === folderOf(one)) ?? (configs.length === 1 ? configs[0] : undefined); // prettier-ignore
  try {
    if (config) config.used = true;
    one.config = config?.config ?? INFER[one.network!](one.weights!);
  } catch (e) {
    one.problem = toEngineError(e);
  }
}

/** What the page hears of it. */
export function toFinding(known: Known): Finding {
  const { path, bytes, part, layout, types, parameters, sparse, used, problem } = known;
  return { path, bytes, part, layout, types, parameters, sparse, used, problem };
}

export const layoutOfKnown = ({ layout }: Known): LayoutName => layout as LayoutName;
