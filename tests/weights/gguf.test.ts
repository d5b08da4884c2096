import { expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { toF32 } from '../../src/weights/convert';
import { readGguf } from '../../src/weights/gguf';
import { readWeights } from '../../src/weights/read';
import { fromBytes } from '../../src/weights/source';
import { bitsOf, expected, fixture, fixtureBytes } from './fixtures';
import { arrayEntry, entry, gguf, ggufText, textEntry, u32, u64, type GgufTensor } from './write';

test.each(['v2', 'v3'] as const)('reads what gguf-py wrote (%s), bit by bit', async (version) => {
  const file = await readGguf(fixture(`mixed-${version}.gguf`));
  const want = expected.gguf[version];
  expect([...file.tensors.keys()]).toEqual(Object.keys(want));
  for (const [name, e] of Object.entries(want)) {
    const info = file.tensors.get(name)!;
    expect(info, name).toEqual({ name, dtype: e.dtype, shape: e.shape, offset: e.offset, bytes: e.bytes });
    const bytes = await file.read(name);
    if (e.int) expect([...new Int32Array(bytes.buffer)]).toEqual(e.int);
    else expect(bitsOf(toF32(info, bytes)), name).toBe(e.f32);
  }
});

test('reads every kind of metadata', async () => {
  const { metadata } = await readGguf(fixture('mixed-v3.gguf'));
  const values = Object.fromEntries([...metadata].filter(([key]) => key.startsWith('k.')));
  expect(values).toEqual({
    'k.u8': 200,
    'k.i8': -3,
    'k.i16': -300,
    'k.i32': -70000,
    'k.u64': 2n ** 63n,
    'k.i64': -(2 ** 40),
    'k.f32': 0.5,
    'k.f64': 0.1,
    'k.bool': true,
    'k.words': ['a', '', '火'],
    'k.numbers': Int32Array.of(1, 2, 3),
    'k.reals': Float32Array.of(0.25, -1),
  });
  expect(metadata.get('general.architecture')).toBe('wan');
});

test('restores the shape that ComfyUI-GGUF notes', async () => {
  const file = await readGguf(fixture('mixed-v3.gguf'));
  expect(file.tensors.get('patch.weight')!.shape).toEqual([6, 4, 1, 2, 2]);
});

test('reads on when the header is longer than the first read', async () => {
  const words = Array.from({ length: 50_000 }, (_, i) => ggufText(`word number ${i}`.padEnd(40)));
  const bytes = gguf({
    entries: [arrayEntry('words', 8, new Uint8Array(Buffer.concat(words)), words.length)],
    tensors: [{ name: 'a', dims: [2], type: 0, offset: 0 }],
    data: new Uint8Array(8).fill(1),
  });
  expect(bytes.length).toBeGreaterThan(2 ** 21);
  const file = await readGguf(fromBytes('long', bytes));
  expect((file.metadata.get('words') as string[])[49_999]!.trim()).toBe('word number 49999');
  expect(await file.read('a')).toEqual(new Uint8Array(8).fill(1));
});

test('names a type that cannot be computed with', () => {
  expect(() => toF32({ name: 'x', dtype: 'IQ4_NL' }, new Uint8Array(18), 'm.gguf')).toThrow(
    'm.gguf: tensor "x" is IQ4_NL; Kinora computes',
  );
});

const t = (over: Partial<GgufTensor> = {}): GgufTensor => ({
  name: 'a',
  dims: [4],
  type: 0,
  offset: 0,
  ...over,
});
const withTensors = (tensors: GgufTensor[], size = 64) => gguf({ tensors, data: new Uint8Array(size) });
const huge = 2n ** 63n;

test.each<[string, Uint8Array<ArrayBuffer>, string | RegExp]>([
  ['nothing', new Uint8Array(), 'at least 24 bytes, this one has 0'],
  ['other magic', gguf({ magic: 'GGML' }), 'the first bytes are not "GGUF"'],
  ['version 1', gguf({ version: 1 }), 'has GGUF version 1; Kinora reads 2 and 3'],
  ['big-endian', gguf({ version: 0x03000000 }), 'big-endian'],
  ['2^63 tensors', gguf({ tensorCount: huge }), 'which cannot be'],
  [
    '10^9 tensors',
    gguf({ tensorCount: 1e9 }),
    'it has 1000000000 tensors, but the file has room for at most',
  ],
  [
    '10^9 entries',
    gguf({ entryCount: 1e9 }),
    '1000000000 metadata entries, but the file has room for at most',
  ],
  [
    'long key',
    gguf({ entries: [u64(1e6)], entryCount: 1, data: new Uint8Array(64) }),
    /a metadata key ends at byte 10000\d\d, but the file has/,
  ],
  [
    'key of 2^63',
    gguf({ entries: [u64(huge)], entryCount: 1, data: new Uint8Array(64) }),
    'the length of a metadata key says',
  ],
  ['key twice', gguf({ entries: [textEntry('x', 'a'), textEntry('x', 'b')] }), 'metadata "x" is there twice'],
  [
    'no UTF-8',
    gguf({ entries: [entry('x', 8, new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0xff]))] }),
    'is not UTF-8',
  ],
  ['unknown value type', gguf({ entries: [entry('x', 13, u64(0))] }), 'metadata "x" has the unknown type 13'],
  ['list of lists', gguf({ entries: [arrayEntry('x', 9, u64(0), 1)] }), 'a list of lists'],
  [
    'long list',
    gguf({ entries: [arrayEntry('x', 4, u64(0), 1e12)] }),
    '1000000000000 values in the metadata "x"',
  ],
  ['long text list', gguf({ entries: [arrayEntry('x', 8, u64(0), 1e12)] }), '1000000000000 texts in'],
  ['bools of 2', gguf({ entries: [arrayEntry('x', 7, new Uint8Array([1, 2]), 2)] }), 'neither 0 nor 1'],
  ['bool of 2', gguf({ entries: [entry('x', 7, new Uint8Array([2]))] }), 'a yes/no value of 2'],
  ['alignment 0', gguf({ entries: [entry('general.alignment', 4, u32(0))] }), 'its alignment is 0'],
  ['alignment 48', gguf({ entries: [entry('general.alignment', 4, u32(48))] }), 'its alignment is 48'],
  ['alignment a word', gguf({ entries: [textEntry('general.alignment', 'x')] }), 'its alignment is x'],
  ['five axes', withTensors([t({ dims: [1, 1, 1, 1, 1] })]), 'tensor "a" has 5 axes, at most 4'],
  [
    'four billion axes',
    withTensors([{ ...t(), dims: [] }]).fill(0xff, 24 + 9, 24 + 13),
    /has 4294967295 axes/,
  ],
  ['axis of 2^63', withTensors([t({ dims: [huge] })]), 'the shape of tensor "a" says'],
  ['overflowing shape', withTensors([t({ dims: [2 ** 40, 2 ** 40] })]), 'too many elements'],
  ['removed type', withTensors([t({ type: 4 })]), 'tensor "a" has the unknown ggml type 4'],
  [
    'half a block',
    withTensors([t({ dims: [48], type: 8 })]),
    'is Q8_0 with rows of 48, not a multiple of 32',
  ],
  ['crooked offset', withTensors([t({ offset: 8 })]), 'tensor "a" starts at 8, not a multiple of 32'],
  ['past the end', withTensors([t({ dims: [17] })]), /tensor "a" ends at byte 132, but the file has 128\./],
  [
    'offset past the end',
    withTensors([t({ offset: 2 ** 50 })]),
    /ends at byte 1125899906842704, but the file has 128\./,
  ],
  [
    'overlap',
    withTensors([t({ dims: [16] }), t({ name: 'b', offset: 32 })]),
    /tensor "b" starts at byte \d+, inside/,
  ],
  ['name twice', withTensors([t(), t({ offset: 32 })]), 'tensor "a" is there twice'],
  ['false original shape', gguf({ entries: [arrayEntry('comfy.gguf.orig_shape.a', 5, u64(5), 2)], tensors: [t()], data: new Uint8Array(16) }), 'has 4 elements, but its original shape is [5,0]'], // prettier-ignore
])('refuses: %s', async (_, bytes, message) => {
  const error = await readGguf(fromBytes('x.gguf', bytes)).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(KinoraError);
  expect((error as KinoraError).code).toBe('bad-model');
  expect((error as KinoraError).message).toMatch(/^x\.gguf: /);
  if (typeof message === 'string') expect((error as KinoraError).message).toContain(message);
  else expect((error as KinoraError).message).toMatch(message);
});

