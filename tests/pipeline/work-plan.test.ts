/** What the transformer and TAEHV have at work, held against dry runs of it: at full size, without a GPU. */
import { expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import { Run } from '../../src/gpu/run';
import type { Elem } from '../../src/gpu/tensor';
import { wanShapes } from '../../src/models/tensors';
import { KvCache } from '../../src/models/kv-cache';
import { readWanConfig } from '../../src/models/wan-config';
import { encodeText, wanTransformer } from '../../src/models/wan-transformer';
import { estimateNeed, type Room } from '../../src/pipeline/memory-plan';
import { estimateDecoder } from '../../src/pipeline/decoder-plan';
import {
  createTaehvMemory,
  prepareTaehvDecoder,
  readTaehvConfig,
  taehvDecode,
  taehvShapes,
} from '../../src/models/taehv';
import { SAMPLINGS } from '../../src/pipeline/samplings';
import type { ModelManifest } from '../../src/weights/manifest';
import { Weights } from '../../src/weights/upload';
import { gpuNowhere, tensorNowhere } from '../helpers/nowhere';

const WAN = { num_attention_heads: 12, attention_head_dim: 128, in_channels: 16, out_channels: 16, text_dim: 4096, freq_dim: 256, ffn_dim: 8960, num_layers: 2 }; // prettier-ignore
const config = readWanConfig(WAN);

/** Scratch of one pass over a block behind others, as many as the window holds. */
function measure(gpu: Gpu, width: number, height: number, { frames, window }: { frames: number; window: number }): number {
  const [h, w] = [height / 8, width / 8];
  const shapes = [...wanShapes(config)];
  const weights = new Weights(gpu, 'nowhere', new Map(shapes.map(([name, shape]) => [name, tensorNowhere(shape, shape.length > 1 && shape[0]! > 1 ? 'f16' : 'f32', name)])));
  gpu.memory.tensor = (shape, dtype, label) => tensorNowhere(shape, dtype, label);
  const run = new Run(gpu, { dry: true });
  const text = encodeText(run, weights, config, run.tensor([20, config.text_dim], 'text', 'f32'));
  const before = run.arena.bytes;
  const cache = new KvCache(gpu, config, window, 0, (h / 2) * (w / 2), 'clip', 16);
  const latents = run.tensor([16, frames, h, w], 'latents', 'f32');
  const timesteps = Array<number>(frames).fill(1000);
  wanTransformer(run, weights, config, { latents, timesteps, text, firstFrame: window - frames, cache });
  return run.arena.bytes - before;
} // prettier-ignore

/** As the plan has it. */
function planned(elem: Elem, width: number, height: number, sampling: string): number {
  const { sampler } = SAMPLINGS.find(({ id }) => id === sampling)!;
  const manifest = {
    latent: { stride: [4, 8, 8] },
    sampler,
    components: { transformer: { config: WAN }, autoencoder: { network: 'taehv', config: {} } },
  } as unknown as ModelManifest;
  const e = elem === 'f16' ? 2 : 4;
  const room: Room = { element: e, buffer: 2 ** 40, total: 2 ** 40, speed: 1e15, scores: false, packs: true };
  const decoder = estimateDecoder({ network: 'taehv', config: readTaehvConfig({}) }, height / 8, width / 8, e); // prettier-ignore
  return estimateNeed(manifest, { width, height }, room).work - decoder.peak;
}

test.each([
  ['f16', 832, 480, 'longlive', { frames: 3, window: 12 }],
  ['f16', 448, 256, 'longlive', { frames: 3, window: 12 }],
  ['f32', 448, 256, 'causal-forcing', { frames: 1, window: 21 }],
  ['f16', 832, 480, 'fastwan', { frames: 21, window: 21 }],
  ['f32', 320, 192, 'wan', { frames: 21, window: 21 }],
] as const)('%s, %d × %d, %s: within a tenth', (elem, width, height, sampling, block) => {
  const real = measure(gpuNowhere(elem), width, height, block);
  const plan = planned(elem, width, height, sampling);
  if (process.env.SHOW) console.log(elem, width, height, sampling, real, plan, (real / plan).toFixed(3));
  expect(real / plan, `${real} of ${plan}`).toBeGreaterThan(0.9);
  expect(real / plan, `${real} of ${plan}`).toBeLessThan(1.1);
});

test.each([
  ['f16', 832, 480, {}],
  ['f32', 448, 256, {}],
  ['f32', 128, 64, { latent_channels: 16, decoder_channels: [16, 8, 8, 8] }],
] as const)(
  'TAEHV in %s, %d × %d: what is kept to the byte, all of it within a tenth',
  (elem, width, height, change) => {
    const taehv = readTaehvConfig(change as Record<string, unknown>);
    const gpu = gpuNowhere(elem);
    gpu.memory.tensor = (shape, dtype, label) => tensorNowhere(shape, dtype, label);
    const shapes = [...taehvShapes(taehv, 'decoder')];
    const weights = new Weights(gpu, 'nowhere', new Map(shapes.map(([name, shape]) => [name, tensorNowhere(shape, 'f32', name)]))); // prettier-ignore
    const run = new Run(gpu, { dry: true });
    const side = prepareTaehvDecoder(run, weights, taehv);
    const [h, w] = [height / 8, width / 8];
    const memory = createTaehvMemory(gpu, side, h, w);
    const before = run.arena.bytes;
    for (let i = 0; i < 2; i++) {
      const latent = run.tensor([1, 16, h, w], 'latent', 'f32');
      const rgb = taehvDecode(run, side, latent, memory);
      for (const t of [latent, rgb]) run.release(t);
    }
    const kept = [...memory.frames.values()].reduce((sum, t) => sum + t.storage.bytes, 0);
    const plan = estimateDecoder({ network: 'taehv', config: taehv }, h, w, elem === 'f16' ? 2 : 4);
    const real = run.arena.bytes - before;
    const ratio = (kept + real) / (plan.kept + plan.peak);
    if (process.env.SHOW)
      console.log(elem, width, height, kept, real, JSON.stringify(plan), ratio.toFixed(3));
    expect(plan.kept).toBe(kept);
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.1);
  },
);
