/** Finds a Chromium for the tests and for `npm run generate`, and installs one where it may. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright';

/** No account, no updates, no calls home. */
const QUIET = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  // Containers and CI run as root, where Chromium's sandbox refuses to start.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

/** WebGPU, canvas and WebCodecs through SwiftShader: the same result on every machine, and slow. */
export const SOFTWARE_FLAGS = [
  ...QUIET,
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-angle=swiftshader',
];

/** WebGPU through the machine's own GPU. */
export const HARDWARE_FLAGS = [
  ...QUIET,
  '--enable-unsafe-webgpu',
  '--ignore-gpu-blocklist',
  '--enable-gpu',
  ...(process.platform === 'linux' ? ['--enable-features=Vulkan', '--use-angle=vulkan'] : []),
];

/** The environment for Chromium: without the Vulkan driver that was chosen for Dawn in Node. */
export function browserEnv(env = process.env) {
  const skip = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'LD_LIBRARY_PATH'];
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => value && !skip.includes(name)));
}

function candidates() {
  const places = [process.env.CHROMIUM_PATH];
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  if (process.platform === 'linux') {
    for (const folder of ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)])
      for (const name of names) places.push(join(folder, name));
  } else if (process.platform === 'darwin') {
    places.push('/Applications/Google Chrome.app/Contents/MacOS/Google Chrome');
    places.push('/Applications/Chromium.app/Contents/MacOS/Chromium');
    places.push('/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge');
  } else if (process.platform === 'win32') {
    for (const root of [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA])
      if (root)
        places.push(
          join(root, 'Google\\Chrome\\Application\\chrome.exe'),
          join(root, 'Microsoft\\Edge\\Application\\msedge.exe'),
        );
  }
  places.push(chromium.executablePath());
  return places;
}

/** Path of a browser that is on this machine, or null. */
export function findBrowser() {
  return candidates().find((path) => path && existsSync(path)) ?? null;
}

/** True on Debian and what is built on it, where we may install packages. */
export function canInstallPackages() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(release) && existsSync('/usr/bin/apt-get');
}

/** `apt-get install` without recommended extras. True when it went well. */
export function installPackages(...packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    spawnSync('apt-get', ['-q', ...args], { stdio: ['ignore', 2, 2], env }).status === 0;
  console.error(`Installing ${packages.join(', ')} with apt-get …`);
  apt('update');
  return apt('install', '-y', '--no-install-recommends', ...packages);
}

const runs = (path) => spawnSync(path, ['--version'], { timeout: 30_000 }).status === 0;

async function installFromPlaywright() {
  const reachable = await fetch('https://cdn.playwright.dev/', { signal: AbortSignal.timeout(5000) }).then(
    () => true,
    () => false,
  );
  if (!reachable) return false;
  console.error('Installing a Chromium with playwright …');
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
  spawnSync(npx, ['playwright', 'install', '--no-shell', 'chromium'], {
    stdio: ['ignore', 2, 2],
    timeout: 300_000,
    shell: process.platform === 'win32',
  });
  // It may have come without the system libraries that it needs.
  return existsSync(chromium.executablePath()) && runs(chromium.executablePath());
}

/** Path of a browser; installs one where there is none. Throws one line that says what to do. */
export async function ensureBrowser() {
  const asked = process.env.CHROMIUM_PATH;
  if (asked && !existsSync(asked)) throw new Error(`CHROMIUM_PATH is ${asked}, but there is no such file.`);
  const found = findBrowser();
  if (found) return found;
  if (await installFromPlaywright()) return chromium.executablePath();
  if (canInstallPackages() && installPackages('chromium')) {
    const path = findBrowser();
    if (path && runs(path)) return path;
  }
  throw new Error(
    'No Chromium or Chrome was found. Install one (Debian: apt-get install chromium), ' +
      'or set CHROMIUM_PATH to its program.',
  );
}

/** Starts a headless browser that keeps what its pages store in `profile`, a folder. Options of a context go here, too. */
export async function launchProfile(profile, { adapter = 'software', ...options } = {}) {
  return chromium.launchPersistentContext(profile, {
    executablePath: await ensureBrowser(),
    args: adapter === 'hardware' ? HARDWARE_FLAGS : SOFTWARE_FLAGS,
    env: browserEnv(),
    ...options,
  });
}

/** Starts a headless browser. `adapter`: "software" (default) or "hardware". */
export async function launchBrowser({ adapter = 'software', ...options } = {}) {
  return chromium.launch({
    executablePath: await ensureBrowser(),
    args: adapter === 'hardware' ? HARDWARE_FLAGS : SOFTWARE_FLAGS,
    env: browserEnv(),
    ...options,
  });
}
