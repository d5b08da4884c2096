/** Small files that ask for much: [what, its bytes, words of the refusal]. */
import { arrayEntry, gguf, join, safetensors } from '../weights/write';
import { pickleFile, pickleGlobal, pickleOp as op, pickleString } from './torch-zip';

export type Bomb = [what: string, make: () => Uint8Array<ArrayBuffer>, message: string];

const repeat = (times: number, ...parts: Uint8Array[]) => {
  const one = join(parts);
  const all = new Uint8Array(one.length * times);
  for (let i = 0; i < times; i++) all.set(one, i * one.length);
  return all;
};
const DICT = pickleGlobal('collections', 'OrderedDict');

/** A list of `pairs` pairs, remembered, and then as many dictionaries of it as there is room for. */
const copies = (pairs: number, times: number) =>
  pickleFile(
    op(0x5d, 0x28),
    repeat(pairs, op(0x4b, 1, 0x4b, 2, 0x86)),
    op(0x65, 0x85, 0x71, 0, 0x30), // APPENDS, TUPLE1, BINPUT 0, POP
    DICT,
    op(0x71, 1, 0x30),
    op(0x5d, 0x28),
    repeat(times, op(0x68, 1, 0x68, 0, 0x52)),
    op(0x65),
  );

/** Forty lists, each of the one before, twice: as a text they have 2⁴⁰ commas. */
const laughs = (end: Uint8Array) =>
  pickleFile(op(0x5d), repeat(40, op(0x71, 0, 0x30, 0x68, 0, 0x68, 0, 0x86)), op(0x71, 0), end);

const PICKLES: Bomb[] = [
  ['17 KB that copy a list 4000 times', () => copies(1000, 4000), 'its pickle makes more than 500000 values'],
  ['340 KB that copy a list 40 000 times', () => copies(40_000, 40_000), 'its pickle makes more than 500000 values'], // prettier-ignore
  ['a million dictionaries', () => pickleFile(repeat(1_000_000, op(0x7d))), 'makes more than 500000 values'],
  ['a million memories of one value', () => pickleFile(op(0x4e), repeat(1_000_000, op(0x94))), 'makes more than 500000 values'], // prettier-ignore
  ['a name that is a list of lists', () => laughs(op(0x68, 0, 0x93)), 'names what is no text'],
  ['a storage whose length is a list of lists', () => laughs(join([op(0x71, 2, 0x30, 0x28), pickleString('storage'), pickleGlobal('torch', 'FloatStorage'), pickleString('0'), pickleString('cpu'), op(0x68, 2, 0x74, 0x51)])), 'does not say how many elements'], // prettier-ignore
  ['a name that every object has', () => pickleFile(pickleGlobal('torch', 'toString')), 'it wants to run "torch.toString"'], // prettier-ignore
  ['keys that are no texts, walked over and over', () => pickleFile(
    op(0x7d, 0x28), repeat(100_000, op(0x5d, 0x4e)), op(0x75, 0x71, 0, 0x30),
    op(0x5d, 0x28), repeat(100_000, op(0x68, 0)), op(0x65)), 'it holds more than 200000 values'], // prettier-ignore
  ['a key of a million characters before many others', () => pickleFile(
    op(0x7d), pickleString('k'.repeat(1_000_000)), op(0x5d, 0x28), repeat(100_000, op(0x4e)), op(0x65, 0x73)), 'has 1000000 characters, at most 1024'], // prettier-ignore
];

const EMPTY = { dtype: 'F32', shape: [0], data_offsets: [0, 0] };
const named = (n: number, of: (name: string) => string) =>
  Array.from({ length: n }, (_, i) => of(`t${i}`)).join();
const HEADERS: Bomb[] = [
  ['a GGUF of 60 000 empty tensors', () => gguf({ tensors: Array.from({ length: 60_000 }, (_, i) => ({ name: `t${i}`, dims: [0], type: 0, offset: 0 })) }), 'it says it has 60000 tensors, at most 50000'], // prettier-ignore
  ['a GGUF of 150 000 notes', () => gguf({ entries: Array.from({ length: 150_000 }, (_, i) => arrayEntry(`n${i}`, 0, op(), 0)) }), 'it says it has 150000 metadata entries'], // prettier-ignore
  ['a safetensors of 60 000 empty tensors', () => safetensors(`{${named(60_000, (name) => `"${name}":${JSON.stringify(EMPTY)}`)}}`, op()), 'it has 60000 tensors, at most 50000'], // prettier-ignore
  ['a safetensors of 500 000 empty tensors', () => safetensors(`{${named(500_000, (name) => `"${name}":{}`)}}`, op()), 'more than 800000 entries'], // prettier-ignore
  ['a safetensors of one tensor of five million axes', () => safetensors(`{"a":{"dtype":"F32","shape":[${'0,'.repeat(5e6)}0],"data_offsets":[0,0]}}`, op()), 'more than 800000 entries'], // prettier-ignore
  ['a safetensors of one tensor of 500 000 axes', () => safetensors(`{"a":{"dtype":"F32","shape":[${'0,'.repeat(5e5)}0],"data_offsets":[0,0]}}`, op()), 'tensor "a" has 500001 axes, at most 16'], // prettier-ignore
  [
    'a safetensors with a header of 33 MB',
    () => safetensors(' '.repeat(33e6), op()),
    'at most 32000000 can be',
  ],
];

export const BOMBS: readonly Bomb[] = [...PICKLES, ...HEADERS];
