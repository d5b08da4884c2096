/** onnxruntime-web beside our kernels: the same operation and sizes, the same browser and adapter, the same run. */
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { repeat, type Measured } from './measure';
import { f32ToF16 } from '../../src/weights/convert';
import { onnxModel, type PeerElem, type PeerOperation } from './onnx-model';

type Ort = typeof import('onnxruntime-web/webgpu');

/** A single operation, or a whole network as a file of the bundled model, with its inputs. */
export type PeerCase = { operation: PeerOperation; copies: number } | { model: string; inputs: PeerInputs };

type PeerInputs = Readonly<
  Record<string, { dims: readonly number[]; type?: PeerElem | 'int64'; data?: BigInt64Array }>
>;

/**
 * How many of an operation a graph has. To begin a run costs something, which a network does once and a small operation
 * alone would pay for each time; to large ones it is nothing.
 */
export const copiesOf = (flops: number) => (flops < 5e6 ? 16 : 1);

export type Provider = 'webgpu' | 'wasm';

export class Peer {
  #made: GPUBuffer[] = [];

  constructor(
    readonly ort: Ort,
    /** The device that our kernels run on, too. */
    readonly device: GPUDevice,
    readonly load: (model: string) => Promise<Uint8Array>,
    /** As our activations are, of single operations on WebGPU: halves on one side alone would be no comparison. */
    readonly elem: PeerElem = 'float32',
  ) {}

  /** What one run takes; null where this provider cannot do it, with its words in `problem`. */
  async measure(test: PeerCase, provider: Provider): Promise<{ time: Measured | null; problem: string }> {
    let session: InferenceSession | null = null;
    try {
      const { device } = this;
      const elem = provider === 'webgpu' ? this.elem : 'float32'; // WASM has few operations on halves
      const { model, inputs, copies } = await this.#modelOf(test, elem);
      session = await this.ort.InferenceSession.create(model, {
        executionProviders: provider === 'webgpu' ? [{ name: 'webgpu', device } as never] : ['wasm'],
        ...(provider === 'webgpu' && { preferredOutputLocation: 'gpu-buffer' as const }),
        extra: { session: { qdq_matmulnbits_accuracy_level: '1' } },
      });
      const feeds: Record<string, Tensor> = {};
      for (const [name, input] of Object.entries(inputs)) feeds[name] = this.#input(input, provider);
      const { seconds, cpu } = await this.#time(session, feeds, provider);
      return { time: { seconds: seconds / copies, cpu: cpu === null ? null : cpu / copies }, problem: '' };
    } catch (e) {
      return { time: null, problem: e instanceof Error ? e.message : String(e) };
    } finally {
      await session?.release().catch(() => {});
      for (const buffer of this.#made.splice(0)) buffer.destroy();
    }
  }

  async #modelOf(
    test: PeerCase,
    elem: PeerElem,
  ): Promise<{ model: Uint8Array; inputs: PeerInputs; copies: number }> {
    if ('model' in test) return { model: await this.load(test.model), inputs: test.inputs, copies: 1 };
    const { operation, copies } = test;
    const inputs = Object.entries(operation.inputs).map(
      ([name, dims]) => [name, { dims, type: elem }] as const,
    );
    return { model: onnxModel(operation, copies, elem), inputs: Object.fromEntries(inputs), copies };
  }

  #input({ dims, type = 'float32', data }: PeerInputs[string], provider: Provider): Tensor {
    const n = dims.reduce((a, b) => a * b, 1);
    const floats = Float32Array.from({ length: data ? 0 : n }, (_, i) => Math.sin(i * 1.7) * 0.5);
    const values = data ?? (type === 'float16' ? Uint16Array.from(floats, f32ToF16) : floats);
    // Whole numbers (positions) stay on the CPU, where the runtime wants them.
    if (provider === 'wasm' || type === 'int64' || n === 0)
      return new this.ort.Tensor(type, values as never, dims);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const size = Math.ceil(values.byteLength / 16) * 16;
    const buffer = this.device.createBuffer({ size, usage, mappedAtCreation: true });
    new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(values.buffer, 0, values.byteLength));
    buffer.unmap();
    this.#made.push(buffer);
    return this.ort.Tensor.fromGpuBuffer(buffer, { dataType: type, dims } as never) as unknown as Tensor;
  }

  #time(session: InferenceSession, feeds: Record<string, Tensor>, provider: Provider): Promise<Measured> {
    return repeat(async (repetitions) => {
      for (let i = 0; i < repetitions; i++) {
        const out = await session.run(feeds);
        for (const t of Object.values(out)) t.dispose();
      }
      if (provider === 'webgpu') await this.device.queue.onSubmittedWorkDone();
    });
  }
}
