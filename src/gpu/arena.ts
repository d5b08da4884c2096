/**
 * Lends scratch buffers and takes them back. Lends again what is free and close enough in size; of those the smallest,
 * of equal ones the oldest: so the same work gets the same buffers again, whose bind groups are there already.
 */
import type { Memory } from './memory';
import type { Storage } from './tensor';

/** A free buffer is lent for anything that fills at least this share of it. */
export const FILL = 0.75;

/** Ids count upwards, those of a dry run downwards. */
const older = (a: Storage, b: Storage) => Math.abs(a.id) < Math.abs(b.id);

export class Arena {
  readonly #memory: Memory;
  readonly #dry: boolean;
  #free: Storage[] = [];
  #all = new Set<Storage>();
  #dryId = -1;
  /** Bytes of all buffers of the arena, lent or free: the scratch memory that a run needs. */
  bytes = 0;

  constructor(memory: Memory, dry: boolean) {
    this.#memory = memory;
    this.#dry = dry;
  }

  take(bytes: number, label: string): Storage {
    // Sizes in steps of 256 bytes make more requests alike.
    const rounded = Math.ceil(bytes / 256) * 256;
    let best = -1;
    this.#free.forEach((s, i) => {
      if (s.bytes < rounded || rounded < s.bytes * FILL) return;
      const other = this.#free[best];
      if (!other || s.bytes < other.bytes || (s.bytes === other.bytes && older(s, other))) best = i;
    });
    if (best >= 0) return this.#free.splice(best, 1)[0]!;
    const storage: Storage = this.#dry
      ? { bytes: rounded, buffer: null, id: this.#dryId-- }
      : this.#memory.allocate(rounded, `scratch for ${label}`);
    this.#all.add(storage);
    this.bytes += rounded;
    return storage;
  }

  give(storage: Storage): void {
    this.#free.push(storage);
  }

  destroy(): void {
    if (!this.#dry) for (const s of this.#all) this.#memory.free(s);
    this.#all.clear();
    this.#free = [];
    this.bytes = 0;
  }
}
