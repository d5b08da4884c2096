/**
 * Models from a hub: the person chooses one, the hub is asked what its files are, the person sees size and licence and
 * agrees, and only then is anything fetched. It can be paused, and gone on with at another visit.
 */
import { DECODERS, ENCODERS, filesFor, MODELS, type CatalogueModel } from '../models/catalogue/catalogue';
import { HUBS, isHub, readMirror, type MirrorProblem } from '../policy';
import type { EngineClient } from '../worker/client';
import type { HubClient } from '../worker/hub';
import type { PickedFile } from '../worker/protocol/files';
import type { Download, HubOrder } from '../worker/protocol/hub';
import type { LoadEvent } from '../worker/protocol/model';
import type { EngineError } from '../worker/protocol/result';
import type { Storage } from './storage.svelte';
import { field, type Store } from './store';

export type Hub = Pick<HubClient, 'look' | 'fetch' | 'pause'>;
export type Kept = Pick<EngineClient, 'downloads' | 'openDownload'>;

/** What the hub said, for the person to agree to. */
export interface Offer {
  order: HubOrder;
  /** Of each repository, as the hub says; '' where it says nothing. */
  licenses: { repo: string; license: string }[];
  /** Bytes of it all, and of what must be fetched. */
  total: number;
  needed: number;
  /** Bytes that the browser offers; null: it does not say. */
  free: number | null;
}

/** A download under way. */
export interface Fetching {
  id: string;
  file: string;
  /** Bytes of the whole order. */
  loaded: number;
  total: number;
  /** Bytes a second, of late; null until it is known. */
  speed: number | null;
  /** Share of the present file's hash that is taken; null while bytes are fetched. */
  checked: number | null;
}

const PARTS = { encoder: ENCODERS, decoder: DECODERS };

export class Downloads {
  /** Origin of the hub, or address of its mirror. */
  hub = $state(HUBS[0]!.origin);
  encoder = $state(ENCODERS[0]!.id);
  decoder = $state(DECODERS[0]!.id);
  /** What is here of earlier orders. */
  kept = $state.raw<readonly Download[]>([]);
  /** Id of the model that the hub is being asked about. */
  asking = $state<string | null>(null);
  offer = $state.raw<Offer | null>(null);
  fetching = $state.raw<Fetching | null>(null);
  error = $state.raw<{ id: string; error: EngineError } | null>(null);
  /** Why what was typed is no mirror. */
  mirrorProblem = $state<MirrorProblem | null>(null);
  readonly #hub: Hub;
  readonly #engine: Kept;
  readonly #store: Store;
  readonly #storage: Pick<Storage, 'persist' | 'refresh'>;
  #pace: { at: number; loaded: number } | null = null;

  constructor(hub: Hub, engine: Kept, store: Store, storage: Pick<Storage, 'persist' | 'refresh'>) {
    [this.#hub, this.#engine, this.#store, this.#storage] = [hub, engine, store, storage];
    const chosen = store.read('hub');
    const [origin, encoder, decoder] = ['origin', 'encoder', 'decoder'].map((name) =>
      String(field(chosen, name)),
    );
    if (isHub(origin!)) this.hub = origin!;
    if (ENCODERS.some(({ id }) => id === encoder)) this.encoder = encoder!;
    if (DECODERS.some(({ id }) => id === decoder)) this.decoder = decoder!;
  }

  /** Another hub, text encoder or decoder for what is fetched next. */
  choose(choice: { hub?: string; encoder?: string; decoder?: string }): void {
    this.hub = choice.hub ?? this.hub;
    this.encoder = choice.encoder ?? this.encoder;
    this.decoder = choice.decoder ?? this.decoder;
    this.offer = this.mirrorProblem = null; // it was of other files
    this.#store.write('hub', { origin: this.hub, encoder: this.encoder, decoder: this.decoder });
  }

  /** Takes a mirror's address as it was typed; an empty one goes back to the hub itself. */
  mirror(typed: string, own = globalThis.location.origin): void {
    if (!typed.trim()) return this.choose({ hub: HUBS[0]!.origin });
    const read = readMirror(typed, own);
    if ('hub' in read) this.choose({ hub: read.hub });
    else this.mirrorProblem = read.problem;
  }

  async refresh(): Promise<void> {
    const kept = await this.#engine.downloads();
    if (kept.ok) this.kept = kept.value;
  }

  keptOf(id: string): Download | null {
    return this.kept.find(({ order }) => order.id === id) ?? null;
  }

  /** Bytes that the catalogue knows of, and whether these are all. */
  sizeOf(model: CatalogueModel): { bytes: number; all: boolean } {
    const sizes = this.#files(model).map(({ bytes }) => bytes);
    return { bytes: sizes.reduce<number>((sum, n) => sum + (n ?? 0), 0), all: !sizes.includes(null) };
  }

  #files(model: CatalogueModel) {
    const part = (kind: 'encoder' | 'decoder') => PARTS[kind].find(({ id }) => id === this[kind])!;
    return filesFor(model, part('encoder'), part('decoder'));
  }

