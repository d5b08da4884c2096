/**
 * Reads a slow source (a server) in few large pieces: a small read that goes on about where the last one ended
 * fetches a window and is answered from it, and so are the next ones. Checkpoints have hundreds of small tensors
 * in a row. Large reads, and those that jump, go straight through.
 */
import type { ByteSource } from './source';

/** A jump over less than this is still reading on. */
const NEAR = 64 << 10;

/** @param window bytes fetched at once, and the most that is held */
export function readAhead(source: ByteSource, window = 4 << 20): ByteSource {
  let held: { start: number; end: number; bytes: Promise<Uint8Array<ArrayBuffer>> } | null = null;
  let last = -1;
  return {
    name: source.name,
    size: source.size,
    async read(offset, length) {
      const end = offset + length;
      const on = offset >= last && offset - last < NEAR && last >= 0;
      last = end;
      if (held && offset >= held.start && end <= held.end) {
        const { start, bytes } = held;
        return (await bytes).slice(offset - start, end - start);
      }
      if (!on || length > window / 2) return source.read(offset, length);
      const count = Math.min(window, source.size - offset);
      const bytes = source.read(offset, count);
      const mine = { start: offset, end: offset + count, bytes };
      held = mine;
      try {
        return (await bytes).slice(0, length);
      } catch (e) {
        if (held === mine) held = null; // the next read tries again
        throw e;
      }
    },
  };
}
