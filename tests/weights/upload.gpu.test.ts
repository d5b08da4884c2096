import { afterAll, expect, test } from 'vitest';
import { dequantizeQ8, f16ToF32, toF32 } from '../../src/weights/convert';
import { readWeights } from '../../src/weights/read';
import { readScale } from '../../src/weights/scaled';
import { fromBytes, type ByteSource, type WeightFile } from '../../src/weights/source';
import { quantizeQ4_0 } from '../../src/weights/pack';
import { quantizeQ4_K } from '../../src/weights/pack-q4k';
import type { SmallType } from '../../src/weights/small';
import { plannedBytes, uploadWeights, type UploadOptions } from '../../src/weights/upload';
import { GpuQuantizer } from '../../src/pipeline/quantizer';
import { Run } from '../../src/gpu/run';
import type { Tensor } from '../../src/gpu/tensor';
import { matmul } from '../../src/ops/matmul';
import { openTestGpu } from '../helpers/gpu';
import { random } from '../helpers/tensors';
import { fixture } from './fixtures';
import { gguf, safetensors } from './write';

const gpu = await openTestGpu();
afterAll(() => gpu.destroy());

/** What kernels read of a quantized tensor: x · wᵀ with x the identity. */
async function dequantized(t: Tensor): Promise<Float32Array> {
  const [N, K] = t.shape as [number, number];
  const run = new Run(gpu);
  const one = run.input(
    Float32Array.from({ length: K * K }, (_, i) => (i % (K + 1) ? 0 : 1)),
    [K, K],
    'I',
    'f32',
  );
  const columns = await run.read(matmul(run, one, t, { dtype: 'f32' })); // [K, N]
  run.destroy();
  return Float32Array.from({ length: N * K }, (_, i) => columns[(i % K) * N + Math.floor(i / K)]!);
}

const maxOf = (values: Float32Array) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

test.each(['quants.gguf', 'fp8.safetensors'])(
  '%s: every quantized type arrives, whole or in pieces',
  async (name) => {
    const file = await readWeights(fixture(`formats/${name}`));
    const matrices = [...file.tensors.values()].filter(({ shape }) => shape.length === 2).map((t) => t.name);
    expect(matrices.length).toBeGreaterThan(1);
    for (const piece of [1, 1 << 20]) {
      const weights = await uploadWeights(gpu, file, {
        rename: (n) => (matrices.includes(n) ? n : null),
        piece,
      });
      for (const matrix of matrices) {
        const info = file.tensors.get(matrix)!;
        const scale = await readScale(file, info);
        const row = info.shape[1]!;
        const want = toF32(info, await file.read(matrix)).map(
          (v, i) => v * (scale?.[scale.length === 1 ? 0 : Math.floor(i / row)] ?? 1),
        );
        const got = await dequantized(weights.get(matrix));
        // What has no kernel becomes q8_0 (a 254th of its block's range), per-row scales f16.
        const converted = /^(q4_1|q5_0|q5_1|q2_k|q3_k)/.test(matrix);
        const slack = converted
          ? maxOf(want) / 200
          : matrix === 'rows.weight'
            ? maxOf(want) * 2 ** -11
            : maxOf(want) * 2 ** -22;
        expect(weights.get(matrix).dtype).toBe(
          converted ? 'q8_0' : matrix === 'rows.weight' ? 'f16' : info.dtype.toLowerCase(),
        );
        got.forEach((v, i) => {
          if (!(Math.abs(v - want[i]!) <= slack)) throw new Error(`${matrix} ${i}: ${v}, not ${want[i]}`);
        });
      }
      weights.free();
    }
  },
);

test('types that no kernel reads arrive to the bit where exactness is asked for', async () => {
  const file = await readWeights(fixture('formats/quants.gguf'));
  const without = [...file.tensors.values()].filter(({ dtype }) =>
    /^(Q4_1|Q5_0|Q5_1|Q2_K|Q3_K)$/.test(dtype),
  );
  expect(without).toHaveLength(5);
  const weights = await uploadWeights(gpu, file, { exact: true });
  for (const info of without) {
    expect(weights.get(info.name).dtype).toBe('f32');
    expect(await gpu.read(weights.get(info.name))).toEqual(toF32(info, await file.read(info.name)));
  }
  expect(weights.get('q8_0.weight').dtype).toBe('q8_0');
  weights.free();
});

