/** The folder of one model in OPFS; or, where there is no OPFS, its memory-only stand-in. */
import { KinoraError } from '../errors';
import { sha256, sha256Bytes } from './hash';
import type { ModelFile } from './manifest';
import { piecesOf, type Piece } from './pieces';
import { fromBlob, type ByteSource } from './source';

export const MANIFEST = 'model.json';
/** What an earlier edition's model.json is called; its SHA-256 stands for the dots. */
const EARLIER = /^edition-[0-9a-f]{64}\.json$/;
/** Behind the name of a file that is being downloaded: which pieces of it are whole. */
const PART = '.part';
/** Bytes of a line in it: the piece's number and its SHA-256. */
const RECORD = 4 + 32;

/** Names of what is stored of a file. */
export const filesOf = ({ sha256 }: Pick<ModelFile, 'sha256'>): string[] => [sha256, sha256 + PART];

/** Takes the bytes of one file, in any order. */
export interface Sink {
  /** Pieces that an earlier download left here, whole and undamaged. */
  readonly kept: ReadonlySet<number>;
  /** Throws `storage` when there is no room or the disk fails. */
  write(at: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** A piece was written and is right: it need not be fetched again, whatever happens now. */
  mark(piece: Piece, sha256: string): Promise<void>;
  /** Ends the file. What was written, to be read and checked; until `seal` it counts as unfinished. */
  finish(): Promise<ByteSource>;
  /** The file was checked, and is what was promised. */
  seal(): Promise<void>;
  /** Breaks off: what was marked is there next time, and where nothing was, nothing stays. */
  pause(): Promise<void>;
  /**
   * Throws away what was marked here, and leaves what an earlier download left. False where there is nothing of the one or
   * of the other: then nothing is done.
   */
  forget(): Promise<boolean>;
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
  /** Bytes that must find room; null: memory will do. */
  #needed: number | null = null;

  constructor(handle: FileSystemDirectoryHandle | null, problem: string | null = null) {
    this.#handle = handle;
    this.problem = problem;
  }

  /** The file if it is here, whole and undamaged. */
  async find(file: ModelFile): Promise<ByteSource | null> {
    const source = await this.#open(file.sha256, file.path);
    if (!source || source.size !== file.bytes) return null;
    if (await this.#open(file.sha256 + PART, file.path)) return null; // its pieces are still being gathered
    try {
      return (await sha256(source)) === file.sha256 ? source : null;
    } catch {
      return null; // unreadable is as good as missing
    }
  }

  /**
   * The file, if it is here and was checked when it came; reads nothing of it. For files that are too large to be hashed
   * at every start.
   */
  async sealed(file: ModelFile): Promise<File | null> {
    const [data, notes] = await Promise.all([this.#file(file.sha256), this.#file(file.sha256 + PART)]);
    return data && !notes && data.size === file.bytes ? data : null;
  }

  /** Bytes of a file that need not be fetched again. */
  async kept(file: ModelFile): Promise<number> {
    if (await this.sealed(file)) return file.bytes;
    const notes = await this.#file(file.sha256 + PART);
    if (!notes) return 0;
    const lines = new DataView(await notes.arrayBuffer());
    const pieces = piecesOf(file);
    const here = new Set<number>();
    for (let at = 0; at + RECORD <= lines.byteLength; at += RECORD) here.add(lines.getUint32(at));
    return [...here].reduce((sum, piece) => sum + (pieces[piece]?.length ?? 0), 0);
  }

  async #file(name: string): Promise<File | null> {
    try {
      return (await (await this.#handle?.getFileHandle(name))?.getFile()) ?? null;
    } catch {
      return null;
    }
  }

  /** Bytes on the disk of a file, whole or not; null when there are none. */
  async size(file: ModelFile): Promise<number | null> {
    return (await this.#open(file.sha256, file.path))?.size ?? null;
  }

  async #open(name: string, label: string): Promise<ByteSource | null> {
    const file = await this.#file(name);
    return file && fromBlob(label, file);
  }

  /** A place for a download: OPFS, where it goes on from what is there, or memory once OPFS has failed. */
  async create(file: ModelFile): Promise<Sink> {
    if (this.#handle && this.problem === null) {
      try {
        return await fileSink(this.#handle, file);
      } catch (e) {
        this.fail(describe(e));
      }
    }
    return memorySink(file);
  }

  /** Storage failed, or cannot hold what is to come: from now on files go to memory. Throws `storage` after `insist`. */
  fail(problem: string): void {
    this.problem = problem;
    if (this.#needed === null) return;
    const needed = this.#needed;
    throw new KinoraError('storage', `There is no room to keep the model, which needs ${(needed / 1e6).toFixed(1)} MB. Make room, or open its files from your disk.`, { needed }, problem); // prettier-ignore
  }

  /** Memory will not do. */
  get insists(): boolean {
    return this.#needed !== null;
  }

  /** From now on memory will not do: who asked wants the files on the disk. Throws `storage` when there is none. */
  insist(bytes: number): void {
    this.#needed = bytes;
    if (this.problem !== null) this.fail(this.problem);
  }

  readManifest(): Promise<string | null> {
    return this.readText(MANIFEST);
  }

  /** Texts of the model.json of earlier editions that are still here. */
  async readEarlier(): Promise<string[]> {
    const names = (await this.names().catch(() => [])).filter((name) => EARLIER.test(name));
    const texts = await Promise.all(names.map((name) => this.readText(name)));
    return texts.filter((text) => text !== null);
  }

  /** A small file; null when it is not here, or cannot be read. */
  async readText(name: string): Promise<string | null> {
    return (await this.#file(name))?.text().catch(() => null) ?? null;
  }

  /** Throws what the disk throws; does nothing where there is none. */
  async writeText(name: string, text: string): Promise<void> {
    if (this.#handle) await writeWhole(this.#handle, name, new TextEncoder().encode(text));
  }

  /** Of everything that is here. */
  async names(): Promise<string[]> {
    const names: string[] = [];
    for await (const name of this.#handle?.keys() ?? []) names.push(name);
    return names;
  }

  /** Removes every file but these. */
  async keepOnly(wanted: ReadonlySet<string>): Promise<void> {
    // Another tab may have one open still; it goes next time.
    for (const name of await this.names()) if (!wanted.has(name)) await this.#handle?.removeEntry(name).catch(() => {}); // prettier-ignore
  }

  /**
   * Marks these files as the model's last good state, and removes all others but those of `earlier`: editions that are
   * still needed, by the texts of their model.json.
   */
  async commit(
    manifest: string,
    files: readonly ModelFile[],
    earlier: ReadonlyMap<string, readonly ModelFile[]> = new Map(),
  ): Promise<void> {
    if (!this.#handle || this.problem !== null) return;
    try {
      const [names, wanted] = [await this.names(), new Set([MANIFEST, ...files.flatMap(filesOf)])];
      for (const [text, theirs] of earlier) {
        const name = `edition-${await sha256Bytes(new TextEncoder().encode(text))}.json`;
        if (!names.includes(name)) await this.writeText(name, text);
        for (const one of [name, ...theirs.flatMap(filesOf)]) wanted.add(one);
      }
      if ((await this.readManifest()) !== manifest) await this.writeText(MANIFEST, manifest);
      await this.keepOnly(wanted);
    } catch (e) {
      this.problem = describe(e);
    }
  }

  async remove(file: ModelFile): Promise<void> {
    for (const name of filesOf(file)) await this.#handle?.removeEntry(name).catch(() => {});
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
  const notes = await folder.getFileHandle(file.sha256 + PART, { create: true });
  const kept = await findWholePieces(file, await entry.getFile(), await notes.getFile());
  const handle = await entry.createSyncAccessHandle();
  let list: FileSystemSyncAccessHandle;
  try {
    list = await notes.createSyncAccessHandle();
  } catch (e) {
    handle.close();
    throw e;
  }
  const close = () => {
    handle.close(); // closing twice is allowed
    list.close();
  };
  let end = 0;
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
  const note = (piece: number, hash: string) => {
    const record = new Uint8Array(RECORD);
    new DataView(record.buffer).setUint32(0, piece);
    record.set(fromHex(hash), 4);
    writeAll(list, record, end);
    end += RECORD;
  };
  try {
    guarded(() => {
      list.truncate(0); // lines of damaged pieces go
      for (const [piece, hash] of kept) note(piece, hash);
      if (kept.size === 0) handle.truncate(0);
    });
  } catch (e) {
    close();
    throw e;
  }
  const before = end;
  const discard = async () => {
    close();
    for (const name of filesOf(file)) await folder.removeEntry(name).catch(() => {});
  };
  return {
    kept: new Set(kept.keys()),
    write: async (at, bytes) => guarded(() => writeAll(handle, bytes, at)),
    mark: async ({ index }, hash) =>
      guarded(() => {
        handle.flush(); // the line must not be there before the bytes
        note(index, hash);
        list.flush();
      }),
    async finish() {
      guarded(() => handle.flush());
      close();
      return fromBlob(file.path, await entry.getFile());
    },
    seal: () => folder.removeEntry(file.sha256 + PART).catch(() => {}),
    pause: async () => (end === 0 ? discard() : close()),
    async forget() {
      if (before === 0 || end === before) return false;
      close();
      const lines = await notes.createSyncAccessHandle();
      guarded(() => {
        lines.truncate(before);
        lines.flush();
      });
      lines.close();
      return true;
    },
    discard,
  };
}

/** Pieces that the list names and that are on the disk as it says, with their hashes. */
async function findWholePieces(file: ModelFile, data: File, notes: File): Promise<Map<number, string>> {
  const pieces = piecesOf(file);
  const lines = new Uint8Array(await notes.arrayBuffer());
  const whole = new Map<number, string>();
  for (let at = 0; at + RECORD <= lines.length; at += RECORD) {
    const piece = pieces[new DataView(lines.buffer, at).getUint32(0)];
    if (!piece || piece.start + piece.length > data.size) continue;
    const bytes = new Uint8Array(await data.slice(piece.start, piece.start + piece.length).arrayBuffer());
    const hash = await sha256Bytes(bytes);
    if (hash === toHex(lines.subarray(at + 4, at + RECORD))) whole.set(piece.index, hash);
  }
  return whole;
}

const toHex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16));

function memorySink(file: ModelFile): Sink {
  let parts: { at: number; bytes: Uint8Array<ArrayBuffer> }[] = [];
  return {
    kept: new Set(),
    write: async (at, bytes) => void parts.push({ at, bytes }),
    mark: async () => {},
    finish: async () =>
      fromBlob(file.path, new Blob(parts.sort((a, b) => a.at - b.at).map(({ bytes }) => bytes))),
    seal: async () => {},
    pause: async () => {},
    forget: async () => false,
    discard: async () => void (parts = []),
  };
}

function describe(e: unknown): string {
  return e instanceof Error ? `${e.name}: ${e.message}` : String(e);
}
