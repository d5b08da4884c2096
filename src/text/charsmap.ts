/**
 * SentencePiece's precompiled character map, which UMT5's tokenizer begins with (`nmt_nfkc`): NFKC but for joiners, marks
 * stacked on one letter and the like. As the `tokenizers` package applies it, character by character as people see them
 * [google/sentencepiece `src/normalizer.cc`, huggingface/spm_precompiled `src/lib.rs`].
 *
 * The map: u32 length of a trie in bytes; the trie, a double array of u32 (darts-clone); texts in UTF-8, each ended by a zero.
 */
import { KinoraError } from '../errors';

const bad = (problem: string) =>
  new KinoraError('bad-model', `The tokenizer’s character map ${problem}.`, { file: 'tokenizer.json' });

/** Longer characters (in bytes of UTF-8) are taken apart: emoji of several people, letters with a heap of marks. */
const LONGEST = 6;

/**
 * @param map little-endian
 * @returns what text becomes
 * @throws KinoraError `bad-model` when it is cut off
 */
export function readCharsmap(map: Uint8Array): (text: string) => string {
  const view = new DataView(map.buffer, map.byteOffset, map.byteLength);
  const length = map.byteLength >= 4 ? view.getUint32(0, true) : -1;
  if (length < 4 || length % 4 !== 0 || 4 + length > map.byteLength) throw bad('is cut off');
  const trie = Uint32Array.from({ length: length / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = map.subarray(4 + length);
  const utf8 = new TextEncoder();
  const text = new TextDecoder();

  /** What the shortest beginning of `part` that the map knows becomes; null where it knows none. */
  const lookUp = (part: string): string | null => {
    let node = offsetOf(trie[0]!);
    for (const byte of utf8.encode(part)) {
      if (byte === 0) return null;
      node ^= byte;
      const unit = trie[node];
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return null;
      node ^= offsetOf(unit);
      if ((unit >>> 8) & 1) {
        const from = (trie[node] ?? 0) & 0x7fffffff;
        const end = texts.indexOf(0, from);
        return text.decode(texts.subarray(from, end < 0 ? undefined : end));
      }
    }
    return null;
  };
  const known = new Map<string, string>();
  const become = (seen: string): string => {
    const whole = utf8.encode(seen).length < LONGEST ? lookUp(seen) : null;
    return whole ?? Array.from(seen, (char) => lookUp(char) ?? char).join('');
  };
  return (all) => {
    let out = '';
    for (const seen of characters(all)) {
      let made = known.get(seen);
      if (made === undefined) known.set(seen, (made = become(seen)));
      out += made;
    }
    return out;
  };
}

/** Of a unit of the trie: how far away its children are. */
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);

/** Characters as people see them; code points where the browser cannot tell. */
function characters(text: string): string[] {
  if (typeof Intl === 'undefined' || !('Segmenter' in Intl)) return Array.from(text);
  const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
