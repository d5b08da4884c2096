/**
 * A whole block: the transformer once over a block of latents with a full cache. Of the bundled model with its own
 * weights, or of a checkpoint's shapes with made-up ones.
 */
import type { Gpu } from '../../src/gpu/device';
import { Run } from '../../src/gpu/run';
import { bytesOf, type Tensor } from '../../src/gpu/tensor';
import { wanShapes } from '../../src/models/tensors';
import { createKvCache } from '../../src/models/kv-cache';
import { readWanConfig, type WanConfig } from '../../src/models/wan-config';
import { encodeText, wanTransformer } from '../../src/models/wan-transformer';
import { f32ToF16 } from '../../src/weights/convert';
import type { ModelManifest } from '../../src/weights/manifest';
import { Weights } from '../../src/weights/upload';
import { measure, type Measured } from './measure';
import type { PeerCase } from './peer';

/** Latent height, width, frames of a block, frames before it, text rows. */
export interface BlockSize {
  H: number;
  W: number;
  F: number;
  past: number;
  text: number;
  /**
   * The text's keys and values are made in every run, as the peer's graph makes them; a clip makes them once. Default: once.
   */
  textAnew?: boolean;
}

export interface BlockTime extends Measured {
  launches: number;
  /** Bytes on the GPU at most, weights included. */
  bytes: number;
}

export async function measureBlock(
  gpu: Gpu,
  weights: Weights,
  config: WanConfig,
  size: BlockSize,
): Promise<BlockTime> {
  const { H, W, F, past, text: rows, textAnew = false } = size;
  const run = new Run(gpu);
  const cache = createKvCache(gpu, config, { frames: F + past, height: H, width: W });
  try {
    const hidden = run.input(
      new Float32Array(rows * config.text_dim).fill(0.1),
      [rows, config.text_dim],
      'text',
    );
    const encode = () => encodeText(run, weights, config, hidden);
    const once = textAnew ? null : encode();
    const shape = [config.in_channels, F, H, W];
    const x = run.input(new Float32Array(shape.reduce((a, b) => a * b)).fill(0.1), shape, 'x', 'f32');
    const timesteps = Array<number>(F).fill(500);
    const step = () =>
      run.scope(() => {
        const text = once ?? encode();
        return wanTransformer(run, weights, config, { latents: x, timesteps, text, cache, firstFrame: past });
      });
    run.release(step()); // gathers what there is to choose between
    await run.sync();
    await gpu.tuner.settle(gpu, run.questions.values());
    let launches = 0;
    const time = await measure(run, () => {
      const before = run.launches;
      step();
      launches = run.launches - before;
    });
    return { ...time, launches, bytes: gpu.memory.peak };
  } finally {
    cache.free();
    run.destroy();
  }
}

/** The bundled model's block: its own size, the window but for the block before it; as much text as the peer's graph takes. */
export function blockSizeOf({ sampler, latent, sizes, components }: ModelManifest): BlockSize {
  const F = sampler.num_frame_per_block;
  const [H, W] = [sizes[0]!.height / latent.stride[1], sizes[0]!.width / latent.stride[2]];
  const { text_len: text } = readWanConfig(components.transformer.config);
  return { H, W, F, past: sampler.window - F, text, textAnew: true };
}

/** The same block in onnxruntime-web. */
export function blockPeer(manifest: ModelManifest): PeerCase {
  const c = readWanConfig(manifest.components.transformer.config);
  const { H, W, F, past } = blockSizeOf(manifest);
  const keys = past * (H / c.patch_size[1]) * (W / c.patch_size[2]);
  const kept = { dims: [c.num_layers, c.num_attention_heads, keys, c.attention_head_dim] };
  return {
    model: 'onnx/transformer.onnx',
    inputs: {
      latents: { dims: [1, c.in_channels, F, H, W] },
      timesteps: { dims: [1, F] },
      context: { dims: [1, c.text_len, c.text_dim] },
      first_frame: { dims: [1], type: 'int64', data: BigInt64Array.of(BigInt(past)) },
      past_k: kept,
      past_v: kept,
    },
  };
}

/** Wan 2.1 1.3B, or a smaller network of its kind. */
export const WAN_CONFIG = {
  num_attention_heads: 12,
  attention_head_dim: 128,
  ffn_dim: 8960,
  num_layers: 30,
  text_dim: 4096,
  text_len: 512,
};

/** Weights of this shape: matrices as q8_0 of noise of about 1/√K, vectors of 0.1. */
export function syntheticWeights(gpu: Gpu, config: WanConfig): Weights {
  const { memory } = gpu;
  const tensors = new Map<string, Tensor>();
  const noise = new Int8Array(2 ** 22);
  let state = 1;
  for (let i = 0; i < noise.length; i++)
    noise[i] = (state = (Math.imul(state, 1664525) + 1013904223) | 0) >> 24;
  const fill = (
    t: { bytes: number },
    from: ArrayBufferView<ArrayBuffer>,
    write: (at: number, n: number) => void,
  ) => {
    for (let at = 0; at < t.bytes; at += from.byteLength) write(at, Math.min(from.byteLength, t.bytes - at));
  };
  for (const [name, shape] of wanShapes(config)) {
    const [rows, ...rest] = shape;
    const K = rest.reduce((a, b) => a * b, 1);
    // As upload.ts has it: tables with a leading axis of 1 and vectors stay f32.
    if (rest.length === 0 || rows === 1) {
      tensors.set(name, memory.upload(new Float32Array(rows! * K).fill(0.1), shape, 'f32', name));
      continue;
    }
    if (K % 32) throw new RangeError(`${name} [${shape}]: rows of ${K} are not whole blocks of 32`);
    const storage = memory.allocate(bytesOf(shape, 'q8_0'), name);
    const scales = memory.allocate((rows! * K) / 16, `${name} (scales)`);
    fill(storage, noise, (at, n) => memory.write(storage, noise.subarray(0, n), at));
    const halves = new Uint16Array(2 ** 20).fill(f32ToF16(1 / (74 * Math.sqrt(K))));
    fill(scales, halves, (at, n) => memory.write(scales, halves.subarray(0, n / 2), at));
    tensors.set(name, { storage, scales, dtype: 'q8_0', shape, label: name });
  }
  return new Weights(gpu, 'synthetic', tensors);
}
