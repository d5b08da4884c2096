/** SHA-256 of files. */
import { readExactly, type ByteSource } from './source';

/**
 * SHA-256 of a source, lower-case hex. WebCrypto has no incremental digest, so the source is read whole:
 * for Pocket's files (15 MB at most) that costs some milliseconds. Checkpoints of gigabytes will need an
 * incremental one behind this same signature.
 */
export async function sha256(source: ByteSource): Promise<string> {
  const bytes = await readExactly(source, 0, source.size);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('');
}
