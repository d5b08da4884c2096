import { describe, expect, test } from 'vitest';
import { Preferences } from '../../src/app/preferences.svelte';
import { errorText, htmlLang, LANGUAGES, pickLanguage, type Language } from '../../src/app/words';
import { bytes, clock, seconds, shape } from '../../src/app/words/format';
import { countedOn } from '../../src/pipeline/memory-plan';
import { SAMPLINGS } from '../../src/pipeline/samplings';
import type { ErrorCode } from '../../src/worker/protocol/result';
import { memoryStore } from './helpers';

/** Every text in a language, functions called with plausible values, as [path, text]. */
function texts(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') {
    if (path.startsWith('.errors')) {
      const error = { code: 'internal', message: 'A message.', params: {} };
      return [[path, String(value(error))]];
    }
    if (path.startsWith('.problem')) return [[path, String(value({ field: 'seed', found: 7, most: 9 }))]];
    if (path.endsWith('.recovered')) return [[path, String(value({ reason: 'out-of-memory', block: 1, tiles: 4 }))]]; // prettier-ignore
    return [[path, String(value(1, 2, 3, 4))]];
  }
  return Object.entries(value as object).flatMap(([key, inner]) => texts(inner, `${path}.${key}`));
}

describe.each(Object.keys(LANGUAGES) as Language[])('the words in %s', (language) => {
  const all = texts(LANGUAGES[language]);

  test('name every way to sample a model, each in its own words', () => {
    const { samplings } = LANGUAGES[language].own;
    expect(Object.keys(samplings)).toEqual(SAMPLINGS.map(({ id }) => id));
    expect(new Set(Object.values(samplings)).size).toBe(SAMPLINGS.length);
  });

  test('are all there and say something', () => {
    expect(all.length).toBeGreaterThan(120);
    for (const [path, text] of all) {
      expect(text.trim(), path).not.toBe('');
      expect(text, path).not.toMatch(/undefined|NaN|\[object/);
    }
  });
});

test('Chinese is Chinese: no English sentence was left in it', () => {
  const english = new Map(texts(LANGUAGES.en));
  for (const [path, text] of texts(LANGUAGES.zh)) {
    if (/^\.help\.rows\.\d+\.0$|needs\.(webgpu|codecs)$|\.full$|^\.model$|themes/.test(path)) continue;
    expect(text, path).not.toBe(english.get(path));
    if (!/^\.progress\.percent$|\.comma$/.test(path)) expect(text, path).toMatch(/\p{Script=Han}/u);
  }
});

test('where memory is the reason on a real GPU, both languages say that its number can be changed', () => {
  const params = { found: '832 × 480', needed: 9.9e9, limit: 8.6e9, setting: 'gpuMemory' };
  const said = (language: 'en' | 'zh', more = params as Record<string, string | number>) =>
    errorText(LANGUAGES[language], { code: 'out-of-memory', message: 'English.', params: more });
  expect(said('zh')).toContain(`设置的“${LANGUAGES.zh.own.gpuMemory}”`);
  expect(said('zh', { ...params, setting: '' })).not.toContain(LANGUAGES.zh.own.gpuMemory);
  const real = { element: 2, buffer: 2 ** 32, total: 8e9, adjustable: true, speed: null, scores: false, packs: true } as const; // prettier-ignore
  expect(countedOn(real)).toContain(`settings, at “${LANGUAGES.en.own.gpuMemory}”`); // the engine's English is the page's
});

test.each([
  [{ why: 'texts', transformer: 4096, encoder: 64 }, ['4096', '64', 'UMT5-XXL']],
  [{ why: 'picture', in: 36, out: 16 }, ['36', '16', 'T2V']],
  [{ why: 'latents', transformer: 16, decoder: 48 }, ['16', '48', 'taew2_1']],
  [{ why: 'dora', file: 'a.safetensors' }, ['a.safetensors', 'DoRA', 'LoRA']],
  [{ why: 'parts', parts: 'tokenizer,autoencoder' }, ['分词器', '解码器']],
  [
    { why: 'tensors', file: 'a.gguf', missing: 1, misshapen: 2, surplus: 0 },
    ['a.gguf', 'head.weight', '1 个缺少', '2 个形状不同'],
  ],
] as const)('files that do not fit together are told in Chinese, with both numbers: %j', (params, parts) => {
  const detail = 'missing: head.weight\nx [1], not [2]\ny [1], not [2]';
  const text = errorText(LANGUAGES.zh, { code: 'bad-model', message: 'It is English.', params, detail });
  for (const part of parts) expect(text).toContain(part);
  expect(text).not.toMatch(/English|[a-z]{3,} [a-z]{3,} [a-z]{3,}/);
});

test('layers that cannot be are told in both languages, with both numbers', () => {
  const told = (params: Record<string, string | number>) =>
    (['en', 'zh'] as const).map((language) =>
      errorText(LANGUAGES[language], { code: 'bad-model', message: 'It has 9.', params: { file: 'a.gguf', why: 'layers', ...params } }),
    ); // prettier-ignore
  const [gap, most] = [told({ layer: 9, missing: 2 }), told({ layers: 600, most: 512 })];
  expect(gap[0]).toBe('This file is not what it was taken for. It has 9.');
  for (const part of ['a.gguf', '第 9 层', '第 2 层']) expect(gap[1]).toContain(part);
  for (const part of ['a.gguf', '600', '512']) expect(most[1]).toContain(part);
});

test('what fits with smaller weights is said in both languages', () => {
  const params = { found: '832 × 480', needed: 9e9, limit: 4e9, quantize: 8, then: '448 × 256' };
  expect(errorText(LANGUAGES.zh, { code: 'out-of-memory', message: '', params })).toContain(
    '权重改为 8 位后，448 × 256',
  );
});

test('both languages say what was kept when work is lost', () => {
  const codes: ErrorCode[] = ['device-lost', 'worker-dead', 'not-finite', 'internal', 'cancelled'];
  for (const code of codes) {
    expect(errorText(LANGUAGES.en, { code, message: '' }), code).toMatch(/kept/);
    expect(errorText(LANGUAGES.zh, { code, message: '' }), code).toMatch(/保留/);
  }
});

test.each([
  [['zh-CN', 'en'], 'zh'],
  [['fr', 'zh-Hant-TW', 'en'], 'zh'],
  [['de', 'EN-gb'], 'en'],
  [['de'], 'en'],
  [[], 'en'],
] as const)('of the languages %j the page speaks %s', (wanted, expected) => {
  expect(pickLanguage(wanted)).toBe(expected);
});

test('a choice of language is kept, a detected one is not', () => {
  const store = memoryStore();
  const first = new Preferences(store, ['zh']);
  first.choose({ theme: 'light' });
  expect(new Preferences(store, ['en']).language).toBe('en');
  first.choose({ language: 'zh' });
  expect(new Preferences(store, ['en'])).toMatchObject({ language: 'zh', theme: 'light', singleKeys: true });
  expect(htmlLang('zh')).toBe('zh-Hans');
});

test('numbers are written as people read them', () => {
  expect([999, 1.25e6, 24.3e6, 3.1e9].map((n) => bytes(n, 'en'))).toEqual([
    '1 KB',
    '1.3 MB',
    '24 MB',
    '3.1 GB',
  ]);
  expect([2, 0.5, 1.23456].map(seconds)).toEqual(['2', '0.5', '1.23']);
  expect([0, 3.4375, 61.99].map(clock)).toEqual(['0:00.0', '0:03.4', '1:01.9']);
  expect(
    [
      [96, 64],
      [64, 64],
      [832, 480],
      [480, 832],
      [320, 192],
    ].map(([w, h]) => shape(w!, h!)),
  ).toEqual(['3:2', '1:1', '16:9', '9:16', '5:3']);
});

test('a pause behind the last block says that only the file is left', () => {
  for (const { unfinished } of [LANGUAGES.en, LANGUAGES.zh])
    expect(new Set([0, 3, 7].map((done) => unfinished.text('a red boat', done, 7))).size).toBe(3);
  expect(LANGUAGES.en.unfinished.text('a red boat', 7, 7)).toBe('All blocks of “a red boat” are made; only its file is left to be finished.');
  expect(LANGUAGES.en.unfinished.text('a red boat', 6, 7)).toContain('after block 6 of 7');
}); // prettier-ignore

test.each([
  [['de-AT', 'en'], undefined, 'de'],
  [['pt-BR', 'ja', 'en'], undefined, 'ja'],
  [['pt'], undefined, 'en'],
  [['en-GB', 'de'], undefined, 'en'],
  [['de'], 'zh', 'zh'],
  [['de'], 'en', 'de'],
  [['en'], 'zh', 'zh'],
] as const)(
  'of a person who reads %j and chose %s, what is seen is spoken of in %s',
  (languages, chosen, tongue) => {
    const preferences = new Preferences(memoryStore(), languages);
    if (chosen) preferences.choose({ language: chosen });
    expect(preferences.tongue(['en', 'zh', 'es', 'fr', 'de', 'ja'])).toBe(tongue);
  },
);
