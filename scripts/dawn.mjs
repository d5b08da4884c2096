/**
 * The engine in Node, for commands such as `npm run parity`:
 *
 *   import { loadModule, openDawn } from './dawn.mjs';
 *   const entry = await openDawn(); // a `GPU`, as navigator.gpu is in a browser
 *   const { main } = await loadModule('scripts/parity.ts');
 *   process.exit(await main(entry, process.argv.slice(2))); // Dawn keeps the process alive otherwise
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { runnerImport } from 'vite';
import { ensureVulkan } from './vulkan.mjs';

const ROOT = join(import.meta.dirname, '..');
/** Dawn dies of a use after free when an entry is collected while devices of it live. */
const entries = [];

/**
 * The WebGPU entry of Dawn, with WebGPU's classes and constants made global. Where the Vulkan driver
 * needs environment variables, the command is started once more with them (the loader reads them at
 * start). Throws one line that says what to install where there is no driver.
 */
export async function openDawn() {
  const { env } = await ensureVulkan();
  if (Object.entries(env).some(([name, value]) => process.env[name] !== value)) {
    const args = [...process.execArgv, ...process.argv.slice(1)];
    const again = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    process.exit(again.status ?? 1);
  }
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  // Else adapters hide what is experimental, as a browser does without its flag: matrices of subgroups.
  const entry = create(['enable-dawn-features=allow_unsafe_apis']);
  entries.push(entry);
  return entry;
}

/** Loads a TypeScript module of this repository, `?raw` imports and all. Path from the root. */
export async function loadModule(path) {
  const { module } = await runnerImport(join(ROOT, path), {
    root: ROOT,
    configFile: false,
    logLevel: 'error',
  });
  return module;
}
