/**
 * The only part of Kinora that may reach another address than the page's own: fetches what the person asked a hub for
 * into this browser's storage. Lives as long as one download (hub.ts); what it may reach is in policy.ts.
 */
import { expose, releaseProxy } from 'comlink';
import { asResult } from '../errors';
import { watchRequests } from '../requests';
import { fetchFromHub } from '../weights/hub';
import type { HubEngine, HubOrder, LoadEvent } from './protocol';

const stop = new AbortController();

const hub: HubEngine = {
  async fetch(order: HubOrder, onEvent: (event: LoadEvent) => void) {
    const result = await asResult(() =>
      fetchFromHub(order, {
        signal: stop.signal,
        onPlan: (plan) => onEvent({ type: 'plan', ...plan }),
        onDownload: (progress) => onEvent({ type: 'download', ...progress }),
      }),
    );
    (onEvent as unknown as { [releaseProxy](): void })[releaseProxy]();
    return result;
  },
  async pause() {
    stop.abort();
  },
  async watch(onRequests) {
    watchRequests(onRequests);
  },
};

expose(hub);
