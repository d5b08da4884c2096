/** What crosses between the page and hub.worker.ts, which alone asks a hub for anything. */
import type { LoadEvent } from './model';
import type { NetworkRequest } from './network';
import type { Result } from './result';

/** Files of a hub that somebody thinks of fetching. */
export interface HubWish {
  /** Origin of a hub of policy.ts. */
  hub: string;
  files: { repo: string; revision: string; path: string }[];
}

/** A file as the hub itself describes it. */
export interface HubFile {
  /** "owner/name". */
  repo: string;
  /** What its bytes are of; a branch may move, a commit does not. */
  commit: string;
  path: string;
  bytes: number;
  sha256: string;
}

export interface HubAnswer {
  /** In the order of the wish. */
  files: HubFile[];
  /** By repository, as the hub says; '' where it says nothing. */
  licenses: Record<string, string>;
  /** Bytes that the browser offers; null: it does not say. */
  free: number | null;
}

/** What the person asked to be fetched and kept. */
export interface HubOrder {
  /** Lower-case letters, digits, "-": an order of the same id takes the place of the one before. */
  id: string;
  name: string;
  /** How it is sampled, of `Recognition.samplings`. */
  sampling: string;
  /** As the hub says. */
  license: string;
  /** Origin of a hub of policy.ts. */
  hub: string;
  files: HubFile[];
}

/** An order and what is here of it. Bytes. */
export interface Download {
  order: HubOrder;
  loaded: number;
  total: number;
  /** Every file is here, and was what the hub promised. */
  whole: boolean;
}

/** The surface of hub.worker.ts, exposed with comlink. */
export interface HubEngine {
  /** Asks what the files are: sizes, hashes, licences. Fetches none. */
  look(wish: HubWish): Promise<Result<HubAnswer>>;
  fetch(order: HubOrder, onEvent: (e: LoadEvent) => void): Promise<Result<void>>;
  /** What is whole of the download stays; its `fetch` answers `cancelled`. */
  pause(): Promise<void>;
  /** Tells every request that the worker makes of the network. */
  watch(onRequests: (requests: NetworkRequest[]) => void): Promise<void>;
}
