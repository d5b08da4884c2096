/** Models from a hub, as the page sees them: nothing is asked before the person asks, nothing fetched before they agree. */
import { beforeEach, expect, test } from 'vitest';
import { Downloads, type Hub, type Kept } from '../../src/app/downloads.svelte';
import { MODELS } from '../../src/models/catalogue/catalogue';
import { HUBS } from '../../src/policy';
import type { Download, HubOrder, HubWish } from '../../src/worker/protocol/hub';
import type { LoadEvent } from '../../src/worker/protocol/model';
import type { Result } from '../../src/worker/protocol/result';
import { memoryStore } from './helpers';

const WAN = MODELS.find(({ id }) => id === 'wan')!;
const COMMIT = '0'.repeat(40);

/** A hub that answers at once, and downloads that a test ends. */
class ScriptedHub implements Hub, Kept {
  wishes: HubWish[] = [];
  orders: HubOrder[] = [];
  kept: Download[] = [];
  free: number | null = 50e9;
  answer: Result<never> | null = null;
  tell!: (event: LoadEvent) => void;
  end!: (result: Result<void>) => void;
  persisted = 0;
  readonly storage = { persist: async () => void this.persisted++, refresh: async () => {} };

  async look(wish: HubWish) {
    this.wishes.push(wish);
    if (this.answer) return this.answer;
    const files = wish.files.map(({ repo, path }, i) => ({ repo, path, commit: COMMIT, bytes: 1e9, sha256: String(i).repeat(64) })); // prettier-ignore
    const licenses = Object.fromEntries(wish.files.map(({ repo }, i) => [repo, i === 0 ? 'apache-2.0' : '']));
    return { ok: true as const, value: { files, licenses, free: this.free } };
  }
  fetch(order: HubOrder, tell: (event: LoadEvent) => void) {
    this.orders.push(order);
    this.tell = tell;
    return new Promise<Result<void>>((end) => (this.end = end));
  }
  async pause() {
    this.end({ ok: false, error: { code: 'cancelled', message: '' } });
  }
  async downloads() {
    return { ok: true as const, value: this.kept };
  }
  async openDownload() {
    return { ok: true as const, value: [] };
  }
}

let hub: ScriptedHub;
let downloads: Downloads;
const store = memoryStore();
beforeEach(() => {
  hub = new ScriptedHub();
  downloads = new Downloads(hub, hub, store, hub.storage);
});

/** Lets promises that are settled be heard. */
const settle = () => new Promise((done) => setTimeout(done, 0));

test('asked, the hub tells what would be fetched; nothing is, until the person agrees', async () => {
  expect(hub.wishes).toEqual([]);
  await downloads.ask(WAN);
  expect(hub.wishes[0]!.hub).toBe(HUBS[0]!.origin);
  expect(hub.wishes[0]!.files.map(({ path }) => path.split('/').at(-1))).toEqual([
    'wan2.1_t2v_1.3B_fp16.safetensors',
    'umt5-xxl-encoder-Q4_K_M.gguf',
    'taew2_1.safetensors',
  ]);
  expect(downloads.offer).toMatchObject({ total: 3e9, needed: 3e9, free: 50e9 });
  expect(downloads.offer!.order).toMatchObject({ id: 'wan', sampling: 'wan', license: 'apache-2.0' });
  expect([hub.orders.length, hub.persisted]).toEqual([0, 0]);
  downloads.decline();
  await downloads.agree();
  expect(hub.orders).toEqual([]);
  await downloads.ask(WAN);
  void downloads.agree();
  await settle();
  expect([hub.orders.length, hub.persisted]).toEqual([1, 1]);
});

test('what an earlier model brought is not counted again', async () => {
  const file = { repo: 'a/b', path: 'c', commit: COMMIT, bytes: 1e9, sha256: '1'.repeat(64) };
  const order = { id: 'rcm', name: 'rCM', sampling: 'rcm', license: '', hub: HUBS[0]!.origin, files: [file] };
  hub.kept = [{ order, loaded: 1e9, total: 1e9, whole: true }];
  await downloads.ask(WAN);
  expect(downloads.offer).toMatchObject({ total: 3e9, needed: 2e9 });
});

