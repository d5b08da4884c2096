/** Opens the GPU. The one owner of the device; everything else is handed a `Gpu`. */
import { KinoraError } from '../errors';
import type { AdapterReport } from '../worker/protocol/machine';
import { KernelCache } from './kernel';
import { Memory } from './memory';
import { Profiler } from './profiler';
import { Tuner, type TunerOptions } from './tuner';
import { size, type Elem, type Tensor } from './tensor';

/**
 * What kernel variants may ask for, beyond what WebGPU always has.
 * - subgroups: with the language feature that tells a subgroup's number
 * - matrix …: subgroups of 32 that multiply matrices of these types and sizes (`matrixFeature`); experimental, behind a flag
 */
export type Feature = 'f16' | 'subgroups' | `matrix ${string}`;

/** Types of the factors and of the result; M × K · K × N. As Chromium names them. */
export interface MatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}

export const matrixFeature = ({ componentType, resultComponentType, M, N, K }: MatrixConfig): Feature =>
  `matrix ${componentType}→${resultComponentType} ${M}×${N}×${K}`;

/** Of a subgroup that multiplies matrices: kernels are written for a size that does not vary. */
export const MATRIX_SUBGROUP = 32;

export interface GpuOptions {
  /** Store activations as f16 where the adapter has shader-f16. Default: true. */
  f16?: boolean;
  /** What variants of kernels were chosen by trial, and where that is kept. */
  tuning?: TunerOptions;
  /** Measure every kernel (`Gpu.profiler`); work is slower then. Default: false. */
  profile?: boolean;
}

/** What is said of an error that no one waited for, such as the use of a pipeline that did not compile. */
const REFUSED = 'The GPU refused an operation.';

/** What an adapter says of itself, as data. */
export function reportAdapter(adapter: GPUAdapter): AdapterReport {
  const { info, limits } = adapter;
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    device: info.device,
    description: info.description,
    // Older browsers had it on the adapter itself.
    isFallback:
      info.isFallbackAdapter ?? (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter ?? false,
    features: [...adapter.features].sort(),
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
  };
}

/** The adapter, or a `KinoraError` that says what is missing. */
export async function requestAdapter(entry: GPU | undefined): Promise<GPUAdapter> {
  if (!entry)
    throw new KinoraError('no-webgpu', 'This browser does not offer WebGPU (navigator.gpu is missing).');
  const adapter = await entry.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new KinoraError('no-adapter', 'WebGPU is present, but it found no graphics adapter.');
  return adapter;
}

/** How long a dispatch may take on a GPU whose speed is known: the page is drawn between two. */
const DISPATCH_SECONDS = 0.025;
/** More than any GPU reaches: what seems faster was measured by a clock too coarse for it. */
const MOST_FLOPS = 1e15;

/** What no error scope caught. Small buffers have none of their own; a lack of memory is told as that all the same. */
function uncaptured(error: GPUError): KinoraError {
  if (typeof GPUOutOfMemoryError === 'undefined' || !(error instanceof GPUOutOfMemoryError))
    return new KinoraError('internal', REFUSED, {}, error.message);
  return new KinoraError('out-of-memory', 'The GPU has no room left. Choose a smaller size or close other tabs.', {}, error.message); // prettier-ignore
}

export class Gpu {
  readonly device: GPUDevice;
  readonly adapter: AdapterReport;
  /** Storage type of activations. */
  readonly elem: Elem;
  readonly features: ReadonlySet<Feature>;
  readonly memory: Memory;
  readonly kernels: KernelCache;
  readonly tuner: Tuner;
  /** Bytes that the GPU has, as the person says; no browser tells. Undefined: they said nothing. */
  said: number | undefined;
  /** Null where nothing is to be measured. */
  profiler: Profiler | null = null;
  /**
   * Floating-point operations that one dispatch may take: at first well below a second on the slowest adapter of
   * the kind, so that no driver watchdog fires (Windows: 2 s); software adapters reach some 2 GFLOP/s. See `reaches`.
   */
  flopsPerDispatch: number;
  #failure: KinoraError | null = null;
  #ended = false;

