/** Prompts to token ids through transformers.js: the same ids as text/tokenizer.ts, computed by other code. */
import { KinoraError } from '../errors';
import type { Tokenizer } from '../text/tokenizer';

/**
 * Makes a tokenizer of a tokenizer.json. Local data only: nothing is fetched, whatever the library would like to.
 * @throws KinoraError `bad-model` when it is none, or has no `</s>`
 */
export async function loadTransformersTokenizer(json: unknown): Promise<Tokenizer> {
  const { env, PreTrainedTokenizer } = await import('@xenova/transformers');
  env.allowRemoteModels = false;
  env.allowLocalModels = false;
  const damaged = (problem: string, detail = '') =>
    new KinoraError('bad-model', `tokenizer.json ${problem}.`, { file: 'tokenizer.json' }, detail);
  if (typeof json !== 'object' || json === null) throw damaged('is not an object');
  let tokenizer: InstanceType<typeof PreTrainedTokenizer>;
  try {
    tokenizer = new PreTrainedTokenizer(json, {});
  } catch (e) {
    throw damaged('is damaged or of a kind that transformers.js does not know', String(e));
  }
  const { vocab } = (json as { model?: { vocab?: [string, number][] } }).model ?? {};
  const end = vocab?.findIndex(([piece]) => piece === '</s>') ?? -1;
  if (end < 0) throw damaged('has no token "</s>"');
  return {
    size: vocab!.length,
    end,
    encode(prompt, maxLength) {
      if (!Number.isInteger(maxLength) || maxLength < 1) throw new RangeError(`maxLength is ${maxLength}`);
      const ids = tokenizer.encode(prompt, { add_special_tokens: false });
      return Int32Array.from([...ids.slice(0, maxLength - 1), end]);
    },
  };
}
