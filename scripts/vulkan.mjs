/**
 * Finds a Vulkan driver for Dawn in Node (package `webgpu`). Dawn refuses old drivers and the loader
 * library may be missing, so each candidate is tried in a process of its own that opens an adapter.
 *
 * `node scripts/vulkan.mjs` prints what would be used.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canInstallPackages, ensureBrowser, findBrowser, installPackages } from './browser.mjs';

const ICD_FOLDERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

const SYSTEM = "this machine's GPU";
/** A figure of a software adapter must not pass for one of the card beside it. */
const NO_DRIVER =
  'THIS IS A SOFTWARE ADAPTER: there is a GPU, but no Vulkan driver for it answers (on NVIDIA, nvidia_icd.json and libGLX_nvidia are needed)';

/** Folders where a Chromium keeps its SwiftShader and its own copy of the Vulkan loader. */
function browserFolders() {
  const browser = findBrowser();
  const folders = ['/usr/lib/chromium', '/opt/google/chrome'];
  if (browser) folders.unshift(dirname(realpathSync(browser)));
  return [...new Set(folders)].filter((folder) => existsSync(join(folder, 'vk_swiftshader_icd.json')));
}

/** Environments to try, best first: the person's choice, a real GPU, lavapipe, SwiftShader. */
function candidates() {
  if (process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES) return [{ name: 'as set', env: {} }];
  if (process.platform !== 'linux') return [{ name: 'the system', env: {} }];
  const list = [];
  const gpu = existsSync('/dev/nvidia0') || (existsSync('/dev/dri') && readdirSync('/dev/dri').length > 0);
  if (gpu) list.push({ name: SYSTEM, env: {} });
  const loaders = browserFolders().filter((folder) => existsSync(join(folder, 'libvulkan.so.1')));
  const add = (name, icd) => {
    const env = { VK_ICD_FILENAMES: icd };
    list.push({ name, env });
    // Without libvulkan1 on the system, Chromium's own copy of the loader does.
    for (const folder of loaders) list.push({ name, env: { ...env, LD_LIBRARY_PATH: folder } });
  };
  for (const folder of ICD_FOLDERS)
    for (const file of existsSync(folder) ? readdirSync(folder) : [])
      if (/^lvp_icd.*\.json$/.test(file)) add('lavapipe', join(folder, file));
  for (const folder of browserFolders()) add('SwiftShader', join(folder, 'vk_swiftshader_icd.json'));
  return list;
}

/** Opens an adapter with this environment in a process of its own; its description, or null. */
function probe(env) {
  const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--probe'], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 30_000,
  });
  return status === 0 && stdout ? JSON.parse(stdout) : null;
}

/**
 * The variables to set for Dawn and a line that says what they choose, or null where nothing works.
 * Costs about half a second, so the answer is kept for child processes in KINORA_VULKAN.
 */
export function findVulkan() {
  if (process.env.KINORA_VULKAN) return JSON.parse(process.env.KINORA_VULKAN);
  const silent = [];
  for (const { name, env } of candidates()) {
    const adapter = probe(env);
    if (!adapter || (name === SYSTEM && adapter.software)) {
      silent.push(name);
      continue;
    }
    const features = adapter.f16 ? 'with shader-f16' : 'without shader-f16';
    const warning = silent.includes(SYSTEM) ? `; ${NO_DRIVER}` : '';
    const found = { env, note: `Dawn in Node: ${name} (${adapter.description}), ${features}${warning}` };
    process.env.KINORA_VULKAN = JSON.stringify(found);
    return found;
  }
  return null;
}

/** Like `findVulkan`, and installs what is missing where it may. Throws one line that says what to do. */
export async function ensureVulkan() {
  let found = findVulkan();
  if (!found && process.platform === 'linux') {
    await ensureBrowser().catch(() => null); // brings SwiftShader along
    found = findVulkan();
    if (!found && canInstallPackages() && installPackages('libvulkan1', 'mesa-vulkan-drivers'))
      found = findVulkan();
  }
  if (found) return found;
  throw new Error(
    'No Vulkan driver that Dawn accepts was found. Install chromium and libvulkan1 (SwiftShader), ' +
      'or mesa-vulkan-drivers 25 or newer (lavapipe), or set VK_ICD_FILENAMES.',
  );
}

async function reportAdapter() {
  const { create } = await import('webgpu');
  const adapter = await create([]).requestAdapter();
  if (!adapter) process.exit(1);
  const { info, features } = adapter;
  const description = info.description || info.device || info.vendor;
  const software = info.isFallbackAdapter || /llvmpipe|swiftshader/i.test(description);
  process.stdout.write(JSON.stringify({ description, software, f16: features.has('shader-f16') }));
  process.exit(0); // Dawn keeps the process alive otherwise
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--probe') await reportAdapter();
  else console.log((await ensureVulkan()).note);
}
