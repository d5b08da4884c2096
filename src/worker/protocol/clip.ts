/** A clip: what it shall be, what is told while it is made, and what it is when it is done. */
import type { AdapterReport, BackendKind } from './machine';
import type { EngineError } from './result';

export interface Size {
  width: number;
  height: number;
}

/** Bits of a kept key or value. 16 stands for what activations have: 16, or 32 on adapters without shader-f16. */
export type CacheBits = 8 | 16;

/** What a clip shall be. */
export interface Settings {
  /** One shot a line; see story/script.ts. */
  prompt: string;
  /** What is read in place of the first shot's words: those, with what they leave open chosen (app/lexicon/complete.ts). */
  completed?: string;
  /** Unsigned 32-bit integer. */
  seed: number;
  seconds: number;
  width: number;
  height: number;
  /** Denoising steps per block (1…50); the model's own list is resampled to this length. */
  steps: number;
  /** Latent frames that a block sees, its own included; default: the model's. */
  window?: number;
  /** First latent frames that stay in sight when the window moves on; default: the model's. */
  sink?: number;
  /** Of the keys and values of earlier frames; default: 16 where that fits into memory, else 8. WebGPU only. */
  cacheBits?: CacheBits;
  /** The end leads back to the beginning. */
  loop?: boolean;
  /** Only where the model has guidance: its scale, 1 for none, and what shall not be seen. Default: the model's. */
  guidance?: number;
  negative?: string;
  /** Only where the model has guidance: the shift of its noise levels, 1 for none. Default: the model's. */
  shift?: number;
  /** Of a remix: how far the source is taken back to noise, above 0 and up to 1. */
  strength?: number;
  /** Of a remix of a clip of Kinora's: how that one was made. Without its latents it is made again first. */
  of?: Recipe;
  /** What it is made of besides words, where that is in no recipe: these settings alone do not make it again. */
  begins?: Beginning;
  /** Where along its longer side a picture or video that it began with was cropped, 0…1; default: in the middle. */
  crop?: number;
}

/** A picture, a video that was not made here, or a clip that cannot be made again either. */
export type Beginning = 'picture' | 'video' | 'clip';

/** A clip of Kinora's with its clean latents. */
export interface Source {
  recipe: Recipe;
  latents: Blob;
}

