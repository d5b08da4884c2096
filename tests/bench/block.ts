/** A whole block of Pocket: the transformer once over three latents with a full cache. Needs a page (the weights). */
import { Run } from '../../src/gpu/run';
import type { Gpu } from '../../src/gpu/device';
import { createKvCache, encodeText, wanTransformer } from '../../src/models/wan-transformer';
import { loadModel } from '../../src/pipeline/model';
import { measure } from './measure';
import type { PeerCase } from './peer';

/** Latent height and width, frames of a block, frames before it. */
const [H, W, F, PAST] = [8, 12, 3, 3];

export async function measureBlock(gpu: Gpu, url: string): Promise<{ seconds: number; launches: number }> {
  const model = await loadModel(gpu, url, () => {});
  const run = new Run(gpu);
  const { weights, config } = model.transformer;
  const cache = createKvCache(gpu, config, { frames: F + PAST, height: H, width: W });
  try {
    const hidden = run.input(new Float32Array(10 * config.text_dim).fill(0.1), [10, config.text_dim], 'text');
    const text = encodeText(run, weights, config, hidden);
    const x = run.input(new Float32Array(config.in_channels * F * H * W).fill(0.1), [config.in_channels, F, H, W], 'x', 'f32'); // prettier-ignore
    const timesteps = Array<number>(F).fill(500);
    let launches = 0;
    const seconds = await measure(run, () => {
      const before = run.launches;
      wanTransformer(run, weights, config, { latents: x, timesteps, text, cache, firstFrame: PAST });
      launches = run.launches - before;
    });
    return { seconds, launches };
  } finally {
    cache.free();
    run.destroy();
    model.free();
  }
}

export const BLOCK_PEER: PeerCase = {
  model: 'onnx/transformer.onnx',
  inputs: {
    latents: { dims: [1, 16, F, H, W] },
    timesteps: { dims: [1, F] },
    context: { dims: [1, 32, 192] },
    first_frame: { dims: [1], type: 'int64', data: BigInt64Array.of(BigInt(PAST)) },
    past_k: { dims: [6, 3, (PAST * H * W) / 4, 64] },
    past_v: { dims: [6, 3, (PAST * H * W) / 4, 64] },
  },
};
