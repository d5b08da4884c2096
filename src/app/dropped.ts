/** Files that were picked or dropped, folders opened; where they lie, and nothing of what is in them. */
import type { PickedFile } from '../worker/protocol/files';
import { knowHandle } from './handles';

/** More are taken for a mistake, such as a whole disk. */
const MOST = 500;

/** Of an <input type="file">, with or without `webkitdirectory`. */
export function pickedFiles(list: FileList | null): PickedFile[] {
  return [...(list ?? [])].slice(0, MOST).map((file) => toPicked(file, file.webkitRelativePath));
}

const toPicked = (file: File, path: string): PickedFile => ({ path: path || file.name, file, changed: file.lastModified }); // prettier-ignore

/**
 * Of a drop, folders gone through. Must be called while the event is dispatched; its items are gone afterwards.
 */
export function droppedFiles(transfer: DataTransfer): Promise<PickedFile[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = pickedFiles(transfer.files);
  if (!entries.some((entry) => entry?.isDirectory)) return withHandles(plain, [...transfer.items]);
  return gather(entries.filter((entry) => entry !== null));
}

type WithHandle = DataTransferItem & { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> };

/** The same files; where the browser gives handles, they are known to handles.ts. */
async function withHandles(files: PickedFile[], items: readonly DataTransferItem[]): Promise<PickedFile[]> {
  const asked = items.map((item) => (item as WithHandle).getAsFileSystemHandle?.().catch(() => null));
  for (const [i, handle] of (await Promise.all(asked)).entries())
    if (handle?.kind === 'file' && files[i]?.path === handle.name)
      knowHandle(files[i].file, handle as FileSystemFileHandle);
  return files;
}

async function gather(entries: FileSystemEntry[]): Promise<PickedFile[]> {
  const found: PickedFile[] = [];
  const queue = [...entries];
  while (queue.length && found.length < MOST) {
    const entry = queue.shift()!;
    if (entry.isFile) {
      const file = await new Promise<File | null>((resolve) => (entry as FileSystemFileEntry).file(resolve, () => resolve(null))); // prettier-ignore
      if (file) found.push(toPicked(file, entry.fullPath.replace(/^\//, '')));
    } else queue.push(...(await listFolder(entry as FileSystemDirectoryEntry)));
  }
  return found;
}

/** A reader gives some entries at a time. */
async function listFolder(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([]))); // prettier-ignore
    if (some.length === 0 || all.length > MOST) return all;
    all.push(...some);
  }
}

/** The names of checkpoints and what belongs to them; what they are is told by what is in them. */
export const looksLikeModel = (path: string): boolean =>
  /\.(safetensors|gguf|pt|pth|bin|ckpt|sft|json|model)$/i.test(path);

/** Text that says no more than what the files are called: nothing, or a name or address of one of them in each line. */
export function areNames(text: string, files: readonly File[]): boolean {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const last = (line: string) => line.trim().split(/[\\/]/).at(-1)!;
  const plain = (line: string) => (/^file:/i.test(line.trim()) ? decodeURIComponent(last(line)) : last(line));
  try {
    return lines.every((line) => files.some(({ name }) => plain(line) === name));
  } catch {
    return false; // no address after all
  }
}
