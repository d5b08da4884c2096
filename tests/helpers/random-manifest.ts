/** model.json of the tiny model of random weights, for who has its weights elsewhere, in Node and in browsers. */
import type { ModelManifest } from '../../src/weights/manifest';

/** Widths: text D, transformer W of 2 heads, their feed-forward, decoder, latent channels. */
export const [D, W, INNER, DECODER, CHANNELS] = [32, 32, 64, 8, 4] as const;
export const [VOCABULARY, BUCKETS, FREQUENCIES, LAYERS] = [640, 32, 32, 2] as const;

export const TEXT_CONFIG = {
  vocab_size: VOCABULARY,
  d_model: D,
  d_kv: 16,
  d_ff: INNER,
  num_layers: 1,
  num_heads: 2,
  relative_attention_num_buckets: BUCKETS,
  feed_forward_proj: 'gated-gelu',
};
export const TRANSFORMER_CONFIG = {
  patch_size: [1, 2, 2],
  num_attention_heads: 2,
  attention_head_dim: W / 2,
  in_channels: CHANNELS,
  out_channels: CHANNELS,
  text_dim: D,
  freq_dim: FREQUENCIES,
  ffn_dim: INNER,
  num_layers: LAYERS,
  text_len: 24,
};
export const AUTOENCODER_CONFIG = {
  latent_channels: CHANNELS,
  decoder_channels: [DECODER, DECODER, DECODER, DECODER],
  decoder_space_upscale: [false, false, false],
  encoder_channels: DECODER,
  encoder_space_downscale: [false, false, false],
  patch_size: 8,
};

/** Wan's VAE with two levels: a latent is two frames of 2 × 2 pixels. */
export const VAE_CONFIG = {
  base_dim: 8,
  z_dim: CHANNELS,
  dim_mult: [1, 2],
  num_res_blocks: 1,
  temperal_downsample: [true],
};

export interface ManifestChange {
  sampler?: Partial<ModelManifest['sampler']>;
  components?: Partial<ModelManifest['components']>;
  /** With Wan's VAE in place of TAEHV. */
  vae?: boolean;
}

export function randomManifest({ sampler, components, vae }: ManifestChange = {}): ModelManifest {
  return {
    format: 'kinora-model/1',
    id: 'random',
    name: 'Random weights, for tests only',
    edition: '1',
    license: 'MIT',
    fps: 16,
    seconds: { default: 2, max: 5 },
    files: [],
    prompts: { en: ['a red boat'], zh: ['红船'] },
    sizes: [{ width: 48, height: 32 }],
    latent: {
      channels: CHANNELS,
      stride: vae ? [2, 2, 2] : [4, 8, 8],
      mean: [0.1, -0.2, 0.3, 0],
      std: [0.9, 1.1, 0.8, 1],
    },
    preview: { matrix: Array.from({ length: CHANNELS }, () => [0.2, 0.1, -0.1]), bias: [0.5, 0.5, 0.5] },
    sampler: {
      kind: 'renoise',
      timesteps: [1000, 750, 500, 250],
      shift: 5,
      num_frame_per_block: 3,
      window: 6,
      sink: 0,
      ...sampler,
    },
    components: {
      tokenizer: { file: 'tokenizer.json' },
      text_encoder: { network: 'umt5', config: TEXT_CONFIG, file: 'text.safetensors' },
      transformer: { network: 'wan-transformer-causal', config: TRANSFORMER_CONFIG, file: 'dit.safetensors' },
      autoencoder: vae
        ? { network: 'wan-vae', config: VAE_CONFIG, file: 'vae.safetensors' }
        : { network: 'taehv', config: AUTOENCODER_CONFIG, file: 'taehv.safetensors' },
      ...components,
    },
  };
}
