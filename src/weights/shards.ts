/**
 * A checkpoint cut into several files, with an index that says which tensor is where
 * [huggingface/transformers `model.safetensors.index.json`, diffusers
 * `diffusion_pytorch_model.safetensors.index.json`].
 */
import { KinoraError } from '../errors';
import { readStored } from './read';
import { servedBy, withScales } from './scaled';
import { damaged, type ByteSource, type TensorInfo, type WeightFile } from './source';

/** Files that one index may name. */
const MAX_SHARDS = 256;

/** The files that an index names. Throws `bad-model` when it is no index. */
export function shardNames(name: string, index: unknown): string[] {
  return [...new Set(readIndex(name, index).values())];
}

/**
 * Opens every file of an index as if they were one. Scales may be in another file than their tensors, and the index may
 * leave them out.
 * @param open finds a file by the name that the index gives; null when it is not there
 * @throws KinoraError `bad-model` naming missing files, and tensors that are not where they should be
 */
export async function readSharded(
  name: string,
  index: unknown,
  open: (file: string) => Promise<ByteSource | null> | ByteSource | null,
): Promise<WeightFile> {
  const map = readIndex(name, index);
  const files = new Map<string, WeightFile>();
  const absent: string[] = [];
  for (const file of new Set(map.values())) {
    const source = await open(file);
    if (source) files.set(file, await readStored(source));
    else absent.push(file);
  }
  if (absent.length)
    throw damaged(name, `it names ${absent.length} files that are not here: ${absent.slice(0, 8).join(', ')}. Open them together with it.`); // prettier-ignore
  const tensors = new Map<string, TensorInfo>();
  const owner = new Map<string, WeightFile>();
  for (const [tensor, file] of map) {
    const shard = files.get(file)!;
    const info = shard.tensors.get(tensor);
    if (!info) throw damaged(name, `the tensor "${tensor}" should be in ${file}, but is not.`, { tensor });
    owner.set(tensor, shard);
    tensors.set(tensor, info);
  }
  for (const [tensor, shard] of unlisted(name, files, map)) {
    owner.set(tensor, shard);
    tensors.set(tensor, shard.tensors.get(tensor)!);
  }
  return withScales({
    name,
    tensors,
    metadata: new Map(),
    async read(tensor, offset, length) {
      const shard = owner.get(tensor);
      if (!shard) throw damaged(name, `it has no tensor "${tensor}".`, { tensor });
      return shard.read(tensor, offset, length);
    },
  });
}

/**
 * What belongs to tensors of the index and is not in it itself: some programs list the weights only. Without their scales
 * these would be other numbers.
 * @throws KinoraError `bad-model` when two files have it and neither has its tensor: which one counts is not told
 */
function unlisted(
  name: string,
  files: ReadonlyMap<string, WeightFile>,
  map: ReadonlyMap<string, string>,
): Map<string, WeightFile> {
  const holders = new Map<string, string[]>();
  for (const [file, { tensors }] of files)
    for (const tensor of tensors.keys()) {
      const served = servedBy(tensor); // '': a mark of the whole file, which each part may have
      if (!map.has(tensor) && served !== null && (served === '' || map.has(served)))
        holders.set(tensor, [...(holders.get(tensor) ?? []), file]);
    }
  const found = new Map<string, WeightFile>();
  for (const [tensor, all] of holders) {
    const home = all.find((file) => file === map.get(servedBy(tensor)!));
    if (!home && all.length > 1 && servedBy(tensor) !== '')
      throw damaged(name, `"${tensor}" is in ${all.join(' and ')}, and nothing says which of them counts.`, { tensor }); // prettier-ignore
    found.set(tensor, files.get(home ?? all[0]!)!);
  }
  return found;
}

function readIndex(name: string, index: unknown): Map<string, string> {
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new KinoraError('bad-model', `${name}: it is no index of a checkpoint ("weight_map" is missing).`, { file: name }); // prettier-ignore
  const entries = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || file === '' || /[/\\:?#%]|^\.+$/.test(file))
      throw damaged(name, `tensor "${tensor}" is in ${JSON.stringify(file)}, which is no file name.`, {
        tensor,
      });
    entries.set(tensor, file);
  }
  if (entries.size === 0) throw damaged(name, 'it names no tensors.');
  if (new Set(entries.values()).size > MAX_SHARDS)
    throw damaged(name, `it names more than ${MAX_SHARDS} files.`);
  return entries;
}
