/**
 * Files that stay with the page from visit to visit: some browsers (Chromium's) give a handle with a picked or dropped
 * file, which can be kept, and asked for the file again with the person's leave. The file itself is never copied.
 */
import type { PickedFile } from '../worker/protocol/files';

/** A file's handle, and the path that it was picked by. */
export interface KeptFile {
  path: string;
  handle: FileSystemFileHandle;
}

/** Where handles are kept; one list. */
export interface HandleStore {
  read(): Promise<readonly KeptFile[]>;
  write(files: readonly KeptFile[]): Promise<void>;
}

type WithLeave = FileSystemFileHandle & {
  queryPermission?(options: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(options: { mode: 'read' }): Promise<PermissionState>;
};
type Picker = (options: { multiple: boolean }) => Promise<FileSystemFileHandle[]>;

const handles = new WeakMap<Blob, FileSystemFileHandle>();

/** Remembers where a file came from. */
export function knowHandle(file: Blob, handle: FileSystemFileHandle): void {
  handles.set(file, handle);
}

/** The handles of files; null unless every one has one. */
export function handlesOf(files: readonly PickedFile[]): KeptFile[] | null {
  const kept = files.flatMap(({ path, file }) => {
    const handle = handles.get(file);
    return handle ? [{ path, handle }] : [];
  });
  return kept.length > 0 && kept.length === files.length ? kept : null;
}

/** Whether files can be picked with their handles. */
export const picksHandles = (): boolean => 'showOpenFilePicker' in globalThis;

/** Lets the person pick files; none where they do not. */
export async function pickWithHandles(): Promise<PickedFile[]> {
  const pick = (globalThis as unknown as { showOpenFilePicker: Picker }).showOpenFilePicker;
  const picked = await pick({ multiple: true }).catch(() => [] as FileSystemFileHandle[]);
  return Promise.all(picked.map((handle) => fileOf({ path: handle.name, handle })));
}

async function fileOf({ path, handle }: KeptFile): Promise<PickedFile> {
  const file = await handle.getFile();
  knowHandle(file, handle);
  return { path, file, changed: file.lastModified };
}

/**
 * The files behind handles; null where one is gone, or the person's leave is needed and is not given.
 * @param ask ask for leave, which browsers allow only in answer to a press
 */
export async function filesOf(kept: readonly KeptFile[], ask: boolean): Promise<PickedFile[] | null> {
  const files: PickedFile[] = [];
  for (const one of kept) {
    const handle = one.handle as WithLeave;
    try {
      let leave = (await handle.queryPermission?.({ mode: 'read' })) ?? 'granted';
      if (leave === 'prompt' && ask) leave = (await handle.requestPermission?.({ mode: 'read' })) ?? leave;
      if (leave !== 'granted') return null;
      files.push(await fileOf(one));
    } catch {
      return null; // moved, or removed
    }
  }
  return files.length > 0 ? files : null;
}

const [BASE, TABLE, KEY] = ['kinora', 'handles', 'last model'];

/** In IndexedDB, the only store that takes handles. Without it nothing is kept. */
export function browserHandles(): HandleStore {
  const open = () =>
    new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(BASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
    });
  const within = async <T>(
    mode: IDBTransactionMode,
    work: (table: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> => {
    const base = await open();
    try {
      return await new Promise<T>((resolve, reject) => {
        const request = work(base.transaction(TABLE, mode).objectStore(TABLE));
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
      });
    } finally {
      base.close();
    }
  };
  return {
    async read() {
      try {
        const kept = await within<unknown>('readonly', (table) => table.get(KEY));
        return Array.isArray(kept) ? (kept as KeptFile[]) : [];
      } catch {
        return [];
      }
    },
    async write(files) {
      // Handles are structured clones of what they were.
      await within('readwrite', (table) => table.put([...files], KEY)).catch(() => {});
    },
  };
}
