/**
 * Plays Hugging Face's hub on this machine, under its own names and over https, so that the page's content policy is the
 * real one: tells of repositories, sends files by ranges from a store on another host, and does so badly when it is told.
 */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { selfSigned } from '../helpers/certificate';

const COMMIT = '5e1f'.repeat(10);
const STORE = 'cas-bridge.xethub.hf.co';
const NAMES = ['huggingface.co', '*.hf.co'];

interface HubModel {
  license?: string;
  /** By path. */
  files: Record<string, Uint8Array>;
}

/** What the server does to an answer: cuts it off after so many bytes, changes a byte, or gives a status instead. */
type Fault = { cut: number } | { flip: number } | { status: number };

export class HubServer {
  /** "host path" of everything asked for, in order; for files also the range. */
  readonly asked: string[] = [];
  /** Called for each part of a file; null: all is well. */
  fault: (path: string, start: number) => Fault | null = () => null;
  /** Milliseconds before each part of a file. */
  delay = 0;
  /** No part of a file is sent before this is over. */
  held: Promise<void> = Promise.resolve();
  readonly #repos: Record<string, HubModel>;
  readonly #server: Server;

  private constructor(repos: Record<string, HubModel>) {
    this.#repos = repos;
    this.#server = createServer(selfSigned(), (request, response) => void this.#answer(request, response));
  }

  static async start(repos: Record<string, HubModel>): Promise<HubServer> {
    const hub = new HubServer(repos);
    await new Promise<void>((ready) => hub.#server.listen(0, '127.0.0.1', ready));
    return hub;
  }

  /** Flags of a Chromium for which this is the hub. */
  get flags(): string[] {
    const { port } = this.#server.address() as AddressInfo;
    const rules = NAMES.map((name) => `MAP ${name} 127.0.0.1:${port}`).join(',');
    return [`--host-resolver-rules=${rules}`, '--ignore-certificate-errors'];
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, `https://${request.headers.host}`);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    this.asked.push(`${url.hostname} ${url.pathname}${range ? ` ${range[1]}` : ''}`);
    // As the hub does; after a redirect the origin is "null".
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
    response.setHeader('Access-Control-Expose-Headers', 'X-Repo-Commit,ETag,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag'); // prettier-ignore
    if (request.method === 'OPTIONS') return void response.writeHead(204, { 'Access-Control-Allow-Headers': 'range' }).end(); // prettier-ignore
    const info = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/[^/]+$/.exec(url.pathname);
    const resolve = /^\/([^/]+\/[^/]+)\/resolve\/([0-9a-f]{40})\/(.+)$/.exec(url.pathname);
    if (url.hostname === STORE) return this.#send(url.pathname, range, response);
    if (info && this.#repos[info[1]!]) return this.#tell(info[1]!, response);
    const [, repo, commit, path] = resolve ?? [];
    if (repo && commit === COMMIT && this.#repos[repo]?.files[decodeURIComponent(path!)])
      return void response.writeHead(302, { Location: `https://${STORE}/${repo}/${path}` }).end();
    response.writeHead(404).end();
  }

  #tell(repo: string, response: ServerResponse): void {
    const { license, files } = this.#repos[repo]!;
    const siblings = Object.entries(files).map(([rfilename, data]) => ({
      rfilename,
      size: data.length,
      lfs: { sha256: createHash('sha256').update(data).digest('hex'), size: data.length, pointerSize: 130 },
    }));
    response.setHeader('Content-Type', 'application/json');
    response.end(
      JSON.stringify({ id: repo, sha: COMMIT, siblings, ...(license && { cardData: { license } }) }),
    );
  }

  async #send(pathname: string, range: RegExpExecArray | null, response: ServerResponse): Promise<void> {
    const [, repo, path] = /^\/([^/]+\/[^/]+)\/(.+)$/.exec(decodeURIComponent(pathname))!;
    const data = this.#repos[repo!]!.files[path!]!;
    const [start, end] = range ? [Number(range[1]), Number(range[2])] : [0, data.length - 1];
    await this.held;
    if (this.delay > 0) await new Promise((done) => setTimeout(done, this.delay));
    const fault = this.fault(path!, start);
    if (fault && 'status' in fault) return void response.writeHead(fault.status).end();
    const part = Buffer.from(data.subarray(start, end + 1));
    if (fault && 'flip' in fault) part[fault.flip]! ^= 1;
    response.writeHead(range ? 206 : 200, {
      'Content-Length': part.length,
      'Content-Type': 'application/octet-stream',
      ...(range && { 'Content-Range': `bytes ${start}-${end}/${data.length}` }),
    });
    if (!fault || !('cut' in fault)) return void response.end(part);
    response.write(part.subarray(0, fault.cut), () => response.destroy());
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
