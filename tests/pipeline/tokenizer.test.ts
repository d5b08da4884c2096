/** One vocabulary in every file that may carry it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTokenizer } from '../../src/pipeline/tokenizer';
import { fromBytes } from '../../src/weights/source';
import { safetensors } from '../weights/write';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(join(import.meta.dirname, '../text/fixtures', name)));

test('tokenizer.json and a GGUF text encoder', async () => {
  const [json, gguf] = await Promise.all(
    ['umt5.json', 'umt5.gguf'].map((name) => openTokenizer(fromBytes(name, fixture(name)))),
  );
  const words = 'a red boat drifting on the sea at sunset';
  expect([...json!.encode(words, 64)]).toEqual([...gguf!.encode(words, 64)]);
  expect(json!.size).toBe(gguf!.size);
});

test('a spiece.model, alone or as ComfyUI’s tensor', async () => {
  // Three pieces: "</s>", "<unk>" (kind 2) and "▁a", with their scores.
  const piece = (text: string, type: number) => {
    const bytes = new TextEncoder().encode(text);
    const inner = [10, bytes.length, ...bytes, 21, 0, 0, 0x80, 0xbf, 24, type];
    return [10, inner.length, ...inner];
  };
  const model = Uint8Array.from([...piece('</s>', 3), ...piece('<unk>', 2), ...piece('▁a', 1)]);
  const header = { spiece_model: { dtype: 'U8', shape: [model.length], data_offsets: [0, model.length] } };
  for (const source of [
    fromBytes('spiece.model', model),
    fromBytes('t5.safetensors', safetensors(header, model)),
  ])
    expect([...(await openTokenizer(source)).encode('a a', 8)]).toEqual([2, 2, 0]);
});

test('says what is missing', async () => {
  const none = fromBytes('t5.safetensors', safetensors({}, new Uint8Array()));
  await expect(openTokenizer(none)).rejects.toThrow('Choose a tokenizer.json beside it');
  const bad = fromBytes('tokenizer.json', new TextEncoder().encode('<html>'));
  await expect(openTokenizer(bad)).rejects.toThrow('tokenizer.json: it is not JSON');
});
