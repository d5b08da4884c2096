/**
 * What PyTorch's names in a pickle stand for: types of numbers, storages, and the tensors that are views of them
 * [`torch/_utils.py`, `torch/serialization.py`]. Whatever a file says of them is checked here; nothing of it is run.
 */
import { MAX_AXES, type FileDType } from './dtypes';

type Fail = (problem: string) => Error;

/** A storage of PyTorch: the zip entry data/<key>. */
export interface PickledStorage {
  readonly kind: 'storage';
  readonly key: string;
  /** Null for untyped storages, where the tensor says it. */
  readonly dtype: FileDType | null;
  /** Elements; bytes of an untyped storage. */
  readonly elements: number;
}

export interface PickledTensor {
  readonly kind: 'tensor';
  readonly storage: PickledStorage;
  readonly dtype: FileDType;
  /** Elements before the first. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A name that the pickle took from a module, whole. */
export interface Global {
  readonly kind: 'global';
  readonly name: string;
}

const STORAGES: Readonly<Record<string, FileDType>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};
const DTYPES: Readonly<Record<string, FileDType>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
const UNTYPED = new Set(['torch.storage.UntypedStorage', 'torch.UntypedStorage']);

/** Of the tables' own names: `toString` is none. */
const lookUp = (table: Readonly<Record<string, FileDType>>, name: string): FileDType | null => {
  const short = name.replace('torch.', '');
  return Object.hasOwn(table, short) ? table[short]! : null;
};

/** Whether a whole name, such as "torch.FloatStorage", is that of a type of numbers or of storages. */
export function isTorchType(name: string): boolean {
  if (UNTYPED.has(name)) return true;
  return /^torch\.\w+$/.test(name) && (lookUp(STORAGES, name) ?? lookUp(DTYPES, name)) !== null;
}

/**
 * What `torch._utils._rebuild_tensor_v2` makes, or `_v3` (`typed`).
 * @param args (storage, offset, shape, strides, …[, dtype])
 * @param at byte of the pickle, for the message
 */
export function tensorOf(args: readonly unknown[], typed: boolean, at: number, fail: Fail): PickledTensor {
  const [storage, offset, shape, strides] = args as [PickledStorage | null, unknown, unknown, unknown];
  const naturals = (v: unknown): v is number[] =>
    Array.isArray(v) && v.length <= MAX_AXES && v.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (storage?.kind !== 'storage' || !naturals([offset]) || !naturals(shape) || !naturals(strides))
    throw fail(`a tensor in its pickle is damaged, at byte ${at}.`);
  if (shape.length !== strides.length)
    throw fail(`a tensor in its pickle has shape [${shape}] and strides [${strides}].`);
  const last = typed ? (args[6] as Global | null) : null;
  const dtype = last?.kind === 'global' ? lookUp(DTYPES, last.name) : storage.dtype;
  if (!dtype) throw fail('a tensor in its pickle has no type that Kinora knows.');
  return {
    kind: 'tensor',
    storage,
    dtype,
    offset: offset as number,
    shape: [...shape],
    strides: [...strides],
  };
}

/**
 * What stands for a persistent id.
 * @param id ('storage', type, key, location, elements)
 * @param at byte of the pickle, for the message
 */
export function storageOf(id: unknown, at: number, fail: Fail): PickledStorage {
  const [tag, type, key, , elements] = (Array.isArray(id) ? id : []) as unknown[];
  const name = (type as Global | null | undefined)?.kind === 'global' ? (type as Global).name : '';
  const dtype = lookUp(STORAGES, name);
  if (tag !== 'storage' || (!dtype && !UNTYPED.has(name)) || typeof key !== 'string')
    throw fail(`a storage in its pickle is damaged, at byte ${at}.`);
  if (!Number.isSafeInteger(elements) || (elements as number) < 0)
    throw fail(`the storage ${key.slice(0, 40)} in its pickle does not say how many elements it has.`);
  return { kind: 'storage', key, dtype, elements: elements as number };
}
