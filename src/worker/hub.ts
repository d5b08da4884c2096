/**
 * A download from a model hub, for the page: opens the worker that may reach hubs, and ends it with the download. So
 * nothing of Kinora can reach a hub before the person has asked for it, or afterwards.
 */
import { proxy, releaseProxy, wrap, type Remote } from 'comlink';
import { scriptAddress } from '../trusted';
import workerAddress from './hub.worker.ts?worker&url';
import type { HubEngine, HubOrder, LoadEvent, Result } from './protocol';

type Requests = { url: string; at: number }[];

export class HubDownload {
  #worker: Worker | null = null;
  #remote: Remote<HubEngine> | null = null;
  readonly #onRequests: ((requests: Requests) => void) | null;

  /** `onRequests` hears what the worker asks the network for (Egress). */
  constructor(onRequests: ((requests: Requests) => void) | null = null) {
    this.#onRequests = onRequests;
  }

  get running(): boolean {
    return this.#worker !== null;
  }

  /** Fetches what is missing; answers `cancelled` when it was paused, and goes on from there when asked again. */
  async fetch(order: HubOrder, onEvent: (event: LoadEvent) => void): Promise<Result<void>> {
    if (this.#worker)
      return { ok: false, error: { code: 'busy', message: 'A model is being downloaded already. Wait, or pause that first.' } }; // prettier-ignore
    const worker = new Worker(scriptAddress(workerAddress), { type: 'module', name: 'kinora-hub' });
    const remote = wrap<HubEngine>(worker);
    [this.#worker, this.#remote] = [worker, remote];
    const failed = new Promise<Result<void>>((resolve) => {
      worker.onerror = (e) =>
        resolve({ ok: false, error: { code: 'worker-dead', message: 'The download stopped unexpectedly. What came so far is kept; try again.', detail: e.message } }); // prettier-ignore
    });
    try {
      if (this.#onRequests) void remote.watch(proxy(this.#onRequests));
      // A worker's own base is its script; the folder is meant from where the page is.
      const model = new URL(order.model, document.baseURI).href;
      const fetched = remote.fetch({ ...order, model }, proxy(onEvent)) as Promise<Result<void>>;
      return await Promise.race([fetched, failed]);
    } finally {
      remote[releaseProxy]();
      worker.terminate();
      this.#worker = this.#remote = null;
    }
  }

  /** What is whole stays, and is not fetched again. */
  async pause(): Promise<void> {
    await this.#remote?.pause();
  }
}
