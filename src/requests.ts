/** What this context (page or worker) asks the network for, as the browser itself records it. */

export interface NetworkRequest {
  url: string;
  /** When it began, ms since 1970. */
  at: number;
}

/**
 * Tells every request over http(s) of this page or worker, those made before included. Blobs are not requests.
 * Requests of workers are told in the worker alone.
 */
export function watchRequests(tell: (requests: NetworkRequest[]) => void): void {
  if (typeof PerformanceObserver === 'undefined') return;
  new PerformanceObserver((list) => {
    const requests = list
      .getEntries()
      .filter(({ name }) => /^https?:/.test(name))
      .map(({ name, startTime }) => ({ url: name, at: performance.timeOrigin + startTime }));
    if (requests.length > 0) tell(requests);
  }).observe({ type: 'resource', buffered: true });
}

/** Ways to ask the network besides `fetch`. */
const OTHERS = ['XMLHttpRequest', 'WebSocket', 'WebSocketStream', 'WebTransport', 'EventSource'] as const;

/**
 * The network of a worker, which its own code can shut: a content policy is fixed when a worker begins, and the engine
 * needs its model first and nothing afterwards. Scripts of our own origin can still be imported.
 */
export class Gate {
  #open = true;
  readonly #others: [string, unknown][];
  readonly #scope: Record<string, unknown>;

  /** @param scope default: this worker; its only Gate */
  constructor(scope: object = globalThis) {
    this.#scope = scope as Record<string, unknown>;
    this.#others = OTHERS.filter((name) => name in scope).map((name) => [name, this.#scope[name]]);
    const ask = (this.#scope.fetch as typeof fetch).bind(scope);
    this.#scope.fetch = (what: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
      const address = String(what instanceof Request ? what.url : what);
      if (this.#open || /^(blob|data):/.test(address)) return ask(what, init);
      return Promise.reject(new TypeError('The engine asks nothing of the network after loading.'));
    };
  }

  open(): void {
    this.#open = true;
    for (const [name, value] of this.#others) this.#scope[name] = value;
  }

  shut(): void {
    this.#open = false;
    for (const [name] of this.#others) this.#scope[name] = undefined;
  }
}
