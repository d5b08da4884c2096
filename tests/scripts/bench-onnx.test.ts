/** The models that the bench's peer gets: onnxruntime-web reads them, and they compute what they are to. */
import * as ort from 'onnxruntime-web';
import { expect, test } from 'vitest';
import { f32ToF16 } from '../../src/weights/convert';
import { onnxModel, type PeerOperation } from '../bench/onnx-model';

const MATMUL: PeerOperation = {
  op: 'MatMul',
  inputs: { x: [2, 3] },
  weights: { w: { dims: [3, 3] } },
  out: [2, 3],
};
/** As onnx-model.ts has them. */
const weight = (i: number, copy: number) => Math.fround(Math.sin(i * 1.7 + copy) * 0.5);

function times(x: readonly number[], copy: number): number[] {
  const cell = (m: number, n: number) =>
    [0, 1, 2].reduce((sum, k) => sum + x[3 * m + k]! * weight(3 * k + n, copy), 0);
  return [0, 1].flatMap((m) => [0, 1, 2].map((n) => cell(m, n)));
}

async function runOf(what: PeerOperation, copies: number, x: readonly number[]) {
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(onnxModel(what, copies));
  const [dims] = Object.values(what.inputs);
  const out = await session.run({ x: new ort.Tensor('float32', Float32Array.from(x), [...dims!]) });
  await session.release();
  return Object.fromEntries(Object.entries(out).map(([name, t]) => [name, [...(t.data as Float32Array)]]));
}

const X = [1, -2, 0.5, 3, 0.25, -1];

test('copies of an operation that keeps the shape follow one another, each with weights of its own', async () => {
  const out = await runOf(MATMUL, 2, X);
  expect(Object.keys(out)).toEqual(['out1']);
  times(times(X, 0), 1).forEach((v, i) => expect(out.out1![i]).toBeCloseTo(v, 5));
});

test('copies of one that does not all take what flows in, and none is left out', async () => {
  const wide = { ...MATMUL, weights: { w: { dims: [3, 4] } }, out: [2, 4] };
  const out = await runOf(wide, 3, X);
  expect(Object.keys(out).sort()).toEqual(['out0', 'out1', 'out2']);
  expect(out.out0).not.toEqual(out.out1);
});

test('attributes: whole numbers, lists and floats', async () => {
  const norm: PeerOperation = {
    op: 'LayerNormalization',
    attributes: { axis: -1, epsilon: { float: 0.25 } },
    inputs: { x: [1, 4] },
    weights: { scale: { dims: [4] }, bias: { dims: [4] } },
    out: [1, 4],
  };
  const { out0 } = await runOf(norm, 1, [1, 2, 3, 6]);
  // Mean 3, variance 3.5; weights and bias are the same numbers.
  [1, 2, 3, 6].forEach((v, i) => expect(out0![i]).toBeCloseTo(((v - 3) / Math.sqrt(3.75)) * weight(i, 0) + weight(i, 0), 5)); // prettier-ignore
  const conv: PeerOperation = {
    op: 'Conv',
    attributes: { kernel_shape: [1, 3], pads: [0, 1, 0, 1] },
    inputs: { x: [1, 1, 1, 3] },
    weights: { w: { dims: [1, 1, 1, 3] } },
    out: [1, 1, 1, 3],
  };
  const made = await runOf(conv, 1, [0, 1, 0]);
  [2, 1, 0].forEach((k, i) => expect(made.out0![i]).toBeCloseTo(weight(k, 0), 5));
});

test('weights of 8 bit: a byte stands for itself less 128, times the scale of its 32', async () => {
  const [N, K] = [2, 32];
  const q8: PeerOperation = {
    op: 'MatMulNBits',
    domain: 'com.microsoft',
    attributes: { N, K, bits: 8, block_size: 32, accuracy_level: 1 },
    inputs: { x: [1, K] },
    weights: { w: { dims: [N, 1, 32], type: 'uint8' }, scales: { dims: [N] } },
    out: [1, N],
  };
  const { out0 } = await runOf(q8, 1, Array<number>(K).fill(1));
  const sum = (n: number) => Array.from({ length: K }, (_, k) => (((n * K + k) * 37) & 255) - 128).reduce((a, b) => a + b); // prettier-ignore
  [0, 1].forEach((n) => expect(out0![n]).toBeCloseTo(sum(n) * weight(n, 0), 2));
});

test('halves: inputs, weights and results', async () => {
  const joined: PeerOperation = {
    op: 'Concat',
    attributes: { axis: 0 },
    inputs: { x: [2] },
    weights: { w: { dims: [3] } },
    out: [5],
  };
  const session = await ort.InferenceSession.create(onnxModel(joined, 1, 'float16'));
  const x = new ort.Tensor('float16', Uint16Array.from([1, -2], f32ToF16), [2]);
  const { out0 } = await session.run({ x });
  await session.release();
  expect(out0!.type).toBe('float16');
  const bits = new Uint16Array((out0!.data as Uint16Array).buffer, (out0!.data as Uint16Array).byteOffset, 5);
  expect([...bits]).toEqual([1, -2, weight(0, 0), weight(1, 0), weight(2, 0)].map(f32ToF16));
});

test('optional inputs may be left out before the last', async () => {
  const clip: PeerOperation = { op: 'Clip', inputs: { x: [3], most: [] }, leftOut: 1, out: [3] };
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(onnxModel(clip, 1));
  const feeds = { x: new ort.Tensor('float32', Float32Array.of(-9, 0, 9), [3]), most: new ort.Tensor('float32', Float32Array.of(2), []) }; // prettier-ignore
  const { out0 } = await session.run(feeds);
  await session.release();
  expect([...(out0!.data as Float32Array)]).toEqual([-9, 0, 2]);
});
