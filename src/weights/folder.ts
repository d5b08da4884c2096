/** The folder of one model in OPFS; or, where there is no OPFS, its memory-only stand-in. */
import { KinoraError } from '../errors';
import { sha256 } from './hash';
import type { ModelFile } from './manifest';
import { fromBlob, type ByteSource } from './source';

const MANIFEST = 'model.json';

/** Takes the bytes of one file as they come. */
export interface Sink {
  /** Throws `storage` when there is no room or the disk fails. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Ends the file. What was written, to be read and checked. */
  finish(): Promise<ByteSource>;
  /** Throws away what was written. */
  discard(): Promise<void>;
}

/** Opens models/<name>/. Never throws: without storage, `problem` says why, and files stay in memory. */
export async function openFolder(
  name: string,
  storage: () => Promise<FileSystemDirectoryHandle> = () => navigator.storage.getDirectory(),
): Promise<Folder> {
  try {
    const root = await storage();
    const models = await root.getDirectoryHandle('models', { create: true });
    return new Folder(await models.getDirectoryHandle(name, { create: true }));
  } catch (e) {
    return new Folder(null, describe(e));
  }
}

export class Folder {
  readonly #handle: FileSystemDirectoryHandle | null;
  /** Why files are not kept for the next visit; null when they are. */
  problem: string | null;

  constructor(handle: FileSystemDirectoryHandle | null, problem: string | null = null) {
    this.#handle = handle;
    this.problem = problem;
  }

  /** The file if it is here, whole and undamaged. */
  async find(file: ModelFile): Promise<ByteSource | null> {
    const source = await this.#open(file.sha256, file.path);
    if (!source || source.size !== file.bytes) return null;
    try {
      return (await sha256(source)) === file.sha256 ? source : null;
    } catch {
      return null; // unreadable is as good as missing
    }
  }

  async #open(name: string, label: string): Promise<ByteSource | null> {
    try {
      const handle = await this.#handle?.getFileHandle(name);
      return handle ? fromBlob(label, await handle.getFile()) : null;
    } catch {
      return null;
    }
  }

  /** A place for a download: OPFS, or memory once OPFS has failed. */
  async create(file: ModelFile): Promise<Sink> {
    if (this.#handle && this.problem === null) {
      try {
        return await fileSink(this.#handle, file);
      } catch (e) {
        this.problem = describe(e);
      }
    }
    return memorySink(file);
  }

  /** Storage failed while a file was written: from now on files go to memory. */
  fail(e: KinoraError): void {
    this.problem = e.detail;
  }

  async readManifest(): Promise<string | null> {
    const source = await this.#open(MANIFEST, MANIFEST);
    return source && new TextDecoder().decode(await source.read(0, source.size));
  }

  /** Marks these files as the model's last good state, and removes all others. */
  async commit(manifest: string, files: readonly ModelFile[]): Promise<void> {
    if (!this.#handle || this.problem !== null) return;
    try {
      if ((await this.readManifest()) !== manifest) {
        const bytes = new TextEncoder().encode(manifest);
        await writeWhole(this.#handle, MANIFEST, bytes);
      }
      const wanted = new Set([MANIFEST, ...files.map((f) => f.sha256)]);
      const old: string[] = [];
      for await (const name of this.#handle.keys()) if (!wanted.has(name)) old.push(name);
      // Another tab may have one open still; it goes next time.
      for (const name of old) await this.#handle.removeEntry(name).catch(() => {});
    } catch (e) {
      this.problem = describe(e);
    }
  }
}

async function writeWhole(
  folder: FileSystemDirectoryHandle,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const handle = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
  try {
    handle.truncate(0);
    writeAll(handle, bytes, 0);
    handle.flush();
  } finally {
    handle.close();
  }
}

function writeAll(handle: FileSystemSyncAccessHandle, bytes: Uint8Array<ArrayBuffer>, at: number): void {
  const written = handle.write(bytes, { at });
  // A full disk may show as a short write.
  if (written !== bytes.byteLength) throw new Error(`${written} of ${bytes.byteLength} bytes were written`);
}

async function fileSink(folder: FileSystemDirectoryHandle, file: ModelFile): Promise<Sink> {
  const entry = await folder.getFileHandle(file.sha256, { create: true });
  const handle = await entry.createSyncAccessHandle();
  let at = 0;
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (e) {
      throw new KinoraError(
        'storage',
        `${file.path} could not be written.`,
        { file: file.path },
        describe(e),
      );
    }
  };
  guarded(() => handle.truncate(0));
  return {
    async write(bytes) {
      guarded(() => writeAll(handle, bytes, at));
      at += bytes.byteLength;
    },
    async finish() {
      guarded(() => handle.flush());
      handle.close();
      return fromBlob(file.path, await entry.getFile());
    },
    async discard() {
      handle.close(); // closing twice is allowed
      await folder.removeEntry(file.sha256).catch(() => {});
    },
  };
}

function memorySink(file: ModelFile): Sink {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  return {
    write: async (bytes) => void parts.push(bytes),
    finish: async () => fromBlob(file.path, new Blob(parts)),
    discard: async () => {},
  };
}

function describe(e: unknown): string {
  return e instanceof Error ? `${e.name}: ${e.message}` : String(e);
}
