/**
 * Files of a model hub, fetched because the person asked for them: with the pieces, hashes, resuming and locks of every
 * other download (download.ts), into a folder of their own (hub-store.ts). Runs in worker/hub.worker.ts, whose policy
 * alone lets a hub be reached.
 */
import { KinoraError } from '../errors';
import { isHub } from '../policy';
import type { HubAnswer, HubOrder, HubWish } from '../worker/protocol/hub';
import { fetchJson } from './download';
import { fileAddress, infoAddress, readRepository, type Repository } from './hub-api';
import { HUB_LOCK, keepOrder, openHubFolder, piecesOfOrder, readOrder } from './hub-store';
import { fetchMissing, freeBytes, type OpenModelOptions } from './store';

type Options = Omit<OpenModelOptions, 'backend' | 'onManifest'>;

/**
 * Asks the hub what the files are: the commit that their branch is at, sizes, SHA-256, and the licence of each
 * repository. Nothing is downloaded.
 * @throws KinoraError `bad-request` for what is no hub, `no-model` for a file that the hub has not, or gives no hash of,
 *   `network`, `cancelled`
 */
export async function lookAtHub({ hub, files }: HubWish, options: Options = {}): Promise<HubAnswer> {
  if (!isHub(hub)) throw new KinoraError('bad-request', `${hub} is none of the hubs that Kinora downloads from.`, { field: 'hub', found: hub }); // prettier-ignore
  const asked = new Map<string, Promise<Repository>>();
  const ask = (repo: string, revision: string) => {
    const key = `${repo} ${revision}`;
    const answer =
      asked.get(key) ??
      fetchJson(infoAddress(hub, repo, revision), repo, options).then((json) => readRepository(json, repo));
    asked.set(key, answer);
    return answer;
  };
  const licenses: Record<string, string> = {};
  const found = await Promise.all(
    files.map(async ({ repo, revision, path }) => {
      const { commit, license, files: theirs } = await ask(repo, revision);
      licenses[repo] = license;
      const file = theirs.get(path);
      if (!file) throw new KinoraError('no-model', `${repo} has no file ${path} any more. Choose another hub, or get the file elsewhere and open it from your disk.`, { file: path, model: repo, why: 'gone' }); // prettier-ignore
      const { bytes, sha256 } = file;
      if (!sha256) throw new KinoraError('no-model', `The hub gives no SHA-256 of ${path}, so it could not be checked, and is not fetched.`, { file: path, model: repo, why: 'unhashed' }); // prettier-ignore
      return { repo, commit, path, bytes, sha256 };
    }),
  );
  return { files: found, licenses, free: await freeBytes(options.estimate) };
}

/**
 * Downloads what is missing of an order, and writes the order down first, so that another visit can go on with it.
 * @throws KinoraError `bad-request` for what is no hub, `bad-model` for a list that will not do, `busy` while another
 *   tab downloads, `storage` where there is no room (`params.needed`, bytes) or no storage at all, `network`,
 *   `hash-mismatch`, `cancelled`
 */
export async function fetchFromHub(value: HubOrder, options: Options = {}): Promise<void> {
  const order = readOrder(value);
  const work = async () => {
    const folder = await openHubFolder(options.storage);
    const files = piecesOfOrder(order);
    folder.insist(files.reduce((sum, { bytes }) => sum + bytes, 0));
    try {
      await keepOrder(folder, order);
    } catch (e) {
      folder.fail(String(e));
    }
    const missing = [];
    for (const file of files) if (!(await folder.sealed(file))) missing.push(file);
    await fetchMissing(missing, (file) => fileAddress(order.hub, file), folder, options);
  };
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  if (!locks) return work();
  return locks.request(HUB_LOCK, { ifAvailable: true }, (lock) => {
    if (lock) return work();
    throw new KinoraError('busy', 'Another tab downloads already. Wait until it is done, or pause it there.'); // prettier-ignore
  }) as Promise<void>;
}
