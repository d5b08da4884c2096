import { afterAll, expect, test } from 'vitest';
import { dequantizeQ8, f16ToF32, toF32 } from '../../src/weights/convert';
import { readWeights } from '../../src/weights/read';
import { fromBytes, type WeightFile } from '../../src/weights/source';
import { uploadWeights } from '../../src/weights/upload';
import { openTestGpu } from '../helpers/gpu';
import { fixture } from './fixtures';
import { safetensors } from './write';

const gpu = await openTestGpu();
afterAll(() => gpu.destroy());

/** Drops what no kernel computes with. */
const usable = (file: WeightFile) => (name: string) =>
  ['I64', 'Q4_0'].includes(file.tensors.get(name)!.dtype) ? null : name;

test.each([
  ['mixed.safetensors', undefined],
  ['mixed.safetensors', 8],
  ['mixed-v3.gguf', undefined],
  ['mixed-v3.gguf', 8],
  ['mixed-v3.gguf', 150],
])('%s in pieces of %s bytes: every value arrives', async (name, piece) => {
  const file = await readWeights(fixture(name));
  const seen: number[] = [];
  let whole = 0;
  const weights = await uploadWeights(gpu, file, {
    rename: usable(file),
    onUpload: (loaded, total) => (seen.push(loaded), (whole = total)),
    ...(piece && { piece }),
  });
  expect(seen.at(-1)).toBe(whole);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  if (piece) expect(seen.length).toBeGreaterThan(weights.names.length);
  for (const tensorName of weights.names) {
    const info = file.tensors.get(tensorName)!;
    const raw = await file.read(tensorName);
    const tensor = weights.get(tensorName, info.shape);
    const bytes = await gpu.readBytes(tensor);
    if (info.dtype === 'I32') {
      expect(tensor.dtype).toBe('i32');
      expect(bytes).toEqual(raw);
    } else if (info.dtype === 'Q8_0') {
      expect(tensor.dtype).toBe('q8_0');
      const scales = new Uint16Array((await gpu.readBytes({ ...tensor, storage: tensor.scales! })).buffer);
      const got = Float32Array.from(new Int8Array(bytes.buffer), (q, i) => q * f16ToF32(scales[i >> 5]!));
      expect(got).toEqual(dequantizeQ8(raw));
    } else {
      const vector = info.shape.length < 2 || info.shape[0] === 1;
      expect(tensor.dtype, tensorName).toBe(info.dtype === 'F32' || vector ? 'f32' : 'f16');
      const want = toF32(info, raw);
      const got = await gpu.read(tensor);
      // bf16 keeps 8 bits, f16 11: only what is below 2^-14 could be rounded.
      want.forEach((x, i) => expect(Math.abs(got[i]! - x) <= 2 ** -25 || Object.is(got[i], x)).toBe(true));
    }
  }
  weights.free();
});

test('frees what it took', async () => {
  const before = gpu.memory.bytes;
  const file = await readWeights(fixture('mixed-v3.gguf'));
  const weights = await uploadWeights(gpu, file, { rename: usable(file) });
  expect(gpu.memory.bytes - before).toBe(weights.bytes);
  weights.free();
  expect(gpu.memory.bytes).toBe(before);
});

test('names what is missing, misshapen, or has no kernel; leaves nothing behind', async () => {
  const before = gpu.memory.bytes;
  const file = await readWeights(fixture('mixed-v3.gguf'));
  await expect(uploadWeights(gpu, file)).rejects.toThrow(
    'mixed-v3.gguf: tensor "k4" is Q4_0; Kinora computes with',
  );
  expect(gpu.memory.bytes).toBe(before);
  await expect(uploadWeights(gpu, file, { rename: () => 'x' })).rejects.toThrow(
    'mixed-v3.gguf: "dense" and "half" are both the tensor "x"',
  );
  const weights = await uploadWeights(gpu, file, { rename: (n) => (n === 'dense' ? 'renamed' : null) });
  expect(weights.names).toEqual(['renamed']);
  expect(() => weights.get('dense')).toThrow('mixed-v3.gguf: the tensor "dense" is missing.');
  expect(() => weights.get('renamed', [2, 3, 5])).toThrow(
    'the tensor "renamed" has shape [2,3,4], but the config wants [2,3,5].',
  );
  weights.free();
});

test('bf16 that f16 cannot hold is refused as f16, and exact as f32', async () => {
  const header = { w: { dtype: 'BF16', shape: [2, 2], data_offsets: [0, 8] } };
  const data = new Uint8Array(new Uint16Array([0x3f80, 0x4780, 0xbf80, 0]).buffer); // 65536 is second
  const file = await readWeights(fromBytes('big', safetensors(header, data)));
  await expect(uploadWeights(gpu, file)).rejects.toThrow('big: tensor "w" has values over 65504');
  const weights = await uploadWeights(gpu, file, { half: 'f32' });
  expect([...(await gpu.read(weights.get('w')))]).toEqual([1, 65536, -1, 0]);
  weights.free();
});

test('can be cancelled', async () => {
  const before = gpu.memory.bytes;
  const file = await readWeights(fixture('mixed-v3.gguf'));
  const stop = new AbortController();
  const upload = uploadWeights(gpu, file, {
    rename: usable(file),
    signal: stop.signal,
    onUpload: () => stop.abort(),
  });
  await expect(upload).rejects.toMatchObject({ code: 'cancelled' });
  expect(gpu.memory.bytes).toBe(before);
});
