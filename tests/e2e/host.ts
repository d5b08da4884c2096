/** The plainest of hosts: static files in a sub-path, without any special header. It can be stopped, and edited. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

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

export class Host {
  /** Every path asked for, in order. */
  readonly asked: string[] = [];
  /** All that the host was told: addresses whole, and headers. */
  told = '';
  /** Whether it answers with the part of a file that is asked for, as most hosts do. */
  ranges = false;
  /** Sent with every answer. */
  headers: Readonly<Record<string, string>> = {};
  /** Files that are not as they are in dist/. */
  readonly edited = new Map<string, string>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
      this.asked.push(path);
      this.told += `${request.url} ${request.rawHeaders.join(' ')}\n`;
      const inner = normalize(path.startsWith(FOLDER) ? path.slice(FOLDER.length) || 'index.html' : '');
      const file = join('dist', inner);
      const bad = inner === '.' || inner.startsWith('..') || !existsSync(file) || !statSync(file).isFile();
      if (bad) {
        response.writeHead(404).end();
        return;
      }
      const type = {
        ...this.headers,
        'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      };
      const range = this.ranges && /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      if (range) {
        const [start, end] = [Number(range[1]), Number(range[2])];
        const size = statSync(file).size;
        response.writeHead(206, { ...type, 'Content-Range': `bytes ${start}-${end}/${size}` });
        createReadStream(file, { start, end }).pipe(response);
        return;
      }
      response.writeHead(200, type);
      const text = this.edited.get(inner);
      if (text !== undefined) response.end(text);
      else createReadStream(file).pipe(response);
    });
  }

  static async start(): Promise<Host> {
    const host = new Host();
    await new Promise<void>((ready) => host.#server.listen(0, '127.0.0.1', ready));
    return host;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${FOLDER}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
