/** What a denoising step costs beside its kernels: nothing is compiled, allocated, bound or read back anew. */
import { afterAll, expect, test } from 'vitest';
import { Run } from '../../src/gpu/run';
import { createKvCache } from '../../src/models/kv-cache';
import { readWanConfig } from '../../src/models/wan-config';
import { encodeText, wanTransformer } from '../../src/models/wan-transformer';
import { syntheticWeights } from '../bench/block';
import { openTestGpu } from '../helpers/gpu';

const gpu = await openTestGpu();
afterAll(() => gpu.destroy());

const LAYERS = 2;
const config = readWanConfig({
  num_attention_heads: 2,
  attention_head_dim: 32,
  ffn_dim: 96,
  num_layers: LAYERS,
  text_dim: 64,
  text_len: 8,
});
const [F, H, W] = [2, 4, 6];
/**
 * Of a layer: modulation and norm; q and k with their norms and turns, v and its place, attention, its way out; the
 * text's norm, q, its norm, attention, its way out; norm and the two of the feed-forward. Sums with the stream are part
 * of the ways out.
 */
const A_LAYER = 20;
/** Timesteps (3, and an activation), patches and their embedding; modulation, norm, projection, frames. */
const AROUND = 10;

test('from the third step on there are launches and nothing else', async () => {
  const run = new Run(gpu);
  const weights = syntheticWeights(gpu, config);
  const cache = createKvCache(gpu, config, { frames: 2 * F, height: H, width: W });
  const text = encodeText(
    run,
    weights,
    config,
    run.input(new Float32Array(3 * 64).fill(0.1), [3, 64], 'text'),
  );
  const latents = run.input(new Float32Array(16 * F * H * W).fill(0.2), [16, F, H, W], 'x', 'f32');
  const step = () => {
    const out = wanTransformer(run, weights, config, {
      latents,
      timesteps: [500, 500],
      text,
      cache,
      firstFrame: F,
    });
    run.flush();
    run.release(out);
  };
  step(); // compiles and allocates
  step(); // finds all of its buffers free, where the first did not
  await run.sync();

  const names = ['createBindGroup', 'createBuffer', 'createComputePipeline', 'createComputePipelineAsync', 'createShaderModule'] as const; // prettier-ignore
  const calls: string[] = [];
  for (const name of names) {
    const real = gpu.device[name].bind(gpu.device) as (...args: unknown[]) => unknown;
    Object.defineProperty(gpu.device, name, {
      configurable: true,
      value: (...args: unknown[]) => (calls.push(name), real(...args)),
    });
  }
  const before = run.launches;
  try {
    step();
    step();
  } finally {
    for (const name of names) delete (gpu.device as unknown as Record<string, unknown>)[name];
  }
  // Reading back would need a staging buffer.
  expect(calls).toEqual([]);
  expect(run.launches - before).toBe(2 * (LAYERS * A_LAYER + AROUND));
  await run.sync();
  cache.free();
  weights.free();
  run.destroy();
});
