import { describe, expect, it } from 'vitest';
import { parseRecipe } from '../../src/media/recipe';
import { RECIPE } from '../helpers/clips';

it('keeps a good recipe and drops what it does not know', () => {
  const given = JSON.parse(JSON.stringify({ ...RECIPE, extra: 1, __proto__: { evil: true } }));
  expect(parseRecipe({ ...given, extra: 1 })).toEqual(RECIPE);
});

it.each([8, 16] as const)('keeps the bits of kept frames: %d', (cacheBits) => {
  expect(parseRecipe({ ...RECIPE, cacheBits })).toEqual({ ...RECIPE, cacheBits });
});

it('keeps guidance, what should not be seen, and the shift', () => {
  const guided = { ...RECIPE, guidance: 6.5, negative: 'blurry', shift: 3 };
  expect(parseRecipe(guided)).toEqual(guided);
});

it('keeps the words that were chosen', () => {
  const completed = { ...RECIPE, completed: 'a red boat swaying on the sea at sunset' };
  expect(parseRecipe(completed)).toEqual(completed);
});

it('keeps where a picture was cropped; nonsense is left out', () => {
  const cropped = { ...RECIPE, begins: 'picture', crop: 0.25 } as const;
  expect(parseRecipe(cropped)).toEqual(cropped);
  for (const crop of [-0.1, 1.1, NaN, '0', null])
    expect(parseRecipe({ ...cropped, crop })).toEqual({ ...RECIPE, begins: 'picture' });
});

describe('refuses', () => {
  it.each([
    ['guidance', 101],
    ['shift', 101],
    ['guidance', '5'],
    ['negative', 'x'.repeat(5001)],
    ['completed', 7],
    ['completed', 'x'.repeat(5001)],
    ['seed', -1],
    ['seed', 2 ** 32],
    ['seed', 1.5],
    ['seed', '7'],
    ['seconds', 0],
    ['seconds', NaN],
    ['seconds', Infinity],
    ['seconds', 1e9],
    ['width', 0],
    ['height', 1e9],
    ['steps', 0],
    ['steps', 51],
    ['cacheBits', 4],
    ['cacheBits', '8'],
    ['fps', 0],
    ['fps', -16],
    ['frames', 0],
    ['frames', 2.5],
    ['prompt', null],
    ['prompt', 'x'.repeat(20_001)],
    ['model', 'x'.repeat(201)],
    ['edition', 1],
    ['app', undefined],
    ['created', 'yesterday'],
    ['created', '2026-13-45T99:99:99Z'],
    ['created', '2026'],
  ])('%s = %j', (setting, value) => {
    expect(() => parseRecipe({ ...RECIPE, [setting]: value })).toThrow(
      expect.objectContaining({ code: 'bad-request', params: expect.objectContaining({ setting }) }),
    );
  });

  it.each([[null], [7], ['text'], [[RECIPE]]])('%j', (value) => {
    expect(() => parseRecipe(value)).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });
});
