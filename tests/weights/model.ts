/** A small model for tests: a model.json and the files that it names. */
import { createHash } from 'node:crypto';
import type { ModelManifest } from '../../src/weights/manifest';

export const FILES: Record<string, string> = {
  'tokenizer.json': '{"a tokenizer": true}',
  'text_encoder.gguf': 'text encoder '.repeat(50),
  'transformer.gguf': 'transformer '.repeat(100),
  'taehv.safetensors': 'autoencoder '.repeat(30),
};

export const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');

export function manifest(files: Record<string, string> = FILES, edition = '1'): ModelManifest {
  return {
    format: 'kinora-model/1',
    id: 'pocket',
    name: 'Kinora Pocket',
    edition,
    license: 'MIT',
    fps: 16,
    sizes: [{ width: 96, height: 64 }],
    seconds: { default: 2, max: 5 },
    latent: { channels: 16, stride: [4, 8, 8], mean: Array(16).fill(0), std: Array(16).fill(1) },
    preview: { matrix: Array.from({ length: 16 }, () => [0, 0.5, 1]), bias: [0, 0, 0] },
    sampler: {
      kind: 'renoise',
      timesteps: [1000, 750, 500, 250],
      shift: 5,
      num_frame_per_block: 3,
      window: 9,
      sink: 0,
    },
    components: {
      tokenizer: { file: 'tokenizer.json' },
      text_encoder: { network: 'umt5', config: { d_model: 64 }, file: 'text_encoder.gguf' },
      transformer: { network: 'wan-transformer-causal', config: { num_layers: 2 }, file: 'transformer.gguf' },
      autoencoder: { network: 'taehv', config: {}, file: 'taehv.safetensors' },
    },
    files: Object.entries(files).map(([path, data]) => ({
      path,
      bytes: Buffer.byteLength(data),
      sha256: sha256(data),
    })),
    prompts: { en: ['a red boat'], zh: ['红船'] },
    vocabulary: 'vocabulary.json',
    training: { steps: 1 },
  };
}
