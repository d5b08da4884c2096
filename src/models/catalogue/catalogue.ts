/**
 * The known checkpoints of the Wan 2.1 1.3B family, for the page: what they are, what they need, and where they lie.
 * Data only, so that it can be shown before any worker runs. What runs them is in pipeline/samplings.ts, by the same ids.
 */
import { FILES, type CatalogueFile } from './files';

export type { CatalogueFile } from './files';

export interface CatalogueModel {
  /** Names its download. */
  id: string;
  name: string;
  /** As its authors say, where that is known; the hub's own word is shown before a download. */
  license: string | null;
  /** An id of pipeline/samplings.ts. */
  sampling: 'self-forcing' | 'longlive' | 'causal-forcing' | 'fastwan' | 'rcm' | 'wan';
  steps: number;
  /** Made block by block: it plays while it is made, and can go on. Else the clip is one block. */
  causal: boolean;
  /** The transformer, and what is merged into it. */
  files: readonly CatalogueFile[];
  /**
   * GPU memory that the plan counts, in bytes, with weights of 8 bits, keys and values of 16 and the quick decoder: for clips
   * of 448 × 256 and of 832 × 480. Who says that their GPU has as much is refused neither (tests/models/catalogue.test.ts asks the plan).
   */
  gpu: { small: number; full: number };
}

/** A text encoder (with its tokenizer inside) or a decoder; every model takes one of each. */
export interface CataloguePart {
  id: string;
  license: string | null;
  file: CatalogueFile;
}

/** With a window of 21 latent frames, with LongLive's 12, in blocks of one frame, in one block, and that with guidance. */
const GPU = {
  window: { small: 3.8e9, full: 8.5e9 },
  short: { small: 3e9, full: 5.9e9 },
  frame: { small: 3.8e9, full: 8.3e9 },
  whole: { small: 3.9e9, full: 9.9e9 },
  guided: { small: 5.6e9, full: 15.9e9 },
};

export const MODELS: readonly CatalogueModel[] = [
  { id: 'self-forcing', name: 'Self-Forcing', license: null, sampling: 'self-forcing', steps: 4, causal: true, files: [FILES.selfForcing], gpu: GPU.window }, // prettier-ignore
  { id: 'self-forcing-fp8', name: 'Self-Forcing, fp8', license: null, sampling: 'self-forcing', steps: 4, causal: true, files: [FILES.selfForcingFp8], gpu: GPU.window }, // prettier-ignore
  { id: 'longlive', name: 'LongLive', license: null, sampling: 'longlive', steps: 4, causal: true, files: [FILES.longLive, FILES.longLiveLora], gpu: GPU.short }, // prettier-ignore
  { id: 'causal-forcing', name: 'Causal-Forcing', license: 'Apache-2.0', sampling: 'self-forcing', steps: 4, causal: true, files: [FILES.causalForcing], gpu: GPU.window }, // prettier-ignore
  { id: 'causal-forcing-2', name: 'Causal-Forcing++', license: 'Apache-2.0', sampling: 'causal-forcing', steps: 2, causal: true, files: [FILES.causalForcing2], gpu: GPU.frame }, // prettier-ignore
  { id: 'fastwan', name: 'FastWan 2.1', license: 'Apache-2.0', sampling: 'fastwan', steps: 3, causal: false, files: [FILES.fastWan], gpu: GPU.whole }, // prettier-ignore
  { id: 'rcm', name: 'rCM', license: 'Apache-2.0', sampling: 'rcm', steps: 4, causal: false, files: [FILES.rcm], gpu: GPU.whole }, // prettier-ignore
  { id: 'wan', name: 'Wan 2.1', license: 'Apache-2.0', sampling: 'wan', steps: 50, causal: false, files: [FILES.wan], gpu: GPU.guided }, // prettier-ignore
];

/** UMT5-XXL, the smallest first. */
export const ENCODERS: readonly CataloguePart[] = [
  { id: 'q4', license: 'Apache-2.0', file: FILES.umt5Q4 },
  { id: 'q5', license: 'Apache-2.0', file: FILES.umt5Q5 },
  { id: 'q8', license: 'Apache-2.0', file: FILES.umt5Q8 },
  { id: 'fp8', license: 'Apache-2.0', file: FILES.umt5Fp8 },
];

/** The quick one first. */
export const DECODERS: readonly CataloguePart[] = [
  { id: 'taehv', license: 'MIT', file: FILES.taehv },
  { id: 'vae', license: 'Apache-2.0', file: FILES.vae },
];

/** Everything that a model needs, its own files first. */
export const filesFor = (model: CatalogueModel, encoder: CataloguePart, decoder: CataloguePart): CatalogueFile[] => [...model.files, encoder.file, decoder.file]; // prettier-ignore
