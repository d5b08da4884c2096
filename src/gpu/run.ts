/**
 * A run records dispatches and submits them in batches; its arena lends scratch tensors.
 *
 * - A tensor from `tensor()` lives until the `scope` it was made in ends; what the scope returns lives
 *   on in the scope around it. Freed buffers are lent again at once: the queue keeps the order.
 * - A *dry* run does everything but the GPU's work: it collects the kernels to compile and the peak of
 *   scratch memory, so that pipelines are warmed up behind the loading bar and memory is known before. It also
 *   gathers which variants of a kernel are still to be chosen by trial (`tuner.ts`).
 * - A *tracing* run checks every dispatch's output for NaN and Inf and names the first bad operation.
 */
import { Arena } from './arena';
import { KinoraError } from '../errors';
import type { Gpu } from './device';
import type { Kernel, KernelSpec } from './kernel';
import type { Question } from './tuner';
import { bytesOf, size, type Elem, type Plain, type Storage, type Tensor } from './tensor';

export interface Dispatch {
  kernel: KernelSpec;
  /** Tensors or storages by the names in the WGSL text. */
  bindings: Readonly<Record<string, Tensor | Storage>>;
  params?: Readonly<Record<string, number>>;
  workgroups: readonly [number, number?, number?];
}

/** How many dispatches go into one submit. */
const BATCH = 32;
/** minUniformBufferOffsetAlignment is at most 256 everywhere. */
const SLOT = 256;
/** maxComputeWorkgroupsPerDimension is at least that everywhere, and no more is asked for. */
const MOST_GROUPS = 65_535;

interface Recorded {
  kernel: Kernel;
  storages: Storage[];
  workgroups: readonly [number, number, number];
}

type Hook = (kernel: string, output: Tensor) => void;

export class Run {
  readonly gpu: Gpu;
  readonly dry: boolean;
  readonly arena: Arena;
  /** Kernels that this run has used; after a dry run, what must be compiled. */
  readonly kernels = new Set<Kernel>();
  /** Which variants there were to choose between, by the question's key. */
  readonly questions = new Map<string, Question>();
  /** Dispatches recorded since the run was made. */
  launches = 0;
  /** A tracing hook: called after each dispatch with every tensor it wrote. */
  onOutput: Hook | null = null;
  #recorded: Recorded[] = [];
  #params = new ArrayBuffer(BATCH * SLOT);
  #uniform: GPUBuffer | null = null;
  #groups = new Map<string, GPUBindGroup>();
  #forget = (): void => this.#groups.clear();
  #scopes: Set<Storage>[] = [new Set()];

