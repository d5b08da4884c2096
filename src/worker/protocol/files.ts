/** A model of the person's own files: what was picked, what it turned out to be, and whether it fits into memory. */
import type { CacheBits, Size } from './clip';
import type { EngineError } from './result';

/** A file that a person picked or dropped. It is read in parts where it lies, and never copied. */
export interface PickedFile {
  /** With the folders that were picked with it, "/" between. */
  path: string;
  file: Blob;
  /** Milliseconds since 1970. */
  changed: number;
}

/** A model of the person's own files. */
export interface OpenedFiles {
  files: readonly PickedFile[];
  /** How the page calls it; default: as the transformer's file is called. */
  name?: string;
  /** An id of `Recognition.samplings`; default: what the files let expect. */
  sampling?: string;
  /** What larger weights become while they are loaded. */
  quantize?: Quantize;
  /** Of LoRAs, by their paths; default 1, and 0 leaves one out. */
  strengths?: Readonly<Record<string, number>>;
}

/** 8 bits a number, or 4: Q4_K where rows are whole blocks of 256, else Q4_0 (weights/small). */
export type Quantize = 'q8_0' | 'q4_0';

export type ModelPart = 'transformer' | 'text_encoder' | 'autoencoder' | 'tokenizer';

/** What a picked file turned out to be. */
export interface Finding {
  path: string;
  bytes: number;
  /** Null: nothing that Kinora needs. */
  part: ModelPart | 'lora' | 'config' | 'shard' | null;
  /** How its tensors are called: diffusers' names and the like are `ours`. '' for files without tensors. */
  layout: string;
  /** Types of its numbers, those with the most bytes first. */
  types: string[];
  /** Numbers of its tensors; 0 for files without. */
  parameters: number;
  /** A transformer that was trained with sparse attention; here it attends to all tokens. */
  sparse: boolean;
  /** It is a part of the model: of two transformers the one picked last is. */
  used: boolean;
  /** Why it cannot be used, and what to do. */
  problem: EngineError | null;
}

/** What the picked files make together. */
export interface Recognition {
  findings: Finding[];
  missing: ModelPart[];
  /** Parts that do not fit together. */
  problems: EngineError[];
  samplings: string[];
  sampling: string;
  /** Nothing is missing and everything fits. */
  ready: boolean;
  name: string;
  /** Null while parts are missing, or where there is no WebGPU. */
  plan: MemoryPlan | null;
}

/** What a clip of some size will take of GPU memory, weights counted. Bytes. */
export interface MemoryPlan {
  size: Size;
  /** Latent frames that a block sees. */
  window: number;
  /** Of the keys and values that it sees. */
  cacheBits: CacheBits;
  /** That its pictures are decoded in, one after the other; 1: whole. */
  tiles: number;
  items: { what: PlanItem; bytes: number }[];
  /** The most that lives at once. */
  total: number;
  /** What can be counted on here. */
  limit: number;
  /** Null: it fits. Else why not; `params.fits` names the nearest size that does. */
  problem: EngineError | null;
}

export type PlanItem = 'transformer' | 'text_encoder' | 'autoencoder' | 'cache' | 'work' | 'pieces';
