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

export const isHub = (origin: string): boolean => HUBS.some((hub) => hub.origin === origin);

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
export const META_POLICY = write(PAGE);
export const PAGE_POLICY = `${META_POLICY}; frame-ancestors 'none'`; // has no effect in a <meta>
export const WORKER_POLICY = write(WORKER);
export const DOWNLOAD_POLICY = write(DOWNLOAD);
export const THREAD_POLICY = write(THREAD);
/** The built script of hub.worker.ts; the bundler puts a hash behind its name. */
const HUB_WORKER = /(^|\/)hub\.worker[\w.-]*\.m?js$/;
/** What a thread of onnxruntime-web begins with; the engine only imports it, to which its policy means nothing. */
const THREAD_SCRIPT = /(^|\/)ort-wasm[\w.-]*\.mjs$/;

function policyFor(path: string): string {
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

/** Headers of the answer for a path of the site. A script's policy counts when it is a worker's. */
export function headersFor(path: string): Record<string, string> {
  return {
    ...ISOLATION,
    'Content-Security-Policy': policyFor(path),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  };
}
