/**
 * The page's door to a model hub: opens the worker that may reach hubs, for one question or one download that the person
 * asked for, and ends it with that. So nothing of Kinora can reach a hub before, or afterwards.
 */
import { proxy, releaseProxy, wrap, type Remote } from 'comlink';
import { beginWorker } from './begin';
import workerAddress from './hub.worker.ts?worker&url';
import type { HubAnswer, HubEngine, HubOrder, HubWish } from './protocol/hub';
import type { LoadEvent } from './protocol/model';
import type { NetworkRequest } from './protocol/network';
import type { EngineError, Result } from './protocol/result';

/** Milliseconds that a worker may take to pause. What is whole of its download is on the disk, so nothing is lost by ending it. */
const PATIENCE = 10_000;

const failure = (code: EngineError['code'], message: string, detail?: string): Result<never> => ({
  ok: false,
  error: { code, message, ...(detail !== undefined && { detail }) },
});

export class HubClient {
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
    const paused = failure('cancelled', 'The download was paused.');
    setTimeout(() => end?.(paused), this.#patience); // answered by then, this changes nothing
    await Promise.race([this.#remote?.pause(), new Promise((r) => setTimeout(r, this.#patience))]);
  }

  async #with<T>(work: (hub: Remote<HubEngine>) => Promise<Result<T>>): Promise<Result<T>> {
    if (this.#end) return failure('busy', 'A model is being downloaded already. Wait, or pause that first.');
    const failed = new Promise<Result<T>>((resolve) => (this.#end = resolve));
    let worker: Worker | null = null;
    try {
      // It may reach more than the page may, so that the page's own policy is no stand-in for its own.
      worker = await beginWorker(workerAddress, 'kinora-hub', 'none');
      if (!worker) return failure('unfenced', 'Nothing was asked of the hub: this page’s service worker is not at work, and without it a download could not be held to the hub’s addresses. Reload the page and try again, outside of a private window.'); // prettier-ignore
      const end = this.#end!;
      worker.onerror = (e) => end(failure('worker-dead', 'The download stopped unexpectedly. What came so far is kept; try again.', e.message)); // prettier-ignore
      this.#remote = wrap<HubEngine>(worker);
      if (this.#onRequests) void this.#remote.watch(proxy(this.#onRequests));
      return await Promise.race([work(this.#remote), failed]);
    } catch (e) {
      return failure('worker-dead', 'The download could not begin. What came so far is kept; try again.', String(e)); // prettier-ignore
    } finally {
      if (worker) await new Promise((told) => setTimeout(told, 100)); // what it asked the network for is told with some delay
      this.#remote?.[releaseProxy]();
      worker?.terminate();
      this.#remote = this.#end = null;
    }
  }
}
