/**
 * What a clip needs to go on after a crash: its request and the clean latents of its finished blocks, in the browser's
 * own storage, one folder a clip. A block is there as soon as `add` has resolved, whatever happens then.
 *
 * journal/<id>/state.json · blocks.bin (records.ts) · changes.jsonl (changes.ts) · source.bin (latents of the clip that
 * is remixed)
 *
 * Who makes a clip holds a Web Lock on its journal; one that nobody holds was interrupted and can be gone on with.
 * Only in a worker: elsewhere browsers give no synchronous file handles.
 */
import { KinoraError } from '../errors';
import type { GenerateRequest, JournalInfo } from '../worker/protocol/clip';
import type { Block } from './blocks';
import { applyChanges, readChanges, writeChange, type Change } from './changes';
import type { Latents } from './backend';
import { openRecords, writeRecord, type Bytes, type Records } from './records';

const FOLDER = 'journal';
const FORMAT = 'kinora-journal/1';
const CHANGES = 'changes.jsonl';
const ID = /^[0-9a-z]+-[0-9a-f]{8}$/;
const lockOf = (id: string) => `kinora-journal-${id}`;

/** `request`: as it was asked for, and of one that was taken up as it stands now. */
export type JournalState = Omit<JournalInfo, 'done'>;

const folderOf = async (id?: string, create = true): Promise<FileSystemDirectoryHandle> => {
  const root = await navigator.storage.getDirectory();
  const all = await root.getDirectoryHandle(FOLDER, { create: true });
  return id === undefined ? all : all.getDirectoryHandle(id, { create });
};

/** Sorts by age; unique among tabs. */
export function makeId(): string {
  const random = crypto.getRandomValues(new Uint32Array(1))[0]!.toString(16).padStart(8, '0');
  return `${Date.now().toString(36).padStart(9, '0')}-${random}`;
}

/** The open journal of a clip in work. The one owner of its file handle. */
export class Journal {
  #handle: FileSystemSyncAccessHandle | null;
  #at: number;
  /** Records that the disk had no room for; they follow those that it holds. */
  readonly #rest: Uint8Array<ArrayBuffer>[] = [];
  readonly #release: () => void;

  private constructor(
    readonly state: JournalState,
    readonly known: Records,
    /** Latents of the clip that is remixed. */
    readonly source: Blob | null,
    handle: FileSystemSyncAccessHandle,
    release: () => void,
  ) {
    this.#handle = handle;
    this.#at = known.bytes;
    this.#release = release;
  }

  /** Begins a journal. Null where the browser gives no storage: the clip is made without one. */
  static async begin(state: JournalState, source: Blob | null): Promise<Journal | null> {
    let release = () => {};
    try {
      const folder = await folderOf(state.id);
      release = await hold(state.id);
      await writeWhole(folder, 'state.json', JSON.stringify({ format: FORMAT, ...state }));
      if (source) await writeWhole(folder, 'source.bin', source);
      const file = await folder.getFileHandle('blocks.bin', { create: true });
      const handle = await file.createSyncAccessHandle();
      return new Journal(state, await openRecords(new Blob()), source, handle, release);
    } catch {
      release();
      return null;
    }
  }

  /** Takes up a journal. Throws `storage` when it is gone or another tab is at it. */
  static async resume(id: string): Promise<Journal> {
    const gone = new KinoraError('storage', 'What was kept of this clip is gone. Make the clip anew.', { id: id.slice(0, 40) }); // prettier-ignore
    if (!ID.test(id)) throw gone;
    const release = await hold(id);
    try {
      const folder = await folderOf(id, false);
      const state = await readState(folder);
      if (!state) throw gone;
      const file = await folder.getFileHandle('blocks.bin');
      const source = await folder.getFileHandle('source.bin').then((f) => f.getFile(), () => null); // prettier-ignore
      const handle = await file.createSyncAccessHandle();
      // Nobody else can read the file while the handle is open, so blocks are read through it.
      const known = await openRecords(bytesOf(handle));
      handle.truncate(known.bytes);
      const request = await requestNow(folder, state, known);
      return new Journal({ ...state, request }, known, source, handle, release);
    } catch (e) {
      release();
      throw e instanceof DOMException && e.name === 'NotFoundError' ? gone : e;
    }
  }

