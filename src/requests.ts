/** What this context (page or worker) asks the network for, as the browser itself records it. */

import type { NetworkRequest } from './worker/protocol/network';

/**
 * Tells every request over http(s) of this page or worker, those made before included, and what the content policy
 * stops from now on. Blobs are not requests. Requests of workers are told in the worker alone.
 */
export function watchRequests(tell: (requests: NetworkRequest[]) => void): void {
  globalThis.addEventListener?.('securitypolicyviolation', (event) => {
    const { blockedURI: url } = event as SecurityPolicyViolationEvent;
    tell([{ url, at: Date.now(), stopped: true }]);
  });
  if (typeof PerformanceObserver === 'undefined') return;
  new PerformanceObserver((list) => {
    const requests = list
      .getEntries()
      .filter(({ name }) => /^https?:/.test(name))
      .map(({ name, startTime }) => ({ url: name, at: performance.timeOrigin + startTime }));
    if (requests.length > 0) tell(requests);
  }).observe({ type: 'resource', buffered: true });
}

/** Ways to ask the network besides `fetch`; a worker has leave of its own, and a Gate of its own, or none. */
const OTHERS = [
  'Worker',
  'SharedWorker',
  'XMLHttpRequest',
  'WebSocket',
  'WebSocketStream',
  'WebTransport',
  'EventSource',
  'FontFace',
] as const;
type Ways = Record<string, unknown>;

/**
 * The network of a worker, which its own code can shut: a content policy is fixed when a worker begins, and the engine
 * needs its model first and nothing afterwards. Scripts of our own origin can still be imported, by the same policy.
 */
export class Gate {
  #open = true;
  /** What is taken away while it is shut: where it stands, its name, and what it is. */
  readonly #ways: (readonly [holder: Ways, name: string, value: unknown])[];
  readonly #onStopped: (request: NetworkRequest) => void;

  /**
   * @param onStopped hears of every `fetch` that it refused
   * @param scope default: this worker; its only Gate
   */
  constructor(onStopped: (request: NetworkRequest) => void = () => {}, scope: object = globalThis) {
    this.#onStopped = onStopped;
    const own = scope as Ways;
    const cache = (own.Cache as { prototype?: Ways } | undefined)?.prototype;
    this.#ways = [
      ...OTHERS.filter((name) => name in own).map((name) => [own, name, own[name]] as const),
      ...(cache ? ['add', 'addAll'].map((name) => [cache, name, cache[name]] as const) : []),
    ];
    this.#guard(own, (own.fetch as typeof fetch).bind(scope));
  }

  /** Browsers keep `fetch` in a prototype of the worker: whoever looks there must not find the unguarded one. */
  #guard(scope: Ways, ask: typeof fetch): void {
    const guarded = async (what: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
      if (this.#open) return ask(what, init);
      const request = new Request(what, init); // read once: what was given may say something else the next time
      const { url } = request;
      if (/^(blob|data):/.test(url)) return ask(request);
      this.#onStopped({ url, at: Date.now(), stopped: true });
      throw new TypeError('The engine asks nothing of the network after loading.');
    };
    for (let holder: Ways | null = scope; holder; holder = Object.getPrototypeOf(holder) as Ways | null)
      if (Object.hasOwn(holder, 'fetch')) holder.fetch = guarded;
  }

  open(): void {
    this.#open = true;
    for (const [holder, name, value] of this.#ways) holder[name] = value;
  }

  shut(): void {
    this.#open = false;
    for (const [holder, name] of this.#ways) holder[name] = undefined;
  }
}
