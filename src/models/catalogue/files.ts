/**
 * Where the files of Wan 2.1 1.3B and of what it needs lie on the hub. Names, and sizes as far as they could be learnt
 * from public notes; what is really fetched, and its hash, the hub says before a download begins (weights/hub.ts).
 */
export interface CatalogueFile {
  /** "owner/name" on the hub. */
  repo: string;
  /** A branch, or the commit at which the file was seen. */
  revision: string;
  path: string;
  /** Null: nobody told. */
  bytes: number | null;
}

const file = (repo: string, path: string, bytes: number | null = null, revision = 'main'): CatalogueFile => ({ repo, revision, path, bytes }); // prettier-ignore

const COMFY = 'Comfy-Org/Wan_2.1_ComfyUI_repackaged';
const UMT5 = 'city96/umt5-xxl-encoder-gguf';
const LONGLIVE = 'Efficient-Large-Model/LongLive-1.3B';
const CAUSAL = 'zhuhz22/Causal-Forcing';
/** The commit at which both were found. */
const CAUSAL_COMMIT = '2f8eb8bb6eeb1238da9d13e5420d342a74d634a6';

export const FILES = {
  selfForcing: file('gdhe17/Self-Forcing', 'checkpoints/self_forcing_dmd.pt', 5_676_252_553, '2f8b779212da279d212c22a509b66ad6552f350e'), // prettier-ignore
  selfForcingFp8: file('lym00/Wan2.1-T2V-1.3B-Self-Forcing-VACE-Addon-Experiment', 'Wan2.1_T2V_1.3B_SelfForcing_DMD-FP8_e4m3fn.safetensors', 1_419_385_896), // prettier-ignore
  longLive: file(LONGLIVE, 'models/longlive_base.pt', 5_676_334_208),
  longLiveLora: file(LONGLIVE, 'models/lora.pt', 2_800_056_690),
  causalForcing: file(CAUSAL, 'chunkwise/causal_forcing.pt', 5_700_000_000, CAUSAL_COMMIT),
  causalForcing2: file(CAUSAL, 'causal-forcing++/framewise-2step.pt', 5_700_000_000, CAUSAL_COMMIT),
  fastWan: file('FastVideo/FastWan2.1-T2V-1.3B-Diffusers', 'transformer/diffusion_pytorch_model.safetensors'),
  rcm: file('worstcoder/rcm-Wan', 'rCM_Wan2.1_T2V_1.3B_480p.pt', 2_840_000_000),
  wan: file(COMFY, 'split_files/diffusion_models/wan2.1_t2v_1.3B_fp16.safetensors', 2_840_000_000),

  umt5Q4: file(UMT5, 'umt5-xxl-encoder-Q4_K_M.gguf', 3_660_000_000),
  umt5Q5: file(UMT5, 'umt5-xxl-encoder-Q5_K_M.gguf', 4_145_878_880),
  umt5Q8: file(UMT5, 'umt5-xxl-encoder-Q8_0.gguf'),
  umt5Fp8: file(COMFY, 'split_files/text_encoders/umt5_xxl_fp8_e4m3fn_scaled.safetensors', 6_740_000_000),

  taehv: file('Kijai/WanVideo_comfy', 'taew2_1.safetensors', 22_600_000),
  vae: file(COMFY, 'split_files/vae/wan_2.1_vae.safetensors', 254_000_000),
} as const satisfies Record<string, CatalogueFile>;
