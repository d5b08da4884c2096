/** SHA-256 of files. */
import { Sha256 } from './sha256';
import { readExactly, type ByteSource } from './source';

/** What WebCrypto hashes at once, which is the quickest but wants everything in memory. */
const WHOLE = 32 << 20;
const PIECE = 8 << 20;

interface HashOptions {
  /** For tests. */
  whole?: number;
  piece?: number;
  /** Bytes hashed so far; told for large files only. */
  onBytes?: ((done: number) => void) | undefined;
}

/** SHA-256 of a source, lower-case hex. Files over 32 MiB are read in pieces of 8 MiB. */
export async function sha256(source: ByteSource, options: HashOptions = {}): Promise<string> {
  const { whole = WHOLE, piece = PIECE, onBytes } = options;
  if (source.size <= whole) {
    return sha256Bytes(await readExactly(source, 0, source.size));
  }
  const hash = new Sha256();
  for (let at = 0; at < source.size; at += piece) {
    const length = Math.min(piece, source.size - at);
    hash.update(await readExactly(source, at, length));
    onBytes?.(at + length);
  }
  return hash.digest();
}

export async function sha256Bytes(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('');
}
