/**
 * Where small forms of checkpoints are kept: small/ in OPFS, a file each, and small/list.json with what they were made
 * of and when they were last used. When the browser is short of room, those that were not used for longest go.
 * Runs in a worker (sync access handles).
 */
import { KinoraError } from '../errors';
import { fromBlob, readExactly, type ByteSource } from './source';

const FOLDER = 'small';
const LIST = 'list.json';
const MAGIC = 'GGUF';

export interface SmallForm {
  key: string;
  /** Name of the file that it was made of. */
  name: string;
  bytes: number;
  /** Milliseconds since 1970. */
  used: number;
}

type Storage = () => Promise<FileSystemDirectoryHandle>;
export interface SmallStoreOptions {
  storage?: Storage;
  estimate?: () => Promise<StorageEstimate>;
  now?: () => number;
}
type Handle = FileSystemDirectoryHandle & { keys(): AsyncIterableIterator<string> };

export class SmallStore {
  readonly #storage: Storage;
  readonly #estimate: () => Promise<StorageEstimate>;
  readonly #now: () => number;

  constructor({ storage, estimate, now = Date.now }: SmallStoreOptions = {}) {
    this.#storage = storage ?? (() => navigator.storage.getDirectory());
    this.#estimate = estimate ?? (async () => navigator.storage.estimate());
    this.#now = now;
  }

  async #folder(): Promise<Handle> {
    return (await (await this.#storage()).getDirectoryHandle(FOLDER, { create: true })) as Handle;
  }

  /** What is kept, the last used first. Empty where there is no storage. */
  async list(): Promise<SmallForm[]> {
    try {
      const file = await (await (await this.#folder()).getFileHandle(LIST)).getFile();
      const list = JSON.parse(await file.text()) as unknown;
      return Array.isArray(list) ? (list as SmallForm[]).sort((a, b) => b.used - a.used) : [];
    } catch {
      return [];
    }
  }

  /** The small form, if it is here and whole; it then counts as used. */
  async find(key: string, name: string): Promise<ByteSource | null> {
    try {
      const folder = await this.#folder();
      const file = await (await folder.getFileHandle(key)).getFile();
      const source = fromBlob(`${name} (small form)`, file);
      if (source.size < 8 || new TextDecoder().decode(await readExactly(source, 0, 4)) !== MAGIC) return null;
      await this.#note({ key, name, bytes: file.size, used: this.#now() }).catch(() => {});
      return source;
    } catch {
      return null;
    }
  }

  /**
   * Keeps a small form of `bytes` bytes.
   * @param make writes it, its first four bytes last
   * @param present keys that must stay
   * @throws KinoraError `storage` where there is no room, even after old ones went, or none at all; what `make` throws
   */
  async keep(
    { key, name, bytes }: Pick<SmallForm, 'key' | 'name' | 'bytes'>,
    make: (write: (at: number, piece: Uint8Array<ArrayBuffer>) => void) => Promise<void>,
    present: readonly string[] = [],
  ): Promise<ByteSource> {
    const fail = (e: unknown) =>
      new KinoraError('storage', `The small form of ${name} could not be kept: ${e instanceof Error ? e.message : String(e)}.`, { needed: bytes }, String(e)); // prettier-ignore
    let folder: Handle;
    try {
      folder = await this.#folder();
      await this.#clean(folder);
      await this.#makeRoom(bytes, [...present, key]);
    } catch (e) {
      throw e instanceof KinoraError ? e : fail(e);
    }
    let handle: FileSystemSyncAccessHandle;
    try {
      handle = await (await folder.getFileHandle(key, { create: true })).createSyncAccessHandle();
      handle.truncate(0);
    } catch (e) {
      throw fail(e);
    }
    try {
      await make((at, piece) => {
        try {
          const written = handle.write(piece, { at });
          if (written !== piece.byteLength)
            throw new Error(`${written} of ${piece.byteLength} bytes were written`);
        } catch (e) {
          throw fail(e);
        }
      });
      handle.flush();
    } catch (e) {
      handle.close();
      await folder.removeEntry(key).catch(() => {});
      throw e;
    }
    handle.close();
    await this.#note({ key, name, bytes, used: this.#now() }).catch(() => {}); // found by its key all the same
    return fromBlob(`${name} (small form)`, await (await folder.getFileHandle(key)).getFile());
  }

  async remove(key: string): Promise<void> {
    const folder = await this.#folder();
    await folder.removeEntry(key).catch(() => {});
    await this.#write((await this.list()).filter((form) => form.key !== key));
  }

  /** Old ones go until there is room. Throws `storage` with both numbers. */
  async #makeRoom(bytes: number, present: readonly string[]): Promise<void> {
    const room = async () => {
      const { quota, usage } = await this.#estimate().catch((): StorageEstimate => ({}));
      return quota === undefined || usage === undefined ? Infinity : quota - usage;
    };
    let free = await room();
    for (const { key } of (await this.list()).reverse()) {
      if (free >= bytes) return;
      if (present.includes(key)) continue;
      await this.remove(key);
      free = await room();
    }
    if (free < bytes)
      throw new KinoraError('storage', `The small form needs ${bytes} bytes, but this browser offers ${Math.max(0, free)}.`, { needed: bytes, free: Math.max(0, free) }); // prettier-ignore
  }

  /** What a killed tab left half-written, and what the list does not know. */
  async #clean(folder: Handle): Promise<void> {
    const known = new Set([LIST, ...(await this.list()).map(({ key }) => key)]);
    const old: string[] = [];
    for await (const name of folder.keys()) if (!known.has(name)) old.push(name);
    for (const name of old) await folder.removeEntry(name).catch(() => {}); // another tab writes it
  }

  async #note(form: SmallForm): Promise<void> {
    await this.#write([form, ...(await this.list()).filter(({ key }) => key !== form.key)]);
  }

  async #write(list: readonly SmallForm[]): Promise<void> {
    const handle = await (await (await this.#folder()).getFileHandle(LIST, { create: true })).createSyncAccessHandle(); // prettier-ignore
    try {
      handle.truncate(0);
      handle.write(new TextEncoder().encode(JSON.stringify(list)), { at: 0 });
      handle.flush();
    } finally {
      handle.close();
    }
  }
}
