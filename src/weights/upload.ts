/**
 * Streams a checkpoint into GPU buffers, piece by piece: neither the file nor a tensor is ever held whole.
 *
 * | in the file                          | on the GPU (see gpu/tensor.ts)                                     |
 * |--------------------------------------|--------------------------------------------------------------------|
 * | F32                                  | f32                                                                |
 * | F16, BF16, F64, I8                   | f16, two per word                                                  |
 * | Q8_0, Q4_0, Q4_K, Q5_K, Q6_K         | the same, taken apart (pack.ts)                                    |
 * | Q4_1, Q5_0, Q5_1, Q2_K, Q3_K         | q8_0 of their values, a little off; f32 where `exact` is asked for |
 * | F8_E4M3, F8_E5M2                     | the same with one scale; with a scale for each row f16             |
 * | I32                                  | i32                                                                |
 * | vectors and tables of any of these   | f32 (biases, norms, modulations)                                   |
 *
 * With `quantize`, matrices of plain types become q8_0, q4_0 or q4_k on the way. What a patch changes goes through floats, and
 * is never quantized to less than 8 bits: values that were rounded to 4 bits once are rounded back to where they were.
 */
import { KinoraError } from '../errors';
import type { Gpu } from '../gpu/device';
import { bytesOf, type DType, type Tensor } from '../gpu/tensor';
import { bf16ToF16, COMPUTED, toF32 } from './convert';
import { countElements, LAYOUTS } from './dtypes';
import { f32ToF16 } from './half';
import { BLOCK_FORMS, finiteScales, packBlocks, quantizeQ4_0, quantizeQ8_0, type BlockType } from './pack';
import { quantizeQ4_K } from './pack-q4k';
import { readScale } from './scaled';
import type { SmallType } from './small';
import { damaged, type TensorInfo, type WeightFile } from './source';

/** The most that is read at once; a few times as much may live while it is converted and copied. */
const PIECE = 16 * 2 ** 20;
/** Elements at once of what is converted through floats: 16 MiB of them. */
const CONVERTED = 4 * 2 ** 20;
/** Types that matrices may become on their way. */
const QUANTIZE: Partial<Record<DType, (values: Float32Array) => Uint8Array<ArrayBuffer>>> = {
  q8_0: quantizeQ8_0,
  q4_0: quantizeQ4_0,
  q4_k: quantizeQ4_K,
};
/** Elements that pieces are whole multiples of when they are quantized: whole blocks of every type, and words of scales. */
const UNIT = 512;
/** Bytes written before waiting for the GPU: what is written waits in memory until it is copied. */
const IN_FLIGHT = 64 * 2 ** 20;

/** A tensor to upload, and the shape that the network knows it by. */
export interface Wanted {
  info: TensorInfo;
  shape: readonly number[];
}

export interface UploadOptions {
  /** Bytes of the file done, and of all tensors that will be uploaded. */
  onUpload?: (loaded: number, total: number) => void;
  /** Which tensors, and under which name: null leaves one out. Default: all, as they are called. */
  rename?: (name: string) => string | null;
  /** The very tensors by the network's names (models/tensors `matchTensors`); then `rename` is not asked. */
  tensors?: ReadonlyMap<string, Wanted>;
  /** What F16 and BF16 matrices become. Default: f16. */
  half?: 'f16' | 'f32';
  /** Types that no kernel reads (Q4_1, Q5_0, Q5_1, Q2_K, Q3_K) become f32, not the q8_0 that is near them. */
  exact?: boolean;
  /** What a matrix of a plain type is quantized to; null leaves it. @param row numbers of a row, a multiple of 32 */
  quantize?: (name: string, row: number) => SmallType | null;
  /**
   * Makes those blocks elsewhere, e.g. on the GPU, of whole blocks as the file has them; null for what it leaves to us.
   * Not asked for values that a patch or a scale changes first.
   */
  quantizer?: (raw: Uint8Array, from: string, to: SmallType) => Promise<Uint8Array<ArrayBuffer> | null>;
  /** Changes to a tensor's values before they are stored, e.g. a LoRA's; null for tensors without. */
  patch?: (name: string, shape: readonly number[]) => Promise<Patch | null>;
  signal?: AbortSignal;
  /** Bytes per read, for tests. */
  piece?: number;
}

/** Adds to `values`, which are elements `first` … of the tensor, row-major. */
export type Patch = (values: Float32Array, first: number) => void;

