/**
 * The service worker: keeps the page's shell, so that it opens with the network off, and gives every answer the
 * headers of cross-origin isolation and of the content policy, which many static hosts cannot set: there the
 * page is isolated from the second visit on. Weights have a store of their own in OPFS.
 *
 * A build's shell is a cache of its own. The page that is served is the one the person agreed to (the first
 * visit's, until another is agreed to); a newer build waits beside it, however often the browser is restarted. A model's
 * description is part of a build, so that a new edition of the model waits, too.
 */
import { headersFor } from './policy';

declare const self: ServiceWorkerGlobalScope & {
  __WB_MANIFEST: { url: string; revision: string | null }[];
};

/** Messages from the page; each is answered through the port that came with it. */
export type Order =
  /** Keep these files of the site, where the build has them not, and the CPU backend's libraries if it is used. → all is here */
  | { order: 'keep'; files: string[]; runtime: boolean }
  /** → Versions */
  | { order: 'versions' }
  /** The person agrees to the newest build: the next page is of that build. → true */
  | { order: 'update' };

export interface Versions {
  agreed: string;
  newest: string;
}

const FILES = self.__WB_MANIFEST;
/** The CPU backend's libraries (15 MB): kept only where that backend is used. */
const isRuntime = (url: string) => /assets\/(ort|transformers)[\w.-]+$/.test(url);
const NEWEST = fingerprint(FILES.map(({ url, revision }) => `${url} ${revision}`).join('\n'));
/** Caches are shared by all that is on this origin: another Kinora in another folder keeps its own shells. */
const PREFIX = `kinora-shell ${new URL(self.registration.scope).pathname} `;
/** What is not of a build: small files of models that were put beside it. Asked of the network first. */
const EXTRAS = 'kinora-extras';
/** Holds one answer, whose text is the version agreed to. */
const STATE = 'kinora-state';
const AGREED = 'agreed';

/** 64 bits of FNV-1a, hex: tells builds apart; nothing hangs on its being hard to forge. */
function fingerprint(text: string): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(i), 0x811c9dc5 | 1);
  }
  return [a, b].map((n) => (n >>> 0).toString(16).padStart(8, '0')).join('');
}

const absolute = (url: string) => new URL(url, self.registration.scope).href;
const shellOf = (version: string) => caches.open(PREFIX + version);

async function readAgreed(): Promise<string> {
  const kept = await (await caches.open(STATE)).match(absolute(AGREED));
  const version = await kept?.text();
  // A cache that the browser has thrown away is no version to serve.
  return version && (await caches.has(PREFIX + version)) ? version : NEWEST;
}

async function agree(version: string): Promise<void> {
  await (await caches.open(STATE)).put(absolute(AGREED), new Response(version));
  const stale = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== PREFIX + version);
  // The one before stays until the next: another tab may still run it.
  for (const name of stale.slice(0, -1)) await caches.delete(name);
}

/** Fetches files past the browser's cache of another build, and keeps them. */
async function fill(cache: Cache, urls: string[], reload: boolean): Promise<void> {
  for (const url of urls) {
    const address = absolute(url);
    if (await cache.match(address)) continue;
    const response = await fetch(address, { cache: reload ? 'reload' : 'default' });
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    await cache.put(address, response);
  }
}

async function install(): Promise<void> {
  const runtime = await hasRuntime();
  const cache = await shellOf(NEWEST);
  const wanted = FILES.filter(({ url }) => runtime || !isRuntime(url));
  // Names with a hash in them never change what they mean.
  await fill(cache, wanted.filter(({ revision }) => revision !== null).map(({ url }) => url), true); // prettier-ignore
  await fill(cache, wanted.filter(({ revision }) => revision === null).map(({ url }) => url), false); // prettier-ignore
  await self.skipWaiting(); // the older page stays served; see above
}

/** The agreed build has the CPU backend's libraries: the next one needs them, too. */
async function hasRuntime(): Promise<boolean> {
  const keys = await (await shellOf(await readAgreed())).keys();
  return keys.some(({ url }) => isRuntime(url));
}

