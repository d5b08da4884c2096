/** The fixtures of `fixtures/make.py`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8'));

export const texts = read('texts.json') as { prompts: string[]; dirty: string[] };
/** What Python gives: ids of `prompts` by tokenizer, and `dirty` cleaned as Wan does. */
export const expected = read('expected.json') as { ids: Record<string, number[][]>; cleaned: string[] };
export const tokenizerJson = (name: string): unknown => read(`${name}.json`);
