/** The fixtures of `fixtures/make.py`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8'));

export const texts = read('texts.json') as { prompts: string[]; dirty: string[] };
/** What Python gives: ids of `prompts` by tokenizer, and `dirty` cleaned as Wan does. */
export const expected = read('expected.json') as { ids: Record<string, number[][]>; cleaned: string[] };
export const tokenizerJson = (name: string): unknown => read(`${name}.json`);

export interface Unigram {
  added_tokens: unknown[];
  model: { vocab: [string, number][]; unk_id: number; byte_fallback: boolean };
}

const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);
const field = (number: number, bytes: ArrayLike<number>) => [...varint(number * 8 + 2), ...varint(bytes.length), ...Array.from(bytes)]; // prettier-ignore
/** A field of a whole number. */
export const whole = (number: number, value: number) => [...varint(number * 8), ...varint(value)];

const umt5 = tokenizerJson('umt5') as Unigram;

/** The vocabulary of umt5.json as SentencePiece writes it. */
export function spiece(
  trainer: number[] = whole(40, umt5.model.unk_id),
  map: Uint8Array = new Uint8Array(),
): Uint8Array {
  const pieces = umt5.model.vocab.flatMap(([text, score], id) => {
    const type = id < 3 ? 3 : id === 3 ? 2 : text.startsWith('<0x') ? 6 : 1;
    const number = new Uint8Array(Float32Array.of(score).buffer);
    return field(1, [
      ...field(1, new TextEncoder().encode(text)),
      21,
      ...number,
      ...(type === 1 ? [] : whole(3, type)),
    ]);
  });
  const normalizer = field(3, [...field(1, new TextEncoder().encode('nmt_nfkc')), ...(map.length ? field(2, map) : [])]); // prettier-ignore
  return Uint8Array.from([...pieces, ...field(2, trainer), ...normalizer]);
}
