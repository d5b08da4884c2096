import { expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { toF32 } from '../../src/weights/convert';
import { readSafetensors } from '../../src/weights/safetensors';
import { fromBytes } from '../../src/weights/source';
import { bitsOf, expected, fixture, fixtureBytes } from './fixtures';
import { safetensors } from './write';

const DTYPES: Record<string, string> = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int32: 'I32',
  int64: 'I64',
};

test('reads what Python wrote, bit by bit', async () => {
  const file = await readSafetensors(fixture('mixed.safetensors'));
  expect([...file.metadata]).toEqual(expect.arrayContaining([['format', 'pt'], ['note', '快']])); // prettier-ignore
  expect([...file.tensors.keys()].sort()).toEqual(Object.keys(expected.safetensors).sort());
  for (const [name, want] of Object.entries(expected.safetensors)) {
    const info = file.tensors.get(name)!;
    const bytes = await file.read(name);
    expect(info.dtype, name).toBe(DTYPES[want.dtype]);
    expect(info.shape, name).toEqual(want.shape);
    if (want.f32 !== undefined) expect(bitsOf(toF32(info, bytes)), name).toBe(want.f32);
    else if (info.dtype === 'I32') expect([...new Int32Array(bytes.buffer)]).toEqual(want.int);
    else expect([...new BigInt64Array(bytes.buffer)].map(Number)).toEqual(want.int);
  }
});

test('reads a part of a tensor', async () => {
  const file = await readSafetensors(fixture('mixed.safetensors'));
  const whole = await file.read('plain');
  expect(await file.read('plain', 8, 12)).toEqual(whole.slice(8, 20));
  await expect(file.read('plain', 56, 8)).rejects.toThrow('bytes 56 to 64 of 60');
  await expect(file.read('nothing')).rejects.toThrow('mixed.safetensors: it has no tensor "nothing".');
});

const one = (entry: object, size = 8) => safetensors({ a: entry }, new Uint8Array(size));
const f32 = (shape: unknown, offsets: unknown) => ({ dtype: 'F32', shape, data_offsets: offsets });

test.each<[string, Uint8Array<ArrayBuffer>, string | RegExp]>([
  ['nothing', new Uint8Array(3), 'at least 8 bytes, this one has 3'],
  ['header longer than the file', safetensors('{}', new Uint8Array(4), 7), 'says 7 bytes, at most 6'],
  ['header of 2^60', safetensors('{}', new Uint8Array(4), 2 ** 60), 'at most 6'],
  ['text', new TextEncoder().encode('<!doctype html><html>'), 'it is no safetensors file'],
  ['no JSON', safetensors('{"a":', new Uint8Array()), 'is not JSON'],
  ['deep JSON', safetensors('['.repeat(100_000), new Uint8Array()), 'lists within lists'],
  ['a deep shape', one(f32([[[[[[2]]]]]], [0, 8])), 'no valid shape'],
  ['17 axes', one(f32(Array(17).fill(1), [0, 4])), 'tensor "a" has 17 axes, at most 16 can be'],
  ['a type of a thousand letters', one({ dtype: 'F'.repeat(1000) }), /has type "F{79}…, which/],
  ['brackets in texts are none', one({ dtype: '[[[[[[[[[[{"\\' }), 'Kinora does not know'],
  ['no UTF-8', safetensors('{}', new Uint8Array([0xff, 0xff]), 4), 'is not JSON'],
  ['a list', safetensors('[]', new Uint8Array()), 'not a JSON object'],
  ['entry is null', safetensors('{"a":null}', new Uint8Array()), 'tensor "a" has type undefined'],
  ['unknown type', one({ dtype: 'F4', shape: [2], data_offsets: [0, 8] }), 'tensor "a" has type "F4"'],
  ['inherited name', one({ dtype: 'toString', shape: [2], data_offsets: [0, 8] }), 'has type "toString"'],
  ['negative shape', one(f32([-2], [0, 8])), 'no valid shape ([-2])'],
  ['fractional shape', one(f32([0.5, 4], [0, 8])), 'no valid shape'],
  ['overflowing shape', one(f32([2 ** 30, 2 ** 30, 16], [0, 8])), 'too many elements'],
  ['offsets of three', one(f32([2], [0, 8, 9])), 'no valid offsets'],
  ['backward offsets', one(f32([2], [8, 0])), 'needs 8 bytes, but has -8'],
  ['shape and offsets disagree', one(f32([3], [0, 8])), 'shape [3] F32 needs 12 bytes, but has 8'],
  ['past the end', one(f32([3], [0, 12])), /tensor "a" ends at byte 75, but the file has 71\./],
  ['a gap at the start', one(f32([1], [4, 8])), /starts at byte 66, but the one before ends at 62\./],
  ['bytes at the end', one(f32([1], [0, 4])), /its tensors end at byte \d+, but the file has \d+\./],
  [
    'overlap',
    safetensors({ a: f32([2], [0, 8]), b: f32([1], [4, 8]) }, new Uint8Array(8)),
    'tensor "b" starts',
  ],
  [
    'metadata not text',
    safetensors({ __metadata__: { a: 1 } }, new Uint8Array()),
    'metadata "a" is not text',
  ],
])('refuses: %s', async (_, bytes, message) => {
  const error = await readSafetensors(fromBytes('x.safetensors', bytes)).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(KinoraError);
  expect((error as KinoraError).code).toBe('bad-model');
  expect((error as KinoraError).message).toMatch(/^x\.safetensors: /);
  if (typeof message === 'string') expect((error as KinoraError).message).toContain(message);
  else expect((error as KinoraError).message).toMatch(message);
});

test('refuses every cut of a good file', async () => {
  const bytes = fixtureBytes('mixed.safetensors');
  for (let n = 0; n < bytes.length; n++) {
    const cut = readSafetensors(fromBytes('cut', bytes.slice(0, n)));
    await expect(cut, `${n} bytes`).rejects.toBeInstanceOf(KinoraError);
  }
});

test('asks for no more than the header', async () => {
  const bytes = fixtureBytes('mixed.safetensors');
  let most = 0;
  const source = fromBytes('x', bytes);
  const watched = {
    ...source,
    read: (o: number, n: number) => ((most = Math.max(most, o + n)), source.read(o, n)),
  };
  await readSafetensors(watched);
  expect(most).toBe(8 + Number(new DataView(bytes.buffer).getBigUint64(0, true)));
});
