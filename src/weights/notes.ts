/**
 * Small texts that the engine keeps in this browser, by name, in OPFS: notes/. Runs in a worker (sync access handles).
 * Without storage, as in private windows, nothing is found and nothing kept.
 */
import { sha256Bytes } from './hash';

export interface Notes {
  get(key: string): Promise<string | null>;
  /** Throws where the browser keeps nothing. */
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** More is no note, but a damaged file. */
const LONGEST = 2 ** 20;

/** @param storage for tests; default: the origin's file system */
export function openNotes(
  storage: () => Promise<FileSystemDirectoryHandle> = () => navigator.storage.getDirectory(),
): Notes {
  const folder = async () => (await storage()).getDirectoryHandle('notes', { create: true });
  // Keys may hold anything and be long.
  const fileOf = async (key: string) => `${await sha256Bytes(new TextEncoder().encode(key))}.txt`;
  return {
    async get(key) {
      try {
        const file = await (await (await folder()).getFileHandle(await fileOf(key))).getFile();
        return file.size <= LONGEST ? await file.text() : null;
      } catch {
        return null;
      }
    },
    async set(key, value) {
      const handle = await (await folder()).getFileHandle(await fileOf(key), { create: true });
      const access = await handle.createSyncAccessHandle();
      try {
        access.truncate(0);
        access.write(new TextEncoder().encode(value), { at: 0 });
        access.flush();
      } finally {
        access.close();
      }
    },
    async delete(key) {
      await (await folder()).removeEntry(await fileOf(key)).catch(() => {}); // was not there
    },
  };
}
