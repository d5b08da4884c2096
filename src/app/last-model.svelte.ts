/**
 * The model that the person used last, in place of the page's own: opened again when the page is opened again, or offered
 * where the browser wants the person's leave first, or where opening it did not come to an end the last time.
 */
import type { Size } from '../worker/protocol/clip';
import type { PickedFile, Quantize } from '../worker/protocol/files';
import { filesOf, handlesOf, type HandleStore } from './handles';
import type { OwnModel } from './own-model.svelte';
import { field, type Store } from './store';

export interface LastModel {
  name: string;
  /** Id of the download that it came with; null: files of the person's. */
  download: string | null;
  /** Names of the files, to be found again where the browser keeps none open. */
  paths: readonly string[];
  sampling: string | null;
  quantize: Quantize | null;
  strengths: Readonly<Record<string, number>>;
  size: Size;
  /** It was being opened, and nobody heard how that ended. */
  trying: boolean;
}

const KEY = 'last-model';
/** What the page's slider gives; with more, which it never wrote, no model would open again. */
const MAX_STRENGTH = 2;

export class LastModels {
  /** To be offered. */
  offer = $state.raw<LastModel | null>(null);
  /** The person wanted it, and its files must be picked anew. */
  lost = $state(false);
  readonly #store: Store;
  readonly #handles: HandleStore;

  constructor(store: Store, handles: HandleStore) {
    [this.#store, this.#handles] = [store, handles];
  }

  /** What was used last; null where there is none, or nothing that can be understood. */
  read(): LastModel | null {
    return readLast(this.#store.read(KEY));
  }

  /** It is about to be loaded. */
  async try(own: OwnModel): Promise<void> {
    const { name, download, picked, sampling, quantize, strengths, size, recognition } = own;
    const last: LastModel = {
      ...{ name: name ?? recognition?.name ?? '', download, paths: picked.map(({ path }) => path) },
      ...{ sampling: sampling ?? recognition?.sampling ?? null, quantize, strengths, size, trying: true },
    };
    [this.offer, this.lost] = [null, false];
    this.#store.write(KEY, last);
    await this.#handles.write((download === null && handlesOf(picked)) || []);
  }

  /** It is loaded, and may be opened by itself the next time. */
  settle(): void {
    const last = this.read();
    if (last) this.#store.write(KEY, { ...last, trying: false });
  }

  /** The person wants the page's own model. */
  async forget(): Promise<void> {
    [this.offer, this.lost] = [null, false];
    this.#store.write(KEY, null);
    await this.#handles.write([]);
  }

  /**
   * Its files, if they are the person's own; null where they cannot be had.
   * @param ask ask for leave, in answer to a press
   */
  async files({ paths }: LastModel, ask: boolean): Promise<PickedFile[] | null> {
    const files = await filesOf(await this.#handles.read(), ask);
    return files?.length === paths.length ? files : null;
  }
}

function readLast(value: unknown): LastModel | null {
  const text = (name: string) => {
    const found = field(value, name);
    return typeof found === 'string' ? found : null;
  };
  const paths = field(value, 'paths');
  const quantize = text('quantize');
  const strengths = field(value, 'strengths');
  const [width, height] = ['width', 'height'].map((name) => field(field(value, 'size'), name));
  if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string')) return null;
  if (quantize !== null && quantize !== 'q8_0' && quantize !== 'q4_0') return null;
  if (!Number.isInteger(width) || !Number.isInteger(height)) return null;
  return {
    ...{ name: text('name') ?? '', download: text('download'), paths, sampling: text('sampling'), quantize },
    strengths: Object.fromEntries(
      Object.entries((strengths ?? {}) as Record<string, unknown>).flatMap(([path, n]) =>
        typeof n === 'number' && Math.abs(n) <= MAX_STRENGTH ? [[path, n]] : [],
      ),
    ),
    size: { width: width as number, height: height as number },
    trying: field(value, 'trying') === true,
  };
}