  constructor(gpu: Gpu, options: { dry?: boolean } = {}) {
    this.gpu = gpu;
    this.dry = options.dry ?? false;
    this.arena = new Arena(gpu.memory, this.dry);
    gpu.memory.onDestroy.add(this.#forget);
  }

  /** Storage type of activations. */
  get elem(): Elem {
    return this.gpu.elem;
  }

  /** A scratch tensor with undefined contents, of the activations' type unless `dtype` says otherwise. */
  tensor(shape: readonly number[], label: string, dtype: Plain = this.elem): Tensor {
    if (shape.some((n) => !Number.isInteger(n) || n < 0))
      throw new RangeError(`${label}: bad shape [${shape}]`);
    const storage = this.arena.take(bytesOf(shape, dtype), label);
    this.#scopes.at(-1)!.add(storage);
    return { storage, dtype, shape, label };
  }

  /** A scratch tensor with data from the CPU: Float32Array → the activations' type unless `dtype` says f32. */
  input(
    data: Float32Array | Uint32Array | Int32Array,
    shape: readonly number[],
    label: string,
    dtype?: Elem,
  ): Tensor {
    if (data.length !== size({ shape }))
      throw new RangeError(`${label}: ${data.length} values for shape [${shape}]`);
    const type: Plain =
      data instanceof Uint32Array ? 'u32' : data instanceof Int32Array ? 'i32' : (dtype ?? this.elem);
    const t = this.tensor(shape, label, type);
    if (this.dry) return t;
    // writeBuffer happens before anything that is submitted later: what still uses the buffer goes first.
    this.flush();
    const raw = type === 'f16' ? Uint16Array.from(data, floatToHalf) : data;
    this.gpu.memory.write(t.storage, raw as ArrayBufferView<ArrayBuffer>);
    return t;
  }

  /** Runs `work`; scratch tensors made inside are lent again afterwards, but for the ones it returns. */
  scope<T extends Tensor | readonly Tensor[] | void>(work: () => T): T {
    this.#scopes.push(new Set());
    let kept: T | undefined;
    try {
      return (kept = work());
    } finally {
      const scope = this.#scopes.pop()!;
      const outer = this.#scopes.at(-1)!;
      const escaping = kept === undefined ? [] : Array.isArray(kept) ? (kept as Tensor[]) : [kept as Tensor];
      for (const { storage } of escaping) if (scope.delete(storage)) outer.add(storage);
      for (const storage of scope) this.arena.give(storage);
    }
  }

  /** Gives back a scratch tensor before its scope ends. */
  release(t: Tensor): void {
    for (const scope of this.#scopes) if (scope.delete(t.storage)) return this.arena.give(t.storage);
    throw new Error(`release: ${t.label} is not a scratch tensor of this run`);
  }

  /** The variant that the adapter's tuner chose, and a note that it was wanted. */
  choose(question: Question): string {
    if (!this.questions.has(question.key)) this.questions.set(question.key, question);
    return this.gpu.tuner.choice(question);
  }

  /** Records one dispatch. Bindings and params are matched by name with the WGSL text. */
  dispatch({ kernel: spec, bindings, params = {}, workgroups }: Dispatch): void {
    const kernel = this.gpu.kernels.get(spec);
    const { face } = kernel;
    this.kernels.add(kernel);
    this.launches++;
    const storages = face.bindings.map(({ name }) => {
      const bound = bindings[name];
      if (!bound) throw new Error(`${spec.name}: nothing is bound to ${name}`);
      return 'storage' in bound ? bound.storage : bound;
    });
    const surplus = Object.keys(bindings).filter((n) => !face.bindings.some((b) => b.name === n));
    if (surplus.length) throw new Error(`${spec.name} has no binding ${surplus.join(', ')}`);
    const [x, y = 1, z = 1] = workgroups;
    const limit = this.gpu.device.limits.maxComputeWorkgroupsPerDimension;
    if (Math.max(x, y, z) > limit) {
      throw new RangeError(`${spec.name}: ${x}×${y}×${z} workgroups, but ${limit} a dimension is the limit`);
    }
    this.#packParams(kernel, params);
    if (x * y * z === 0 || this.dry) return;
    this.#recorded.push({ kernel, storages, workgroups: [x, y, z] });
    if (this.onOutput) this.#trace(kernel, bindings);
    if (this.#recorded.length >= BATCH) this.flush();
  }

  #trace(kernel: Kernel, bindings: Dispatch['bindings']): void {
    const hook = this.onOutput!;
    this.onOutput = null; // the hook's own dispatches are not traced
    for (const { name, writable } of kernel.face.bindings) {
      const t = bindings[name]!;
      if (writable && 'storage' in t) hook(kernel.name, t);
    }
    this.onOutput = hook;
  }

  #packParams(kernel: Kernel, params: Readonly<Record<string, number>>): void {
    const { face, name } = kernel;
    const surplus = Object.keys(params).filter((p) => !face.params.some((f) => f.name === p));
    if (surplus.length) throw new Error(`${name} has no parameter ${surplus.join(', ')}`);
    const view = new DataView(this.#params, this.#recorded.length * SLOT, SLOT);
    face.params.forEach(({ name: field, type }, i) => {
      const value = params[field];
      if (value === undefined) throw new Error(`${name}: the parameter ${field} is missing`);
      if (type === 'f32') return view.setFloat32(4 * i, value, true);
      if (!Number.isInteger(value)) throw new Error(`${name}: ${field} = ${value} is not a whole number`);
      view.setInt32(4 * i, value, true);
    });
  }

  #group(kernel: Kernel, storages: Storage[]): GPUBindGroup {
    const key = `${kernel.id}:${storages.map((s) => s.id).join()}`;
    let group = this.#groups.get(key);
    if (!group) {
      const entries: GPUBindGroupEntry[] = kernel.face.bindings.map(({ binding }, i) => ({
        binding,
        resource: { buffer: storages[i]!.buffer! },
      }));
      if (kernel.face.paramsBinding !== null) {
        entries.push({
          binding: kernel.face.paramsBinding,
          resource: { buffer: this.#uniform!, size: SLOT },
        });
      }
      group = this.gpu.device.createBindGroup({ label: kernel.name, layout: kernel.layout, entries });
      this.#groups.set(key, group);
    }
    return group;
  }

  /** Submits what is recorded. */
  flush(): void {
    if (!this.#recorded.length) return;
    const { device } = this.gpu;
    this.#uniform ??= device.createBuffer({
      label: 'params',
      size: this.#params.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(this.#uniform, 0, this.#params, 0, this.#recorded.length * SLOT);
    const work = this.#recorded.map(({ kernel, storages, workgroups }, i) => ({
      name: kernel.name,
      encode: (pass: GPUComputePassEncoder) => {
        pass.setPipeline(this.gpu.kernels.pipeline(kernel));
        const group = this.#group(kernel, storages);
        pass.setBindGroup(0, group, kernel.face.paramsBinding === null ? [] : [i * SLOT]);
        pass.dispatchWorkgroups(...workgroups);
      },
    }));
    this.#recorded = [];
    if (this.gpu.profiler) return this.gpu.profiler.submit(work);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { encode } of work) encode(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  /** Submits, waits for the GPU, and throws what went wrong there. */
  async sync(): Promise<void> {
    this.flush();
    await this.gpu.sync();
  }

  /** The values of a tensor, after everything recorded so far. */
  async read(t: Tensor): Promise<Float32Array<ArrayBuffer>> {
    this.flush();
    return this.gpu.read(t);
  }

  /** Compiles every kernel that this (dry) run used, several at a time, without blocking. */
  async compile(onProgress: (done: number, total: number) => void = () => {}): Promise<void> {
    let done = 0;
    await Promise.all(
      [...this.kernels].map(async (kernel) => {
        await this.gpu.kernels.compile(kernel);
        onProgress(++done, this.kernels.size);
      }),
    );
  }

  /** Frees the scratch memory. */
  destroy(): void {
    this.#recorded = [];
    this.arena.destroy();
    this.#uniform?.destroy();
    this.#uniform = null;
    this.#groups.clear();
    this.gpu.memory.onDestroy.delete(this.#forget);
  }
}

/** Workgroups [x, y] for `n` items, `perGroup` each: index = (wid.y * num_workgroups.x + wid.x) * perGroup + lid. */
export function grid(n: number, perGroup: number): [number, number] {
  const groups = Math.ceil(n / perGroup);
  if (groups <= MOST_GROUPS) return [groups, 1];
  const x = Math.ceil(Math.sqrt(groups));
  return [x, Math.ceil(groups / x)];
}

/**
 * Cuts `rows` into ranges so that none costs more than the adapter's `flopsPerDispatch`. They are alike, up to the `step`
 * rows of a workgroup, so that no short one at the end leaves the GPU idle. At least `step` rows each, and no more
 * workgroups than a dispatch may have in a direction.
 */
export function* ranges(
  gpu: Gpu,
  rows: number,
  flopsPerRow: number,
  step = 1,
): Generator<{ start: number; count: number }> {
  const allowed = Math.floor(gpu.flopsPerDispatch / (Math.max(1, flopsPerRow) * step));
  const most = Math.min(MOST_GROUPS, Math.max(1, allowed)); // steps in one
  const steps = Math.ceil(rows / step);
  const count = Math.ceil(steps / Math.ceil(steps / most)) * step;
  for (let start = 0; start < rows; start += count) yield { start, count: Math.min(count, rows - start) };
}

/** Round to nearest, ties to even; overflow becomes Inf. */
export function floatToHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const a = Math.abs(x);
  if (Number.isNaN(x)) return 0x7e00;
  if (a >= 65520) return sign | 0x7c00;
  const exponent = a < 2 ** -14 ? -14 : Math.floor(Math.log2(a));
  const scaled = (a / 2 ** exponent) * 1024;
  const low = Math.floor(scaled);
  const rest = scaled - low;
  const mantissa = rest > 0.5 || (rest === 0.5 && low & 1) ? low + 1 : low;
  return sign + (a < 2 ** -14 ? mantissa : ((exponent + 15) << 10) + (mantissa - 1024));
}

/** For errors of ops: throws a RangeError with both shapes when they differ. */
export function expectShape(op: string, what: string, t: Tensor, expected: readonly number[]): void {
  if (t.shape.length !== expected.length || t.shape.some((n, i) => n !== expected[i])) {
    throw new KinoraError(
      'internal',
      `${op}: ${what} (${t.label}) has shape [${t.shape}], expected [${expected}]`,
      {
        operation: op,
      },
    );
  }
}
