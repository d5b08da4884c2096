import { expect, test } from 'vitest';
import { readGolden } from '../helpers/fixtures';
import { golden, readGoldenFile } from './goldens';

test('a golden that is missing, or of another version, says how to make it', async () => {
  await expect(golden('nothing')).rejects.toThrow('python training/goldens/make_goldens.py');
  const bytes = await readGolden('umt5-one-token.safetensors');
  const text = new TextDecoder('latin1').decode(bytes).replace('"version":"1"', '"version":"0"');
  const old = Uint8Array.from(text, (c) => c.charCodeAt(0));
  await expect(readGoldenFile('x', old)).rejects.toThrow('x has version 0, but the tests want 1; make');
});
