/**
 * The page's door to a model hub: opens the worker that may reach hubs, for one question or one download that the person
 * asked for, and ends it with that. So nothing of Kinora can reach a hub before, or afterwards.
 */
import { proxy, releaseProxy, wrap, type Remote } from 'comlink';
import { scriptAddress } from '../trusted';
import workerAddress from './hub.worker.ts?worker&url';
import type { HubAnswer, HubEngine, HubOrder, HubWish, LoadEvent, Result } from './protocol';

type Requests = { url: string; at: number }[];

export class HubClient {
  #worker: Worker | null = null;
  #remote: Remote<HubEngine> | null = null;
  readonly #onRequests: ((requests: Requests) => void) | null;

  /** `onRequests` hears what the worker asks the network for (Egress). */
  constructor(onRequests: ((requests: Requests) => void) | null = null) {
    this.#onRequests = onRequests;
  }

  /** Sizes, hashes and licences, as the hub tells them. */
  look(wish: HubWish): Promise<Result<HubAnswer>> {
    return this.#with((hub) => hub.look(wish) as Promise<Result<HubAnswer>>);
  }

  /** Fetches what is missing; answers `cancelled` when it was paused, and goes on from there when asked again. */
  fetch(order: HubOrder, onEvent: (event: LoadEvent) => void): Promise<Result<void>> {
    return this.#with((hub) => hub.fetch(order, proxy(onEvent)) as Promise<Result<void>>);
  }

  /** What is whole stays, and is not fetched again. */
  async pause(): Promise<void> {
    await this.#remote?.pause();
  }

  async #with<T>(work: (hub: Remote<HubEngine>) => Promise<Result<T>>): Promise<Result<T>> {
    if (this.#worker)
      return { ok: false, error: { code: 'busy', message: 'A model is being downloaded already. Wait, or pause that first.' } }; // prettier-ignore
    const worker = new Worker(scriptAddress(workerAddress), { type: 'module', name: 'kinora-hub' });
    const remote = wrap<HubEngine>(worker);
    [this.#worker, this.#remote] = [worker, remote];
    const failed = new Promise<Result<T>>((resolve) => {
      worker.onerror = (e) =>
        resolve({ ok: false, error: { code: 'worker-dead', message: 'The download stopped unexpectedly. What came so far is kept; try again.', detail: e.message } }); // prettier-ignore
    });
    try {
      if (this.#onRequests) void remote.watch(proxy(this.#onRequests));
      return await Promise.race([work(remote), failed]);
    } finally {
      await new Promise((told) => setTimeout(told, 100)); // what it asked the network for is told with some delay
      remote[releaseProxy]();
      worker.terminate();
      this.#worker = this.#remote = null;
    }
  }
}
