/** Writes what `torch.save` of a state dict writes: a zip of data.pkl and data/0, data/1 … For tests only. */
import { join, u32 } from '../weights/write';
import type { Tensors } from './wan-family';

const ascii = (text: string) => new TextEncoder().encode(text);
const op = (...bytes: number[]) => Uint8Array.from(bytes);
const global = (module: string, name: string) => ascii(`c${module}\n${name}\n`);
const string = (text: string) => join([op(0x58), u32(ascii(text).length), ascii(text)]);
const int = (n: number) => join([op(0x4a), u32(n)]);
const EMPTY = join([global('collections', 'OrderedDict'), op(0x29, 0x52)]); // an empty OrderedDict
const MARK = op(0x28);
const TUPLE = op(0x74);

/** An OrderedDict of name → `_rebuild_tensor_v2`, all F32, whose storages are `first` and those after it. */
function dictOf(tensors: Tensors, first = 0): Uint8Array {
  const items = [...tensors].map(([name, { shape, values }], i) => {
    const storage = join([MARK, string('storage'), global('torch', 'FloatStorage'), string(String(first + i)), string('cpu'), int(values.length), TUPLE, op(0x51)]); // prettier-ignore
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const args = join([MARK, storage, int(0), MARK, ...shape.map(int), TUPLE, MARK, ...strides.map(int), TUPLE, op(0x89), EMPTY, TUPLE]); // prettier-ignore
    return join([string(name), global('torch._utils', '_rebuild_tensor_v2'), args, op(0x52)]);
  });
  return join([EMPTY, MARK, ...items, op(0x75)]);
}

/** Protocol 2. `under`: nested under these keys. */
function pickle(tensors: Tensors, under: readonly string[]): Uint8Array {
  const nested = under.reduceRight(
    (inner, key) => join([op(0x7d), string(key), inner, op(0x73)]),
    dictOf(tensors),
  );
  return join([op(0x80, 2), nested, op(0x2e)]);
}

const u16 = (n: number) => new Uint8Array(new Uint16Array([n]).buffer);

/** A zip of stored entries; checksums are left at 0, which nobody here looks at. */
function zip(entries: readonly (readonly [string, Uint8Array])[]): Uint8Array<ArrayBuffer> {
  const local: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  for (const [name, data] of entries) {
    const path = ascii(name);
    const sizes = [u32(0), u32(data.length), u32(data.length), u16(path.length), u16(0)];
    const head = join([u32(0x04034b50), u16(20), u16(0), u16(0), u32(0), ...sizes, path]);
    const rest = [u16(0), u16(0), u16(0), u32(0), u32(at), path];
    central.push(join([u32(0x02014b50), u16(20), u16(20), u16(0), u16(0), u32(0), ...sizes, ...rest]));
    local.push(head, data);
    at += head.length + data.length;
  }
  const directory = join(central);
  const counts = [u16(0), u16(0), u16(entries.length), u16(entries.length)];
  return join([...local, directory, u32(0x06054b50), ...counts, u32(directory.length), u32(at), u16(0)]);
}

/** A checkpoint of this pickle and nothing else, e.g. of one that no PyTorch would write. */
export const pickleFile = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> =>
  zip([['a/data.pkl', join([op(0x80, 2), ...parts, op(0x2e)])]]);
export { global as pickleGlobal, op as pickleOp, string as pickleString };

const dataOf = (all: readonly Tensors[]) =>
  all.flatMap((tensors) => [...tensors.values()]).map(({ values }, i): [string, Uint8Array] => [`a/data/${i}`, new Uint8Array(values.buffer)]); // prettier-ignore

export function torchFile(tensors: Tensors, under: readonly string[] = []): Uint8Array<ArrayBuffer> {
  return zip([['a/data.pkl', pickle(tensors, under)], ...dataOf([tensors]), ['a/version', ascii('3\n')]]);
}

/** What a training saves: a dict of state dicts, and the step it had come to. */
export function trainingFile(
  parts: Readonly<Record<string, Tensors>>,
  step: number,
): Uint8Array<ArrayBuffer> {
  let first = 0;
  const items = Object.entries(parts).map(([key, tensors]) => {
    const dict = dictOf(tensors, first);
    first += tensors.size;
    return join([string(key), dict]);
  });
  const whole = join([op(0x80, 2), op(0x7d), MARK, ...items, string('step'), int(step), op(0x75, 0x2e)]);
  return zip([['a/data.pkl', whole], ...dataOf(Object.values(parts)), ['a/version', ascii('3\n')]]);
}
