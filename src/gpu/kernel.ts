/**
 * A kernel is a plain WGSL text. Its bindings and its `Params` are read from the text itself, so that
 * the call names them and cannot get their order wrong.
 *
 * The calling shape of every kernel: inputs `var<storage, read>`, outputs `var<storage, read_write>`,
 * then one `var<uniform> params: Params` whose fields are u32, i32 or f32. Entry point `main`.
 * Prepended to the text: `enable f16;` and subgroups where wanted, `alias elem = f32|f16;`, `const` numbers (sizes of
 * private arrays cannot be overrides) and shared snippets.
 */
import { KinoraError } from '../errors';
import type { Elem } from './tensor';

export interface KernelSpec {
  /** The .wgsl file's base name; error messages and pipelines carry it. */
  readonly name: string;
  readonly code: string;
  /** What `elem` is in this text; f32 unless said. */
  readonly elem?: Elem;
  /** Numbers prepended as `const NAME = 8u;`. */
  readonly consts?: Readonly<Record<string, number>>;
  /** Values of `override` declarations. */
  readonly overrides?: Readonly<Record<string, number>>;
  /** Snippets of shaders/lib, and `alias` lines. */
  readonly lib?: readonly string[];
}

export interface KernelInterface {
  /** Storage bindings by name, in binding order. */
  readonly bindings: readonly { name: string; binding: number; writable: boolean }[];
  readonly params: readonly { name: string; type: 'u32' | 'i32' | 'f32' }[];
  readonly paramsBinding: number | null;
}

export interface Kernel {
  readonly name: string;
  readonly face: KernelInterface;
  readonly layout: GPUBindGroupLayout;
  readonly id: number;
  pipeline: GPUComputePipeline | null;
  compiling: Promise<void> | null;
  make(): GPUComputePipelineDescriptor;
}

const BINDING =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<\s*(storage|uniform)\s*(?:,\s*(read|read_write)\s*)?>\s*(\w+)\s*:/g;

/** Reads the bindings and the fields of `struct Params` from a kernel's text. */
export function readInterface(name: string, code: string): KernelInterface {
  const text = code.replace(/\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '');
  const bindings: { name: string; binding: number; writable: boolean }[] = [];
  let paramsBinding: number | null = null;
  for (const [, index, space, access, id] of text.matchAll(BINDING)) {
    if (space === 'uniform') paramsBinding = Number(index);
    else bindings.push({ name: id!, binding: Number(index), writable: access === 'read_write' });
  }
  bindings.sort((a, b) => a.binding - b.binding);
  const body = /struct\s+Params\s*\{([^}]*)\}/.exec(text)?.[1] ?? '';
  const params = [...body.matchAll(/(\w+)\s*:\s*(\w+)/g)].map(([, field, type]) => {
    if (type !== 'u32' && type !== 'i32' && type !== 'f32') {
      throw new Error(`${name}: Params.${field} is ${type}; only u32, i32 and f32 can be packed`);
    }
    return { name: field!, type } as const;
  });
  if ((paramsBinding === null) !== (params.length === 0)) {
    throw new Error(`${name}: a uniform binding and a struct Params go together`);
  }
  if (params.length > 64) throw new Error(`${name}: Params has ${params.length} fields; 64 fit in a slot`);
  return { bindings, params, paramsBinding };
}

function keyOf(spec: KernelSpec): string {
  const numbers = (o: Readonly<Record<string, number>> = {}) => Object.entries(o).sort().join(';');
  const lib = spec.lib?.join('|') ?? '';
  return `${spec.name}|${spec.elem ?? 'f32'}|${numbers(spec.consts)}|${numbers(spec.overrides)}|${lib}`;
}

