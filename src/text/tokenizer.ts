/** Prompts to token ids, with the tokenizer.json that comes with the checkpoint. */
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import { KinoraError } from '../errors';
import { readCharsmap } from './charsmap';

export interface Tokenizer {
  /** Number of ids; every id is below it. */
  readonly size: number;
  /** Id of `</s>`, which ends every sequence. 1 in every T5. */
  readonly end: number;
  /**
   * Ids of a cleaned prompt (see clean.ts), `</s>` included.
   * @param maxLength at most so many ids, at least 1; what does not fit is cut off before `</s>`
   */
  encode(prompt: string, maxLength: number): Int32Array<ArrayBuffer>;
}

/**
 * Makes a tokenizer of a tokenizer.json (Hugging Face's `tokenizers`), as UMT5 and Pocket have it.
 * @throws KinoraError `bad-model` when it is none, or has no `</s>`
 */
export function loadTokenizer(json: unknown): Tokenizer {
  const damaged = (problem: string, detail = '') =>
    new KinoraError('bad-model', `tokenizer.json ${problem}.`, { file: 'tokenizer.json' }, detail);
  if (typeof json !== 'object' || json === null) throw damaged('is not an object');
  let tokenizer: HfTokenizer;
  const { rest, map } = takeCharsmap(json);
  try {
    tokenizer = new HfTokenizer(rest, {});
  } catch (e) {
    throw damaged('is damaged or of a kind that Kinora does not know', String(e));
  }
  const end = tokenizer.token_to_id('</s>');
  if (end === undefined) throw damaged('has no token "</s>"');
  let size = 0;
  for (const id of tokenizer.get_vocab().values()) size = Math.max(size, id + 1);
  const toIds = idsOf(tokenizer, json);
  return {
    size,
    end,
    encode(prompt, maxLength) {
      if (!Number.isInteger(maxLength) || maxLength < 1) throw new RangeError(`maxLength is ${maxLength}`);
      const ids = tokenizer.tokenize(map(prompt)).flatMap(toIds);
      return Int32Array.from([...ids.slice(0, maxLength - 1), end]);
    },
  };
}

interface Normalizer {
  type?: unknown;
  precompiled_charsmap?: unknown;
  normalizers?: Normalizer[];
}

/**
 * The character map that comes first, and the tokenizer without it: the package has NFKC in its place, which is not the same
 * for joiners and stacked marks. An empty map is left to the package.
 */
function takeCharsmap(json: object): { rest: object; map: (text: string) => string } {
  const { normalizer } = json as { normalizer?: Normalizer | null };
  const all = normalizer?.type === 'Sequence' ? (normalizer.normalizers ?? []) : normalizer ? [normalizer] : []; // prettier-ignore
  const first = Array.isArray(all) ? all[0] : undefined;
  const base64 = first?.type === 'Precompiled' ? first.precompiled_charsmap : null;
  if (typeof base64 !== 'string' || base64 === '') return { rest: json, map: (text) => text };
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch (e) {
    throw new KinoraError('bad-model', 'The tokenizer’s character map is damaged.', { file: 'tokenizer.json' }, String(e)); // prettier-ignore
  }
  const normalizers = all.slice(1);
  return {
    rest: { ...json, normalizer: normalizers.length ? { type: 'Sequence', normalizers } : null },
    map: readCharsmap(bytes),
  };
}

/**
 * Ids of a token: one, or with byte fallback one for each UTF-8 byte of what the vocabulary lacks. The
 * package leaves unknown text in place, fused, as Python's `tokenizers` does, but knows no byte fallback
 * for Unigram models.
 */
function idsOf(tokenizer: HfTokenizer, json: object): (token: string) => number[] {
  const { model } = json as { model: { unk_id?: number; byte_fallback?: boolean } };
  const unknown = model.unk_id ?? tokenizer.token_to_id('<unk>') ?? 0;
  const name = (byte: number) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
  const bytes = Array.from({ length: 256 }, (_, byte) => tokenizer.token_to_id(name(byte)));
  const utf8 = new TextEncoder();
  return (token) => {
    const id = tokenizer.token_to_id(token);
    if (id !== undefined) return [id];
    if (!model.byte_fallback) return [unknown];
    const fallback = Array.from(utf8.encode(token), (byte) => bytes[byte]);
    return fallback.every((b) => b !== undefined) ? fallback : [unknown];
  };
}
