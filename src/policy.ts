/**
 * What the built page may do, as headers: one table for the service worker, the preview server and the page's
 * own <meta>. Everything comes from the page's origin; nothing goes anywhere else, with one exception:
 * worker/hub.worker.ts may reach the hosts of HUBS. It is started when the person asks for a download, and ended with
 * it (worker/hub.ts); neither page nor engine ever get that leave.
 */

type Directives = Readonly<Record<string, string>>;

const COMMON: Directives = {
  'default-src': "'self'",
  'connect-src': "'self'",
  'object-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
};

/** The page: no inline script, no eval, no wasm; pictures and clips of its own making are blobs. */
const PAGE: Directives = {
  ...COMMON,
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' blob: data:",
  'media-src': "'self' blob:",
  'font-src': "'self'",
  'worker-src': "'self'",
  'frame-src': "'none'",
  'manifest-src': "'self'",
  'require-trusted-types-for': "'script'",
  // Svelte's own templates, and the addresses of our workers (src/trusted.ts).
  'trusted-types': 'svelte-trusted-html kinora',
};

/**
 * The page where neither host nor service worker gives headers: its workers then begin as blobs, which inherit this
 * (worker/begin.ts). Where a header stands, that holds as well.
 */
const META: Directives = {
  ...PAGE,
  'script-src': "'self' 'wasm-unsafe-eval'",
  'worker-src': "'self' blob:",
};

/** Workers: onnxruntime-web compiles WebAssembly and starts threads from its own file. */
const WORKER: Directives = {
  ...COMMON,
  'script-src': "'self' 'wasm-unsafe-eval'",
  'worker-src': "'self'",
  'font-src': "'none'",
};

/** Threads of onnxruntime-web are given their program and their memory, and need nothing of anybody. */
const THREAD: Directives = { ...WORKER, 'connect-src': "'none'", 'worker-src': "'none'" };

export interface Hub {
  name: string;
  /** Where addresses of files begin. */
  origin: string;
  /** Where its answers send to; sources of a content policy. */
  stores: readonly string[];
}

/** Hugging Face and mirrors that answer as it does. The only place that names an address that is not the page's own. */
export const HUBS: readonly Hub[] = [
  {
    name: 'Hugging Face',
    origin: 'https://huggingface.co',
    stores: ['https://*.huggingface.co', 'https://*.hf.co'],
  },
  {
    name: 'hf-mirror.com',
    origin: 'https://hf-mirror.com',
    stores: ['https://*.hf-mirror.com', 'https://*.huggingface.co', 'https://*.hf.co'],
  },
];

/**
 * Whether files may be fetched from there: one of HUBS, or a folder of the page's own host, written with a slash at its
 * end (`readMirror`).
 * @param own origin of the page
 */
export function isHub(address: string, own = globalThis.location?.origin): boolean {
  if (HUBS.some((hub) => hub.origin === address)) return true;
  const url = URL.canParse(address) ? new URL(address) : null;
  return url !== null && url.origin === own && url.href === address && isFolder(url) && address.endsWith('/');
}

const isFolder = ({ search, hash, username, password }: URL): boolean =>
  !search && !hash && !username && !password;

/** Why an address is no mirror: it is none at all, not https, or of a host that the page may not reach. */
export type MirrorProblem = 'address' | 'https' | 'host';

/**
 * A mirror's address as a person types it. A content policy stands before anything is typed, so only two kinds can be
 * reached: those of HUBS, and folders of the page's own host, which may be http where the page is. Who publishes the page
 * can add others to HUBS.
 * @param own origin of the page
 * @returns the address as `isHub` knows it
 */
export function readMirror(typed: string, own: string): { hub: string } | { problem: MirrorProblem } {
  const text = typed.trim().startsWith('/') ? own + typed.trim() : typed.trim();
  const address =
    /^[a-z][a-z0-9+.-]*:/i.test(text) && !/^[^/]*:\d+(\/|$)/.test(text) ? text : `https://${text}`;
  if (!text || /\s/.test(text) || !URL.canParse(address)) return { problem: 'address' };
  const url = new URL(address);
  if (!isFolder(url)) return { problem: 'address' };
  // Without a scheme, the page's own host is meant as the page is.
  const mine = url.origin === own || (address !== text && url.host === new URL(own).host);
  if (mine) return { hub: own + url.pathname.replace(/\/*$/, '/') };
  if (url.protocol !== 'https:') return { problem: 'https' };
  if (!HUBS.some(({ origin }) => origin === url.origin)) return { problem: 'host' };
  return url.pathname === '/' ? { hub: url.origin } : { problem: 'address' };
}

/** The worker that fetches what the person asked a hub for: no wasm, no workers of its own. */
const DOWNLOAD: Directives = {
  ...COMMON,
  'connect-src': [...new Set(["'self'", ...HUBS.flatMap(({ origin, stores }) => [origin, ...stores])])].join(
    ' ',
  ),
  'script-src': "'self'",
  'worker-src': "'none'",
};

const write = (directives: Directives): string =>
  Object.entries(directives)
    .map((entry) => entry.join(' '))
    .join('; ');

/** For <meta http-equiv="Content-Security-Policy">, where a host sets no headers. */
export const META_POLICY = write(META);
export const PAGE_POLICY = `${write(PAGE)}; frame-ancestors 'none'`; // has no effect in a <meta>
export const WORKER_POLICY = write(WORKER);
export const DOWNLOAD_POLICY = write(DOWNLOAD);
export const THREAD_POLICY = write(THREAD);
/** The built script of hub.worker.ts; the bundler puts a hash behind its name. */
const HUB_WORKER = /(^|\/)hub\.worker[\w.-]*\.m?js$/;
/** What a thread of onnxruntime-web begins with; the engine only imports it, to which its policy means nothing. */
const THREAD_SCRIPT = /(^|\/)ort-wasm[\w.-]*\.mjs$/;

/** The policy of the answer for a path of the site; a script's counts when it is a worker's. */
export function policyFor(path: string): string {
  if (HUB_WORKER.test(path)) return DOWNLOAD_POLICY;
  if (THREAD_SCRIPT.test(path)) return THREAD_POLICY;
  return /\.m?js$/.test(path) ? WORKER_POLICY : PAGE_POLICY;
}

/** Cross-origin isolation: exact timers, and threads for the CPU backend. The page works without it. */
export const ISOLATION: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Headers of the answer for a path of the site. */
export function headersFor(path: string): Record<string, string> {
  return {
    ...ISOLATION,
    'Content-Security-Policy': policyFor(path),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  };
}
