/**
 * Streams a checkpoint into GPU buffers, piece by piece: neither the file nor a tensor is ever held whole.
 *
 * | in the file       | on the GPU (see gpu/tensor.ts)                                                 |
 * |-------------------|--------------------------------------------------------------------------------|
 * | F32               | f32                                                                            |
 * | F16, BF16         | f16, two per word; f32 for vectors and tables (biases, norms, modulations)       |
 * | Q8_0              | q8_0: quants and scales apart                                                  |
 * | I32               | i32                                                                            |
 */
import { KinoraError } from '../errors';
import type { Gpu } from '../gpu/device';
import { bytesOf, type DType, type Tensor } from '../gpu/tensor';
import { bf16ToF16, Q8_BLOCK, Q8_BYTES, repackQ8, toF32 } from './convert';
import { LAYOUTS } from './dtypes';
import { damaged, type TensorInfo, type WeightFile } from './source';

/** The most that is read at once; a few times as much may live while it is converted and copied. */
const PIECE = 16 * 2 ** 20;
/** Bytes written before waiting for the GPU: what is written waits in memory until it is copied. */
const IN_FLIGHT = 64 * 2 ** 20;

export interface UploadOptions {
  /** Bytes of the file done, and of all tensors that will be uploaded. */
  onUpload?: (loaded: number, total: number) => void;
  /** Which tensors, and under which name: null leaves one out. Default: all, as they are called. */
  rename?: (name: string) => string | null;
  /** What F16 and BF16 matrices become. Default: f16. */
  half?: 'f16' | 'f32';
  signal?: AbortSignal;
  /** Bytes per read, for tests. */
  piece?: number;
}

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
  const { onUpload, rename = (name: string) => name, half = 'f16', signal, piece = PIECE } = options;
  const chosen = chooseTensors(file, rename);
  const total = [...chosen.values()].reduce((sum, info) => sum + info.bytes, 0);
  const tensors = new Map<string, Tensor>();
  let loaded = 0;
  let inFlight = 0;
  try {
    for (const [name, info] of chosen) {
      const dtype = storedAs(file, info, half);
      const tensor = allocate(gpu, name, info.shape, dtype);
      tensors.set(name, tensor);
      for (let at = 0; at < info.bytes;) {
        if (signal?.aborted) throw new KinoraError('cancelled', `Loading ${file.name} was cancelled.`);
        const bytes = await file.read(info.name, at, pieceBytes(info, at, piece));
        write(gpu, file, info, tensor, at, bytes);
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

function chooseTensors(file: WeightFile, rename: (name: string) => string | null): Map<string, TensorInfo> {
  const chosen = new Map<string, TensorInfo>();
  for (const info of file.tensors.values()) {
    const name = rename(info.name);
    if (name === null) continue;
    const other = chosen.get(name);
    if (other)
      throw damaged(file.name, `"${other.name}" and "${info.name}" are both the tensor "${name}".`, {
        tensor: name,
      });
    chosen.set(name, info);
  }
  return chosen;
}

/** Vectors, whatever their axes, and tables with a leading axis of 1, as Wan's modulations [1,6,D]. */
function isSmall(shape: readonly number[]): boolean {
  return shape.length < 2 || shape[0] === 1 || shape.filter((n) => n > 1).length < 2;
}

function storedAs(file: WeightFile, info: TensorInfo, half: 'f16' | 'f32'): DType {
  switch (info.dtype) {
    case 'F32':
      return 'f32';
    case 'F16':
    case 'BF16':
      return isSmall(info.shape) ? 'f32' : half;
    case 'Q8_0':
      return 'q8_0';
    case 'I32':
      return 'i32';
    default:
      throw damaged(
        file.name,
        `tensor "${info.name}" is ${info.dtype}; Kinora computes with F32, F16, BF16 and Q8_0.`,
        { tensor: info.name, dtype: info.dtype },
      );
  }
}

function allocate(gpu: Gpu, label: string, shape: readonly number[], dtype: DType): Tensor {
  if (dtype !== 'q8_0') return gpu.memory.tensor(shape, dtype, label);
  const quants = bytesOf(shape, 'q8_0');
  const storage = gpu.memory.allocate(quants, label);
  try {
    const scales = gpu.memory.allocate((quants / Q8_BLOCK) * 2, `${label} (scales)`);
    return { storage, scales, dtype, shape, label };
  } catch (e) {
    gpu.memory.free(storage);
    throw e;
  }
}

/** Whole words on the GPU: two halves, or two blocks of q8_0, whose scales share a word. */
function pieceBytes(info: TensorInfo, at: number, piece: number): number {
  const unit = Math.max(4, 2 * LAYOUTS[info.dtype].bytes);
  return Math.min(Math.max(unit, piece - (piece % unit)), info.bytes - at);
}

/** Converts a piece, `at` bytes into the tensor as the file has it, and queues its copy. */
function write(
  gpu: Gpu,
  file: WeightFile,
  info: TensorInfo,
  tensor: Tensor,
  at: number,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  const { memory } = gpu;
  if (tensor.dtype === 'q8_0') {
    const { quants, scales } = repackQ8(bytes);
    const block = at / Q8_BYTES;
    memory.write(tensor.storage, quants, block * Q8_BLOCK);
    memory.write(tensor.scales!, scales, block * 2);
  } else if (
    info.dtype === 'F32' ||
    info.dtype === 'I32' ||
    (info.dtype === 'F16' && tensor.dtype === 'f16')
  ) {
    memory.write(tensor.storage, bytes, at);
  } else if (tensor.dtype === 'f32') {
    memory.write(tensor.storage, toF32(info, bytes, file.name), at * 2);
  } else {
    const halves = bf16ToF16(bytes);
    if (!halves)
      throw damaged(file.name, `tensor "${info.name}" has values over 65504, too large for f16.`, {
        tensor: info.name,
      });
    memory.write(tensor.storage, halves, at);
  }
}
