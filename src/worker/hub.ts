/**
 * The page's door to a model hub: opens the worker that may reach hubs, for one question or one download that the person
 * asked for, and ends it with that. So nothing of Kinora can reach a hub before, or afterwards.
 */
import { proxy, releaseProxy, wrap, type Remote } from 'comlink';
import { scriptAddress } from '../trusted';
import workerAddress from './hub.worker.ts?worker&url';
import type { HubAnswer, HubEngine, HubOrder, HubWish, LoadEvent, NetworkRequest, Result } from './protocol';

/** Milliseconds that a worker may take to pause. What is whole of its download is on the disk, so nothing is lost by ending it. */
const PATIENCE = 10_000;

export class HubClient {
  #worker: Worker | null = null;
  #remote: Remote<HubEngine> | null = null;
  /** Ends the work in hand with this answer. */
  #end: ((result: Result<never>) => void) | null = null;
  readonly #patience: number;
  readonly #onRequests: ((requests: NetworkRequest[]) => void) | null;

  /** `onRequests` hears what the worker asks the network for (Egress). */
  constructor(onRequests: ((requests: NetworkRequest[]) => void) | null = null, patience = PATIENCE) {
    this.#onRequests = onRequests;
    this.#patience = patience;
  }

  /** Sizes, hashes and licences, as the hub tells them. */
  look(wish: HubWish): Promise<Result<HubAnswer>> {
    return this.#with((hub) => hub.look(wish) as Promise<Result<HubAnswer>>);
  }

  /** Fetches what is missing; answers `cancelled` when it was paused, and goes on from there when asked again. */
  fetch(order: HubOrder, onEvent: (event: LoadEvent) => void): Promise<Result<void>> {
    return this.#with((hub) => hub.fetch(order, proxy(onEvent)) as Promise<Result<void>>);
  }

  /** What is whole stays, and is not fetched again. A worker that does not hear of it is ended. */
  async pause(): Promise<void> {
    const end = this.#end;
    const paused: Result<never> = {
      ok: false,
      error: { code: 'cancelled', message: 'The download was paused.' },
    };
    setTimeout(() => end?.(paused), this.#patience); // answered by then, this changes nothing
    await Promise.race([this.#remote?.pause(), new Promise((r) => setTimeout(r, this.#patience))]);
  }

  async #with<T>(work: (hub: Remote<HubEngine>) => Promise<Result<T>>): Promise<Result<T>> {
    if (this.#worker)
      return { ok: false, error: { code: 'busy', message: 'A model is being downloaded already. Wait, or pause that first.' } }; // prettier-ignore
    const worker = new Worker(scriptAddress(workerAddress), { type: 'module', name: 'kinora-hub' });
    const remote = wrap<HubEngine>(worker);
    [this.#worker, this.#remote] = [worker, remote];
    const failed = new Promise<Result<T>>((resolve) => {
      this.#end = resolve;
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
      this.#worker = this.#remote = this.#end = null;
    }
  }
}
