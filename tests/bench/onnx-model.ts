/**
 * Writes ONNX files of one operation, for the peer: as many as are wanted of it in a graph, each with weights of its own.
 * Weights are constants, as in any model: a runtime may lay them out once, when a session opens. Protobuf by hand, for
 * there are few fields.
 */

import { f32ToF16 } from '../../src/weights/convert';

/** Numbers of ONNX for types of elements. */
const TYPES = { float32: 1, uint8: 2, float16: 10 } as const;
/** Of all numbers that are no bytes. */
export type PeerElem = 'float32' | 'float16';

export interface PeerOperation {
  op: string;
  /** Empty: ONNX's own. */
  domain?: string;
  attributes?: Readonly<Record<string, number | readonly number[] | { float: number }>>;
  /** What flows in, in the operation's order; weights come behind. */
  inputs: Readonly<Record<string, readonly number[]>>;
  /** How many optional inputs are left out before the last of these. */
  leftOut?: number;
  weights?: Readonly<Record<string, { dims: readonly number[]; type?: 'uint8' }>>;
  out: readonly number[];
}

type Bytes = readonly Uint8Array[];

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value)); // negative ones have ten bytes
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest ? low | 128 : low);
  } while (rest);
  return Uint8Array.from(bytes);
}

const number = (field: number, value: number): Bytes => [varint(field << 3), varint(value)];

function bytes(field: number, parts: Bytes): Bytes {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  return [varint((field << 3) | 2), varint(length), ...parts];
}

const text = (field: number, value: string): Bytes => bytes(field, [new TextEncoder().encode(value)]);

function float(field: number, value: number): Bytes {
  return [varint((field << 3) | 5), new Uint8Array(Float32Array.of(value).buffer)];
}

function attribute(name: string, value: number | readonly number[] | { float: number }): Bytes {
  const said = text(1, name);
  if (typeof value === 'number') return [...said, ...number(3, value), ...number(20, 2)];
  if ('float' in value) return [...said, ...float(2, value.float), ...number(20, 1)];
  return [...said, ...value.flatMap((v) => number(8, v)), ...number(20, 7)];
}

function valueInfo(name: string, dims: readonly number[], elem: PeerElem): Bytes {
  const shape = dims.flatMap((n) => bytes(1, number(1, n)));
  const tensor = bytes(1, [...number(1, TYPES[elem]), ...bytes(2, shape)]);
  return [...text(1, name), ...bytes(2, tensor)];
}

const count = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

/** Values between −½ and ½; of bytes all that there are. Other ones for each `seed`. */
function values(dims: readonly number[], type: keyof typeof TYPES, seed: number): Uint8Array {
  if (type === 'uint8') return Uint8Array.from({ length: count(dims) }, (_, i) => (i * 37 + seed) & 255);
  const floats = Float32Array.from({ length: count(dims) }, (_, i) => Math.sin(i * 1.7 + seed) * 0.5);
  return new Uint8Array((type === 'float16' ? Uint16Array.from(floats, f32ToF16) : floats).buffer);
}

/**
 * A model whose inputs are the operation's. Where the result is like the first input each copy takes what the one before
 * made, and there is one result; elsewhere all take the inputs, and each has a result.
 */
export function onnxModel(
  what: PeerOperation,
  copies: number,
  elem: PeerElem = 'float32',
): Uint8Array<ArrayBuffer> {
  const { op, domain = '', attributes = {}, inputs, leftOut = 0, weights = {}, out } = what;
  const [first, ...others] = Object.keys(inputs);
  others.splice(-1, 0, ...Array<string>(leftOut).fill(''));
  const chained = String(inputs[first!]) === String(out);
  const graph: Uint8Array[] = [];
  for (let i = 0; i < copies; i++) {
    const own = Object.keys(weights).map((name) => `${name}${i}`);
    const taken = [chained && i > 0 ? `out${i - 1}` : first!, ...others, ...own];
    graph.push(
      ...bytes(1, [
        ...taken.flatMap((name) => text(1, name)),
        ...text(2, `out${i}`),
        ...text(3, `copy ${i}`),
        ...text(4, op),
        ...Object.entries(attributes).flatMap(([name, value]) => bytes(5, attribute(name, value))),
        ...text(7, domain),
      ]),
    );
  }
  graph.push(...text(2, op));
  for (let i = 0; i < copies; i++)
    for (const [name, { dims, type = elem }] of Object.entries(weights))
      graph.push(
        ...bytes(5, [
          ...dims.flatMap((n) => number(1, n)),
          ...number(2, TYPES[type]),
          ...text(8, `${name}${i}`),
          ...bytes(9, [values(dims, type, i)]),
        ]),
      );
  for (const [name, dims] of Object.entries(inputs)) graph.push(...bytes(11, valueInfo(name, dims, elem)));
  for (let i = chained ? copies - 1 : 0; i < copies; i++)
    graph.push(...bytes(12, valueInfo(`out${i}`, out, elem)));
  const opset = (name: string, version: number) => bytes(8, [...text(1, name), ...number(2, version)]);
  return join([
    ...number(1, 10),
    ...text(2, 'kinora'),
    ...bytes(7, graph),
    ...opset('', 21),
    ...opset('com.microsoft', 1),
  ]);
}

function join(parts: Bytes): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