test('quantizes on the way: q8_0 and q4_0 within half a step', async () => {
  const values = random(8 * 64, 5);
  const header = { w: { dtype: 'F32', shape: [8, 64], data_offsets: [0, 2048] } };
  const file = await readWeights(fromBytes('f', safetensors(header, new Uint8Array(values.buffer))));
  for (const [dtype, step] of [
    ['q8_0', 1 / 127],
    ['q4_0', 1 / 8],
  ] as const) {
    const weights = await uploadWeights(gpu, file, {
      quantize: () => dtype.toUpperCase() as SmallType,
      piece: 600,
    });
    expect(weights.get('w').dtype).toBe(dtype);
    const got = await dequantized(weights.get('w'));
    got.forEach((v, i) => {
      const block = maxOf(values.subarray(i - (i % 32), i - (i % 32) + 32));
      // The far end of a q4_0 block may be a whole step off: 15 − 8 is 7, not 8.
      expect(Math.abs(v - values[i]!)).toBeLessThanOrEqual(block * step * (dtype === 'q4_0' ? 1.01 : 0.54));
    });
    weights.free();
  }
});

test('what another quantizes on the way comes to the same; what is patched is not asked of it', async () => {
  const gpuQuantizer = new GpuQuantizer(gpu);
  try {
    for (const [type, row, pieces] of [
      ['Q8_0', 96, 2],
      ['Q4_0', 96, 2],
      ['Q4_K', 256, 3],
    ] as const) {
      // prettier-ignore
      const values = random(6 * row, 5);
      const header = { w: { dtype: 'F32', shape: [6, row], data_offsets: [0, 24 * row] } };
      const file = await readWeights(fromBytes('f', safetensors(header, new Uint8Array(values.buffer))));
      let asked = 0;
      const quantizer = (...piece: Parameters<GpuQuantizer['quantize']>) => (asked++, gpuQuantizer.quantize(...piece)); // prettier-ignore
      const read = async (options: UploadOptions) => {
        const weights = await uploadWeights(gpu, file, { quantize: () => type, piece: 600, ...options });
        expect(weights.get('w').dtype).toBe(options.patch ? 'q8_0' : type.toLowerCase());
        const got = await dequantized(weights.get('w'));
        weights.free();
        return got;
      };
      const off = (made: Float32Array, from: Float32Array) => Math.sqrt(made.reduce((sum, v, i) => sum + (v - from[i]!) ** 2, 0) / made.length); // prettier-ignore
      const wanted = await read({});
      expect(asked).toBe(0);
      // Sums round in another way on the GPU, so that Q4_K may come out a little otherwise.
      const made = await read({ quantizer });
      if (type === 'Q4_K') expect(off(made, values)).toBeLessThan(1.02 * off(wanted, values));
      else expect(made).toEqual(wanted);
      expect(asked).toBe(pieces);
      const patch = async () => (part: Float32Array) => void part.fill(1);
      expect(await read({ quantizer, patch })).not.toEqual(wanted);
      expect(asked).toBe(pieces);
      // What it leaves to us is made here.
      expect(await read({ quantizer: async () => null })).toEqual(wanted);
    }
  } finally {
    gpuQuantizer.free();
  }
});

/** One matrix, as a file of GGUF has it, or F32 that is made smaller on its way. */
async function matrixOf(type: 'Q4_0' | 'Q4_K' | 'F32', values: Float32Array<ArrayBuffer>, rows: number) {
  const dims = [values.length / rows, rows];
  if (type === 'F32') {
    const header = { w: { dtype: 'F32', shape: dims.toReversed(), data_offsets: [0, values.byteLength] } };
    return readWeights(fromBytes('f', safetensors(header, new Uint8Array(values.buffer))));
  }
  const data = type === 'Q4_0' ? quantizeQ4_0(values) : quantizeQ4_K(values);
  const tensors = [{ name: 'w', dims, type: type === 'Q4_0' ? 2 : 12, offset: 0 }];
  return readWeights(fromBytes('f', gguf({ tensors, data })));
}

