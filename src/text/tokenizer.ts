/** Prompts to token ids, with the tokenizer.json that comes with the checkpoint. */
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import { KinoraError } from '../errors';

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
  try {
    tokenizer = new HfTokenizer(json, {});
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
      const ids = tokenizer.tokenize(prompt).flatMap(toIds);
      return Int32Array.from([...ids.slice(0, maxLength - 1), end]);
    },
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
