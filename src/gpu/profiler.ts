/**
 * How long each kernel takes on the GPU, for commands that measure. Every dispatch gets a pass of its own, so work under it
 * is slower than otherwise, and its sum is not what a clip takes.
 */
export interface Timed {
  /** The kernel's name. */
  name: string;
  encode(pass: GPUComputePassEncoder): void;
}

/** Of one kernel, all its dispatches together. */
export interface KernelTime {
  dispatches: number;
  /** Milliseconds. */
  ms: number;
}

/**
 * - timestamps: the GPU's own, before and after each pass. Browsers and Dawn round them to 0.1 ms.
 * - wall: from when a dispatch was submitted, or the one before was done, until it was told to be done; the way there and
 *   back is in it. Where the adapter has no timestamps.
 */
export type Clock = 'timestamps' | 'wall';

export class Profiler {
  readonly clock: Clock;
  readonly #device: GPUDevice;
  readonly #times = new Map<string, KernelTime>();
  #waiting: Promise<void>[] = [];
  /** When the last dispatch was told to be done. */
  #done = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.clock = device.features.has('timestamp-query') ? 'timestamps' : 'wall';
  }

  /** Submits dispatches, in their order. */
  submit(work: readonly Timed[]): void {
    this.#waiting.push(this.clock === 'timestamps' ? this.#byTimestamps(work) : this.#byWall(work));
  }

  /** What was measured since the last `clear`, by kernel. Waits for the GPU. */
  async times(): Promise<ReadonlyMap<string, KernelTime>> {
    while (this.#waiting.length) await Promise.all(this.#waiting.splice(0));
    return this.#times;
  }

  async clear(): Promise<void> {
    await this.times();
    this.#times.clear();
  }

  #add(name: string, ms: number): void {
    const { dispatches, ms: before } = this.#times.get(name) ?? { dispatches: 0, ms: 0 };
    this.#times.set(name, { dispatches: dispatches + 1, ms: before + ms });
  }

  async #byTimestamps(work: readonly Timed[]): Promise<void> {
    const device = this.#device;
    const count = 2 * work.length;
    const size = 8 * count;
    const querySet = device.createQuerySet({ type: 'timestamp', count });
    const resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC }); // prettier-ignore
    const readable = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    const encoder = device.createCommandEncoder();
    work.forEach(({ encode }, i) => {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      const pass = encoder.beginComputePass({ timestampWrites });
      encode(pass);
      pass.end();
    });
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, size);
    device.queue.submit([encoder.finish()]);
    try {
      await readable.mapAsync(GPUMapMode.READ);
      const nanoseconds = new BigInt64Array(readable.getMappedRange());
      work.forEach(({ name }, i) => {
        const taken = Number(nanoseconds[2 * i + 1]! - nanoseconds[2 * i]!);
        this.#add(name, Math.max(0, taken) / 1e6); // clocks of some adapters jump back
      });
    } catch {
      // The device is lost: whoever waits for the work itself is told why.
    } finally {
      querySet.destroy();
      resolved.destroy();
      readable.destroy();
    }
  }

  async #byWall(work: readonly Timed[]): Promise<void> {
    const { queue } = this.#device;
    const each = work.map(async ({ name, encode }) => {
      const encoder = this.#device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      encode(pass);
      pass.end();
      queue.submit([encoder.finish()]);
      const submitted = performance.now();
      await queue.onSubmittedWorkDone();
      const now = performance.now();
      this.#add(name, now - Math.max(submitted, this.#done));
      this.#done = now;
    });
    await Promise.all(each).catch(() => {}); // as above
  }
}
