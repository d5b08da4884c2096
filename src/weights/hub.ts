/**
 * Files of a model hub, fetched into the folder of a model because the person asked for them: with the pieces,
 * hashes, resuming and locks of every other download (download.ts). Afterwards the engine finds them there, as if they
 * were of our own origin. Runs in worker/hub.worker.ts, whose policy alone lets a hub be reached.
 */
import { KinoraError } from '../errors';
import { isHubAddress } from '../policy';
import type { HubOrder } from '../worker/protocol';
import { openFolder } from './folder';
import { readModelFiles } from './manifest';
import { folderName, gather, lockOf, type OpenModelOptions } from './store';

/**
 * Downloads what is missing of the order.
 * @param order `base` and `model` absolute, each ending with "/"
 * @throws KinoraError `bad-request` for an address that is on no hub, `bad-model` for a list that will not do, `busy`
 *   while another tab works on the model, `storage` where there is no room (`params.needed`, `params.free`, bytes) or
 *   no storage at all, `network`, `hash-mismatch`, `cancelled`
 */
export async function fetchFromHub(
  { base, model, files }: HubOrder,
  options: Omit<OpenModelOptions, 'backend' | 'onManifest'> = {},
): Promise<void> {
  if (!isHubAddress(base))
    throw new KinoraError('bad-request', `${base} is on none of the hubs that Kinora downloads from.`, { field: 'hub', found: base }); // prettier-ignore
  const list = readModelFiles(files, 'files');
  const address = new URL(model);
  const work = async () => {
    const folder = await openFolder(folderName(address), options.storage);
    folder.insist(list.reduce((sum, file) => sum + file.bytes, 0));
    await gather(new URL(base), list, folder, options);
  };
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  if (!locks) return work();
  return locks.request(lockOf(address.pathname), { ifAvailable: true }, (lock) => {
    if (lock) return work();
    throw new KinoraError('busy', 'This model is being loaded, here or in another tab. Wait until it is there.'); // prettier-ignore
  }) as Promise<void>;
}
