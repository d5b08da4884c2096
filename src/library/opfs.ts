/** Small files in the origin private file system, and what to tell people when it refuses. */
import { KinoraError } from '../errors';

/** Writes a file whole: the browser puts it in place only at `close`, so no half-written one is seen. */
export async function writeFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  data: Blob | string,
): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true });
  // Typed as always there; Safari before 26 has it not.
  if (!('createWritable' in handle))
    throw new KinoraError(
      'storage',
      'This browser cannot keep clips (it does not let a page write files). Download the clip instead.',
    );
  const writable = await handle.createWritable();
  try {
    await writable.write(data);
    await writable.close();
  } catch (e) {
    await writable.abort().catch(() => {});
    throw e;
  }
}

/** A file with its media type, which OPFS itself guesses differently from browser to browser. */
export async function readFile(folder: FileSystemDirectoryHandle, name: string, type: string): Promise<File> {
  const file = await (await folder.getFileHandle(name)).getFile();
  return new File([file], name, { type, lastModified: file.lastModified });
}

const named = (e: unknown, name: string) => e instanceof Error && e.name === name;

/** True for "no such file or folder". */
export const isMissing = (e: unknown): boolean => named(e, 'NotFoundError');

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Any failure as a `storage` error. `needed` and `free` in bytes, for the message when there is no room. */
export function storageError(task: string, e: unknown, needed?: number, free?: number): KinoraError {
  if (e instanceof KinoraError) return e;
  const detail = e instanceof Error ? `${e.name}: ${e.message}` : String(e);
  if (named(e, 'QuotaExceededError')) {
    const sizes: Record<string, number> = {};
    if (needed !== undefined) sizes.needed = needed;
    if (free !== undefined) sizes.free = free;
    const need = needed === undefined ? '' : ` It needs ${megabytes(needed)}`;
    const have = free === undefined ? '' : `, and the browser offers ${megabytes(free)}`;
    return new KinoraError(
      'storage',
      `There is no room to ${task}.${need}${need ? `${have}.` : ''} Download the clip, or remove older clips.`,
      sizes,
      detail,
    );
  }
  if (named(e, 'SecurityError'))
    return new KinoraError(
      'storage',
      `The browser gives this page no storage, so it could not ${task}. A private window may be the cause; ` +
        'clips can still be downloaded.',
      {},
      detail,
    );
  return new KinoraError(
    'storage',
    `The browser's storage did not let Kinora ${task}. Reload the page and try again.`,
    {},
    detail,
  );
}
