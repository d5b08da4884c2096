/** The built page: made when it is older than its sources, and served on this machine only. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { preview } from 'vite';

const ROOT = join(import.meta.dirname, '..');
const SOURCES = [
  'src',
  'shaders',
  'public',
  'index.html',
  'vite.config.ts',
  'package.json',
  'package-lock.json',
];
const STAMP = join(ROOT, 'node_modules', '.cache', 'kinora', 'build-stamp');

function* files(path) {
  const info = statSync(path);
  if (!info.isDirectory()) yield `${path} ${info.size} ${info.mtimeMs}\n`;
  else for (const name of readdirSync(path).sort()) yield* files(join(path, name));
}

/** Changes when any source file is added, removed or written. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const source of SOURCES) for (const line of files(join(ROOT, source))) hash.update(line);
  return hash.digest('hex');
}

/** Builds dist/ unless it is up to date. What the build prints goes to stderr. Throws if it fails. */
export function ensureBuild() {
  const stamp = fingerprint();
  const built = existsSync(join(ROOT, 'dist', 'index.html')) && existsSync(STAMP);
  if (built && readFileSync(STAMP, 'utf8') === stamp) return;
  console.error('Building the page …');
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = [vite, 'build', '--logLevel', 'warn'];
  // Under vitest these would make it a build for tests, not the one that people get.
  const { NODE_ENV, VITEST, ...env } = process.env;
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('The page could not be built; the lines above say why.');
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, stamp);
}

/**
 * Serves dist/ on 127.0.0.1.
 * @param port the wish; the next free one is taken where it is in use. 0: any free port
 * @returns `address` ("http://127.0.0.1:4173/") and `close()`
 */
export async function serveSite({ port = 0 } = {}) {
  const server = await preview({ root: ROOT, logLevel: 'warn', preview: { port, strictPort: false } });
  const { port: taken } = server.httpServer.address();
  return { address: `http://127.0.0.1:${taken}/`, close: () => server.close() };
}
