/** SentencePiece's character map as Python's `tokenizers` applies it (fixtures/make.py), on 200 strings. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { readCharsmap } from '../../src/text/charsmap';
import { loadTokenizer } from '../../src/text/tokenizer';
import { tokenizerJson } from './fixtures';

const file = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name));
const json = <T>(name: string) => JSON.parse(file(name).toString('utf8')) as T;
const map = new Uint8Array(gunzipSync(file('nmt-nfkc.map.gz')));
const { strings } = json<{ strings: string[] }>('strings.json');
const { ids, normalized } = json<{ ids: number[][]; normalized: string[] }>('charsmap.json');

/** UMT5's normalizers, with this map in front. */
function withMap(base64: string): object {
  const umt5 = tokenizerJson('umt5') as { normalizer: { normalizers: object[] } };
  const [first, ...rest] = umt5.normalizer.normalizers;
  const normalizers = [{ ...first, precompiled_charsmap: base64 }, ...rest];
  return { ...umt5, normalizer: { ...umt5.normalizer, normalizers } };
}

test('200 strings become what Python makes of them', () => {
  const become = readCharsmap(map);
  expect(strings).toHaveLength(200);
  expect(strings.filter((s, i) => become(s) !== normalized[i])).toEqual([]);
  expect(strings.filter((s) => become(s) !== s).length).toBeGreaterThan(20);
});

test('and have its ids, joiners and stacked marks too', () => {
  const tokenizer = loadTokenizer(withMap(Buffer.from(map).toString('base64')));
  const encode = (s: string) => [...tokenizer.encode(s, 10_000)].join();
  expect(strings.filter((s, i) => encode(s) !== ids[i]!.join())).toEqual([]);
  // Where the map is not at hand, NFKC stands for it, and that is not the same.
  const without = loadTokenizer(withMap(''));
  expect(strings.filter((s, i) => [...without.encode(s, 10_000)].join() !== ids[i]!.join())).not.toEqual([]);
});

test('a map that is cut off is refused, a damaged one gives some text', () => {
  for (const bytes of [map.slice(0, 3), map.slice(0, 1000), new Uint8Array(8).fill(255)])
    expect(() => readCharsmap(bytes)).toThrow(KinoraError);
  expect(() => loadTokenizer(withMap('not base64!'))).toThrow('character map is damaged');
  let state = 7;
  const random = (n: number) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % n;
  for (let i = 0; i < 50; i++) {
    const bytes = map.slice();
    for (let k = 0; k < 2000; k++) bytes[4 + random(bytes.length - 4)] = random(256);
    const become = readCharsmap(bytes);
    for (const s of strings.slice(0, 60)) expect(typeof become(s)).toBe('string');
  }
});
