import { expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { checkRequest } from '../../src/pipeline/request';
import type { GenerateRequest } from '../../src/worker/protocol/clip';

const GOOD: GenerateRequest = {
  prompt: ' a  red boat ',
  seed: 7,
  seconds: 2,
  width: 96,
  height: 64,
  steps: 4,
};
const GRID = { width: 16, height: 16 };

function refusal(change: Record<string, unknown>): KinoraError {
  try {
    checkRequest({ ...GOOD, ...change } as GenerateRequest, GRID);
  } catch (e) {
    return e as KinoraError;
  }
  throw new Error('nothing was refused');
}

test('a good request passes', () => {
  checkRequest(GOOD, GRID);
  checkRequest({ ...GOOD, prompt: '' }, GRID); // whoever reads the words says so (pipeline/storyline.ts)
  checkRequest({ ...GOOD, completed: 'a red boat' }, GRID);
  for (const seed of [0, 2 ** 32 - 1]) checkRequest({ ...GOOD, seed }, GRID);
  for (const seconds of [0.01, 600]) checkRequest({ ...GOOD, seconds }, GRID);
  for (const width of [16, 4096]) checkRequest({ ...GOOD, width }, GRID);
  for (const guidance of [1, 5.5, 100]) checkRequest({ ...GOOD, guidance, negative: '' }, GRID);
  for (const shift of [1, 3, 5.5, 100]) checkRequest({ ...GOOD, shift }, GRID);
  for (const steps of [1, 50]) checkRequest({ ...GOOD, steps }, GRID);
});

test.each([
  ['prompt', 7, 'text'],
  ['completed', '  ', '1 to 5000 characters'],
  ['completed', null, 'null'],
  ['seed', -1, '0 to 4294967295'],
  ['seed', 2 ** 32, '0 to 4294967295'],
  ['seed', 1.5, 'whole'],
  ['seed', NaN, 'NaN'],
  ['seed', '7', '"7"'],
  ['seconds', 0, 'above 0 and up to 600'],
  ['seconds', 600.1, 'above 0 and up to 600'],
  ['seconds', Infinity, 'Infinity'],
  ['seconds', undefined, 'missing'],
  ['width', 100, 'multiple of 16 pixels from 16 to 4096'],
  ['width', 0, 'from 16'],
  ['height', 4112, 'to 4096'],
  ['height', null, 'null'],
  ['steps', 0, '1 to 50'],
  ['steps', 51, '1 to 50'],
  ['guidance', 0.5, '1 to 100'],
  ['guidance', '5', '"5"'],
  ['shift', 0.5, '1 to 100'],
  ['shift', NaN, '1 to 100'],
  ['negative', 7, 'text'],
  ['negative', 'x'.repeat(5001), 'at most 5000'],
])('%s %j is refused, and the message says why', (field, value, words) => {
  const error = refusal({ [field]: value });
  expect(error).toBeInstanceOf(KinoraError);
  expect(error.code).toBe('bad-request');
  expect(error.params.field).toBe(field);
  expect(error.message).toContain(words);
});
