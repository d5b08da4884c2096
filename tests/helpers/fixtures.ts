/** Reads files of tests/goldens, in Node and in the browser. */

const here = import.meta.url; // by another name, or the bundler would collect the files

/**
 * @param path relative to tests/goldens, e.g. "umt5/weights.safetensors"
 * @throws when there is no such file
 */
export async function readGolden(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../goldens/${path}`, here);
  if (typeof window === 'undefined') {
    const fs = 'node:fs/promises'; // a variable, so that the browser's bundler does not follow it
    const { readFile } = (await import(/* @vite-ignore */ fs)) as typeof import('node:fs/promises');
    return new Uint8Array(await readFile(url));
  }
  const response = await fetch(url);
  // A dev server answers unknown paths with its index page.
  if (!response.ok || response.headers.get('content-type')?.includes('text/html'))
    throw new Error(`tests/goldens/${path} could not be read (${response.status})`);
  return new Uint8Array(await response.arrayBuffer());
}