  /**
   * Keeps a block that is finished. True: it is on disk when this resolves. False: the disk takes no more, and this
   * block and those that come are held in memory, so that the clip ends as it should; what is on disk stands.
   */
  async add({ size }: Block, latents: Latents, text: string): Promise<boolean> {
    const record = await writeRecord({ text, latents, size });
    if (this.#rest.length === 0 && this.#write(record)) return true;
    this.#rest.push(record);
    return false;
  }

  /**
   * Keeps what is different from block `block` on; to be called before that block is made. A disk that takes no more holds
   * no block that was made of it either.
   */
  async change(block: number, change: Change): Promise<void> {
    try {
      const folder = await folderOf(this.state.id, false);
      await append(folder, CHANGES, writeChange(block, change));
    } catch {
      // full, or gone: the clip goes on, and ends as it should
    }
  }

  /** The clip shall be offered to be gone on with, even if no block of it is finished. */
  pause(): Promise<void> {
    return this.change(0, {});
  }

  #write(record: Uint8Array<ArrayBuffer>): boolean {
    const handle = this.#handle!;
    try {
      if (handle.write(record, { at: this.#at }) !== record.length) throw new Error('short write');
      handle.flush();
      this.#at += record.length;
      return true;
    } catch {
      try {
        handle.truncate(this.#at); // or a reader finds a torn record, and leaves it
      } catch {
        // the disk is in a bad way; what it holds is checked when it is read
      }
      return false;
    }
  }

  /** All blocks that are in it by now. */
  reread(): Promise<Records> {
    return openRecords(joined(bytesOf(this.#handle!), this.#at, new Blob(this.#rest)));
  }

  /** Closes it; the clip can be gone on with. */
  close(): void {
    this.#handle?.close();
    this.#handle = null;
    this.#release();
  }

  /** Closes and forgets it. */
  async drop(): Promise<void> {
    this.close();
    await dropJournal(this.state.id);
  }

  /** Closes it. The file of all blocks stays where it is until `dropJournal`. */
  async finish(): Promise<Blob> {
    this.close();
    const folder = await folderOf(this.state.id);
    const file = await (await folder.getFileHandle('blocks.bin')).getFile();
    return this.#rest.length === 0 ? file : new Blob([file.slice(0, this.#at), ...this.#rest]);
  }
}

/** The first `end` bytes of one, and then the other. */
const joined = (first: Bytes, end: number, second: Blob): Bytes => ({
  size: end + second.size,
  slice: (from, to) => ({
    async arrayBuffer() {
      const head = from < end ? [await first.slice(from, Math.min(to, end)).arrayBuffer()] : [];
      return new Blob([...head, second.slice(Math.max(0, from - end), Math.max(0, to - end))]).arrayBuffer();
    },
  }),
});

const bytesOf = (handle: FileSystemSyncAccessHandle): Bytes => ({
  size: handle.getSize(),
  slice: (from, to) => ({
    async arrayBuffer() {
      const out = new Uint8Array(Math.max(0, to - from));
      const read = handle.read(out, { at: from });
      return out.buffer.slice(0, read);
    },
  }),
});

/** Clips that were interrupted, newest first. Empty where the browser gives no storage. */
export async function listJournals(): Promise<JournalInfo[]> {
  const found: JournalInfo[] = [];
  try {
    for await (const [id, handle] of (await folderOf()).entries()) {
      if (handle.kind !== 'directory' || !ID.test(id)) continue;
      await navigator.locks.request(lockOf(id), { ifAvailable: true }, async (lock) => {
        if (!lock) return; // somebody is at it
        const info = await readInfo(handle as FileSystemDirectoryHandle).catch((e) =>
          isHeld(e) ? 'held' : null,
        );
        if (info === 'held') return; // by a worker that was just ended: the browser closes its files in a while
        if (info) found.push(info);
        else await dropJournal(id); // nothing of it was finished, or it cannot be read
      });
    }
  } catch {
    // no storage, no journals
  }
  return found.sort((a, b) => (a.id < b.id ? 1 : -1));
}

/** What every clip was begun with that is interrupted, or being made here or in another tab. */
export async function listBegun(): Promise<Pick<JournalState, 'model' | 'edition'>[]> {
  const begun: JournalState[] = [];
  try {
    for await (const [id, handle] of (await folderOf()).entries()) {
      if (handle.kind !== 'directory' || !ID.test(id)) continue;
      const state = await readState(handle as FileSystemDirectoryHandle).catch(() => null);
      if (state) begun.push(state);
    }
  } catch {
    // no storage, no journals
  }
  return begun;
}

/** Forgets a journal. One that is gone is no error. */
export async function dropJournal(id: string): Promise<void> {
  if (!ID.test(id)) return;
  await (await folderOf()).removeEntry(id, { recursive: true }).catch(() => {});
}

/** A file that another has open, not one that is gone or damaged. */
const isHeld = (e: unknown): boolean =>
  e instanceof DOMException &&
  ['NoModificationAllowedError', 'NotReadableError', 'InvalidStateError'].includes(e.name);

async function readState(folder: FileSystemDirectoryHandle): Promise<JournalState | null> {
  const text = await (await (await folder.getFileHandle('state.json')).getFile()).text();
  const state = JSON.parse(text) as JournalState & { format: string };
  return state.format === FORMAT ? state : null;
}

async function readInfo(folder: FileSystemDirectoryHandle): Promise<JournalInfo | null> {
  const state = await readState(folder);
  const blocks = await openRecords(await (await folder.getFileHandle('blocks.bin')).getFile());
  if (!state || (blocks.count === 0 && (await readText(folder, CHANGES)) === '')) return null;
  return { ...state, request: await requestNow(folder, state, blocks), done: blocks.count };
}

/** With all that has become different since the clip was asked for. */
async function requestNow(
  folder: FileSystemDirectoryHandle,
  { request }: JournalState,
  { count, read }: Records,
): Promise<GenerateRequest> {
  const text = count > 0 ? (await read(count - 1)).text : null;
  return applyChanges(request, readChanges(await readText(folder, CHANGES)), { count, text });
}

/** '' for a file that is not there. */
const readText = (folder: FileSystemDirectoryHandle, name: string): Promise<string> =>
  folder.getFileHandle(name).then(async (file) => (await file.getFile()).text(), () => ''); // prettier-ignore

async function append(folder: FileSystemDirectoryHandle, name: string, text: string): Promise<void> {
  const handle = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
  try {
    handle.write(new TextEncoder().encode(text), { at: handle.getSize() });
    handle.flush();
  } finally {
    handle.close();
  }
}

async function writeWhole(
  folder: FileSystemDirectoryHandle,
  name: string,
  data: Blob | string,
): Promise<void> {
  const handle = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
  try {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(await data.arrayBuffer()); // prettier-ignore
    handle.write(bytes, { at: 0 });
    handle.truncate(bytes.length);
    handle.flush();
  } finally {
    handle.close();
  }
}

/** Takes the lock of a journal. Throws `storage` when somebody has it. @returns gives it back */
function hold(id: string): Promise<() => void> {
  return new Promise((taken, failed) => {
    void navigator.locks.request(lockOf(id), { ifAvailable: true }, (lock) => {
      if (!lock) return failed(new KinoraError('storage', 'This clip is being made in another tab.', { id }));
      return new Promise<void>((end) => taken(end));
    });
  });
}

/** A request without what cannot be written as JSON. */
export const plainRequest = ({ source: _, resume: __, picture: ___, footage: ____, ...plain }: GenerateRequest): GenerateRequest => plain; // prettier-ignore