  constructor(
    device: GPUDevice,
    adapter: AdapterReport,
    elem: Elem,
    features: ReadonlySet<Feature> = new Set(),
    tuning: TunerOptions = {},
  ) {
    this.device = device;
    this.adapter = adapter;
    this.elem = elem;
    this.features = features;
    this.tuner = new Tuner(tuning);
    const fail = (e: KinoraError) => this.fail(e);
    this.memory = new Memory(device, fail);
    this.kernels = new KernelCache(device, fail);
    this.flopsPerDispatch = adapter.isFallback ? 5e8 : 2e10;
    device.onuncapturederror = ({ error }) => fail(uncaptured(error));
    void device.lost.then(({ message }) => {
      if (this.#ended) return; // by ourselves
      fail(
        new KinoraError(
          'device-lost',
          'The GPU was lost (driver reset, sleep or removal). Try again.',
          {},
          message,
        ),
      );
    });
  }

  /**
   * A kernel reached so many operations a second here: dispatches may be as long as suits that. Large GPUs are not kept
   * busy by what a slow one does in time. Even a kernel that is twenty times slower stays below a watchdog's patience.
   */
  reaches(flopsPerSecond: number): void {
    if (!(flopsPerSecond <= MOST_FLOPS)) return;
    this.flopsPerDispatch = Math.max(this.flopsPerDispatch, DISPATCH_SECONDS * flopsPerSecond);
  }

  /**
   * Keeps the first failure, but rather one that names its cause than a mere refusal, and rather that the device is lost
   * than what came before it: a device that ran out of memory may be lost of it. `check` throws it.
   */
  fail(error: KinoraError): void {
    const named = this.#failure?.message === REFUSED && error.message !== REFUSED;
    if (!this.#failure || named || error.code === 'device-lost') this.#failure = error;
  }

  /** Throws what went wrong on the GPU since the last call, if anything did. A lost device stays lost. */
  check(): void {
    const failure = this.#failure;
    if (!failure) return;
    if (failure.code !== 'device-lost') this.#failure = null;
    throw failure;
  }

  /** The device is gone. It may be told a moment after the errors that came of it. */
  async isLost(patience = 200): Promise<boolean> {
    await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, patience))]);
    return this.#failure?.code === 'device-lost';
  }

  /** Waits until all submitted work is done, then `check`s. */
  async sync(): Promise<void> {
    await this.device.queue.onSubmittedWorkDone();
    this.check();
  }

  /** Mapping fails when the device is lost, and that may be told a moment later. Throws the better reason. */
  async #explain(error: unknown): Promise<never> {
    await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 500))]);
    this.check();
    throw error;
  }

  /** The raw bytes of a tensor's storage (a copy). Waits for the GPU. */
  async readBytes(t: Tensor): Promise<Uint8Array<ArrayBuffer>> {
    const { buffer, bytes } = t.storage;
    const staging = this.device.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    try {
      const encoder = this.device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer!, 0, staging, 0, bytes);
      this.device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ).catch((e) => this.#explain(e));
      this.check();
      return new Uint8Array(staging.getMappedRange().slice(0));
    } finally {
      staging.destroy();
    }
  }

  /** The values of an f32 or f16 tensor. Pending dispatches of a `Run` must be flushed first. */
  async read(t: Tensor): Promise<Float32Array<ArrayBuffer>> {
    const bytes = await this.readBytes(t);
    const n = size(t);
    if (t.dtype === 'f32') return new Float32Array(bytes.buffer, 0, n);
    if (t.dtype !== 'f16') throw new TypeError(`read: ${t.label} is ${t.dtype}, not f32 or f16`);
    return Float32Array.from(new Uint16Array(bytes.buffer, 0, n), halfToFloat);
  }

  destroy(): void {
    this.#ended = true;
    this.memory.destroy();
    this.device.destroy();
  }
}

function halfToFloat(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024);
}

/** Opens a device with every limit that the adapter has and the features that kernels can use. */
export async function openGpu(entry: GPU | undefined, options: GpuOptions = {}): Promise<Gpu> {
  const adapter = await requestAdapter(entry);
  const report = reportAdapter(adapter);
  const f16 = (options.f16 ?? true) && adapter.features.has('shader-f16');
  const { limits } = adapter;
  // Chromium names the feature of matrices so; types do not know it yet.
  const optional = ['subgroups', 'chromium-experimental-subgroup-matrix'] as GPUFeatureName[];
  const requiredFeatures = optional.filter((f) => adapter.features.has(f));
  if (f16) requiredFeatures.push('shader-f16');
  if (options.profile && adapter.features.has('timestamp-query')) requiredFeatures.push('timestamp-query');
  const device = await adapter.requestDevice({
    label: 'kinora',
    requiredFeatures,
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    },
  });
  const { store, key, always, clock } = options.tuning ?? {};
  const features = featuresOf(entry!, requiredFeatures, adapter.info);
  const gpu = new Gpu(device, report, f16 ? 'f16' : 'f32', features, {
    ...(store && { store }),
    ...(always && { always }),
    ...(clock && { clock }),
    key: JSON.stringify([report, f16, key ?? '']),
  });
  if (options.profile) gpu.profiler = new Profiler(device);
  await gpu.tuner.recall();
  gpu.reaches(gpu.tuner.speed);
  return gpu;
}

/** Exported for its test. */
export function featuresOf(
  entry: Pick<GPU, 'wgslLanguageFeatures'>,
  enabled: readonly string[],
  info: Pick<GPUAdapterInfo, 'subgroupMinSize' | 'subgroupMaxSize'> & {
    subgroupMatrixConfigs?: Iterable<MatrixConfig>;
  },
): ReadonlySet<Feature> {
  const language = entry.wgslLanguageFeatures as ReadonlySet<string> | undefined;
  const features = new Set<Feature>();
  if (enabled.includes('shader-f16')) features.add('f16');
  if (enabled.includes('subgroups') && language?.has('subgroup_id')) features.add('subgroups');
  const { subgroupMinSize: least, subgroupMaxSize: most } = info;
  if (
    enabled.includes('chromium-experimental-subgroup-matrix') &&
    features.has('subgroups') &&
    least === MATRIX_SUBGROUP &&
    most === MATRIX_SUBGROUP
  )
    for (const config of info.subgroupMatrixConfigs ?? []) features.add(matrixFeature(config));
  return features;
}
