/**
 * One table of how others call the tensors of our networks. Ours are diffusers' names for the transformer and
 * the VAE, transformers' for UMT5, taehv's own for TAEHV.
 *
 * | layout                         | told by                                 |
 * |--------------------------------|-----------------------------------------|
 * | diffusers, transformers        | nothing to rename                       |
 * | original Wan, ComfyUI, Kijai   | `self_attn`, `token_embedding`, …       |
 * | Self-Forcing, LongLive, rCM    | a prefix before the original names      |
 * | checkpoints of a training      | `state_dict`, `model`, `ema`, … before  |
 * | GGUF of ComfyUI-GGUF           | original names; of UMT5 llama.cpp's     |
 *
 * [huggingface/diffusers `loaders/single_file_utils.py`, ggml-org/llama.cpp `gguf-py/gguf/tensor_mapping.py`,
 * Wan-Video/Wan2.1 `wan/modules/{model,t5,vae}.py`]
 */

export type NetworkName = 'wan-transformer' | 'umt5' | 'wan-vae' | 'taehv';

/** Parts of a name, renamed one after another. */
type Renames = readonly (readonly [RegExp, string])[];

/** What training wrappers put anywhere into a name. */
const WRAPPERS = /(_fsdp_wrapped_module|_checkpoint_wrapped_module|_orig_mod|module)\./g;

/** Keys under which trainings keep the weights of any network, beside their own state; none of ours begins so. */
const CONTAINERS = [
  'state_dict.',
  'model_state_dict.',
  'model_state.',
  'generator_ema.',
  'generator.',
  'ema_model.',
  'model_ema.',
  'ema.',
  'params_ema.',
  'params.',
  'weights.',
  'model.',
  'net.',
] as const;

/** Prefixes of programs, the longest first, one inside another. */
const PREFIXES: Readonly<Record<NetworkName, readonly string[]>> = {
  'wan-transformer': ['model.diffusion_model.', 'diffusion_model.', 'transformer.'],
  umt5: ['text_encoder.', 'text_encoders.umt5xxl.transformer.', 'umt5xxl.transformer.', 'transformer.'],
  'wan-vae': ['first_stage_model.', 'vae.'],
  taehv: ['taehv.'],
};

/** What a training keeps beside the weights: its state, and networks that only it has. */
const TRAINING =
  /^(\w*optim\w*|\w*scheduler\w*|\w*scaler|critic\w*|discriminator\w*|fake_score|real_score|rng_state\w*|callbacks|loops)\.|^(epoch|step|\w+_step|iter|iteration)$/;
/** Whether a training kept it for itself: it is no part of what was trained, nor of a LoRA for it. */
export const isOfTraining = (name: string): boolean => TRAINING.test(name);
/** Tensors that belong to another program, and to no network. */
const NOISE =
  /(^|\.)(_extra_state|num_batches_tracked|spiece_model|scaled_fp8)$|(^|\.)(freqs|rope|pos_embedder)(\.|$)/;

/**
 * The gate of a branch that only sparse attention has: attention to the means of cubes of tokens, added to that over the
 * chosen cubes. Attention to all tokens has neither [hao-ai-lab/FastVideo `WanTransformerBlock_VSA`].
 */
const SPARSE = /^blocks\.\d+\.(attn1\.|self_attn\.)?to_gate_compress\./;

