/** Reads tests/goldens/NAME.safetensors, which training/goldens/make_goldens.py makes, and compares with them. */
import { expect } from 'vitest';
import { chosen, compare } from '../../scripts/parity.ts'; // the command is parity.mjs
import { NETWORKS, runNetwork, type Values } from '../../scripts/parity-networks';
import type { Gpu } from '../../src/gpu/device';
import { dequantizeQ8, toF32 } from '../../src/weights/convert';
import { readSafetensors } from '../../src/weights/safetensors';
import { fromBytes, type TensorInfo, type WeightFile } from '../../src/weights/source';
import { uploadWeights } from '../../src/weights/upload';
import { readGolden } from '../helpers/fixtures';
import { quantizeQ8 } from '../helpers/tensors';

/** As in make_goldens.py. */
const VERSION = '1';
const AGAIN = 'make the goldens again: python training/goldens/make_goldens.py';

/**
 * Largest relative L2 error of any layer.
 * - f32: both sides sum in f32, in another order; the time embedding's angles reach 1000, where an f32 is some
 *   3e-5 wide, which gives 3e-6.
 * - f16: what stands between two points of the residual stream is rounded to 11 bits: 5e-4 in the transformer and
 *   the encoder, 1.2e-3 after the thirty convolutions of TAEHV, which has no f32 stream.
 */
export const NEAR = { f32: 1e-5, f16: 2e-3 };

export interface Golden {
  name: string;
  network: string;
  config: Record<string, unknown>;
  weights: WeightFile;
  inputs: Record<string, Values>;
  expected: ReadonlyMap<string, Values>;
}

/** @throws when there is no such golden, or one of another version; the message says what to do */
export async function golden(name: string): Promise<Golden> {
  const bytes = await readGolden(`${name}.safetensors`).catch((e: unknown) => {
    throw new Error(`tests/goldens has no ${name}.safetensors; ${AGAIN}`, { cause: e });
  });
  return readGoldenFile(name, bytes);
}

export async function readGoldenFile(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Golden> {
  const file = await readSafetensors(fromBytes(name, bytes));
  const version = file.metadata.get('version');
  if (version !== VERSION)
    throw new Error(`The golden ${name} has version ${version}, but the tests want ${VERSION}; ${AGAIN}`);
  const inputs: Record<string, Values> = {};
  const expected = new Map<string, Values>();
  for (const info of file.tensors.values()) {
    const [kind, ...rest] = info.name.split('/');
    const data = await file.read(info.name);
    const values = info.dtype === 'I32' ? new Int32Array(data.slice().buffer) : toF32(info, data);
    if (kind === 'input') inputs[rest.join('/')] = { shape: info.shape, values };
    if (kind === 'expected') expected.set(rest.join('/'), { shape: info.shape, values });
  }
  const network = String(file.metadata.get('network'));
  const config = JSON.parse(String(file.metadata.get('config'))) as Record<string, unknown>;
  return { name, network, config, weights: onlyWeights(file), inputs, expected };
}

function onlyWeights(file: WeightFile): WeightFile {
  const tensors = new Map<string, TensorInfo>();
  for (const info of file.tensors.values()) {
    const name = info.name.replace(/^weights\//, '');
    if (name !== info.name) tensors.set(name, { ...info, name });
  }
  return { ...file, tensors, read: (name, ...part) => file.read(`weights/${name}`, ...part) };
}

/** Runs a golden's network with these weights (default: its own) and returns the named tensors. */
export async function run(gpu: Gpu, g: Golden, file = g.weights, half: 'f16' | 'f32' = 'f16') {
  const config = NETWORKS[g.network]!.config(g.config);
  const weights = await uploadWeights(gpu, file, { half, ...chosen(g.network, config, file) });
  try {
    return await runNetwork(gpu, g.network, config, weights, g.inputs, new Set(g.expected.keys()));
  } finally {
    weights.free();
  }
}

/** Every tensor of `want` within the tolerance; the message has all that are not. */
export function expectNear(
  made: ReadonlyMap<string, Values>,
  want: ReadonlyMap<string, Values>,
  tolerance: number,
): void {
  expect([...made.keys()].sort()).toEqual([...want.keys()].sort());
  const far = [...want]
    .map(([name, ref]) => compare(name, made.get(name)!, ref, tolerance))
    .filter((d) => !d.ok);
  expect(far).toEqual([]);
}

/** The same checkpoint with its matrices in q8_0, and with the values that q8_0 gives them, in f32. */
export async function quantized(
  file: WeightFile,
): Promise<{ q8: WeightFile; plain: WeightFile; count: number }> {
  const kept = { q8: new Map<string, TensorInfo>(), plain: new Map<string, TensorInfo>() };
  const bytes = {
    q8: new Map<string, Uint8Array<ArrayBuffer>>(),
    plain: new Map<string, Uint8Array<ArrayBuffer>>(),
  };
  let count = 0;
  const put = (
    side: 'q8' | 'plain',
    info: TensorInfo,
    dtype: TensorInfo['dtype'],
    data: Uint8Array<ArrayBuffer>,
  ) => {
    kept[side].set(info.name, { ...info, dtype, offset: 0, bytes: data.byteLength });
    bytes[side].set(info.name, data);
  };
  for (const info of file.tensors.values()) {
    const values = toF32(info, await file.read(info.name));
    if (info.shape.length !== 2 || info.shape[1]! % 32) {
      for (const side of ['q8', 'plain'] as const) put(side, info, 'F32', new Uint8Array(values.buffer));
      continue;
    }
    count++;
    const blocks = quantizeQ8(values);
    put('q8', info, 'Q8_0', blocks);
    put('plain', info, 'F32', new Uint8Array(dequantizeQ8(blocks).buffer));
  }
  const fileOf = (side: 'q8' | 'plain'): WeightFile => ({
    name: `${file.name} ${side}`,
    tensors: kept[side],
    metadata: file.metadata,
    read: async (name, offset = 0, length) => bytes[side].get(name)!.slice(offset, length === undefined ? undefined : offset + length), // prettier-ignore
  });
  return { q8: fileOf('q8'), plain: fileOf('plain'), count };
}
