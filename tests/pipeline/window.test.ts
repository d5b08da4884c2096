import { expect, test } from 'vitest';
import { windowOf } from '../../src/pipeline/window';
import { randomModel } from '../helpers/random-model';

const { manifest } = randomModel({ sampler: { window: 12, sink: 3 } });

test('the checkpoint says how far a block sees; a request may say otherwise', () => {
  expect(windowOf(manifest, {})).toEqual({ window: 12, sink: 3, positions: 'window' });
  expect(windowOf(manifest, { window: 21, sink: 0 })).toMatchObject({ window: 21, sink: 0 });
  expect(windowOf(manifest, { window: 5 })).toMatchObject({ window: 5, sink: 2 }); // what is left beside a block
});

test.each([
  [{ window: 2 }, 'window'],
  [{ window: 3.5 }, 'window'],
  [{ window: 1e9 }, 'window'],
  [{ window: 6, sink: 4 }, 'sink'],
  [{ sink: -1 }, 'sink'],
])('%j is refused', (request, field) => {
  expect(() => windowOf(manifest, request)).toThrow(
    expect.objectContaining({ code: 'bad-request', params: expect.objectContaining({ field }) }),
  );
});
