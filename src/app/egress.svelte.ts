/** Counts what the page and its engine ask the network for, so that nobody has to believe a promise. */
import { isHub } from '../policy';
import type { NetworkRequest } from '../worker/protocol/network';

export class Egress {
  /** To the page's own address, since it was opened. */
  own = $state(0);
  /** To any other address. Nothing of Kinora does that. */
  elsewhere = $state(0);
  /** To the hub, for what the person asked for there. */
  hub = $state(0);
  /** Since the model was loaded, to wherever. */
  since = $state(0);
  /** Attempts of page, engine or download that the content policy or a shut Gate stopped. */
  blocked = $state(0);
  readonly #origin: string;
  #loadedAt = Infinity;

  constructor(origin: string) {
    this.#origin = origin;
  }

  hear(requests: readonly NetworkRequest[]): void {
    for (const { url, at, stopped } of requests) {
      if (stopped) {
        this.blocked++;
        continue;
      }
      if (new URL(url).origin === this.#origin) this.own++;
      else this.elsewhere++;
      if (at > this.#loadedAt) this.since++;
    }
  }

  /** As `hear`, of the worker that may reach hubs. */
  hearHub(requests: readonly NetworkRequest[]): void {
    const asked = requests.filter(({ url, stopped }) => !stopped && isHub(new URL(url).origin));
    this.hub += asked.length;
    this.since += asked.filter(({ at }) => at > this.#loadedAt).length;
    this.hear(requests.filter((request) => !asked.includes(request)));
  }

  /** The model is loaded: from `at` (ms since 1970) on there is nothing left to ask for. */
  loaded(at = Date.now()): void {
    this.#loadedAt = Math.min(this.#loadedAt, at);
  }
}
