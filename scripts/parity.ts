/**
 * One parity case: reads its four files, runs the network, compares. `parity.mjs` is the command.
 *
 * Every mistake in a case is a `KinoraError` whose message names the file and what is wrong with it.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { KinoraError } from '../src/errors';
import { openGpu } from '../src/gpu/device';
import type { Elem } from '../src/gpu/tensor';
import { readAhead } from '../src/weights/ahead';
import { toF32 } from '../src/weights/convert';
import { readWeights } from '../src/weights/read';
import { readSafetensors } from '../src/weights/safetensors';
import { damaged, fromBlob, fromUrl, type TensorInfo, type WeightFile } from '../src/weights/source';
import { uploadWeights, type UploadOptions } from '../src/weights/upload';
import { DiskBlob } from './disk-blob';
import { bad, NETWORKS, runNetwork, type InputSpec, type Values } from './parity-networks';

/** How far a case may be off that says nothing itself, by what rounds most: activations, or weights of 8 bit. */
const TOLERANCE = { f32: 2e-3, f16: 1e-2, q8_0: 3e-2 };
/** What may be said of the weights' names; whatever is said, they are told by the names themselves. */
const LAYOUTS = ['diffusers', 'original'];
const WEIGHTS = ['weights.safetensors', 'weights.gguf', 'weights.pt', 'weights.pth'];

export interface Options {
  dir: string;
  json: boolean;
  f16: boolean;
  /** A file, or an http(s) address that answers range requests; default: the folder's own. */
  weights?: string;
}

export interface Case {
  network: string;
  config: unknown;
  /** Null where the case has none of its own. */
  tolerance: number | null;
  weights: WeightFile;
  inputs: Record<string, Values>;
  expected: ReadonlyMap<string, Values>;
}

/** How far a tensor is from the reference. Not finite where it holds NaN, or the reference only zeros. */
export interface Difference {
  name: string;
  shape: readonly number[];
  /** ‖out − ref‖ / ‖ref‖ */
  relative: number;
  /** Largest |out − ref|. */
  largest: number;
  ok: boolean;
}

export interface Report {
  ok: boolean;
  network: string;
  tolerance: number;
  activations: string;
  adapter: string;
  seconds: number;
  tensors: Difference[];
}

/** Reads and checks everything but the weights' values. */
export async function readCase(dir: string, from?: string): Promise<Case> {
  const found = await stat(dir).catch(() => null);
  if (!found?.isDirectory()) throw bad(`There is no folder ${dir}.`);
  const { network, config, tolerance } = await readDescription(join(dir, 'case.json'));
  const { inputs: specs, output, layers, config: readConfig } = NETWORKS[network]!;
  const read = readConfig(config as Record<string, unknown>);
  const [weights, inputs, expected] = await Promise.all([
    from === undefined ? ownWeights(dir) : weightsFrom(from),
    openTensors(dir, 'inputs.safetensors'),
    openTensors(dir, 'expected.safetensors'),
  ]);
  return {
    network,
    config: read,
    tolerance,
    weights,
    inputs: await readInputs(inputs, network, specs(read)),
    expected: await readExpected(expected, network, output, layers(read)),
  };
}

