/** Owns every long-lived GPU buffer (weights, caches) and counts the bytes of all buffers, scratch too. */
import { KinoraError } from '../errors';
import { bytesOf, type Plain, type Storage, type Tensor } from './tensor';

export class Memory {
  readonly #device: GPUDevice;
  readonly #fail: (e: KinoraError) => void;
  #nextId = 1;
  #live = new Map<number, Storage>();
  /** Bytes allocated now, and the most that ever were. */
  bytes = 0;
  peak = 0;
  /** Called when a storage is gone, so that nobody keeps a bind group of it. */
  readonly onDestroy = new Set<() => void>();

  constructor(device: GPUDevice, fail: (e: KinoraError) => void) {
    this.#device = device;
    this.#fail = fail;
  }

  /** A storage buffer of `bytes` bytes (rounded up to words), zero-filled. Throws over the adapter's limit. */
  allocate(bytes: number, label: string): Storage {
    const rounded = Math.max(4, Math.ceil(bytes / 4) * 4);
    const { maxStorageBufferBindingSize: binding, maxBufferSize: buffer } = this.#device.limits;
    const limit = Math.min(binding, buffer);
    if (rounded > limit) {
      throw new KinoraError(
        'out-of-memory',
        `${label} needs a buffer of ${rounded} bytes, but this adapter allows ${limit}. Choose a smaller size.`,
        { needed: rounded, limit, what: label },
      );
    }
    this.#device.pushErrorScope('out-of-memory');
    const gpuBuffer = this.#device.createBuffer({
      label,
      size: rounded,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    void this.#device.popErrorScope().then((error) => {
      if (!error) return;
      this.#fail(
        new KinoraError(
          'out-of-memory',
          `The GPU has no room for ${label} (${rounded} bytes; ${this.bytes} are in use). Choose a smaller size or close other tabs.`,
          { needed: rounded, used: this.bytes, what: label },
          error.message,
        ),
      );
    });
    const storage = { bytes: rounded, buffer: gpuBuffer, id: this.#nextId++ };
    this.#live.set(storage.id, storage);
    this.bytes += rounded;
    this.peak = Math.max(this.peak, this.bytes);
    return storage;
  }

  /** A zero-filled tensor that lives until `free`. */
  tensor(shape: readonly number[], dtype: Plain, label: string): Tensor {
    return { storage: this.allocate(bytesOf(shape, dtype), label), dtype, shape, label };
  }

  /** A tensor with these words as its contents. `data` is raw memory in the dtype's layout. */
  upload(data: ArrayBufferView<ArrayBuffer>, shape: readonly number[], dtype: Plain, label: string): Tensor {
    const expected = bytesOf(shape, dtype);
    if (Math.ceil(data.byteLength / 4) * 4 !== expected) {
      throw new RangeError(
        `${label}: ${data.byteLength} bytes of data for shape [${shape}] ${dtype} (${expected} bytes)`,
      );
    }
    const tensor = this.tensor(shape, dtype, label);
    this.write(tensor.storage, data);
    return tensor;
  }

  /** Writes at a byte offset (a multiple of 4); a tail that is not a whole word is padded with zeros. */
  write(storage: Storage, data: ArrayBufferView<ArrayBuffer>, offset = 0): void {
    const whole = data.byteLength & ~3;
    const queue = this.#device.queue;
    if (whole) queue.writeBuffer(storage.buffer!, offset, data.buffer, data.byteOffset, whole);
    if (whole !== data.byteLength) {
      const tail = new Uint8Array(4);
      tail.set(new Uint8Array(data.buffer, data.byteOffset + whole, data.byteLength - whole));
      queue.writeBuffer(storage.buffer!, offset + whole, tail);
    }
  }

  free(t: Tensor | Storage): void {
    const storages = 'storage' in t ? [t.storage, ...(t.scales ? [t.scales] : [])] : [t];
    for (const s of storages) {
      if (!this.#live.delete(s.id)) continue;
      this.bytes -= s.bytes;
      s.buffer?.destroy();
      for (const forget of this.onDestroy) forget();
    }
  }

  /** Frees everything that is left. */
  destroy(): void {
    for (const s of [...this.#live.values()]) this.free(s);
  }
}
