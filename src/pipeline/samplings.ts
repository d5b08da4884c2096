/**
 * How the known families of Wan 2.1 checkpoints are sampled. Files do not say it: the same tensors may be the base model
 * or one distilled to four steps. So a person chooses; what its layout and its gates tell is only what is offered first.
 */
import type { ModelManifest } from '../weights/manifest';
import { SAMPLERS } from '../sampling/plan';
import type { LayoutName } from '../models/names';

type Sampler = ModelManifest['sampler'];

export interface Sampling {
  id: SamplingId;
  sampler: Sampler;
  /** Seconds that it was trained for; longer ones work for the causal families, and drift. */
  seconds: ModelManifest['seconds'];
}
export type SamplingId =
  'self-forcing' | 'longlive' | 'causal-forcing' | 'fastwan' | 'rcm' | 'wan' | 'wan-euler';

/** Latent frames of the clip that all of them were trained on: 81 frames, 5 seconds. */
const TRAINED = 21;
/** Not causal: the whole clip is one block. */
const WHOLE = { num_frame_per_block: TRAINED, window: TRAINED, sink: 0 };
const FIVE = { default: 5, max: 5 };

const listed = ({ kind, timesteps, shift }: (typeof SAMPLERS)[keyof typeof SAMPLERS]) => ({
  kind,
  timesteps: [...timesteps],
  shift,
});

/** Words of our own; the published one is a list of faults, too. */
const NEGATIVE =
  'blurry, overexposed, a still picture, text, subtitles, watermark, low quality, deformed hands';

const GUIDANCE = { scale: 5, negative_prompt: NEGATIVE };

export const SAMPLINGS: readonly Sampling[] = [
  {
    id: 'self-forcing',
    sampler: { ...listed(SAMPLERS['self-forcing']), num_frame_per_block: 3, window: TRAINED, sink: 0 },
    seconds: FIVE,
  },
  {
    id: 'longlive',
    sampler: {
      ...listed(SAMPLERS['self-forcing']),
      num_frame_per_block: 3,
      window: 12,
      sink: 3,
      positions: 'clip',
    },
    seconds: { default: 5, max: 60 },
  },
  {
    id: 'causal-forcing',
    sampler: { ...listed(SAMPLERS['causal-forcing-2']), num_frame_per_block: 1, window: TRAINED, sink: 0 },
    seconds: FIVE,
  },
  { id: 'fastwan', sampler: { ...listed(SAMPLERS.fastwan), ...WHOLE }, seconds: FIVE },
  { id: 'rcm', sampler: { ...listed(SAMPLERS.rcm), ...WHOLE }, seconds: FIVE },
  { id: 'wan', sampler: { ...listed(SAMPLERS.wan), ...WHOLE, guidance: GUIDANCE }, seconds: FIVE },
  { id: 'wan-euler', sampler: { ...listed(SAMPLERS['wan-euler']), ...WHOLE, guidance: GUIDANCE }, seconds: FIVE }, // prettier-ignore
];

/**
 * What is offered first for a transformer of this layout.
 * @param sparse it has gates of sparse attention, which of the known families only FastWan has
 */
export function likelySampling(layout: LayoutName, hasLora: boolean, sparse = false): SamplingId {
  if (sparse) return 'fastwan';
  if (layout === 'rCM') return 'rcm';
  if (layout === 'Self-Forcing') return hasLora ? 'longlive' : 'self-forcing';
  return 'wan';
}

/**
 * Of the 16 channels of Wan 2.1's latents: latent = normalised · std + mean [Wan-Video/Wan2.1 `wan/modules/vae.py`,
 * diffusers `AutoencoderKLWan`].
 */
export const WAN_LATENTS = {
  mean: [-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921], // prettier-ignore
  std: [2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.916], // prettier-ignore
};

/** Normalised latents → RGB in −1…1, by least squares [comfyanonymous/ComfyUI `comfy/latent_formats.py` `Wan21`]. */
const FACTORS = [
  [-0.1299, -0.1692, 0.2932],
  [0.0671, 0.0406, 0.0442],
  [0.3568, 0.2548, 0.1747],
  [0.0372, 0.2344, 0.142],
  [0.0313, 0.0189, -0.0328],
  [0.0296, -0.0956, -0.0665],
  [-0.3477, -0.4059, -0.2925],
  [0.0166, 0.1902, 0.1975],
  [-0.0412, 0.0267, -0.1364],
  [-0.1293, 0.074, 0.1636],
  [0.068, 0.3019, 0.1128],
  [0.0032, 0.0581, 0.0639],
  [-0.1251, 0.0927, 0.1699],
  [0.006, -0.0633, 0.0005],
  [0.3477, 0.2275, 0.295],
  [0.1984, 0.0913, 0.1861],
];
const BIAS = [-0.1835, -0.0868, -0.336];

/** The quick look at latents of so many channels; only of Wan's sixteen is it known what colours they are. */
export function previewOf(channels: number): ModelManifest['preview'] {
  if (channels !== FACTORS.length)
    return { matrix: Array.from({ length: channels }, () => Array<number>(3).fill(0.5 / channels)), bias: [0.5, 0.5, 0.5] }; // prettier-ignore
  return {
    matrix: FACTORS.map((row) => row.map((v) => v / 2)),
    bias: BIAS.map((v) => (v + 1) / 2),
  };
}
