/**
 * What Hugging Face's hub, and mirrors that answer as it does, say of a repository: which commit a branch is at, and size
 * and SHA-256 of its large files [huggingface_hub `HfApi.model_info(files_metadata=True)`: `siblings[].lfs`]. Addresses
 * and answers only; asks nothing itself.
 */
import { KinoraError } from '../errors';
import type { HubFile } from '../worker/protocol/hub';

export interface Repository {
  commit: string;
  /** '' where the hub says nothing. */
  license: string;
  files: ReadonlyMap<string, { bytes: number; sha256: string | null }>;
}

const NAME = /^[\w.-]+\/[\w.-]+$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Where a hub tells of a repository. Throws `bad-request` for what is no name of one. */
export function infoAddress(hub: string, repo: string, revision: string): URL {
  if (!NAME.test(repo)) throw new KinoraError('bad-request', `“${repo}” is not the name of a repository.`, { field: 'hub', found: repo }); // prettier-ignore
  return new URL(`api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`, folder(hub));
}

/** Where the bytes of a file are. */
export function fileAddress(
  hub: string,
  { repo, commit, path }: Pick<HubFile, 'repo' | 'commit' | 'path'>,
): URL {
  const parts = path.split('/').map(encodeURIComponent);
  return new URL(`${repo}/resolve/${commit}/${parts.join('/')}`, folder(hub));
}

/** Mirrors may lie in a folder of their host. */
const folder = (hub: string): string => (hub.endsWith('/') ? hub : `${hub}/`);

/** Reads the hub's answer. Throws `network` for anything that is none: it is the hub that went wrong. */
export function readRepository(json: unknown, repo: string): Repository {
  const info = asObject(json);
  const { sha: commit, siblings } = info;
  if (typeof commit !== 'string' || !/^[0-9a-f]{40}$/.test(commit) || !Array.isArray(siblings))
    throw new KinoraError('network', `What the hub says of ${repo} cannot be understood. Try again later, or choose another hub.`, { file: repo }); // prettier-ignore
  const files = new Map<string, { bytes: number; sha256: string | null }>();
  for (const one of siblings.map(asObject)) {
    const lfs = asObject(one.lfs);
    const bytes = Number(lfs.size ?? one.size);
    const sha256 = typeof lfs.sha256 === 'string' && SHA256.test(lfs.sha256) ? lfs.sha256 : null;
    if (typeof one.rfilename === 'string' && Number.isSafeInteger(bytes) && bytes > 0)
      files.set(one.rfilename, { bytes, sha256 });
  }
  return { commit, license: licenseOf(info), files };
}

/** The card's licence; where that is "other", the name that it gives. */
function licenseOf({ cardData, tags }: Record<string, unknown>): string {
  const { license, license_name: name } = asObject(cardData);
  const tag = Array.isArray(tags) && tags.find((t) => typeof t === 'string' && t.startsWith('license:'));
  const found =
    license === 'other' && name ? name : (license ?? (tag ? String(tag).slice('license:'.length) : ''));
  const text = Array.isArray(found) ? found.join(', ') : String(found);
  return text.slice(0, 80);
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
