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
