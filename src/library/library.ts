/**
 * Finished clips in the browser's own storage (OPFS), with the settings that made them. For the page: it
 * knows nothing of the engine.
 *
 * One folder a clip, named by its id: `clip.mp4`, `poster.webp` (or .png), and `entry.json`, which is
 * written last: a folder without it was never finished, and is swept when the library is opened unless
 * another tab is writing it (each writer holds a Web Lock; where a browser has none, the folder must be an
 * hour old). An `entry.json` that cannot be read, damaged or of a later Kinora, is left alone: the clip is
 * then listed by what its MP4 says of itself, and skipped where that is silent too.
 *
 * Writing needs `createWritable`, which every browser with WebGPU has (Safari: both since 26).
 */
import { KinoraError } from '../errors';
import { readRecipe } from '../media/provenance';
import type { Clip, Recipe } from '../worker/protocol/clip';
import { parseEntry, writeEntry, type LibraryEntry } from './entry';
import { isMissing, readFile, storageError, writeFile } from './opfs';

export { readRecipe } from '../media/provenance';
export type { LibraryEntry } from './entry';

const FOLDER = 'clips';
const CLIP = 'clip.mp4';
const ENTRY = 'entry.json';
/** Clean latents: with them a clip can be gone on with, edited and remixed. */
const LATENTS = 'latents.bin';
const POSTERS = { 'image/webp': 'poster.webp', 'image/png': 'poster.png' };
/** Milliseconds since 1970 in base 36, so that names sort by age, and 32 random bits. */
const ID = /^[0-9a-z]{9}-[0-9a-f]{8}$/;
/** Without Web Locks: how old an unfinished folder must be before it counts as abandoned. Milliseconds. */
const ABANDONED_AFTER = 3_600_000;

/**
 * Opens the library below `root` (default: the origin's private file system) and sweeps what was never
 * finished. Throws `storage` where the browser gives no storage (some private windows).
 */
export async function openLibrary(root?: FileSystemDirectoryHandle): Promise<Library> {
  try {
    root ??= await navigator.storage.getDirectory();
    const library = new Library(await root.getDirectoryHandle(FOLDER, { create: true }));
    await library.sweep();
    return library;
  } catch (e) {
    throw storageError('open the library', e);
  }
}

const nameOf = (adapter: Clip['adapter']) =>
  adapter ? adapter.description || [adapter.vendor, adapter.architecture].join(' ').trim() : '';

export class Library {
  readonly #folder: FileSystemDirectoryHandle;
  #lastStamp = 0;