test.each(['Q4_0', 'Q4_K', 'F32'] as const)(
  'a small change to a matrix of %s arrives: what was rounded to 4 bits is not rounded to them again',
  async (type) => {
    const [rows, row] = [16, 256];
    const values = random(rows * row, 5);
    const change = random(rows * row, 6, 0.02);
    const file = await matrixOf(type, values, rows);
    const quantize = type === 'F32' ? () => 'Q4_K' as const : undefined;
    const read = async (options: UploadOptions) => {
      const weights = await uploadWeights(gpu, file, { ...(quantize && { quantize }), ...options });
      const got = await dequantized(weights.get('w'));
      expect(weights.get('w').dtype).toBe(
        options.patch ? 'q8_0' : type === 'F32' ? 'q4_k' : type.toLowerCase(),
      );
      weights.free();
      return got;
    };
    const before = type === 'F32' ? values : await read({});
    const patch = async () => (part: Float32Array, first: number) =>
      part.forEach((_, i) => (part[i]! += change[first + i]!));
    const after = await read({ patch });
    // How much of the change is there.
    const along = (of: (i: number) => number) => change.reduce((sum, v, i) => sum + v * of(i), 0);
    const kept = (made: Float32Array) => along((i) => made[i]! - before[i]!) / along((i) => change[i]!);
    expect(kept(after)).toBeGreaterThan(0.95);
    expect(kept(after)).toBeLessThan(1.05);
    if (type === 'F32') return;
    const changed = before.map((v, i) => v + change[i]!);
    const again = await matrixOf(type, changed, rows);
    const rounded = toF32(again.tensors.get('w')!, await again.read('w'));
    expect(kept(rounded)).toBeLessThan(0.1);
  },
);

test.each(['quants.gguf', 'fp8.safetensors'])(
  '%s takes what was planned of it, patched or not',
  async (name) => {
    const file = await readWeights(fixture(`formats/${name}`));
    const tensors = new Map(
      [...file.tensors.values()].map((info) => [info.name, { info, shape: info.shape }]),
    );
    const all: number[] = [];
    for (const quantize of [undefined, () => 'Q8_0' as const, () => 'Q4_0' as const])
      for (const every of [1, 2]) {
        const chosen = new Set([...tensors.keys()].filter((_, i) => i % every === 0));
        for (const patched of [new Set<string>(), chosen]) {
          const smaller = quantize && { quantize };
          const weights = await uploadWeights(gpu, file, { ...smaller, patch: async (of) => (patched.has(of) ? () => {} : null) }); // prettier-ignore
          expect(plannedBytes(file, tensors, { ...smaller, patched: (of) => patched.has(of) })).toBe(weights.bytes); // prettier-ignore
          all.push(weights.bytes);
          weights.free();
        }
      }
    expect(new Set(all).size).toBeGreaterThan(2);
  },
);

test('NaN in fp8 and infinite scales are refused', async () => {
  const header = { w: { dtype: 'F8_E4M3', shape: [2, 4], data_offsets: [0, 8] } };
  const bad = await readWeights(
    fromBytes('f', safetensors(header, Uint8Array.of(1, 2, 3, 0x7f, 5, 6, 7, 8))),
  );
  await expect(uploadWeights(gpu, bad)).rejects.toThrow('tensor "w" has values that are no numbers');
});

/** A file of one bf16 matrix of 96 MiB, made as it is read. */
test('asks for pieces of at most 16 MiB, whatever the tensor', async () => {
  const [rows, columns] = [12 * 1024, 4096];
  const bytes = rows * columns * 2;
  const header = new TextEncoder().encode(JSON.stringify({ w: { dtype: 'BF16', shape: [rows, columns], data_offsets: [0, bytes] } })); // prettier-ignore
  const start = 8 + header.length;
  let most = 0;
  let sum = 0;
  const source: ByteSource = {
    name: 'large',
    size: start + bytes,
    async read(offset, length) {
      most = Math.max(most, length);
      sum += length;
      const out = new Uint8Array(length);
      if (offset === 0 && length >= 8) new DataView(out.buffer).setBigUint64(0, BigInt(header.length), true);
      if (offset === 8) out.set(header);
      return out;
    },
  };
  const weights = await uploadWeights(gpu, await readWeights(source), { quantize: () => 'Q8_0' });
  expect(weights.bytes).toBe((rows * columns * 34) / 32);
  expect(most).toBeLessThanOrEqual(16 * 2 ** 20);
  expect(sum).toBeGreaterThanOrEqual(bytes);
  weights.free();
});

/** Drops what no kernel computes with. */
const usable = (file: WeightFile) => (name: string) =>
  ['I64'].includes(file.tensors.get(name)!.dtype) ? null : name;

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
    } else if (info.dtype === 'Q4_0') {
      // Sums with zeros: −0 becomes 0.
      expect(await dequantized(tensor)).toEqual(toF32(info, raw).map((v) => v + 0));
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
  const long = await readWeights(fixture('mixed.safetensors'));
  await expect(uploadWeights(gpu, long)).rejects.toThrow(
    'mixed.safetensors: tensor "long" is I64; Kinora computes with',
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
