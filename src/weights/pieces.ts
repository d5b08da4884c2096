/**
 * A file's pieces: what is fetched at once, checked by itself, and kept when a download is broken off. Knows
 * sizes and hashes, not where bytes come from or go to.
 */
import type { ModelFile } from './manifest';

/** Bytes of a piece where model.json does not say. */
export const PIECE = 8 << 20;

/**
 * Bytes of a piece of a hub's file: some 64 a file, so that little is fetched again, but of 1 MiB at least, and of 32 at
 * most, for every connection holds one in memory.
 */
export function pieceBytes(fileBytes: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, fileBytes / 64)));
  return Math.min(32 << 20, Math.max(1 << 20, wanted));
}

export interface Piece {
  index: number;
  /** Bytes, from the start of the file. */
  start: number;
  length: number;
  /** What was promised; null where only the whole file has a hash. */
  sha256: string | null;
}

/** The pieces of a file, in order. Together they are the file. */
export function piecesOf({ bytes, pieces }: Pick<ModelFile, 'bytes' | 'pieces'>): Piece[] {
  const size = pieces?.bytes ?? PIECE;
  return Array.from({ length: Math.ceil(bytes / size) }, (_, index) => ({
    index,
    start: index * size,
    length: Math.min(size, bytes - index * size),
    sha256: pieces?.sha256[index] ?? null,
  }));
}

/** The bytes of a Content-Range header, e.g. "bytes 0-99/1200"; null when it is none. */
export function readContentRange(header: string | null): { start: number; end: number; size: number } | null {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header ?? '');
  return match && { start: Number(match[1]), end: Number(match[2]), size: Number(match[3]) };
}
