/**
 * The GPU of a *.gpu.test.ts file: Dawn in Node, the browser's own in Chromium. There is no skipping:
 * where no adapter is found, `openTestGpu` throws and the test fails.
 */
import { openGpu, type Gpu } from '../../src/gpu/device';

const inBrowser = typeof window !== 'undefined';

async function openEntry(): Promise<GPU> {
  if (inBrowser) return navigator.gpu;
  const dawn = 'webgpu'; // a variable, so that the browser's bundler does not follow it
  const { create, globals } = (await import(/* @vite-ignore */ dawn)) as typeof import('webgpu');
  Object.assign(globalThis, globals);
  return create(['enable-dawn-features=allow_unsafe_apis']); // as scripts/dawn.mjs
}

let entry: Promise<GPU> | undefined;
const opened = new Map<boolean, Promise<Gpu>>();

/** The `GPU` entry itself, for tests of adapters and devices. One for each test file. */
export function testEntry(): Promise<GPU> {
  return (entry ??= openEntry());
}

/**
 * An open device, one for each test file and element type.
 * @param options `f16: true` stores activations as f16 where the adapter has it (lavapipe has,
 *   SwiftShader has not: look at `gpu.elem`). Default false: f32, the reference.
 */
export function openTestGpu(options: { f16?: boolean } = {}): Promise<Gpu> {
  const f16 = options.f16 ?? false;
  let gpu = opened.get(f16);
  if (!gpu) opened.set(f16, (gpu = testEntry().then((e) => openGpu(e, { f16 }))));
  return gpu;
}
