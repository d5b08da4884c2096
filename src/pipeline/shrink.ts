/**
 * The large files of an opened model in their small forms: found in this browser, or made now and kept. Where they
 * cannot be kept, the transformer is made smaller while it is loaded, each time, and why is told.
 */
import { KinoraError } from '../errors';
import type { Gpu } from '../gpu/device';
import { matchTensors, umt5Shapes, wanShapes } from '../models/tensors';
import { readUmt5Config } from '../models/umt5';
import { readWanConfig } from '../models/wan-config';
import { makeSmall, smallKey, smallSize, type SmallOptions } from '../weights/small';
import { SmallStore } from '../weights/small-store';
import { readWeights } from '../weights/read';
import type { WeightFile } from '../weights/source';
import type { ModelFiles } from '../weights/store';
import type { PickedFile, Quantize } from '../worker/protocol/files';
import type { OnEvent } from './model';
import { quantizerOf, type GpuQuantizer } from './quantizer';

/**
 * @param picked what the files' sizes and times are told by
 * @param gpu quantizes; null, or one that is software: the CPU does
 */
export async function shrink(
  files: ModelFiles,
  picked: readonly PickedFile[],
  bits: Quantize,
  onEvent: OnEvent,
  gpu: Gpu | null,
  store = new SmallStore(),
): Promise<ModelFiles> {
  const quantizer = gpu && quantizerOf(gpu);
  try {
    return await shrinkWith(quantizer, files, picked, bits, onEvent, store);
  } finally {
    quantizer?.free();
  }
}

async function shrinkWith(
  quantizer: GpuQuantizer | null,
  files: ModelFiles,
  picked: readonly PickedFile[],
  bits: Quantize,
  onEvent: OnEvent,
  store: SmallStore,
): Promise<ModelFiles> {
  const quantize: SmallOptions['quantize'] = quantizer
    ? (...piece) => quantizer.quantize(...piece)
    : undefined;
  const { transformer, text_encoder } = files.manifest.components;
  const small = new Map<string, WeightFile>();
  const keys: string[] = [];
  let problem: string | null = null;
  for (const part of [transformer, text_encoder]) {
    const file = await files.weights!(part.file);
    const tensors =
      part.network === 'umt5'
        ? matchTensors(file, 'umt5', umt5Shapes(readUmt5Config(part.config)))
        : matchTensors(file, 'wan-transformer', wanShapes(readWanConfig(part.config)));
    const bytes = smallSize(tensors, bits);
    if (bytes === null) continue; // small already
    const { file: blob, changed } = picked.find(({ path }) => path === part.file)!;
    const key = await smallKey(file, { size: blob.size, changed }, bits);
    keys.push(key);
    const onProgress = (loaded: number, total: number) =>
      onEvent({ type: 'convert', file: file.name, loaded, total });
    try {
      const source =
        (await store.find(key, file.name)) ??
        (await store.keep({ key, name: file.name, bytes }, (write) => makeSmall(file, tensors, bits, write, { onProgress, ...(quantize && { quantize }) }), keys)); // prettier-ignore
      small.set(part.file, await readWeights(source));
    } catch (e) {
      if (!(e instanceof KinoraError) || e.code !== 'storage') throw e;
      problem = e.message;
    }
  }
  return {
    ...files,
    persisted: problem === null,
    problem,
    weights: async (path) => small.get(path) ?? files.weights!(path),
  };
}
