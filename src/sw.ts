/**
 * The service worker: keeps the page's shell, so that it opens with the network off, and gives every answer the
 * headers of cross-origin isolation. Threads of the CPU backend need those, and many static hosts cannot set them:
 * there the page is isolated from the second visit on. Weights have a store of their own in OPFS.
 */
import { ExpirationPlugin } from 'workbox-expiration';
import {
  addPlugins,
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  precacheAndRoute,
} from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { CacheFirst } from 'workbox-strategies';

declare const self: ServiceWorkerGlobalScope & {
  __WB_MANIFEST: { url: string; revision: string | null }[];
};

/** The same answer with the headers that isolate a page. */
export function isolated(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

const isolate = { handlerWillRespond: async ({ response }: { response: Response }) => isolated(response) };

addPlugins([isolate]);
precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
registerRoute(new NavigationRoute(createHandlerBoundToURL('index.html'), { denylist: [/\/models\//] }));

// The CPU backend's libraries (15 MB): kept once they were fetched, never fetched with WebGPU.
registerRoute(
  /\/assets\/(ort|transformers)[\w.-]+\.(wasm|mjs|js)$/,
  new CacheFirst({
    cacheName: 'kinora-runtime',
    plugins: [isolate, new ExpirationPlugin({ maxEntries: 8 })],
  }),
);