async function activate(): Promise<void> {
  await agree(await readAgreed());
  await self.clients.claim();
}

/** The same answer with our headers. */
function withHeaders(response: Response, path: string): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(headersFor(path))) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** A file that is kept: of the agreed build, else of any (a tab of the build before may ask). */
async function findKept(address: string): Promise<Response | undefined> {
  const own = await (await shellOf(await readAgreed())).match(address);
  if (own) return own;
  for (const name of (await caches.keys()).filter((n) => n.startsWith(PREFIX))) {
    const other = await (await caches.open(name)).match(address);
    if (other) return other;
  }
  return undefined;
}

/** Keeps a library of the build that is agreed to, whose names a newer build does not know: as it is used, for it will be again. */
async function keepOlder(address: string, response: Response): Promise<void> {
  const agreed = await readAgreed();
  if (agreed === NEWEST) return; // told to, all of them are kept
  await (await shellOf(agreed)).put(address, response).catch(() => {}); // no room: `keep` will say so
}

/** What players that ask for ranges want of a kept file. */
async function part(response: Response, range: string | null): Promise<Response> {
  const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  if (!match) return response;
  const blob = await response.blob();
  const start = Number(match[1]);
  const end = Math.min(match[2] ? Number(match[2]) : blob.size - 1, blob.size - 1);
  if (start > end) return new Response(null, { status: 416 });
  const headers = new Headers(response.headers);
  headers.set('Content-Range', `bytes ${start}-${end}/${blob.size}`);
  headers.set('Content-Length', String(end - start + 1));
  return new Response(blob.slice(start, end + 1), { status: 206, headers });
}

async function answer(request: Request): Promise<Response> {
  const url = new URL(request.url);
  const address = url.origin + url.pathname;
  const isPage = request.mode === 'navigate' && [absolute('./'), absolute('index.html')].includes(address);
  const kept = await findKept(isPage ? absolute('index.html') : address);
  const range = request.headers.get('Range');
  if (kept) return withHeaders(await part(kept, range), isPage ? 'index.html' : url.pathname);
  const extra = await (await caches.open(EXTRAS)).match(address);
  if (!extra) {
    const response = await fetch(request);
    if (response.ok && !range && isRuntime(url.pathname)) await keepOlder(address, response.clone());
    return withHeaders(response, url.pathname);
  }
  try {
    const fresh = await fetch(request);
    if (fresh.ok) return fresh;
  } catch {
    // offline
  }
  return part(extra, range);
}

async function obey(order: Order): Promise<unknown> {
  switch (order.order) {
    case 'versions':
      return { agreed: await readAgreed(), newest: NEWEST } satisfies Versions;
    case 'update':
      await agree(NEWEST);
      return true;
    case 'keep': {
      const extras = await caches.open(EXTRAS);
      const ours = new Set(FILES.map(({ url }) => absolute(url)));
      for (const file of order.files.filter((name) => !ours.has(absolute(name)))) {
        const response = await fetch(absolute(file)).catch(() => null);
        if (response?.ok) await extras.put(absolute(file), response);
      }
      if (order.runtime && (await readAgreed()) === NEWEST)
        await fill(await shellOf(NEWEST), FILES.map(({ url }) => url).filter(isRuntime), false);
      return !order.runtime || (await hasRuntime());
    }
  }
}

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const own = request.url.startsWith(self.registration.scope) && request.method === 'GET';
  // Weights have their own store, and their own checks.
  const weights = /\/models\/.*\.(gguf|safetensors|onnx|pth?|bin)$/.test(new URL(request.url).pathname);
  if (own && !weights) event.respondWith(answer(request));
});
self.addEventListener('message', (event) => {
  const port = event.ports[0];
  const done = obey(event.data as Order).then(
    (value) => port?.postMessage({ value }),
    (error: unknown) => port?.postMessage({ error: String(error) }),
  );
  event.waitUntil(done);
});