async function readDescription(path: string) {
  const text = await readFile(path, 'utf8').catch(() => {
    throw bad(`${path} is missing.`);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (e) {
    throw bad(`case.json is not JSON (${e instanceof Error ? e.message : e}).`);
  }
  if (!isObject(value)) throw bad('case.json is not a JSON object.');
  const { network, config, layout = 'diffusers', tolerance = null } = value;
  if (typeof network !== 'string' || !Object.hasOwn(NETWORKS, network))
    throw bad(
      `case.json: network is ${show(network)}, but must be one of ${Object.keys(NETWORKS).join(', ')}.`,
    );
  if (!isObject(config)) throw bad(`case.json: config must be an object, but is ${show(config)}.`);
  if (!LAYOUTS.includes(layout as string))
    throw bad(`case.json: layout must be "${LAYOUTS.join('" or "')}", but is ${show(layout)}.`);
  if (tolerance !== null && (typeof tolerance !== 'number' || !(tolerance > 0)))
    throw bad(`case.json: tolerance must be a number above 0, but is ${show(tolerance)}.`);
  return { network, config, tolerance };
}

const isObject = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v);
const show = (v: unknown) => (v === undefined ? 'missing' : JSON.stringify(v));

/** weights.safetensors, .gguf, .pt or .pth: just one of them. */
async function ownWeights(dir: string): Promise<WeightFile> {
  const found: string[] = [];
  for (const name of WEIGHTS) if ((await stat(join(dir, name)).catch(() => null))?.isFile()) found.push(name);
  const [name, other] = found;
  if (!name) throw bad(`${join(dir, WEIGHTS[0]!)} is missing (${WEIGHTS.slice(1).join(', ')} will do, too).`);
  if (other) throw bad(`${dir} holds both ${name} and ${other}; leave one.`);
  return weightsFrom(join(dir, name));
}

async function weightsFrom(place: string): Promise<WeightFile> {
  if (!/^https?:/i.test(place)) {
    const blob = await DiskBlob.open(place).catch(() => {
      throw bad(`There is no file ${place}.`);
    });
    return readWeights(fromBlob(basename(place), blob));
  }
  if (!URL.canParse(place)) throw bad(`${place} is no address of weights.`);
  const name = basename(new URL(place).pathname);
  return readWeights(readAhead(await fromUrl(name || place, place)));
}

async function openTensors(dir: string, name: string): Promise<WeightFile> {
  const path = join(dir, name);
  if (!(await stat(path).catch(() => null))?.isFile()) throw bad(`${path} is missing.`);
  return readSafetensors(fromBlob(name, await DiskBlob.open(path)));
}

async function readInputs(file: WeightFile, network: string, specs: Record<string, InputSpec>) {
  const inputs: Record<string, Values> = {};
  const letters = new Map<string, { size: number; tensor: string }>();
  for (const [name, { dtype, shape }] of Object.entries(specs)) {
    const info = file.tensors.get(name);
    if (!info) throw damaged(file.name, `the tensor "${name}" is missing: ${network} needs it.`);
    const wanted = `[${shape}]`;
    const wrong = (why: string) =>
      damaged(file.name, `"${name}" has shape [${info.shape}], but ${network} takes ${wanted}${why}.`);
    if (info.shape.length !== shape.length) throw wrong('');
    shape.forEach((side, axis) => {
      const size = info.shape[axis]!;
      if (size < 1) throw wrong(': it is empty');
      if (typeof side === 'number') {
        if (size !== side) throw wrong('');
        return;
      }
      const other = letters.get(side);
      if (other && other.size !== size) throw wrong(`, and ${side} is ${other.size} in "${other.tensor}"`);
      if (!other) letters.set(side, { size, tensor: name });
    });
    inputs[name] = { shape: info.shape, values: await readValues(file, info, dtype) };
  }
  refuseOthers(file, `${network} does not take`, Object.keys(specs));
  return inputs;
}

async function readExpected(file: WeightFile, network: string, output: string, layers: string[]) {
  if (!file.tensors.has(output))
    throw damaged(file.name, `the tensor "${output}" is missing: it is what ${network} makes.`);
  refuseOthers(file, `${network} does not make`, [output, ...layers]);
  const expected = new Map<string, Values>();
  for (const [name, info] of file.tensors)
    expected.set(name, { shape: info.shape, values: await readValues(file, info, 'reference') });
  return expected;
}

function refuseOthers(file: WeightFile, what: string, known: string[]): void {
  const other = [...file.tensors.keys()].find((name) => !known.includes(name));
  if (other === undefined) return;
  const shown = known.length > 12 ? [...known.slice(0, 5), '…', known.at(-1)!] : known;
  throw damaged(file.name, `it holds "${other}", which ${what}. Known: ${shown.join(', ')}.`);
}

const TYPES = {
  float: ['F32', 'F16', 'BF16'],
  reference: ['F32', 'F16', 'BF16', 'F64'],
  int32: ['I32'],
  // Schedulers count timesteps in whole numbers.
  number: ['F32', 'F16', 'BF16', 'F64', 'I32', 'I64'],
};

async function readValues(file: WeightFile, info: TensorInfo, dtype: keyof typeof TYPES) {
  const allowed = TYPES[dtype];
  if (!allowed.includes(info.dtype))
    throw damaged(file.name, `"${info.name}" is ${info.dtype}, but must be ${allowed.join(' or ')}.`);
  const bytes = (await file.read(info.name)).slice().buffer;
  switch (info.dtype) {
    case 'I32':
      return dtype === 'int32' ? new Int32Array(bytes) : Float32Array.from(new Int32Array(bytes));
    case 'I64':
      return Float32Array.from(new BigInt64Array(bytes), Number);
  }
  const values = info.dtype === 'F64' ? Float32Array.from(new Float64Array(bytes)) : toF32(info, new Uint8Array(bytes), file.name); // prettier-ignore
  const at = values.findIndex((v) => !Number.isFinite(v));
  if (at >= 0) throw damaged(file.name, `"${info.name}" holds ${values[at]} (element ${at}).`);
  return values;
}

/** Compares what was made with what was expected; both in f64. */
export function compare(name: string, out: Values, ref: Values, tolerance: number): Difference {
  if (out.shape.join() !== ref.shape.join())
    throw damaged(
      'expected.safetensors',
      `"${name}" has shape [${ref.shape}], but the result is [${out.shape}].`,
    );
  let error = 0;
  let norm = 0;
  let largest = 0;
  out.values.forEach((o, i) => {
    const r = ref.values[i]!;
    error += (o - r) ** 2;
    norm += r ** 2;
    const d = Math.abs(o - r);
    if (d > largest || Number.isNaN(d)) largest = d; // nothing is larger than NaN, so that stays
  });
  const relative = error === 0 ? 0 : Math.sqrt(error / norm);
  return { name, shape: ref.shape, relative, largest, ok: relative <= tolerance };
}

/** Which tensors of a file a network takes. Throws `bad-model` listing what does not fit. */
export function chosen(network: string, config: unknown, file: WeightFile): UploadOptions {
  const { prefix = '', tensors } = NETWORKS[network]!;
  if (tensors) return { tensors: tensors(file, config) };
  return { rename: (name) => (name.startsWith(prefix) ? name : null) };
}

/** The case's own tolerance, or that of what it is computed with. */
function toleranceOf({ tolerance, weights }: Case, elem: Elem): number {
  const eight = [...weights.tensors.values()].some(({ dtype }) => dtype === 'Q8_0');
  return tolerance ?? TOLERANCE[eight ? 'q8_0' : elem];
}

/** Runs the case; `openEntry` opens WebGPU. */
export async function runCase(c: Case, openEntry: () => Promise<GPU>, f16: boolean): Promise<Report> {
  const start = performance.now();
  const gpu = await openGpu(await openEntry(), { f16 });
  try {
    const weights = await uploadWeights(gpu, c.weights, {
      ...chosen(c.network, c.config, c.weights),
      exact: true,
    });
    const wanted = new Set(c.expected.keys());
    const made = await runNetwork(gpu, c.network, c.config, weights, c.inputs, wanted);
    const tolerance = toleranceOf(c, gpu.elem);
    const tensors = [...c.expected].map(([name, ref]) => compare(name, made.get(name)!, ref, tolerance));
    const { description, device, vendor } = gpu.adapter;
    return {
      ok: tensors.every((t) => t.ok),
      network: c.network,
      tolerance,
      activations: gpu.elem,
      adapter: description || device || vendor,
      seconds: (performance.now() - start) / 1000,
      tensors,
    };
  } finally {
    gpu.destroy();
  }
}

/** A report for people. */
export function formatReport(r: Report): string {
  const number = (x: number) => (Number.isFinite(x) ? x.toExponential(2) : 'not a number');
  const width = Math.max(...r.tensors.map((t) => t.name.length));
  const rows = r.tensors.map(({ name, shape, relative, largest, ok }) => {
    const verdict = ok ? 'ok' : 'TOO FAR';
    return `  ${name.padEnd(width)}  relative ${number(relative)}  largest ${number(largest)}  [${shape}]  ${verdict}`;
  });
  const good = r.tensors.filter((t) => t.ok).length;
  return [
    `${r.network}, ${r.activations} activations, on ${r.adapter}`,
    ...rows,
    `${good} of ${r.tensors.length} within ${r.tolerance}, ${r.seconds.toFixed(1)} s`,
  ].join('\n');
}

/** The command. Resolves to the exit code. */
export async function main(options: Options, openEntry: () => Promise<GPU>): Promise<number> {
  const { dir, json, f16, weights } = options;
  try {
    const report = await runCase(await readCase(dir, weights), openEntry, f16);
    console.log(json ? JSON.stringify(report) : formatReport(report)); // JSON: null where a number is not finite
    return report.ok ? 0 : 1;
  } catch (e) {
    const message = e instanceof Error ? e.message : String(e);
    const detail = e instanceof KinoraError ? e.detail : '';
    console.error([message, detail].filter(Boolean).join('\n'));
    if (json) console.log(JSON.stringify({ ok: false, error: message }));
    return 1;
  }
}
