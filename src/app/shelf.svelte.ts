/**
 * Earlier clips, newest first. They live in the library (OPFS); where that fails they stay in memory and
 * `trouble` says so. A deleted clip can be brought back until `forget`.
 */
import type { Library, LibraryEntry } from '../library/library';
import type { Clip } from '../worker/protocol/clip';
import type { EngineError } from '../worker/protocol/result';
import { field, type Store } from './store';

export type Shelved = Pick<Library, 'list' | 'add' | 'remove' | 'file' | 'poster' | 'latents'>;

export interface Item {
  entry: LibraryEntry;
  /** The clip itself, where it could not be kept. */
  memory: { mp4: Blob; poster: Blob; latents: Blob | null } | null;
}

export class Shelf {
  items = $state.raw<Item[]>([]);
  trouble = $state.raw<EngineError | null>(null);
  #library: Shelved | null = null;
  readonly #open: () => Promise<Shelved>;
  readonly #store: Store;
  #opened: Promise<void> | null = null;

  constructor(open: () => Promise<Shelved>, store: Store) {
    this.#open = open;
    this.#store = store;
  }

  /** Reads the library, once. */
  open(): Promise<void> {
    return (this.#opened ??= this.#read());
  }

  async #read(): Promise<void> {
    try {
      const library = await this.#open();
      this.#library = library;
      // Deleted in a page that was closed before it could finish.
      for (const id of this.#doomed) await library.remove(id);
      this.#doomed = [];
      this.items = (await library.list()).map((entry) => ({ entry, memory: null }));
    } catch (e) {
      this.trouble = asError(e);
    }
  }

  /** Keeps a finished clip; in memory alone when it cannot be stored. */
  async add(clip: Clip): Promise<Item> {
    await this.open();
    let item: Item | null = null;
    try {
      if (this.#library) item = { entry: await this.#library.add(clip), memory: null };
    } catch (e) {
      this.trouble = asError(e);
    }
    item ??= { entry: entryOf(clip), memory: { mp4: clip.mp4, poster: clip.poster, latents: clip.latents } };
    this.items = [item, ...this.items];
    return item;
  }

  /** The clip of this id, where it is on the shelf. */
  find(id: string | null | undefined): Item | null {
    return this.items.find(({ entry }) => entry.id === id) ?? null;
  }

  /** The MP4. Throws `storage` when it is gone. */
  async file(item: Item): Promise<Blob> {
    return item.memory?.mp4 ?? (await this.#library!.file(item.entry.id));
  }

  /** Clean latents of a clip, null where it has none. */
  async latents(item: Item): Promise<Blob | null> {
    return item.memory ? item.memory.latents : await this.#library!.latents(item.entry.id);
  }

  async poster(item: Item): Promise<Blob | null> {
    try {
      return item.memory?.poster ?? (await this.#library!.poster(item.entry.id));
    } catch {
      return null; // the strip then shows the prompt alone
    }
  }

  /** Takes a clip off the shelf. It is on disk until `forget`. */
  take(item: Item): void {
    this.items = this.items.filter((other) => other !== item);
    if (!item.memory) this.#doomed = [...this.#doomed, item.entry.id];
  }

  /** Puts a clip that was taken back to its place. */
  putBack(item: Item): void {
    this.#doomed = this.#doomed.filter((id) => id !== item.entry.id);
    this.items = [...this.items, item].sort((a, b) => (a.entry.created < b.entry.created ? 1 : -1));
  }

  /** Deletes a clip that was taken. */
  async forget(item: Item): Promise<void> {
    if (item.memory) return;
    try {
      await this.#library?.remove(item.entry.id);
      this.#doomed = this.#doomed.filter((id) => id !== item.entry.id);
    } catch (e) {
      this.trouble = asError(e);
      this.putBack(item);
    }
  }

  get #doomed(): string[] {
    const ids = this.#store.read('deleted');
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  }

  set #doomed(ids: string[]) {
    this.#store.write('deleted', ids);
  }
}

function entryOf({ recipe, width, height, frames, fps, mp4, codec, backend, adapter, timings, seam }: Clip) {
  const created = new Date().toISOString();
  const facts = {
    recipe,
    width,
    height,
    frames,
    fps,
    bytes: mp4.size,
    codec,
    created,
    backend,
    timings,
    ...(seam && { seam }),
  };
  return { id: `memory-${created}-${recipe.seed}`, ...facts, adapter: adapter?.description ?? '' };
}

/** The page may not import the engine's error class; its errors are told by their shape. */
export function asError(e: unknown): EngineError {
  const code = field(e, 'code');
  const message = e instanceof Error ? e.message : String(e);
  const params = field(e, 'params') as EngineError['params'];
  const known = typeof code === 'string' && e instanceof Error && e.name === 'KinoraError';
  return {
    code: known ? (code as EngineError['code']) : 'internal',
    message,
    params,
    detail: String(field(e, 'detail') || field(e, 'stack') || ''),
  };
}
