/** Small forms of checkpoints: made of any format, kept in OPFS, found again, and gone when room is short. */
import { expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { matchTensors, wanShapes } from '../../src/models/tensors';
import { readWanConfig } from '../../src/models/wan-config';
import { toF32 } from '../../src/weights/convert';
import { quantizeQ8_0 } from '../../src/weights/pack';
import { readWeights } from '../../src/weights/read';
import {
  makeSmall,
  smallKey,
  smallSize,
  smallType,
  type Bits,
  type SmallType,
} from '../../src/weights/small';
import { SmallStore } from '../../src/weights/small-store';
import { fromBytes } from '../../src/weights/source';
import { family, ggufFile, inLayout, safetensorsFile, WAN } from '../helpers/wan-family';
import { FakeDisk } from './opfs';

const shapes = wanShapes(readWanConfig(WAN));
const open = async (bytes = safetensorsFile(inLayout('wan-transformer', family.transformer()), 'BF16')) => {
  const file = await readWeights(fromBytes('w.safetensors', bytes));
  return { file, tensors: matchTensors(file, 'wan-transformer', shapes) };
};

async function make(bits: Bits) {
  const { file, tensors } = await open();
  const size = smallSize(tensors, bits)!;
  const out = new Uint8Array(size);
  const order: number[] = [];
  await makeSmall(file, tensors, bits, (at, piece) => {
    order.push(at);
    out.set(piece, at);
  });
  expect(order.at(-1)).toBe(0); // its magic comes last
  return { file, tensors, size, small: await readWeights(fromBytes('small.gguf', out)) };
}

test.each(['q8_0', 'q4_0'] as const)('%s: every tensor is there, near to what it was', async (bits) => {
  const { file, tensors, small, size } = await make(bits);
  const matched = matchTensors(small, 'wan-transformer', shapes);
  expect(matched.size).toBe(tensors.size);
  let before = 0;
  for (const [name, { info }] of tensors) {
    before += info.bytes;
    const now = matched.get(name)!.info;
    const [a, b] = [toF32(info, await file.read(info.name)), toF32(now, await small.read(now.name))];
    expect(b).toHaveLength(a.length);
    const { shape } = matched.get(name)!;
    const wanted = smallType(
      name,
      bits,
      shape.slice(1).reduce((x, y) => x * y, 1),
    );
    const matrix = wanted !== null && shape.length === 2;
    expect(now.dtype, name).toBe(matrix ? wanted : info.dtype);
    const rms = Math.sqrt(a.reduce((s, v) => s + v * v, 0) / a.length);
    const error = Math.sqrt(a.reduce((s, v, i) => s + (v - b[i]!) ** 2, 0) / a.length);
    expect(error, name).toBeLessThanOrEqual(matrix ? rms * (bits === 'q8_0' ? 0.01 : 0.1) : 0);
    if (matrix) expect(error).toBeGreaterThan(0);
  }
  const types = new Set([...small.tensors.values()].map(({ dtype }) => dtype));
  // Of 4 bits Q4_K, where rows are whole blocks of it, as those of the feed-forward's second matrix.
  expect(['Q8_0', 'Q4_0', 'Q4_K'].filter((type) => types.has(type as SmallType))).toEqual(bits === 'q8_0' ? ['Q8_0'] : ['Q4_0', 'Q4_K']); // prettier-ignore
  expect(size).toBeLessThan(before * (bits === 'q8_0' ? 0.75 : 0.55)); // what is left alone is much of so small a model
});

test('blocks may be made elsewhere: of whole blocks, and only where they are wanted; what is no number is refused', async () => {
  const { file, tensors, small } = await make('q8_0');
  const asked = new Set<string>();
  const write = (out: Uint8Array) => (at: number, piece: Uint8Array) => out.set(piece, at);
  const out = new Uint8Array(smallSize(tensors, 'q8_0')!);
  const quantize = async (raw: Uint8Array, from: string, to: SmallType) => {
    asked.add(`${from} ${to}`);
    expect((raw.byteLength / 2) % 32).toBe(0);
    return quantizeQ8_0(toF32({ name: '', dtype: 'BF16' }, raw));
  };
  await makeSmall(file, tensors, 'q8_0', write(out), { quantize });
  expect([...asked]).toEqual(['BF16 Q8_0']);
  for (const [name, { dtype }] of small.tensors)
    if (dtype === 'Q8_0') expect(Buffer.from(await small.read(name)).equals(Buffer.from(await (await readWeights(fromBytes('out.gguf', out))).read(name)))).toBe(true); // prettier-ignore
  const spoilt = async (...piece: Parameters<typeof quantize>) => {
    const blocks = await quantize(...piece);
    blocks.set([0, 0x7e], blocks.byteLength - 34);
    return blocks;
  };
  await expect(makeSmall(file, tensors, 'q8_0', write(out), { quantize: spoilt })).rejects.toThrow('has values that are no numbers'); // prettier-ignore
});

test('a file that is small already is left alone', async () => {
  const { tensors } = await open(ggufFile(inLayout('wan-transformer', family.transformer()), 'Q4_0'));
  expect(smallSize(tensors, 'q4_0')).toBeNull();
});

test('the key is of this very file', async () => {
  const { file } = await open();
  const key = (change: Partial<{ size: number; changed: number }>, bits: Bits = 'q8_0') =>
    smallKey(file, { size: 9, changed: 1, ...change }, bits);
  const other = family.transformer();
  other.delete('proj_out.bias');
  const less = await readWeights(fromBytes('w.safetensors', safetensorsFile(other, 'BF16')));
  const keys = await Promise.all([key({}), key({ size: 8 }), key({ changed: 2 }), key({}, 'q4_0'), smallKey(less, { size: 9, changed: 1 }, 'q8_0')]); // prettier-ignore
  expect(new Set(keys).size).toBe(5);
  expect(await key({})).toBe(keys[0]);
});

/** A store on a disk whose quota is told. */
function storeOf(disk: FakeDisk, quota = Infinity) {
  let time = 0;
  const estimate = async () => (quota === Infinity ? {} : { quota, usage: disk.used() });
  return new SmallStore({ storage: disk.storage, estimate, now: () => ++time });
}
const file = (n: number) => Uint8Array.from({ length: n }, (_, i) => 'GGUF'.charCodeAt(i) || 7);
const form = (key: string, bytes: number) => ({ key, name: `${key}.pt`, bytes });

test('what is kept is found again; what is half-written is not', async () => {
  const disk = new FakeDisk();
  const store = storeOf(disk);
  expect(await store.find('a', 'a.pt')).toBeNull();
  await store.keep(form('a', 100), async (write) => write(0, file(100)));
  expect((await storeOf(disk).find('a', 'a.pt'))?.size).toBe(100);
  expect(await store.list()).toMatchObject([{ key: 'a', name: 'a.pt', bytes: 100 }]);

  const broken = store.keep(form('b', 50), async (write) => {
    write(4, file(46));
    throw new KinoraError('cancelled', 'enough');
  });
  await expect(broken).rejects.toMatchObject({ code: 'cancelled' });
  expect(disk.names()).toEqual(['a', 'list.json']);
  // A killed tab leaves a file without its first bytes, which goes when the next one comes.
  disk.file('a').data[0] = 0;
  expect(await store.find('a', 'a.pt')).toBeNull();
});

test('when room is short, those that were not used for longest go, and none that is needed', async () => {
  const disk = new FakeDisk();
  const store = storeOf(disk, 950);
  for (const key of ['a', 'b', 'c']) await store.keep(form(key, 200), async (write) => write(0, file(200)));
  await store.find('a', 'a.pt');
  await store.keep(form('d', 250), async (write) => write(0, file(250)), ['a']);
  expect((await store.list()).map(({ key }) => key)).toEqual(['d', 'a', 'c']);
  await store.keep(form('e', 300), async (write) => write(0, file(300)), ['d']);
  expect((await store.list()).map(({ key }) => key)).not.toContain('c');
  const error = await store.keep(form('f', 2000), async () => {}).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'storage', params: { needed: 2000 } });
  expect(disk.names()).toEqual(['list.json']);
});

test('a disk that fails, or none, is told', async () => {
  const disk = new FakeDisk();
  disk.room = 50;
  const error = await storeOf(disk).keep(form('a', 100), async (write) => write(0, file(100))).catch((e: unknown) => e); // prettier-ignore
  expect(error).toMatchObject({ code: 'storage' });
  const none = new SmallStore({ storage: () => Promise.reject(new DOMException('no', 'SecurityError')) });
  expect(await none.list()).toEqual([]);
  expect(await none.find('a', 'a')).toBeNull();
  await expect(none.keep(form('a', 1), async () => {})).rejects.toMatchObject({ code: 'storage' });
});
