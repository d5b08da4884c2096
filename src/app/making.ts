/**
 * That a clip is being made is known to every tab of this Kinora: whoever makes one holds a Web Lock, which many may hold
 * at once, and a new edition is agreed to only by who gets it alone. Browsers without Web Locks know of their own tab only.
 */

/** Several Kinoras in folders of one host do not concern each other. */
const lock = () => {
  const base = globalThis.document?.baseURI;
  return `kinora-clip ${base ? new URL('./', base).pathname : ''}`;
};
const locks = () => (globalThis.navigator as Navigator | undefined)?.locks;

export async function whileMaking<T>(work: () => Promise<T>): Promise<T> {
  const manager = locks();
  return manager ? manager.request(lock(), { mode: 'shared' }, work) : work();
}

/** Does the work while no tab makes a clip, and none begins one. Null, and nothing done, where one does. */
export async function unlessMaking<T>(work: () => Promise<T>): Promise<T | null> {
  const manager = locks();
  return manager ? manager.request(lock(), { ifAvailable: true }, (free) => (free ? work() : null)) : work();
}