/** The tensors of one checkpoint on the GPU. It owns their buffers. */
export class Weights {
  readonly #gpu: Gpu;
  readonly #tensors: ReadonlyMap<string, Tensor>;
  /** The file's name, for messages. */
  readonly file: string;

  constructor(gpu: Gpu, file: string, tensors: ReadonlyMap<string, Tensor>) {
    this.#gpu = gpu;
    this.file = file;
    this.#tensors = tensors;
  }

  get names(): string[] {
    return [...this.#tensors.keys()];
  }

  /** Bytes on the GPU. */
  get bytes(): number {
    let bytes = 0;
    for (const t of this.#tensors.values()) bytes += t.storage.bytes + (t.scales?.bytes ?? 0);
    return bytes;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** A tensor by name. Throws `bad-model` when it is missing or has not this shape. */
  get(name: string, shape?: readonly number[]): Tensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw damaged(this.file, `the tensor "${name}" is missing.`, { tensor: name });
    if (shape && (shape.length !== tensor.shape.length || shape.some((n, i) => n !== tensor.shape[i])))
      throw damaged(
        this.file,
        `the tensor "${name}" has shape [${tensor.shape}], but the config wants [${shape}].`,
        { tensor: name, expected: shape.join('×'), actual: tensor.shape.join('×') },
      );
    return tensor;
  }

  /** Frees every buffer. */
  free(): void {
    for (const t of this.#tensors.values()) this.#gpu.memory.free(t);
  }
}

/**
 * Uploads the tensors of a file. On failure nothing stays on the GPU.
 * @throws KinoraError `bad-model` (a type that has no kernels, a value too large for f16, two tensors of
 *   one name), `out-of-memory`, `cancelled`, or what the source throws
 */
export async function uploadWeights(
  gpu: Gpu,
  file: WeightFile,
  options: UploadOptions = {},
): Promise<Weights> {
  const { onUpload, rename = (name: string) => name, signal, piece = PIECE } = options;
  const chosen = options.tensors ?? chooseTensors(file, rename);
  const total = [...chosen.values()].reduce((sum, { info }) => sum + info.bytes, 0);
  const tensors = new Map<string, Tensor>();
  let loaded = 0;
  let inFlight = 0;
  try {
    // In the file's order, so that a server is read from front to back.
    for (const [name, wanted] of [...chosen].sort((a, b) => a[1].info.offset - b[1].info.offset)) {
      const { info, shape } = wanted;
      const scale = await readScale(file, info);
      const patch = (await options.patch?.(name, shape)) ?? null;
      const form = storedAs(file, name, info, shape, patch !== null, options);
      const tensor = allocate(gpu, name, shape, form.dtype);
      tensors.set(name, tensor);
      if (form.how === 'raw' && tensor.scales)
        gpu.memory.write(tensor.scales, Float32Array.of(scale?.[0] ?? 1));
      for (let at = 0; at < info.bytes;) {
        if (signal?.aborted) throw new KinoraError('cancelled', `Loading ${file.name} was cancelled.`);
        const bytes = await file.read(info.name, at, pieceBytes(info, at, piece, form));
        const { dtype } = form;
        const plain = form.how === 'floats' && !patch && !scale && dtype in QUANTIZE;
        const blocks = plain ? await options.quantizer?.(bytes, info.dtype, dtype.toUpperCase() as SmallType) : null; // prettier-ignore
        write(gpu, file, { info, tensor, scale, patch, form }, at, bytes, blocks);
        at += bytes.byteLength;
        inFlight += bytes.byteLength;
        loaded += bytes.byteLength;
        if (inFlight >= IN_FLIGHT) {
          await gpu.sync();
          inFlight = 0;
        }
        onUpload?.(loaded, total);
      }
    }
    await gpu.sync();
  } catch (e) {
    for (const t of tensors.values()) gpu.memory.free(t);
    throw e;
  }
  return new Weights(gpu, file.name, tensors);
}

export interface PlanOptions extends Pick<UploadOptions, 'half' | 'quantize'> {
  /** Which tensors there will be a patch for. Default: none. */
  patched?: (name: string) => boolean;
}

/** Bytes that the tensors will take on the GPU, told by their headers alone. */
export function plannedBytes(
  file: WeightFile,
  tensors: ReadonlyMap<string, Wanted>,
  options: PlanOptions = {},
): number {
  let sum = 0;
  for (const [name, { info, shape }] of tensors) {
    const { dtype } = storedAs(file, name, info, shape, options.patched?.(name) ?? false, options);
    const form = BLOCK_FORMS[dtype.toUpperCase() as BlockType] as (typeof BLOCK_FORMS)[BlockType] | undefined;
    const elements = shape.reduce((a, b) => a * b, 1);
    const scales = form ? (elements / form.elements) * form.scales : dtype.startsWith('f8') ? 4 : 0;
    sum += Math.ceil(bytesOf(shape, dtype) / 4) * 4 + Math.ceil(scales / 4) * 4;
  }
  return sum;
}

function chooseTensors(file: WeightFile, rename: (name: string) => string | null): Map<string, Wanted> {
  const chosen = new Map<string, Wanted>();
  for (const info of file.tensors.values()) {
    const name = rename(info.name);
    if (name === null) continue;
    const other = chosen.get(name);
    if (other)
      throw damaged(file.name, `"${other.info.name}" and "${info.name}" are both the tensor "${name}".`, {
        tensor: name,
      });
    chosen.set(name, { info, shape: info.shape });
  }
  return chosen;
}

/** Vectors, whatever their axes, and tables with a leading axis of 1, as Wan's modulations [1,6,D]. */
function isSmall(shape: readonly number[]): boolean {
  return shape.length < 2 || shape[0] === 1 || shape.filter((n) => n > 1).length < 2;
}

/** What a tensor becomes, and the way there: the file's bytes as they are, its blocks taken apart, or through floats. */
interface Form {
  dtype: DType;
  how: 'raw' | 'blocks' | 'half' | 'floats';
}

/** The one rule of it: loading goes by it, and the plan counts by it. It needs headers only. */
function storedAs(
  file: WeightFile,
  name: string,
  info: TensorInfo,
  shape: readonly number[],
  patched: boolean,
  { half = 'f16', quantize, exact }: UploadOptions,
): Form {
  const floats = (dtype: DType): Form => ({ dtype, how: 'floats' });
  const { dtype } = info;
  const scales = info.scale ? (countElements(info.scale.shape) ?? 1) : 0;
  const small = isSmall(shape);
  if (dtype === 'I32') return { dtype: 'i32', how: 'raw' };
  if (!isComputed(dtype))
    throw damaged(file.name, `tensor "${info.name}" is ${dtype}; Kinora computes with ${COMPUTED}.`, {
      tensor: info.name,
      dtype,
    });
  if (small) return dtype === 'F32' && !patched && !scales ? { dtype: 'f32', how: 'raw' } : floats('f32');
  // Rows as the kernels read them: all axes but the first are flattened.
  const row = shape.slice(1).reduce((a, b) => a * b, 1);
  const native = dtype.toLowerCase() as DType;
  if (isBlockType(dtype))
    return !patched && row % BLOCK_FORMS[dtype].elements === 0
      ? { dtype: native, how: 'blocks' }
      : floats(row % 32 === 0 ? 'q8_0' : half);
  if (dtype.startsWith('Q')) return floats(exact ? 'f32' : row % 32 === 0 ? 'q8_0' : half);
  const smaller = row % 32 === 0 ? (quantize?.(name, row) ?? null) : null;
  if (smaller) return floats(patched ? 'q8_0' : (smaller.toLowerCase() as DType));
  if (dtype === 'F8_E4M3' || dtype === 'F8_E5M2')
    return !patched && row % 4 === 0 && scales <= 1 ? { dtype: native, how: 'raw' } : floats(half);
  if (patched || scales) return floats(dtype === 'F32' ? 'f32' : half);
  if (dtype === 'F32') return { dtype: 'f32', how: 'raw' };
  if (dtype === 'F16' && half === 'f16') return { dtype: 'f16', how: 'raw' };
  return dtype === 'BF16' && half === 'f16' ? { dtype: 'f16', how: 'half' } : floats(half);
}

const isComputed = (dtype: string) =>
  /^(F16|BF16|F32|F64|F8_E4M3|F8_E5M2|I8|Q4_0|Q4_1|Q5_0|Q5_1|Q8_0|Q[2-6]_K)$/.test(dtype);
const isBlockType = (dtype: string): dtype is BlockType => dtype in BLOCK_FORMS;

function allocate(gpu: Gpu, label: string, shape: readonly number[], dtype: DType): Tensor {
  if (dtype === 'f32' || dtype === 'f16' || dtype === 'i32' || dtype === 'u32')
    return gpu.memory.tensor(shape, dtype, label);
  const elements = shape.reduce((a, b) => a * b, 1);
  const form = BLOCK_FORMS[dtype.toUpperCase() as BlockType] as (typeof BLOCK_FORMS)[BlockType] | undefined;
  const storage = gpu.memory.allocate(bytesOf(shape, dtype), label);
  try {
    const bytes = form ? (elements / form.elements) * form.scales : 4;
    const scales = gpu.memory.allocate(bytes, `${label} (scales)`);
    return { storage, scales, dtype, shape, label };
  } catch (e) {
    gpu.memory.free(storage);
    throw e;
  }
}

/** Whole units, as many as may be read at once. */
function pieceBytes(info: TensorInfo, at: number, piece: number, { how, dtype }: Form): number {
  const { elements, bytes } = LAYOUTS[info.dtype];
  // Two blocks fill a word of scales, four elements a word of anything else.
  const whole = how === 'floats' && /^q/.test(dtype) ? UNIT : Math.max(4, 2 * elements);
  const unit = (whole / elements) * bytes;
  const most = how === 'floats' ? Math.min(piece, (CONVERTED / elements) * bytes) : piece;
  return Math.min(Math.max(unit, most - (most % unit)), info.bytes - at);
}

interface Target {
  info: TensorInfo;
  tensor: Tensor;
  scale: Float32Array | null;
  patch: Patch | null;
  form: Form;
}

/**
 * Converts a piece, `at` bytes into the tensor as the file has it, and queues its copy.
 * @param blocks the piece in blocks, where they were made elsewhere
 */
function write(
  gpu: Gpu,
  file: WeightFile,
  target: Target,
  at: number,
  bytes: Uint8Array<ArrayBuffer>,
  blocks?: Uint8Array | null,
): void {
  const { info, tensor, form } = target;
  const { memory } = gpu;
  const { elements, bytes: step } = LAYOUTS[info.dtype];
  const first = (at / step) * elements;
  const fail = (problem: string) =>
    damaged(file.name, `tensor "${info.name}" ${problem}.`, { tensor: info.name });
  const writeBlocks = (type: BlockType, blocks: Uint8Array) => {
    const packed = packBlocks(type, blocks);
    if (!finiteScales(packed, type)) throw fail('has a scale that is no number: the file is damaged');
    const block = first / BLOCK_FORMS[type].elements;
    memory.write(tensor.storage, packed.main, block * BLOCK_FORMS[type].main);
    memory.write(tensor.scales!, packed.scales, block * BLOCK_FORMS[type].scales);
  };
  if (blocks) return writeBlocks(tensor.dtype.toUpperCase() as BlockType, blocks);
  switch (form.how) {
    case 'raw':
      if (info.dtype.startsWith('F8') && hasNaN(info.dtype, bytes))
        throw fail('has values that are no numbers');
      return memory.write(tensor.storage, bytes, at);
    case 'blocks':
      return writeBlocks(info.dtype as BlockType, bytes);
    case 'half': {
      const halves = bf16ToF16(bytes);
      if (!halves) throw fail('has values over 65504, too large for f16');
      return memory.write(tensor.storage, halves, at);
    }
    case 'floats': {
      const values = scaledValues(file, target, first, bytes);
      target.patch?.(values, first);
      if (tensor.dtype === 'f32') return memory.write(tensor.storage, values, first * 4);
      const quantize = QUANTIZE[tensor.dtype];
      if (quantize) return writeBlocks(tensor.dtype.toUpperCase() as BlockType, quantize(values));
      const halves = new Uint16Array(values.length);
      for (let i = 0; i < values.length; i++) {
        halves[i] = f32ToF16(values[i]!);
        if ((halves[i]! & 0x7fff) === 0x7c00 && Number.isFinite(values[i]))
          throw fail('has values over 65504, too large for f16');
      }
      return memory.write(tensor.storage, halves, first * 2);
    }
  }
}

/** The piece as floats, with its scale: one for all, or one for each row. */
function scaledValues(
  file: WeightFile,
  { info, scale }: Target,
  first: number,
  bytes: Uint8Array,
): Float32Array<ArrayBuffer> {
  const values = toF32(info, bytes, file.name);
  if (!scale) return values;
  const row = scale.length === 1 ? Infinity : info.shape.slice(1).reduce((a, b) => a * b, 1);
  for (let i = 0; i < values.length; i++) values[i]! *= scale[Math.floor((first + i) / row)]!;
  return values;
}

/** E4M3 has two NaN; E5M2 has infinities, too. */
function hasNaN(dtype: string, bytes: Uint8Array): boolean {
  const mask = dtype === 'F8_E4M3' ? 0x7f : 0x7c;
  for (let i = 0; i < bytes.length; i++) if ((bytes[i]! & mask) === mask) return true;
  return false;
}