/** A picture to begin with: the clip's own size, RGBA, 8 bit, row by row. */
export interface Picture extends Size {
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** A video that was not made here: the clip's own size and the model's frame rate, RGBA, 8 bit, row by row, frame after frame. */
export interface Footage extends Size {
  frames: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

export interface GenerateRequest extends Settings {
  /** Half the size, a third of the steps, and noise that looks alike from afar. */
  draft?: boolean;
  /** Goes on with an interrupted clip; the other fields then do not count. */
  resume?: string;
  /**
   * again: blocks that would come out the same are taken over. extend: all blocks of its words are. remix: noised by
   * `strength` and denoised anew.
   */
  source?: Source & { use: 'again' | 'extend' | 'remix' };
  /** Only where the model has an encoder. extend: the clip begins with it, the prompt says what comes then. */
  footage?: Footage & { use: 'extend' | 'remix' };
  /** Only where the model has an encoder. */
  picture?: Picture;
  /** Set where memory ran out before: the tiles that pictures are decoded in. They change no picture. */
  tiles?: Tiles;
}

/** Tiles of a picture, from above to below and from left to right. */
export interface Tiles {
  rows: number;
  columns: number;
}

/** An interrupted clip. */
export interface JournalInfo {
  id: string;
  /** With the words as they stood last. */
  request: GenerateRequest;
  model: string;
  edition: string;
  backend: BackendKind;
  /** ISO 8601. */
  created: string;
  /** Finished blocks, and all. */
  done: number;
  blocks: number;
}

export type Stage = 'text' | 'denoise' | 'decode' | 'encode' | 'finish';

export type GenerateEvent =
  | {
      /** Something went wrong and was mended; the clip goes on behind `block` finished blocks, told from the start. */
      type: 'recover';
      reason: 'device-lost' | 'out-of-memory' | 'worker-dead';
      block: number;
      /**
       * Where memory ran out: tiles that pictures are decoded in from now on, or else bits of keys and values, or latent
       * frames that a block sees.
       */
      tiles?: number;
      cacheBits?: CacheBits;
      window?: number;
      /** Finished blocks behind `block` of which nothing could be had: they are made again. */
      again?: number;
    }
  | {
      /** What the person said was taken up: the blocks from `block` on follow it. Or it will not do, and nothing changed. */
      type: 'told';
      text: string;
      block: number;
      problem: EngineError | null;
    }
  | {
      /** What names the clip's journal: with it another worker goes on, should this one die. */
      type: 'journal';
      id: string;
    }
  | {
      /** The browser's storage takes no more: the clip goes on in memory, and ends as it should. Told once or twice. */
      type: 'full';
    }
  | {
      type: 'progress';
      stage: Stage;
      /** The block was there before (in a journal, an earlier clip, a picture): it is decoded, and no more. */
      known?: boolean;
      /** Blocks and steps count from 0. */
      block: number;
      blocks: number;
      step: number;
      steps: number;
      /** Share of the whole work done, 0…1, weighted by costs learnt on this device. */
      fraction: number;
      /** Estimated seconds to the finished file; null until something was measured. */
      secondsLeft: number | null;
      /** Seconds of video made in a second, of late; before two blocks were made as expected, null until something was measured. */
      realTime: number | null;
    }
  | {
      /** The present guess of a block at latent resolution. RGBA, 8 bit, row by row, frame after frame. */
      type: 'preview';
      block: number;
      step: number;
      frames: number;
      width: number;
      height: number;
      rgba: Uint8ClampedArray<ArrayBuffer>;
    }
  | {
      /** Decoded frames, in order, without gaps. The page owns and closes the bitmaps. */
      type: 'frames';
      block: number;
      /** Index of the first frame in the clip. */
      firstFrame: number;
      fps: number;
      bitmaps: ImageBitmap[];
    };

/** How a clip was made: goes into the MP4, the library and back into the page's controls. */
export interface Recipe extends Settings {
  /** This clip is a draft; the final has these. */
  draft?: Size & { steps: number };
  model: string;
  edition: string;
  fps: number;
  frames: number;
  app: string;
  /** ISO 8601. */
  created: string;
}

export interface ClipTimings {
  load: number;
  firstFrame: number;
  total: number;
}

/** One block, as it was made. Seconds count from the beginning of the clip. */
export interface BlockReport {
  block: number;
  shot: number;
  began: number;
  /** From its beginning until its last frame was decoded; the next block's denoising overlaps. */
  seconds: number;
  /** GPU memory in use when it was done, in bytes; 0 on the CPU. */
  gpuBytes: number;
  /** GPU dispatches of its last denoising step; 0 on the CPU. */
  launches: number;
}

/** How well the end of a clip meets its beginning: mean differences of luma, 0…255. */
export interface Seam {
  /** Between the last frame and the first. */
  error: number;
  /** Between one frame and the next: the middle of the largest quarter of these steps, in which those between latents are. */
  typical: number;
}

export interface Clip {
  /** Names its journal and its file in work until `settle`. */
  id: string;
  /** Clean latents of its blocks (pipeline/records.ts); null where the browser gave no storage. */
  latents: Blob | null;
  seam: Seam | null;
  mp4: Blob;
  codec: string;
  recipe: Recipe;
  width: number;
  height: number;
  frames: number;
  fps: number;
  /** SHA-256 (hex) of each frame's I420 bytes, in order: same build, adapter, recipe → same hashes. */
  frameHashes: string[];
  /** A poster: first frame as PNG or WebP. */
  poster: Blob;
  backend: BackendKind;
  /** Null on the CPU. */
  adapter: AdapterReport | null;
  timings: ClipTimings;
  /** 0 on the CPU. */
  peakGpuBytes: number;
  blocks: BlockReport[];
}