test('progress counts the whole order, and says when a hash is taken', async () => {
  await downloads.ask(WAN);
  void downloads.agree();
  await settle();
  hub.tell({ type: 'download', file: 'b', loaded: 5e8, total: 2e9 }); // one file was here before
  expect(downloads.fetching).toMatchObject({ id: 'wan', loaded: 1.5e9, total: 3e9, checked: null });
  hub.tell({ type: 'check', file: 'b', loaded: 3e8, total: 1e9 });
  expect(downloads.fetching).toMatchObject({ file: 'b', checked: 0.3 });
  await downloads.ask(MODELS[0]!);
  expect(hub.wishes).toHaveLength(1); // one at a time
  hub.end({ ok: true, value: undefined });
  await settle();
  expect([downloads.fetching, downloads.error]).toEqual([null, null]);
});

test('paused is no error, and it goes on with the same order', async () => {
  await downloads.ask(WAN);
  void downloads.agree();
  await settle();
  hub.kept = [{ order: hub.orders[0]!, loaded: 1e9, total: 3e9, whole: false }];
  await downloads.pause();
  await settle();
  expect(downloads.error).toBeNull();
  expect(downloads.keptOf('wan')).toMatchObject({ loaded: 1e9 });
  void downloads.resume('wan');
  await settle();
  expect(hub.orders).toHaveLength(2);
  expect(hub.orders[1]).toEqual(hub.orders[0]);
  expect(downloads.fetching!.loaded).toBe(1e9);
});

test('what the hub refuses is told at the model that was asked for', async () => {
  hub.answer = { ok: false, error: { code: 'network', message: 'no', params: { status: 401 } } };
  await downloads.ask(WAN);
  expect(downloads.error).toMatchObject({ id: 'wan', error: { params: { status: 401 } } });
  expect([downloads.offer, downloads.asking]).toEqual([null, null]);
});

test('hub, encoder and decoder are remembered, and another choice takes an offer back', async () => {
  await downloads.ask(WAN);
  downloads.choose({ hub: HUBS[1]!.origin, decoder: 'vae' });
  expect(downloads.offer).toBeNull();
  const again = new Downloads(hub, hub, store, hub.storage);
  expect([again.hub, again.encoder, again.decoder]).toEqual([HUBS[1]!.origin, 'q4', 'vae']);
  store.write('hub', { origin: 'https://evil.example', encoder: 'q1', decoder: 7 });
  const fresh = new Downloads(hub, hub, store, hub.storage);
  expect([fresh.hub, fresh.encoder, fresh.decoder]).toEqual([HUBS[0]!.origin, 'q4', 'taehv']);
});

test('a mirror is typed: one that may be reached is asked next, any other is refused with a reason', async () => {
  downloads.mirror('/hub', 'https://own.example');
  expect([downloads.hub, downloads.mirrorProblem]).toEqual(['https://own.example/hub/', null]);
  downloads.mirror('https://mirror.example', 'https://own.example');
  expect([downloads.hub, downloads.mirrorProblem]).toEqual(['https://own.example/hub/', 'host']);
  await downloads.ask(WAN);
  expect(hub.wishes.at(-1)!.hub).toBe('https://own.example/hub/');
  downloads.mirror('', 'https://own.example');
  expect([downloads.hub, downloads.mirrorProblem]).toEqual([HUBS[0]!.origin, null]);
});

test('the catalogue’s sizes are told as far as they are known', () => {
  expect(downloads.sizeOf(WAN)).toEqual({ bytes: 2_840_000_000 + 3_660_000_000 + 22_600_000, all: true });
  expect(downloads.sizeOf(MODELS.find(({ id }) => id === 'fastwan')!).all).toBe(false);
});
