import { expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import type { Config } from '../../src/models/config';
import { readTaehvConfig } from '../../src/models/taehv';
import { readPatchEncoderConfig } from '../../src/models/patch-encoder';
import { readUmt5Config } from '../../src/models/umt5';
import { readWanConfig } from '../../src/models/wan-config';
import { readWanVaeConfig } from '../../src/models/wan-vae-layers';

/** Wan 2.1 1.3B, as diffusers' config.json has it, with what no reader needs. */
const WAN: Config = {
  _class_name: 'WanTransformer3DModel',
  added_kv_proj_dim: null,
  attention_head_dim: 128,
  cross_attn_norm: true,
  eps: 1e-6,
  ffn_dim: 8960,
  freq_dim: 256,
  image_dim: null,
  in_channels: 16,
  num_attention_heads: 12,
  num_layers: 30,
  out_channels: 16,
  patch_size: [1, 2, 2],
  pos_embed_seq_len: null,
  qk_norm: 'rms_norm_across_heads',
  rope_max_seq_len: 1024,
  text_dim: 4096,
};
/** UMT5-XXL. */
const UMT5: Config = {
  d_ff: 10240,
  d_kv: 64,
  d_model: 4096,
  dense_act_fn: 'gelu_new',
  feed_forward_proj: 'gated-gelu',
  is_gated_act: true,
  num_heads: 64,
  num_layers: 24,
  vocab_size: 256384,
};

test('reads the configs of the known checkpoints', () => {
  expect(readWanConfig(WAN)).toMatchObject({ text_len: 512, num_layers: 30, patch_size: [1, 2, 2] });
  expect(readWanConfig(WAN)).not.toHaveProperty('window');
  expect(readWanConfig({ ...WAN, num_frame_per_block: 3, window: 12, sink: 0 })).toMatchObject({ window: 12, sink: 0 }); // prettier-ignore
  expect(readUmt5Config(UMT5)).toMatchObject({
    relative_attention_num_buckets: 32,
    relative_attention_max_distance: 128,
    layer_norm_epsilon: 1e-6,
  });
  expect(readTaehvConfig({})).toMatchObject({ latent_channels: 16, decoder_channels: [256, 128, 64, 64] });
});

test('takes the defaults of diffusers and transformers', () => {
  expect(readWanConfig({})).toMatchObject({ num_layers: 40, num_attention_heads: 40, ffn_dim: 13824 });
  expect(readUmt5Config({})).toMatchObject({ num_layers: 8, num_heads: 6, vocab_size: 250112 });
});

test.each<[(c: Config) => unknown, Config, string]>([
  [readWanConfig, { ...WAN, num_layers: 0 }, 'wan-transformer: config.num_layers must be a whole number of at least 1, but is 0.'], // prettier-ignore
  [readWanConfig, { ...WAN, num_layers: '30' }, 'config.num_layers must be a whole number of at least 1, but is "30"'], // prettier-ignore
  [readWanConfig, { ...WAN, ffn_dim: 1.5 }, 'config.ffn_dim'],
  [readWanConfig, { ...WAN, attention_head_dim: 7 }, 'config.attention_head_dim'],
  [readWanConfig, { ...WAN, attention_head_dim: 4 }, 'config.attention_head_dim'],
  [readWanConfig, { ...WAN, patch_size: [1, 2] }, 'config.patch_size must be 3 whole numbers'],
  [readWanConfig, { ...WAN, patch_size: 2 }, 'config.patch_size'],
  [readWanConfig, { ...WAN, eps: 0 }, 'config.eps must be a number above 0, but is 0'],
  [readWanConfig, { ...WAN, cross_attn_norm: 'yes' }, 'config.cross_attn_norm must be true or false'],
  [readWanConfig, { ...WAN, qk_norm: 'layer_norm' }, 'config.qk_norm must be "rms_norm_across_heads"'],
  [readWanConfig, { ...WAN, image_dim: 1280 }, 'config.image_dim must be null, but is 1280'],
  [readWanConfig, { ...WAN, num_frame_per_block: -1 }, 'config.num_frame_per_block'],
  [readUmt5Config, { ...UMT5, d_model: -1 }, 'umt5: config.d_model'],
  [readUmt5Config, { ...UMT5, feed_forward_proj: 'relu' }, 'umt5: config.feed_forward_proj must be "gated-gelu", but is "relu"'], // prettier-ignore
  [readUmt5Config, { ...UMT5, relative_attention_num_buckets: 2 }, 'config.relative_attention_num_buckets'],
  [readTaehvConfig, { decoder_channels: [256, 128, 64] }, 'taehv: config.decoder_channels must be 4 whole numbers of at least 1, but is [256,128,64]'], // prettier-ignore
  [readTaehvConfig, { encoder_time_downscale: [1, 1, 0] }, 'config.encoder_time_downscale must be 3 times true or false'], // prettier-ignore
  [readTaehvConfig, { patch_size: 0 }, 'config.patch_size'],
  // Numbers that decide how much is counted have an end.
  [readWanConfig, { ...WAN, num_layers: 5_000_000 }, 'wan-transformer: config.num_layers must be a whole number of at most 512, but is 5000000.'], // prettier-ignore
  [
    readWanConfig,
    { ...WAN, patch_size: [1, 2, 2e7] },
    'config.patch_size must be 3 whole numbers of at most 10000000',
  ],
  [readUmt5Config, { ...UMT5, num_layers: 513 }, 'umt5: config.num_layers must be a whole number of at most 512, but is 513.'], // prettier-ignore
  [
    readUmt5Config,
    { ...UMT5, d_ff: 2e7 },
    'config.d_ff must be a whole number of at most 10000000, but is 20000000.',
  ],
  [readWanVaeConfig, { num_res_blocks: 9_999_999 }, 'wan-vae: config.num_res_blocks must be a whole number of at most 512, but is 9999999.'], // prettier-ignore
  [readWanVaeConfig, { dim_mult: Array(1e6).fill(1), temperal_downsample: Array(999_999).fill(true) }, 'wan-vae: config.dim_mult must be 1 to 8 whole numbers, but is [1,1,1,1'], // prettier-ignore
  [
    readWanVaeConfig,
    { dim_mult: [], temperal_downsample: [] },
    'config.dim_mult must be 1 to 8 whole numbers, but is []',
  ],
  [readWanVaeConfig, { attn_scales: [0.5] }, 'config.attn_scales must be empty, but is [0.5]'],
  [
    readTaehvConfig,
    { latent_channels: 2e7 },
    'config.latent_channels must be a whole number of at most 10000000',
  ],
  [readPatchEncoderConfig, { encoder_kind: 'patches', encoder_blocks: 9_999_999 }, 'taehv: config.encoder_blocks must be a whole number of at most 512, but is 9999999.'], // prettier-ignore
  [readTaehvConfig, null as unknown as Config, 'taehv: the config is no object'],
])('%o names the field', (read, config, message) => {
  let thrown: unknown;
  try {
    read(config);
  } catch (e) {
    thrown = e;
  }
  expect(thrown).toBeInstanceOf(KinoraError);
  expect((thrown as KinoraError).code).toBe('bad-model');
  expect((thrown as KinoraError).message).toContain(message);
  expect((thrown as KinoraError).message.length).toBeLessThan(300);
});
