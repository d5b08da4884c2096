/**
 * PyTorch checkpoints (`torch.save`, since 1.6): a zip of data.pkl, which says what tensors there are, and
 * data/0, data/1 …, their bytes as they are [pytorch `torch/serialization.py`]. Nested dictionaries become
 * names with dots: {"generator": {"model.x": …}} is "generator.model.x".
 */
import { countElements, LAYOUTS, MAX_TENSORS } from './dtypes';
import { unpickle } from './pickle';
import type { PickledTensor } from './pickled-tensors';
import {
  damaged,
  readExactly,
  weightFile,
  type ByteSource,
  type TensorInfo,
  type WeightFile,
} from './source';
import { dataOffset, readZip, type ZipEntry } from './zip';

/** The 825 tensors of Wan 1.3B take some 150 kB. */
const MAX_PICKLE = 16 << 20;
/** Against dictionaries that contain themselves, or each other many times over. */
const MAX_DEPTH = 16;
const MAX_VALUES = 200_000;
/** Characters of a tensor's name: each is a text of its own, however much of it the file says once for all. */
const MAX_NAME = 1024;
/** Headers read at once. */
const TOGETHER = 16;

/** Reads what tensors there are. Throws `bad-model` naming the file, and the tensor or the refused name. */
export async function readTorch(source: ByteSource): Promise<WeightFile> {
  const fail = (problem: string, params = {}) => damaged(source.name, problem, params);
  const entries = await readZip(source);
  if ([...entries.keys()].some((name) => /(^|\/)constants\.pkl$/.test(name)))
    throw fail('it is a TorchScript program, not a checkpoint. Save its state dict with torch.save.');
  const pickle = [...entries.values()].find(({ name }) => /^([^/]+\/)?data\.pkl$/.test(name));
  if (!pickle) throw fail('it is a zip file, but not a PyTorch checkpoint: it has no data.pkl.');
  if (pickle.bytes > MAX_PICKLE)
    throw fail(`its data.pkl has ${pickle.bytes} bytes, at most ${MAX_PICKLE} are read.`);
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  const order = entries.get(`${folder}byteorder`);
  if (order && order.bytes < 16 && (await readText(source, order)) === 'big')
    throw fail('it was saved on a big-endian machine; Kinora reads little-endian files.');

  const bytes = await readExactly(source, await dataOffset(source, pickle), pickle.bytes);
  const found = collect(unpickle(bytes, fail), fail);
  if (found.size === 0) throw fail('it holds no tensors.');
  const storages = await findStorages(source, folder, entries, found);
  const tensors = new Map<string, TensorInfo>();
  for (const [name, tensor] of found)
    tensors.set(name, place(name, tensor, storages.get(tensor.storage.key)!, fail));
  return weightFile(source, tensors, new Map());
}

type Fail = (problem: string, params?: Record<string, string | number>) => Error;

async function readText(source: ByteSource, entry: ZipEntry): Promise<string> {
  return new TextDecoder().decode(await readExactly(source, await dataOffset(source, entry), entry.bytes));
}

/** All tensors by their path. */
function collect(root: unknown, fail: Fail): Map<string, PickledTensor> {
  const found = new Map<string, PickledTensor>();
  let values = 0;
  const walk = (value: unknown, path: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw fail(`its dictionaries are more than ${MAX_DEPTH} deep.`);
    if (path.length > MAX_NAME)
      throw fail(`the name of a tensor begins with "${path.slice(0, 40)}" and has ${path.length} characters, at most ${MAX_NAME} can be.`); // prettier-ignore
    if (value instanceof Map || Array.isArray(value)) {
      for (const [key, inner] of value.entries()) {
        if (++values > MAX_VALUES) throw fail(`it holds more than ${MAX_VALUES} values.`);
        if (typeof key !== 'string' && typeof key !== 'number') continue;
        walk(inner, path === '' ? String(key) : `${path}.${key}`, depth + 1);
      }
    } else if ((value as PickledTensor | null)?.kind === 'tensor') {
      if (found.has(path)) throw fail(`tensor "${path}" is there twice.`, { tensor: path });
      found.set(path, value as PickledTensor);
      if (found.size > MAX_TENSORS) throw fail(`it holds more than ${MAX_TENSORS} tensors.`);
    }
  };
  walk(root, '', 0);
  return found;
}

interface Place {
  /** From the start of the file. */
  offset: number;
  bytes: number;
}

async function findStorages(
  source: ByteSource,
  folder: string,
  entries: ReadonlyMap<string, ZipEntry>,
  tensors: ReadonlyMap<string, PickledTensor>,
): Promise<Map<string, Place>> {
  const wanted = new Map<string, ZipEntry>();
  for (const [name, { storage }] of tensors) {
    const entry = entries.get(`${folder}data/${storage.key}`);
    if (!entry)
      throw damaged(source.name, `tensor "${name}" is in "data/${storage.key.slice(0, 40)}", which is missing.`, { tensor: name }); // prettier-ignore
    wanted.set(storage.key, entry);
  }
  const places = new Map<string, Place>();
  const all = [...wanted];
  for (let i = 0; i < all.length; i += TOGETHER)
    await Promise.all(
      all.slice(i, i + TOGETHER).map(async ([key, entry]) => {
        places.set(key, { offset: await dataOffset(source, entry), bytes: entry.bytes });
      }),
    );
  return places;
}

function place(name: string, t: PickledTensor, storage: Place, fail: Fail): TensorInfo {
  const at = `tensor "${name}"`;
  const elements = countElements(t.shape);
  if (elements === null) throw fail(`${at} has too many elements ([${t.shape}]).`, { tensor: name });
  let step = 1;
  for (let i = t.shape.length - 1; i >= 0; i--) {
    if (t.shape[i]! > 1 && elements > 0 && t.strides[i] !== step)
      throw fail(
        `${at} with shape [${t.shape}] has strides [${t.strides}]: it is a view of another. Save it with .contiguous().`,
        { tensor: name },
      );
    step *= t.shape[i]!;
  }
  const { bytes: width } = LAYOUTS[t.dtype];
  const [start, bytes] = [t.offset * width, elements * width];
  if (!Number.isSafeInteger(start) || start + bytes > storage.bytes)
    throw fail(`${at} ends at byte ${start + bytes} of its storage, which has ${storage.bytes}.`, {
      tensor: name,
      end: start + bytes,
      size: storage.bytes,
    });
  return { name, dtype: t.dtype, shape: t.shape, offset: storage.offset + start, bytes };
}
