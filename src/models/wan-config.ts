/** What a checkpoint's config says of the Wan transformer. */
import { ConfigReader, MOST_LAYERS, type Config } from './config';

export interface WanConfig {
  /** Frames, rows, columns of a token. */
  patch_size: [number, number, number];
  num_attention_heads: number;
  attention_head_dim: number;
  in_channels: number;
  out_channels: number;
  text_dim: number;
  freq_dim: number;
  ffn_dim: number;
  num_layers: number;
  cross_attn_norm: boolean;
  eps: number;
  /** Text rows that the checkpoint was trained with, pads included. */
  text_len: number;
  /** Causal checkpoints: latent frames denoised together. */
  num_frame_per_block?: number;
  /** Latent frames in the cache, the present block included. */
  window?: number;
  /** First latent frames that stay in the cache. */
  sink?: number;
  /** Where the sink stands once frames have fallen out; see `Positions`. */
  positions?: Positions;
}

/**
 * Where the frames of the sink stand for the rotary embedding when the window has moved on.
 * - clip: where they were made. Their distance grows with the clip [Self-Forcing, LongLive 1.0].
 * - window: right before the window, so that no distance is ever longer than the window and a clip may be of any length.
 * Scores depend on distances only, so without a sink both are the same.
 */
export type Positions = 'clip' | 'window';

/** Reads diffusers' config, with its defaults, plus `text_len` and the causal fields. Throws `bad-model` naming the field. */
export function readWanConfig(config: Config): WanConfig {
  const c = new ConfigReader('wan-transformer', config);
  c.expect('qk_norm', ['rms_norm_across_heads']);
  c.expect('added_kv_proj_dim', [null]);
  c.expect('image_dim', [null]);
  const optional = (field: string, least: number) =>
    config[field] === undefined || config[field] === null ? {} : { [field]: c.integer(field, least) };
  const read: WanConfig = {
    patch_size: c.integers('patch_size', 3, [1, 2, 2]) as [number, number, number],
    num_attention_heads: c.integer('num_attention_heads', 1, 40),
    attention_head_dim: c.integer('attention_head_dim', 6, 128),
    in_channels: c.integer('in_channels', 1, 16),
    out_channels: c.integer('out_channels', 1, 16),
    text_dim: c.integer('text_dim', 1, 4096),
    freq_dim: c.integer('freq_dim', 2, 256),
    ffn_dim: c.integer('ffn_dim', 1, 13824),
    num_layers: c.integer('num_layers', 1, 40, MOST_LAYERS),
    cross_attn_norm: c.boolean('cross_attn_norm', true),
    eps: c.positive('eps', 1e-6),
    text_len: c.integer('text_len', 1, 512),
    ...optional('num_frame_per_block', 1),
    ...optional('window', 1),
    ...optional('sink', 0),
  };
  c.expect('positions', [null, 'clip', 'window']);
  if (config.positions) read.positions = config.positions as Positions;
  if (read.attention_head_dim % 2) throw c.wrong('attention_head_dim', 'an even number');
  return read;
}

/** Model width. */
export const widthOf = (c: WanConfig) => c.num_attention_heads * c.attention_head_dim;
