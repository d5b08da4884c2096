/** The built page on the plainest of hosts: static files in a sub-path, without any special header. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from './site';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};
const FOLDER = '/some/where/';

function serve(): Server {
  return createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
    const inner = normalize(path.startsWith(FOLDER) ? path.slice(FOLDER.length) || 'index.html' : '');
    const file = join('dist', inner);
    if (inner === '.' || inner.startsWith('..') || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
}

interface Made {
  error?: unknown;
  done?: { backend: string; frames: number; frameHashes: string[] };
}

/** Opens the page so that it makes half a second at once, and waits for it. */
async function make(page: Page, address: string): Promise<Made> {
  await page.addInitScript(() => {
    const tell = (made: unknown) => Object.assign(globalThis, { made });
    document.addEventListener('kinora:done', (e) => {
      const { backend, frames, frameHashes } = (e as CustomEvent).detail;
      tell({ done: { backend, frames, frameHashes } });
    });
    document.addEventListener('kinora:error', (e) => tell({ error: { ...(e as CustomEvent).detail } }));
  });
  await page.goto('about:blank'); // or the next address would be another fragment of the same page
  await page.goto(
    `${address}?backend=cpu#prompt=a+red+boat&seed=7&seconds=0.5&width=96&height=64&steps=2&auto=1`,
  );
  const made = await page.waitForFunction(() => (globalThis as { made?: unknown }).made, null, {
    timeout: 180_000,
  });
  return (await made.jsonValue()) as Made;
}

describe.sequential('a static host without headers', () => {
  let browser: Browser;
  let server: Server;
  let address: string;
  let page: Page;
  let first: Made;
  beforeAll(async () => {
    browser = await launch();
    server = serve();
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${FOLDER}`;
    page = await (await browser.newContext()).newPage();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test('the first visit has no threads, and makes a clip', async () => {
    first = await make(page, address);
    expect(first).toMatchObject({ done: { backend: 'cpu', frames: 8 } });
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  });

  test('the second visit is isolated by the service worker, has threads, and makes the same clip', async () => {
    const again = await make(page, address);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(again.done?.frameHashes).toEqual(first.done?.frameHashes);
  });

  test('with the host gone, the page opens and makes it once more', async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    const offline = await make(page, address);
    expect(offline.done?.frameHashes).toEqual(first.done?.frameHashes);
  });
});