  /** Asks the hub. This is the first moment at which anything of Kinora reaches it. */
  async ask(model: CatalogueModel): Promise<void> {
    if (this.asking || this.fetching) return;
    [this.asking, this.offer, this.error] = [model.id, null, null];
    const { hub } = this;
    const files = this.#files(model).map(({ repo, revision, path }) => ({ repo, revision, path }));
    const answer = await this.#hub.look({ hub, files });
    await this.refresh();
    this.asking = null;
    if (!answer.ok) {
      this.error = { id: model.id, error: answer.error };
      return;
    }
    const { files: found, licenses: said, free } = answer.value;
    const licenses = Object.entries(said).map(([repo, license]) => ({ repo, license }));
    const license = [...new Set(licenses.map((one) => one.license).filter(Boolean))].join(', ');
    const order: HubOrder = { id: model.id, name: model.name, sampling: model.sampling, license, hub, files: found }; // prettier-ignore
    const sum = (list: readonly { bytes: number }[]) => list.reduce((bytes, file) => bytes + file.bytes, 0);
    const whole = new Set(
      this.kept.filter((d) => d.whole).flatMap((d) => d.order.files.map((f) => f.sha256)),
    );
    const needed = sum(found.filter(({ sha256 }) => !whole.has(sha256)));
    this.offer = { order, licenses, total: sum(found), needed, free };
  }

  /** The person agreed to what is offered. */
  async agree(): Promise<void> {
    const { offer } = this;
    if (!offer) return;
    this.offer = null;
    await this.#storage.persist();
    await this.#fetch(offer.order);
  }

  decline(): void {
    this.offer = null;
  }

  /** Goes on with what was paused or broken off, now or at an earlier visit. */
  async resume(id: string): Promise<void> {
    const download = this.keptOf(id);
    if (download) await this.#fetch(download.order);
  }

  async #fetch(order: HubOrder): Promise<void> {
    if (this.fetching) return;
    const { id, files } = order;
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const loaded = this.keptOf(id)?.loaded ?? 0;
    this.error = this.#pace = null;
    this.fetching = { id, file: '', loaded, total, speed: null, checked: null };
    const fetched = await this.#hub.fetch(order, (event) => this.#hear(event));
    await this.refresh();
    this.fetching = null;
    void this.#storage.refresh();
    if (fetched.ok || fetched.error.code === 'cancelled') return;
    this.error = { id, error: fetched.error };
    if (fetched.error.code !== 'network' || globalThis.navigator?.onLine !== false) return;
    // The whole machine is off the network: go on when it is back.
    globalThis.addEventListener('online', () => void (this.error?.id === id && this.resume(id)), {
      once: true,
    });
  }

  #hear(event: LoadEvent): void {
    const { fetching } = this;
    if (!fetching) return;
    if (event.type === 'check')
      this.fetching = { ...fetching, file: event.file, checked: event.loaded / event.total };
    if (event.type !== 'download') return;
    // The event counts what is fetched now; other files were here before.
    const loaded = fetching.total - event.total + event.loaded;
    this.fetching = { ...fetching, file: event.file, loaded, speed: this.#speed(loaded), checked: null };
  }

  /** Smoothed over some seconds. A piece that is fetched again takes its bytes back, which is no speed. */
  #speed(loaded: number): number | null {
    const now = performance.now();
    const before = this.#pace;
    const speed = this.fetching?.speed ?? null;
    if (before && now - before.at < 1000) return speed;
    this.#pace = { at: now, loaded };
    if (!before || loaded < before.loaded) return speed;
    const fresh = ((loaded - before.loaded) * 1000) / (now - before.at);
    return speed === null ? fresh : 0.7 * speed + 0.3 * fresh;
  }

  async pause(): Promise<void> {
    await this.#hub.pause();
  }

  /** The files of a whole download, to be opened as if they had been picked; null where that failed. */
  async open(id: string): Promise<{ files: PickedFile[]; sampling: string; name: string } | null> {
    this.error = null;
    const download = this.keptOf(id);
    const files = await this.#engine.openDownload(id);
    if (files.ok && download) return { files: files.value, sampling: download.order.sampling, name: download.order.name }; // prettier-ignore
    if (!files.ok) this.error = { id, error: files.error };
    await this.refresh();
    return null;
  }

  readonly models = MODELS;
}
