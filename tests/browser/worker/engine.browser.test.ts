/** The worker as the page meets it, with the bundled model. Clips are as small as can be: this is software. */
import { afterAll, expect, test } from 'vitest';
import { EngineClient } from '../../../src/worker/client';
import type { GenerateEvent, GenerateRequest } from '../../../src/worker/protocol/clip';
import type { LoadEvent } from '../../../src/worker/protocol/model';
import type { Result } from '../../../src/worker/protocol/result';

const MODEL = { model: '/models/pocket/' };
const REQUEST: GenerateRequest = {
  prompt: 'a red boat drifting on the sea at sunset',
  seed: 7,
  seconds: 0.3, // 5 frames, one block
  width: 96,
  height: 64,
  steps: 2,
};

const client = new EngineClient();
afterAll(() => client.dispose());

function value<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.error.code}: ${result.error.message}\n${result.error.detail}`);
}
const code = (result: Result<unknown>) => (result.ok ? 'ok' : result.error.code);
const nothing = () => {};

test('check tells adapter and codecs, and chooses: these tests run on a software adapter', async () => {
  const report = value(await client.check());
  expect(report).toMatchObject({ backend: 'cpu', reason: 'fallback-adapter' });
  expect(report.adapter!.maxBufferSize).toBeGreaterThan(0);
  expect(report.codecs.length).toBeGreaterThan(0);
  expect(value(await client.check('webgpu'))).toMatchObject({ backend: 'webgpu', reason: 'asked' });
});

test('before a model is loaded nothing is made; a model that is not there is a clear error', async () => {
  expect(code(await client.generate(REQUEST, nothing))).toBe('not-loaded');
  const missing = await client.load({ model: '/models/no-such-model/' }, nothing);
  expect(['no-model', 'network']).toContain(code(missing)); // a 404, or a start page for everything
});

test('loads; one thing at a time; the second load is free', async () => {
  const events: LoadEvent[] = [];
  const [info, other] = await Promise.all([
    client.load(MODEL, (e) => events.push(e)),
    client.load(MODEL, nothing),
  ]);
  expect(code(other)).toBe('busy');
  expect(value(info)).toMatchObject({ id: 'pocket', fps: 16 });
  expect(new Set(events.map((e) => e.type))).toEqual(new Set(['plan', 'download', 'upload', 'compile']));
  const again: LoadEvent[] = [];
  value(await client.load(MODEL, (e) => again.push(e)));
  expect(again).toEqual([]);
});

test('makes a clip; all its events come before the answer', async () => {
  const events: GenerateEvent[] = [];
  const making = client.generate(REQUEST, (e) => events.push(e));
  expect(code(await client.generate(REQUEST, nothing))).toBe('busy');
  const clip = value(await making);
  const heard = events.length;
  await new Promise((done) => setTimeout(done, 200));
  expect(events).toHaveLength(heard);
  expect(events.at(-1)).toMatchObject({ type: 'progress', stage: 'finish', fraction: 1 });

  expect(clip).toMatchObject({ width: 96, height: 64, frames: 5, fps: 16, backend: 'webgpu' });
  expect(clip.mp4.type).toBe('video/mp4');
  expect(clip.poster.type).toMatch(/^image\//);
  expect(clip.frameHashes).toHaveLength(5);
  expect(clip.timings.load).toBeGreaterThan(0);
  const bitmaps = events.flatMap((e) => (e.type === 'frames' ? e.bitmaps : []));
  expect(bitmaps.map(({ width, height }) => [width, height])).toEqual(Array(5).fill([96, 64]));
  for (const bitmap of bitmaps) bitmap.close();
  const previews = events.filter((e) => e.type === 'preview');
  expect(previews.map(({ frames, width, height }) => [frames, width, height])).toEqual(
    Array(2).fill([3, 12, 8]),
  );
});

test('cancel answers, stops the clip, and leaves the engine ready', async () => {
  expect(await client.cancel()).toBe(false);
  let cancelled: Promise<boolean> | null = null;
  const long = { ...REQUEST, steps: 50 };
  const result = await client.generate(long, (e) => {
    if (e.type === 'preview') cancelled ??= client.cancel();
  });
  expect(code(result)).toBe('cancelled');
  expect(await cancelled).toBe(true);
  expect(code(await client.generate({ ...REQUEST, steps: 1 }, nothing))).toBe('ok');
});

test('what cannot be asked for is refused, with the field', async () => {
  const result = await client.generate({ ...REQUEST, width: 100 }, nothing);
  expect(result).toMatchObject({ ok: false, error: { code: 'bad-request', params: { field: 'width' } } });
});

test('after dispose the client starts a new engine', async () => {
  await client.dispose();
  expect(code(await client.generate(REQUEST, nothing))).toBe('not-loaded');
});

test('the CPU backend takes over in the same worker, and gives way again', async () => {
  const events: LoadEvent[] = [];
  value(await client.load({ ...MODEL, backend: 'cpu' }, (e) => events.push(e)));
  // Text encoder, transformer, the decoder and the encoder of the autoencoder.
  expect(events.at(-1)).toEqual({ type: 'compile', done: 4, total: 4 });
  const clip = value(await client.generate(REQUEST, nothing));
  expect(clip).toMatchObject({ backend: 'cpu', adapter: null, frames: 5, peakGpuBytes: 0 });
  value(await client.load(MODEL, nothing));
  expect(value(await client.generate(REQUEST, nothing)).backend).toBe('webgpu');
});
