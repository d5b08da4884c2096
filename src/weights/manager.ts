/**
 * What is stored of models in this browser, wherever it came from: to be listed, checked and deleted. Runs in a worker.
 */
import { KinoraError } from '../errors';
import type { StoredModel, VerifyReport } from '../worker/protocol/model';
import { Folder, MANIFEST } from './folder';
import { deleteDownload, HUB_LOCK, listHubModels, verifyDownload } from './hub-store';
import { readModelManifest, type ModelManifest } from './manifest';
import { SmallStore } from './small-store';
import { lockOf } from './store';

type Storage = () => Promise<FileSystemDirectoryHandle>;
const own: Storage = () => navigator.storage.getDirectory();

/** Every model of which something is stored, half-finished downloads too. Empty where there is no storage. */
export async function listModels(storage: Storage = own): Promise<StoredModel[]> {
  const models: StoredModel[] = [];
  let root: FileSystemDirectoryHandle;
  try {
    root = await (await storage()).getDirectoryHandle('models');
  } catch {
    return listOthers(storage);
  }
  for await (const id of root.keys()) {
    const handle = await root.getDirectoryHandle(id).catch(() => null);
    if (!handle) continue;
    const manifest = await manifestOf(new Folder(handle));
    const bytes = await bytesOf(handle);
    models.push({
      id,
      name: manifest?.name ?? '',
      edition: manifest?.edition ?? '',
      license: manifest?.license ?? '',
      bytes,
    });
  }
  return [...models.sort((a, b) => a.name.localeCompare(b.name)), ...(await listOthers(storage))];
}

/** What has no folder of its own below models/. */
async function listOthers(storage: Storage): Promise<StoredModel[]> {
  const hub = await listHubModels(storage);
  return [...hub.map((model) => ({ ...model, id: HUB + model.id })), ...(await listSmall(storage))];
}

/** Before the id of an order (hub-store.ts). */
const HUB = 'hub ';

/** Small forms of the person's own files (small-store.ts) have no folder of their own; this tells them apart. */
const SMALL = 'small ';

async function listSmall(storage: Storage): Promise<StoredModel[]> {
  const forms = await new SmallStore({ storage }).list();
  return forms.map(({ key, name, bytes }) => ({ id: SMALL + key, name, edition: '', license: '', bytes, small: true })); // prettier-ignore
}

async function bytesOf(folder: FileSystemDirectoryHandle): Promise<number> {
  let sum = 0;
  for await (const name of folder.keys()) {
    const file = await folder.getFileHandle(name).then((h) => h.getFile(), () => null); // prettier-ignore
    sum += file?.size ?? 0;
  }
  return sum;
}

async function manifestOf(folder: Folder): Promise<ModelManifest | null> {
  try {
    const text = await folder.readManifest();
    return text === null ? null : readModelManifest(JSON.parse(text));
  } catch {
    return null;
  }
}

const filesOf = ({ files, onnx }: ModelManifest) => [...files, ...(onnx?.files ?? [])];

async function earlierOf(folder: Folder): Promise<ModelManifest[]> {
  return (await folder.readEarlier()).flatMap((text) => {
    try {
      return [readModelManifest(JSON.parse(text))];
    } catch {
      return []; // swept at the next load
    }
  });
}

/**
 * Reads every stored file of a model and compares its hash with model.json's. What is damaged is deleted, and
 * fetched again when the model is next loaded.
 * @throws KinoraError `busy` while another tab works on it, `storage` when it is gone
 */
export function verifyModel(id: string, storage: Storage = own): Promise<VerifyReport> {
  if (id.startsWith(HUB)) return locked(HUB_LOCK, () => verifyDownload(id.slice(HUB.length), storage));
  return withFolder(id, storage, async (_, handle) => {
    const folder = new Folder(handle);
    const manifest = await manifestOf(folder);
    const report: VerifyReport = { whole: 0, damaged: [], missing: 0 };
    if (!manifest) return { ...report, damaged: [MANIFEST] };
    const newest = new Set(filesOf(manifest).map(({ sha256 }) => sha256));
    // Of editions that an interrupted clip needs, what the newest shares is looked at once.
    const earlier = (await earlierOf(folder)).flatMap(filesOf).filter(({ sha256 }) => !newest.has(sha256));
    for (const file of [...filesOf(manifest), ...earlier]) {
      if ((await folder.size(file)) === null) report.missing += newest.has(file.sha256) ? 1 : 0;
      else if (await folder.find(file)) report.whole++;
      else {
        await folder.remove(file);
        report.damaged.push(file.path);
      }
    }
    return report;
  });
}

/** Deletes everything that is stored of a model. A loaded one goes on until the tab is closed. */
export function deleteModel(id: string, storage: Storage = own): Promise<void> {
  if (id.startsWith(SMALL)) return new SmallStore({ storage }).remove(id.slice(SMALL.length));
  if (id.startsWith(HUB)) return locked(HUB_LOCK, () => deleteDownload(id.slice(HUB.length), storage));
  return withFolder(id, storage, (root) => root.removeEntry(id, { recursive: true }));
}

function withFolder<T>(
  id: string,
  storage: Storage,
  work: (root: FileSystemDirectoryHandle, folder: FileSystemDirectoryHandle) => Promise<T>,
): Promise<T> {
  return locked(lockOf(decodeURIComponent(id)), async () => {
    const root = await (await storage()).getDirectoryHandle('models');
    return work(root, await root.getDirectoryHandle(id));
  });
}

/** Works under a lock. Throws `busy` while another tab has it, `storage` where the disk fails. */
async function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  const run = async (): Promise<T> => {
    try {
      return await work();
    } catch (e) {
      if (e instanceof KinoraError) throw e;
      throw new KinoraError(
        'storage',
        'What is stored of this model could not be read or changed. Close other tabs of Kinora and try again.',
        {},
        String(e),
      );
    }
  };
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  if (!locks) return run();
  return locks.request(name, { ifAvailable: true }, (lock) => {
    if (lock) return run();
    throw new KinoraError(
      'busy',
      'This model is being loaded, here or in another tab. Wait until it is there.',
    );
  }) as Promise<T>;
}
