/** Which editions of a model must stay in this browser beside the newest. */
import { heldEditions } from '../weights/editions';
import type { ModelManifest } from '../weights/manifest';
import { listBegun } from './journal';

/** True for editions that an interrupted clip was begun with, or that a tab has loaded. */
export async function neededEditions(baseUrl: string): Promise<(manifest: ModelManifest) => boolean> {
  const [begun, held] = await Promise.all([listBegun(), heldEditions(baseUrl)]);
  return ({ id, edition }) =>
    held.includes(edition) || begun.some((clip) => clip.model === id && clip.edition === edition);
}
