/**
 * What a scene has and no prompt says: where it begins, how its subject is turned. A model that was taught with these as
 * tokens before the caption need not decide them from noise, if somebody names them; here the seed does.
 * All blocks of a scene are told the same: a subject that left the picture is drawn again from words, too.
 */
import { choices } from '../sampling/noise';
import type { Tokenizer } from '../text/tokenizer';

/**
 * Token ids of a prompt, a detail of each group before it.
 * @param groups ids of the details that there are (model.json's `details`)
 * @param length the most ids in all
 * @param block the block that begins the scene: another scene, another choice
 */
export function tokensWithDetails(
  tokenizer: Tokenizer,
  prompt: string,
  length: number,
  { groups, seed, block }: { groups: number[][]; seed: number; block: number },
): Int32Array<ArrayBuffer> {
  const chosen = choices(seed, block, groups.map((group) => group.length)); // prettier-ignore
  const details = groups.map((group, i) => group[chosen[i]!]!);
  return Int32Array.from([...details, ...tokenizer.encode(prompt, length - details.length)]);
}
