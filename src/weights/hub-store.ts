/**
 * What was fetched from hubs: the folder hub/ of OPFS, with one file for each weight file, named by its SHA-256, and one
 * order for each model, which says what it needs. So models share a text encoder. Files are of gigabytes: they are
 * hashed when they come, and when the person asks for it, but not at every start.
 */
import { KinoraError } from '../errors';
import { isHub } from '../policy';
import type { PickedFile } from '../worker/protocol/files';
import type { Download, HubOrder } from '../worker/protocol/hub';
import type { StoredModel, VerifyReport } from '../worker/protocol/model';
import { filesOf, Folder } from './folder';
import { sha256 } from './hash';
import { readModelFiles, type ModelFile } from './manifest';
import { pieceBytes } from './pieces';
import { fromBlob } from './source';

export type Storage = () => Promise<FileSystemDirectoryHandle>;
const own: Storage = () => navigator.storage.getDirectory();

const FOLDER = 'hub';
const ORDER = '.order.json';
/** The Web Lock of the folder: who holds it may write there. */
export const HUB_LOCK = 'kinora hub';

export type Ordered = HubOrder['files'][number] & ModelFile;

/** Throws `bad-request` for an order that no hub was asked, `bad-model` for files that will not do. */
export function readOrder(value: unknown): HubOrder {
  const order = (typeof value === 'object' && value !== null ? value : {}) as HubOrder;
  if (!isHub(order.hub))
    throw new KinoraError('bad-request', `${String(order.hub)} is none of the hubs that Kinora downloads from.`, { field: 'hub', found: String(order.hub) }); // prettier-ignore
  if (typeof order.id !== 'string' || !/^[a-z0-9-]{1,40}$/.test(order.id))
    throw new KinoraError('bad-request', `“${String(order.id)}” is not a name for a download.`, { field: 'id' }); // prettier-ignore
  // Two repositories may call two files the same.
  const listed = Array.isArray(order.files) ? order.files : [];
  readModelFiles(listed.map((file) => ({ ...file, path: `${file?.repo}/${file?.path}` })), 'files'); // prettier-ignore
  for (const { repo, commit } of listed)
    if (!/^[\w.-]+\/[\w.-]+$/.test(repo) || !/^[0-9a-f]{40}$/.test(commit))
      throw new KinoraError('bad-model', `“${repo}” at “${commit}” is not a commit of a repository.`, { field: 'files' }); // prettier-ignore
  return order;
}

/** The files of an order, with the pieces that they are fetched in. */
export const piecesOfOrder = ({ files }: HubOrder): Ordered[] =>
  files.map((file) => ({ ...file, pieces: { bytes: pieceBytes(file.bytes), sha256: [] } }));

/** Opens hub/, making it where it is not. Never throws: without storage, `problem` says why. */
export async function openHubFolder(storage: Storage = own): Promise<Folder> {
  try {
    return new Folder(await (await storage()).getDirectoryHandle(FOLDER, { create: true }));
  } catch (e) {
    return new Folder(null, String(e));
  }
}

/** Writes the order down, and removes what no order needs any more. To be called under the lock. */
export async function keepOrder(folder: Folder, order: HubOrder): Promise<void> {
  await folder.writeText(order.id + ORDER, JSON.stringify(order));
  await sweep(folder);
}

async function sweep(folder: Folder): Promise<void> {
  const orders = await readOrders(folder);
  const needed = orders.flatMap(({ id, files }) => [id + ORDER, ...files.flatMap(filesOf)]);
  await folder.keepOnly(new Set(needed));
}

async function readOrders(folder: Folder): Promise<HubOrder[]> {
  const orders: HubOrder[] = [];
  for (const name of (await folder.names()).filter((n) => n.endsWith(ORDER)).sort()) {
    try {
      const order = readOrder(JSON.parse((await folder.readText(name)) ?? ''));
      if (order.id + ORDER === name) orders.push(order);
    } catch {
      // Half-written, or of a hub that is none any more: its files are as good as not there.
    }
  }
  return orders;
}

/** Hub/ where it is there already. */
async function existing(storage: Storage): Promise<Folder> {
  try {
    return new Folder(await (await storage()).getDirectoryHandle(FOLDER));
  } catch {
    return new Folder(null);
  }
}

/** Every order, and what is here of it. Empty where there is no storage. */
export async function listDownloads(storage: Storage = own): Promise<Download[]> {
  const folder = await existing(storage);
  return Promise.all(
    (await readOrders(folder)).map(async (order) => {
      const files = piecesOfOrder(order);
      const kept = await Promise.all(files.map((file) => folder.kept(file)));
      const sealed = await Promise.all(files.map((file) => folder.sealed(file)));
      const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
      return {
        order,
        loaded: sum(kept),
        total: sum(files.map((f) => f.bytes)),
        whole: sealed.every(Boolean),
      };
    }),
  );
}

/** Orders as the manager lists them. A file that two need counts in both. */
export async function listHubModels(storage: Storage = own): Promise<StoredModel[]> {
  const downloads = await listDownloads(storage);
  return downloads.map(({ order, loaded, whole }) => ({
    id: order.id,
    name: whole ? order.name : '',
    edition: '',
    license: order.license,
    bytes: loaded,
    hub: true,
  }));
}

/**
 * The files of an order as if the person had picked them.
 * @throws KinoraError `no-model` where one of them is not here whole
 */
export async function openDownload(id: string, storage: Storage = own): Promise<PickedFile[]> {
  const { folder, order } = await find(id, storage);
  return Promise.all(
    piecesOfOrder(order).map(async (wanted) => {
      const file = await folder.sealed(wanted);
      if (!file) throw new KinoraError('no-model', `${wanted.path} is not here whole. Go on with the download.`, { model: order.name }); // prettier-ignore
      return { path: `${wanted.repo}/${wanted.path}`, file, changed: file.lastModified };
    }),
  );
}

async function find(id: string, storage: Storage): Promise<{ folder: Folder; order: HubOrder }> {
  const folder = await existing(storage);
  const order = (await readOrders(folder)).find((one) => one.id === id);
  if (!order) throw new KinoraError('no-model', 'Nothing is stored of this model.', { model: id });
  return { folder, order };
}

/** Takes the hash of every file of an order; what is damaged is deleted. To be called under the lock. */
export async function verifyDownload(id: string, storage: Storage = own): Promise<VerifyReport> {
  const { folder, order } = await find(id, storage);
  const report: VerifyReport = { whole: 0, damaged: [], missing: 0 };
  for (const wanted of piecesOfOrder(order)) {
    const file = await folder.sealed(wanted);
    if (!file) report.missing++;
    else if ((await sha256(fromBlob(wanted.path, file)).catch(() => null)) === wanted.sha256) report.whole++;
    else {
      await folder.remove(wanted);
      report.damaged.push(wanted.path);
    }
  }
  return report;
}

/** Forgets an order, and deletes what no other needs. To be called under the lock. */
export async function deleteDownload(id: string, storage: Storage = own): Promise<void> {
  const { folder, order } = await find(id, storage);
  const names = await folder.names();
  await folder.keepOnly(new Set(names.filter((name) => name !== order.id + ORDER)));
  await sweep(folder);
}