test('refuses every cut of a good file', async () => {
  const bytes = fixtureBytes('mixed-v3.gguf');
  // The last tensor is padded to the alignment; only its own bytes must be there.
  const end = Math.max(...Object.values(expected.gguf.v3).map((e) => e.offset! + e.bytes!));
  for (let n = 0; n < end; n++) {
    const cut = readGguf(fromBytes('cut', bytes.slice(0, n)));
    await expect(cut, `${n} bytes`).rejects.toBeInstanceOf(KinoraError);
  }
});

test('damaged bytes give an answer or a clear error', async () => {
  let state = 1;
  const random = (n: number) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
  for (const name of ['mixed-v3.gguf', 'mixed.safetensors'])
    for (let i = 0; i < 2000; i++) {
      const bytes = fixtureBytes(name);
      for (let k = random(4); k >= 0; k--) bytes[random(bytes.length)] = random(256);
      try {
        const file = await readWeights(fromBytes(name, bytes));
        for (const [tensor, info] of file.tensors)
          expect((await file.read(tensor)).byteLength).toBe(info.bytes);
      } catch (e) {
        expect(e).toBeInstanceOf(KinoraError);
      }
    }
});

test('tells formats apart by content', async () => {
  expect((await readWeights(fixture('mixed-v2.gguf'))).tensors.size).toBe(7);
  expect((await readWeights(fixture('mixed.safetensors'))).tensors.size).toBe(9);
  const zip = fromBytes('x.pt', new TextEncoder().encode('PK\x03\x04..................'));
  await expect(readWeights(zip)).rejects.toThrow('it has no end record');
});
