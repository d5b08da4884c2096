/** Where a growing file goes: into the browser's own storage as it is written, or into memory where there is none. */

export interface Sink {
  /** Writes at a position in bytes; what lies between the end and it is zeros. The bytes are copied or written at once. */
  write(data: Uint8Array, position: number): void;
  /** Bytes from … up to to, fewer at the end of the file. */
  read(from: number, to: number): Uint8Array<ArrayBuffer>;
  /** Length in bytes. */
  readonly size: number;
  /** Closes the file; its bytes stay where they are until they are read. */
  finish(type: string): Promise<Blob>;
  /** Closes and forgets the file. Harmless when it is finished or was dropped. */
  discard(): void;
}

/** A file in memory, for browsers that give no storage, and for tests. */
export class MemorySink implements Sink {
  #bytes = new Uint8Array(1 << 16);
  size = 0;

  write(data: Uint8Array, position: number): void {
    const end = position + data.length;
    if (end > this.#bytes.length) {
      const more = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      more.set(this.#bytes.subarray(0, this.size));
      this.#bytes = more;
    }
    this.#bytes.set(data, position);
    this.size = Math.max(this.size, end);
  }

  read(from: number, to: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(from, Math.min(to, this.size));
  }

  async finish(type: string): Promise<Blob> {
    return new Blob([this.#bytes.subarray(0, this.size)], { type });
  }

  discard(): void {
    this.#bytes = new Uint8Array();
    this.size = 0;
  }
}

const FOLDER = 'work';

/** A file of the origin private file system. Only in a worker. */
class FileSink implements Sink {
  readonly #file: FileSystemFileHandle;
  readonly #handle: FileSystemSyncAccessHandle;
  #open = true;

  constructor(file: FileSystemFileHandle, handle: FileSystemSyncAccessHandle) {
    [this.#file, this.#handle] = [file, handle];
  }

  get size(): number {
    return this.#handle.getSize();
  }

  write(data: Uint8Array, position: number): void {
    const written = this.#handle.write(data as Uint8Array<ArrayBuffer>, { at: position });
    // A full disk shows as a short write in some browsers, as an exception in others.
    if (written !== data.length) throw new DOMException('The disk is full.', 'QuotaExceededError');
  }

  read(from: number, to: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(Math.max(0, Math.min(to, this.size) - from));
    this.#handle.read(out, { at: from });
    return out;
  }

  async finish(type: string): Promise<Blob> {
    this.#handle.flush(); // the last chance of a full disk to say so; the file is open still
    this.#handle.close();
    this.#open = false;
    const file = await this.#file.getFile();
    return new File([file], file.name, { type });
  }

  discard(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handle.close();
    release(this.#file.name); // swept when the next file is opened
  }
}

/** Bytes that are moved at once. */
const MOVE = 1 << 20;

/** Writes to the disk until it is full, and then goes on in memory with all that was written. */
export class SpillingSink implements Sink {
  #now: Sink;
  #onDisk = true;
  readonly #onFull: () => void;

  /** @param onFull called once, when the disk takes no more */
  constructor(disk: Sink, onFull: () => void) {
    this.#now = disk;
    this.#onFull = onFull;
  }

  get size(): number {
    return this.#now.size;
  }

  write(data: Uint8Array, position: number): void {
    try {
      this.#now.write(data, position);
    } catch (e) {
      if (!this.#onDisk) throw e;
      this.#spill();
      this.#now.write(data, position); // over what a part of it may have left
    }
  }

  read(from: number, to: number): Uint8Array<ArrayBuffer> {
    return this.#now.read(from, to);
  }

  async finish(type: string): Promise<Blob> {
    try {
      return await this.#now.finish(type);
    } catch (e) {
      if (!this.#onDisk) throw e;
      this.#spill();
      return this.#now.finish(type);
    }
  }

  discard(): void {
    this.#now.discard();
  }

  #spill(): void {
    const [disk, memory] = [this.#now, new MemorySink()];
    for (let at = 0; at < disk.size; at += MOVE) memory.write(disk.read(at, at + MOVE), at);
    disk.discard();
    this.#now = memory;
    this.#onDisk = false;
    this.#onFull();
  }
}

/**
 * A file for a clip that is being made; in memory where the browser gives no storage. Files of earlier clips stay
 * until `releaseWork` or until the worker that made them is gone; then they are swept here.
 * @param name unique among all tabs
 * @param onFull the disk takes no more, and the file goes on in memory
 */
export async function openSink(name: string, onFull: () => void): Promise<Sink> {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    await sweep(folder);
    await holdLock(name);
    const file = await folder.getFileHandle(name, { create: true });
    const handle = await file.createSyncAccessHandle();
    handle.truncate(0); // what a killed tab left of it may have been in use when it was swept
    return new SpillingSink(new FileSink(file, handle), onFull);
  } catch {
    return new MemorySink();
  }
}

/** Removes what tabs that are gone left of their clips in work. Where there is no storage, there is nothing. */
export async function sweepWork(): Promise<void> {
  try {
    await sweep(await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER));
  } catch {
    // no storage, or nothing was ever made
  }
}

/** The page has its own copy of the file `name` now. */
export async function releaseWork(name: string): Promise<void> {
  release(name);
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  await folder.removeEntry(name).catch(() => {}); // it was in memory
}

/** Locks that this worker holds, by file: each ends when it is called, or with the worker. */
const held = new Map<string, () => void>();
const lockOf = (name: string) => `kinora-work-${name}`;

function release(name: string): void {
  held.get(name)?.();
  held.delete(name);
}

function holdLock(name: string): Promise<void> {
  return new Promise((ready) => {
    void navigator.locks.request(lockOf(name), () => {
      ready();
      return new Promise<void>((end) => held.set(name, end));
    });
  });
}

async function sweep(folder: FileSystemDirectoryHandle): Promise<void> {
  for await (const name of folder.keys())
    await navigator.locks.request(lockOf(name), { ifAvailable: true }, async (lock) => {
      if (lock) await folder.removeEntry(name).catch(() => {});
    });
}