  /** Use `openLibrary`. */
  constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
  }

  /** Every finished clip, newest first. Reads the entries, not the clips. */
  async list(): Promise<LibraryEntry[]> {
    try {
      const entries = await Promise.all((await this.#ids()).map((id) => this.#entry(id)));
      return entries.filter((entry) => entry !== null).sort((a, b) => (a.id < b.id ? 1 : -1));
    } catch (e) {
      throw storageError('read the library', e);
    }
  }

  /**
   * Keeps a clip. Throws `storage` when there is no room (`params.needed` and `params.free` in bytes) or the
   * browser refuses; nothing of the clip is left behind then.
   */
  async add(clip: Clip): Promise<LibraryEntry> {
    // Two clips of one millisecond still get names in the order they came.
    const stamp = (this.#lastStamp = Math.max(Date.now(), this.#lastStamp + 1));
    const random = crypto.getRandomValues(new Uint32Array(1))[0]!.toString(16).padStart(8, '0');
    const id = `${stamp.toString(36).padStart(9, '0')}-${random}`;
    const entry: LibraryEntry = {
      id,
      recipe: clip.recipe,
      width: clip.width,
      height: clip.height,
      frames: clip.frames,
      fps: clip.fps,
      bytes: clip.mp4.size,
      codec: clip.codec,
      created: new Date(stamp).toISOString(),
      backend: clip.backend,
      adapter: nameOf(clip.adapter),
      timings: clip.timings,
      ...(clip.seam && { seam: clip.seam }),
    };
    await withLock(id, true, async () => {
      try {
        const folder = await this.#folder.getDirectoryHandle(id, { create: true });
        await writeFile(folder, CLIP, clip.mp4);
        if (clip.latents) await writeFile(folder, LATENTS, clip.latents);
        const name = POSTERS[clip.poster.type as keyof typeof POSTERS];
        if (name) await writeFile(folder, name, clip.poster);
        await writeFile(folder, ENTRY, writeEntry(entry));
      } catch (e) {
        await this.#drop(id).catch(() => {}); // what cannot be removed now is swept at the next opening
        throw storageError(
          'keep the clip',
          e,
          clip.mp4.size + clip.poster.size + (clip.latents?.size ?? 0),
          await freeBytes(),
        );
      }
    });
    return entry;
  }

  /** Forgets a clip. One that is gone already is no error. */
  async remove(id: string): Promise<void> {
    guardId(id);
    try {
      // The entry goes first: whatever interrupts this, half a clip is never listed.
      const folder = await this.#folder.getDirectoryHandle(id);
      await folder.removeEntry(ENTRY).catch(ignoreMissing);
      await this.#drop(id);
    } catch (e) {
      if (!isMissing(e)) throw storageError('remove the clip', e);
    }
  }

  /** The MP4. Its bytes stay on disk until they are read. Throws `storage` when the clip is gone. */
  async file(id: string): Promise<File> {
    guardId(id);
    try {
      return await readFile(await this.#folder.getDirectoryHandle(id), CLIP, 'video/mp4');
    } catch (e) {
      if (isMissing(e)) throw new KinoraError('storage', 'This clip is no longer in the library.', { id });
      throw storageError('read the clip', e);
    }
  }

  /** Its clean latents, or null where they were not kept. */
  async latents(id: string): Promise<Blob | null> {
    guardId(id);
    try {
      return await readFile(await this.#folder.getDirectoryHandle(id), LATENTS, 'application/octet-stream');
    } catch (e) {
      if (isMissing(e)) return null;
      throw storageError('read the clip', e);
    }
  }

  /** The still picture of a clip, or null when it has none. */
  async poster(id: string): Promise<Blob | null> {
    guardId(id);
    for (const [type, name] of Object.entries(POSTERS)) {
      try {
        return await readFile(await this.#folder.getDirectoryHandle(id), name, type);
      } catch (e) {
        if (!isMissing(e)) throw storageError('read the picture of the clip', e);
      }
    }
    return null;
  }

  /** Removes folders that were never finished and that nobody is writing. */
  async sweep(): Promise<void> {
    for (const id of await this.#ids()) {
      if (!(await this.#unfinished(id))) continue;
      // Looked at once more under the lock: its writer may have finished in between.
      await withLock(id, false, async (certain) => {
        const old = Date.now() - parseInt(id.slice(0, 9), 36) > ABANDONED_AFTER;
        if ((certain || old) && (await this.#unfinished(id))) await this.#drop(id);
      });
    }
  }

  async #ids(): Promise<string[]> {
    const ids: string[] = [];
    for await (const [name, handle] of this.#folder.entries())
      if (handle.kind === 'directory' && ID.test(name)) ids.push(name);
    return ids;
  }

  async #unfinished(id: string): Promise<boolean> {
    try {
      await (await this.#folder.getDirectoryHandle(id)).getFileHandle(ENTRY);
      return false;
    } catch (e) {
      if (isMissing(e)) return true;
      throw e;
    }
  }

  async #drop(id: string): Promise<void> {
    await this.#folder.removeEntry(id, { recursive: true }).catch(ignoreMissing);
  }

  async #entry(id: string): Promise<LibraryEntry | null> {
    try {
      const folder = await this.#folder.getDirectoryHandle(id);
      const text = await (await readFile(folder, ENTRY, 'application/json')).text();
      const clip = await readFile(folder, CLIP, 'video/mp4');
      return parseEntry(text, id, clip.size) ?? (await recover(id, clip));
    } catch (e) {
      if (isMissing(e)) return null; // being written or removed by another tab
      throw e;
    }
  }
}

/** An entry made of what the MP4 says of itself; null when it says nothing usable. */
async function recover(id: string, clip: File): Promise<LibraryEntry | null> {
  const recipe: Recipe | null = await readRecipe(clip).catch(() => null);
  if (!recipe) return null;
  const { width, height, frames, fps, created } = recipe;
  const unknown = { codec: '', backend: 'webgpu' as const, adapter: '' };
  const timings = { load: 0, firstFrame: 0, total: 0 };
  return { id, recipe, width, height, frames, fps, bytes: clip.size, created, ...unknown, timings };
}

/**
 * Runs `work` holding the lock of a clip. With `wait` it waits for it; without, a lock that another holds
 * means that nothing is done. `certain` is false where the browser has no locks and nothing is known.
 */
async function withLock(id: string, wait: boolean, work: (certain: boolean) => Promise<void>): Promise<void> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return work(false);
  await locks.request(`kinora-clip-${id}`, { ifAvailable: !wait }, async (lock) => {
    if (lock) await work(true);
  });
}

/** Ids come from the page's address or DOM: only our own names reach the file system. */
function guardId(id: string): void {
  if (!ID.test(id))
    throw new KinoraError('storage', 'This clip is no longer in the library.', { id: id.slice(0, 40) });
}

function ignoreMissing(e: unknown): void {
  if (!isMissing(e)) throw e;
}

/** Bytes that this origin may still write, as the browser estimates; undefined where it does not say. */
async function freeBytes(): Promise<number | undefined> {
  const estimate = await globalThis.navigator?.storage?.estimate?.().catch(() => null);
  if (estimate?.quota === undefined || estimate.usage === undefined) return undefined;
  return Math.max(0, estimate.quota - estimate.usage);
}
