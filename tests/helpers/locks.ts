/** Web Locks of one tab, for Node: a lock is held until its callback's promise ends. Whoever comes meanwhile gets none. */
type Work = (lock: object | null) => unknown;

export class Locks {
  readonly #held = new Set<string>();

  async request(name: string, ...rest: [Work] | [unknown, Work]): Promise<unknown> {
    const work = rest.at(-1) as Work;
    if (this.#held.has(name)) return work(null);
    this.#held.add(name);
    try {
      return await work({});
    } finally {
      this.#held.delete(name);
    }
  }
}
