/**
 * Web Locks of one browser, for Node: a lock is held until its callback's promise ends. Whoever comes meanwhile gets none,
 * as with `ifAvailable`, unless all want to share it.
 */
type Work = (lock: object | null) => unknown;

export class Locks {
  /** Holders, and whether they share it. */
  readonly #held = new Map<string, { count: number; shared: boolean }>();

  async request(name: string, ...rest: [Work] | [{ mode?: string }, Work]): Promise<unknown> {
    const work = rest.at(-1) as Work;
    const shared = rest.length > 1 && (rest[0] as { mode?: string }).mode === 'shared';
    const held = this.#held.get(name);
    if (held && !(held.shared && shared)) return work(null);
    this.#held.set(name, { count: (held?.count ?? 0) + 1, shared });
    try {
      return await work({});
    } finally {
      const { count } = this.#held.get(name)!;
      if (count > 1) this.#held.set(name, { count: count - 1, shared });
      else this.#held.delete(name);
    }
  }

  query = async () => ({ held: [...this.#held.keys()].map((name) => ({ name })), pending: [] });
}
