import { expect, test } from 'vitest';
import type { StoreReport } from './store.worker';

/** A model.json that names one file for everything. */
const file = 'taehv.safetensors';
const manifest = {
  format: 'kinora-model/1',
  id: 'test',
  name: 'Test',
  edition: '1',
  license: 'MIT',
  fps: 16,
  sizes: [{ width: 96, height: 64 }],
  seconds: { default: 1, max: 1 },
  latent: { channels: 1, stride: [4, 8, 8], mean: [0], std: [1] },
  preview: { matrix: [[1, 1, 1]], bias: [0, 0, 0] },
  sampler: { kind: 'renoise', timesteps: [1000], shift: 5, num_frame_per_block: 3, window: 3, sink: 0 },
  components: {
    tokenizer: { file },
    text_encoder: { network: 'umt5', config: {}, file },
    transformer: { network: 'wan-transformer-causal', config: {}, file },
    autoencoder: { network: 'taehv', config: {}, file },
  },
  prompts: {},
};

test('keeps a model in the real OPFS of a worker, checks and mends it', async () => {
  const worker = new Worker(new URL('./store.worker.ts', import.meta.url), { type: 'module' });
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (e) => reject(new Error(e.message || 'the worker could not start'));
    });
  const { ready: sha256 } = (await next()) as { ready: string };
  worker.postMessage(manifest);
  const report = (await next()) as StoreReport & { error?: string };
  worker.terminate();
  expect(report.error).toBeUndefined();
  const good = { persisted: true, problem: null, offline: false, intact: true };
  expect(report.first).toEqual({ ...good, asked: ['model.json', file] });
  expect(report.second).toEqual({ ...good, asked: ['model.json'] });
  expect(report.offline).toEqual({ ...good, offline: true, asked: ['model.json'] });
  expect(report.mended).toEqual({ ...good, asked: ['model.json', file] });
  expect(report.names).toEqual([sha256, 'model.json'].sort());
});