function source(spec: KernelSpec): string {
  const elem = spec.elem ?? 'f32';
  const half = elem === 'f16' || spec.lib?.some((snippet) => /\balias \w+ = f16;/.test(snippet));
  const consts = Object.entries(spec.consts ?? {}).map(([k, v]) => {
    if (!Number.isInteger(v) || v < 0)
      throw new Error(`${spec.name}: const ${k} = ${v} is not a whole number`);
    return `const ${k} = ${v}u;`;
  });
  const text = [...(spec.lib ?? []), spec.code].join('\n');
  const directives = [
    half ? 'enable f16;' : '',
    /\bsubgroup\w+\(/.test(text) ? 'enable subgroups;' : '',
    /\bbuiltin\(subgroup_id\)/.test(text) ? 'requires subgroup_id;' : '',
    /\bsubgroup_matrix_\w+</.test(text) ? 'enable chromium_experimental_subgroup_matrix;' : '',
  ];
  return [...directives, `alias elem = ${elem};`, ...consts, text].join('\n');
}

/** Compiles each kernel once per device. */
export class KernelCache {
  readonly #device: GPUDevice;
  readonly #fail: (e: KinoraError) => void;
  readonly #kernels = new Map<string, Kernel>();
  /** Ops keep their specs, so most look-ups end here. */
  readonly #bySpec = new WeakMap<KernelSpec, Kernel>();

  constructor(device: GPUDevice, fail: (e: KinoraError) => void) {
    this.#device = device;
    this.#fail = fail;
  }

  /** Declares a kernel; compiles nothing yet. */
  get(spec: KernelSpec): Kernel {
    const kernel = this.#bySpec.get(spec) ?? this.#getByKey(spec);
    this.#bySpec.set(spec, kernel);
    return kernel;
  }

  #getByKey(spec: KernelSpec): Kernel {
    const key = keyOf(spec);
    const known = this.#kernels.get(key);
    if (known) return known;
    const device = this.#device;
    const face = readInterface(spec.name, spec.code);
    const entries: GPUBindGroupLayoutEntry[] = face.bindings.map(({ binding, writable }) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: writable ? 'storage' : 'read-only-storage' },
    }));
    if (face.paramsBinding !== null) {
      entries.push({
        binding: face.paramsBinding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: 'uniform', hasDynamicOffset: true },
      });
    }
    const layout = device.createBindGroupLayout({ label: spec.name, entries });
    const kernel: Kernel = {
      name: spec.name,
      face,
      layout,
      id: this.#kernels.size,
      pipeline: null,
      compiling: null,
      make: () => ({
        label: spec.name,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: {
          module: device.createShaderModule({ label: spec.name, code: source(spec) }),
          entryPoint: 'main',
          constants: { ...spec.overrides },
        },
      }),
    };
    this.#kernels.set(key, kernel);
    return kernel;
  }

  /** Compiles without blocking; resolves when the pipeline is there. Rejects with the driver's words. */
  compile(kernel: Kernel): Promise<void> {
    if (kernel.pipeline) return Promise.resolve();
    return (kernel.compiling ??= this.#compile(kernel));
  }

  async #compile(kernel: Kernel): Promise<void> {
    // The scope catches what is wrong with the text; the pipeline then only knows that its module is invalid.
    this.#device.pushErrorScope('validation');
    const making = this.#device.createComputePipelineAsync(kernel.make());
    const refusal = this.#device.popErrorScope();
    try {
      kernel.pipeline = await making;
    } catch (e) {
      throw broken(kernel, (await refusal)?.message ?? (e instanceof Error ? e.message : String(e)));
    }
  }

  /** The pipeline at once, compiling in place when nobody warmed it up. */
  pipeline(kernel: Kernel): GPUComputePipeline {
    if (kernel.pipeline) return kernel.pipeline;
    this.#device.pushErrorScope('validation');
    kernel.pipeline = this.#device.createComputePipeline(kernel.make());
    void this.#device.popErrorScope().then((error) => {
      if (error) this.#fail(broken(kernel, error.message));
    });
    return kernel.pipeline;
  }
}

function broken({ name }: Kernel, words: string): KinoraError {
  const message = `The kernel ${name} does not compile on this adapter.`;
  return new KinoraError('internal', message, { operation: name }, words);
}
