/**
 * The only part of Kinora that may reach another address than the page's own: asks a hub about files, and fetches those
 * that the person wants into this browser's storage. Lives as long as one question or one download (hub.ts); what it may reach is in policy.ts.
 */
import { expose, releaseProxy } from 'comlink';
import { asResult } from '../errors';
import { watchRequests } from '../requests';
import { fetchFromHub, lookAtHub } from '../weights/hub';
import type { HubEngine, HubOrder, HubWish } from './protocol/hub';
import type { LoadEvent } from './protocol/model';

const stop = new AbortController();

const hub: HubEngine = {
  look(wish: HubWish) {
    return asResult(() => lookAtHub(wish, { signal: stop.signal }));
  },
  async fetch(order: HubOrder, onEvent: (event: LoadEvent) => void) {
    const result = await asResult(() =>
      fetchFromHub(order, {
        signal: stop.signal,
        onPlan: (plan) => onEvent({ type: 'plan', ...plan }),
        onDownload: (progress) => onEvent({ type: 'download', ...progress }),
        onCheck: (progress) => onEvent({ type: 'check', ...progress }),
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
