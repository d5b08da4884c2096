/** SentencePiece vocabularies from GGUF metadata and spiece.model give the ids of Python's tokenizers, on 200 strings. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { ggufToJson, spieceToJson } from '../../src/text/spiece';
import { loadTokenizer } from '../../src/text/tokenizer';
import { readGguf } from '../../src/weights/gguf';
import { fromBytes } from '../../src/weights/source';
import { spiece, tokenizerJson, whole, type Unigram } from './fixtures';

const file = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, 'fixtures', name)));
const { strings, ids } = JSON.parse(new TextDecoder().decode(file('strings.json'))) as {
  strings: string[];
  ids: number[][];
};
const umt5 = tokenizerJson('umt5') as Unigram;

test.each<[string, () => Promise<object>]>([
  ['tokenizer.json', async () => umt5],
  [
    'GGUF metadata',
    async () => ggufToJson((await readGguf(fromBytes('umt5.gguf', file('umt5.gguf')))).metadata),
  ],
  ['spiece.model', async () => spieceToJson(spiece())],
])('%s: ids of 200 strings', async (_, open) => {
  const tokenizer = loadTokenizer(await open());
  expect(strings).toHaveLength(200);
  const wrong = strings.filter((s, i) => [...tokenizer.encode(s, 10_000)].join() !== ids[i]!.join());
  expect(wrong).toEqual([]);
});

test('are the tokenizer.json that transformers makes of them', () => {
  const made = spieceToJson(spiece()) as Unigram;
  expect(made.added_tokens).toEqual(umt5.added_tokens);
  const rounded = umt5.model.vocab.map(([text, score]) => [text, Math.fround(score)]);
  expect(made).toMatchObject({
    ...umt5,
    post_processor: expect.anything(),
    model: { ...umt5.model, vocab: rounded },
  });
});

test('the character map goes along, from either', async () => {
  const map = Uint8Array.from({ length: 20_000 }, (_, i) => i * 7);
  const mapOf = (json: object) => (json as { normalizer: { normalizers: { precompiled_charsmap: string }[] } }).normalizer.normalizers[0]!.precompiled_charsmap; // prettier-ignore
  const base64 = Buffer.from(map).toString('base64');
  expect(mapOf(spieceToJson(spiece(undefined, map)))).toBe(base64);
  const { metadata } = await readGguf(fromBytes('umt5.gguf', file('umt5.gguf')));
  for (const list of [map, new Int8Array(map.buffer)])
    expect(mapOf(ggufToJson(new Map([...metadata, ['tokenizer.ggml.precompiled_charsmap', list]])))).toBe(base64); // prettier-ignore
  expect(mapOf(spieceToJson(spiece()))).toBe('');
});

test('refuses what is damaged or of another kind', () => {
  expect(() => spieceToJson(spiece([...whole(3, 2), ...whole(40, 3)]))).toThrow('is of kind 2, not Unigram');
  expect(() => spieceToJson(new Uint8Array())).toThrow('has no piece');
  expect(() => ggufToJson(new Map())).toThrow('this GGUF has no tokenizer in its metadata');
  expect(() => ggufToJson(new Map(Object.entries({ tokens: ['a'], scores: [], token_type: [1] }).map(([k, v]) => [`tokenizer.ggml.${k}`, v])))).toThrow('1 tokens, 0 scores'); // prettier-ignore
});

test('cuts and flipped bytes give an answer or a clear error', () => {
  const good = spiece();
  let state = 7;
  const random = (n: number) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
  for (let i = 0; i < 500; i++) {
    const bytes = good.slice(0, random(3) ? good.length : random(good.length));
    for (let k = 0; k < 3 && bytes.length; k++) bytes[random(bytes.length)] = random(256);
    try {
      spieceToJson(bytes);
    } catch (e) {
      expect(e).toBeInstanceOf(KinoraError);
    }
  }
});