const RENAMES: Readonly<Record<NetworkName, Renames>> = {
  'wan-transformer': [
    [/^time_embedding\.0\./, 'condition_embedder.time_embedder.linear_1.'],
    [/^time_embedding\.2\./, 'condition_embedder.time_embedder.linear_2.'],
    [/^text_embedding\.0\./, 'condition_embedder.text_embedder.linear_1.'],
    [/^text_embedding\.2\./, 'condition_embedder.text_embedder.linear_2.'],
    [/^time_projection\.1\./, 'condition_embedder.time_proj.'],
    [/^head\.modulation$/, 'scale_shift_table'],
    [/^head\.head\./, 'proj_out.'],
    [/^(blocks\.\d+)\.modulation$/, '$1.scale_shift_table'],
    [/^(blocks\.\d+)\.ffn\.0\./, '$1.ffn.net.0.proj.'],
    [/^(blocks\.\d+)\.ffn\.2\./, '$1.ffn.net.2.'],
    [/^(blocks\.\d+)\.self_attn\./, '$1.attn1.'],
    [/^(blocks\.\d+)\.cross_attn\./, '$1.attn2.'],
    [/^(blocks\.\d+\.attn[12])\.([qkv])\./, '$1.to_$2.'],
    [/^(blocks\.\d+\.attn[12])\.o\./, '$1.to_out.0.'],
    // The affine norm before cross-attention is the original's third and diffusers' second.
    [/^(blocks\.\d+)\.norm3\./, '$1.norm2.'],
  ],
  umt5: [
    [/^(token_embedding|token_embd|encoder\.embed_tokens)\.weight$/, 'shared.weight'],
    [/^(norm|enc\.output_norm)\.weight$/, 'encoder.final_layer_norm.weight'],
    [/^(?:blocks|enc\.blk)\.(\d+)\.(?:norm1|attn_norm)\./, 'encoder.block.$1.layer.0.layer_norm.'],
    [/^(?:blocks|enc\.blk)\.(\d+)\.(?:norm2|ffn_norm)\./, 'encoder.block.$1.layer.1.layer_norm.'],
    [/^(?:blocks|enc\.blk)\.(\d+)\.(?:attn\.|attn_)([qkvo])\./, 'encoder.block.$1.layer.0.SelfAttention.$2.'],
    [
      /^(?:blocks|enc\.blk)\.(\d+)\.(?:pos_embedding\.embedding|attn_rel_b)\./,
      'encoder.block.$1.layer.0.SelfAttention.relative_attention_bias.',
    ],
    [
      /^(?:blocks|enc\.blk)\.(\d+)\.(?:ffn\.gate\.0|ffn_gate)\./,
      'encoder.block.$1.layer.1.DenseReluDense.wi_0.',
    ],
    [/^(?:blocks|enc\.blk)\.(\d+)\.(?:ffn\.fc1|ffn_up)\./, 'encoder.block.$1.layer.1.DenseReluDense.wi_1.'],
    [/^(?:blocks|enc\.blk)\.(\d+)\.(?:ffn\.fc2|ffn_down)\./, 'encoder.block.$1.layer.1.DenseReluDense.wo.'],
  ],
  'wan-vae': [
    [/^conv1\./, 'quant_conv.'],
    [/^conv2\./, 'post_quant_conv.'],
    [/^(encoder|decoder)\.conv1\./, '$1.conv_in.'],
    [/^(encoder|decoder)\.head\.0\./, '$1.norm_out.'],
    [/^(encoder|decoder)\.head\.2\./, '$1.conv_out.'],
    [/^(encoder|decoder)\.middle\.0\./, '$1.mid_block.resnets.0.'],
    [/^(encoder|decoder)\.middle\.1\./, '$1.mid_block.attentions.0.'],
    [/^(encoder|decoder)\.middle\.2\./, '$1.mid_block.resnets.1.'],
    [/^encoder\.downsamples\./, 'encoder.down_blocks.'],
    [/\.residual\.0\./, '.norm1.'],
    [/\.residual\.2\./, '.conv1.'],
    [/\.residual\.3\./, '.norm2.'],
    [/\.residual\.6\./, '.conv2.'],
    [/\.shortcut\./, '.conv_shortcut.'],
  ],
  taehv: [],
};

/** The original counts three residual blocks and an upsampler of each level in one row. */
function upsample(name: string): string {
  return name.replace(/^decoder\.upsamples\.(\d+)\./, (_, flat: string) => {
    const [level, i] = [Math.floor(Number(flat) / 4), Number(flat) % 4];
    return `decoder.up_blocks.${level}.${i === 3 ? 'upsamplers.0' : `resnets.${i}`}.`;
  });
}

/** A name without what wrappers and containers put before it. */
export function stripPrefixes(network: NetworkName, name: string): string {
  let rest = name.replace(WRAPPERS, '');
  for (let times = 0; times < 6; times++) {
    const prefix = [...PREFIXES[network], ...CONTAINERS].find((p) => rest.startsWith(p));
    if (!prefix) break;
    rest = rest.slice(prefix.length);
  }
  return rest;
}

/** A tensor's name as our networks call it; null when it belongs to none. Unknown names stay as they are. */
export function ourName(network: NetworkName, name: string): string | null {
  if (NOISE.test(name) || TRAINING.test(name)) return null;
  let ours = stripPrefixes(network, name);
  if (network === 'wan-transformer' && SPARSE.test(ours)) return null;
  // diffusers' norm2 is the original's norm3; the original's norm2 has no weights, so a file with both is odd.
  for (const [pattern, to] of RENAMES[network]) ours = ours.replace(pattern, to);
  return network === 'wan-vae' ? upsample(ours) : ours;
}

/** Whether a Wan transformer with these tensors was trained with sparse attention, whose gates Kinora leaves out. */
export const isSparse = (names: Iterable<string>): boolean =>
  Array.from(names).some((name) => SPARSE.test(stripPrefixes('wan-transformer', name)));

/** Of two tensors of one name the one with the higher rank is taken: averaged weights over the last ones. */
export const rank = (name: string): number =>
  /(^|\.)(generator_ema|ema_model|model_ema|params_ema|ema)\./.test(name) ? 1 : 0;

/** How the tensors of a file are called, for people. */
export type LayoutName = 'ours' | 'original' | 'ComfyUI' | 'Self-Forcing' | 'rCM' | 'llama.cpp';

/** Told by the names that only this layout has; `ours` are diffusers', transformers' and taehv's. */
export function layoutOf(network: NetworkName, names: Iterable<string>): LayoutName {
  let layout: LayoutName = 'ours';
  for (const name of names) {
    if (/^(state_dict\.)?generator(_ema)?\./.test(name)) return 'Self-Forcing';
    if (/^net\./.test(name)) return 'rCM';
    if (/^enc\.blk\./.test(name)) return 'llama.cpp';
    if (/^(model\.)?diffusion_model\.|^first_stage_model\.|^umt5xxl\./.test(name)) return 'ComfyUI';
    const ours = ourName(network, name);
    if (ours !== null && ours !== stripPrefixes(network, name)) layout = 'original';
  }
  return layout;
}
