/**
 * What crosses between the page and the engine's worker: types only, no code.
 *
 * Every call answers with a `Result`: errors cross as data (a thrown error would lose all but its
 * message). Times are in seconds unless a name says otherwise, sizes in pixels, memory in bytes.
 */

/** Stable names of what can go wrong; `src/app/words` holds the person's words for each. */
export type ErrorCode =
  | 'no-webgpu' // navigator.gpu is missing
  | 'no-adapter' // WebGPU is there, but gives no adapter
  | 'no-wasm' // WebAssembly with SIMD is missing, which the CPU backend needs
  | 'no-webcodecs' // VideoEncoder is missing
  | 'no-encoder' // no codec of the ladder encodes this size
  | 'bad-request' // a setting is out of range; `params` names it
  | 'no-model' // there is no model of that name at this address
  | 'bad-model' // model.json or a weight file is damaged, or does not fit together
  | 'hash-mismatch' // a file is not what model.json promised
  | 'network' // a file could not be fetched
  | 'not-loaded' // generate before load
  | 'busy' // a clip is being made already
  | 'cancelled' // the person asked for it
  | 'paused' // the person asked for it, and the clip can be gone on with; `params.id` names its journal, `params.gpuBytes` is what stays on the GPU
  | 'out-of-memory'
  | 'device-lost'
  | 'not-finite' // the canary found NaN or Inf; `params.operation` names where
  | 'storage' // OPFS refused a read or write
  | 'worker-dead' // the worker ended without an answer
  | 'unfenced' // a hub is to be asked, and nothing would hold its worker to the hub's addresses
  | 'internal';

export interface EngineError {
  code: ErrorCode;
  /** One English sentence: what happened, with both numbers where sizes disagree, and what to do. */
  message: string;
  /** The numbers and names of the message, for translation. */
  params?: Record<string, string | number>;
  /** For a bug report: stack or the driver's own words. */
  detail?: string;
}

export type Result<T> = { ok: true; value: T } | { ok: false; error: EngineError };

export interface AdapterReport {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** A software adapter: correct, and slow. */
  isFallback: boolean;
  features: string[];
  maxBufferSize: number;
  maxStorageBufferBindingSize: number;
}

/** A trial between variants of a kernel, held on this adapter. */
export interface TuningAnswer {
  /** Operation, types and shape class, e.g. "matmul f16·q8_0→f16 2048×2048×2048". */
  key: string;
  chosen: string;
  /** Milliseconds of a call by variant; null for one that did not compile or computed something else. */
  ms: Record<string, number | null>;
}

/** What computes: our own kernels, or onnxruntime-web. */
export type BackendKind = 'webgpu' | 'cpu';

/** Why a backend was chosen. */
export type BackendReason =
  | 'adapter' // a real graphics adapter
  | 'fallback-adapter' // only a software adapter, which the CPU backend outruns
  | 'no-adapter'
  | 'no-webgpu'
  | 'asked'; // the person chose it

export interface CheckReport {
  backend: BackendKind;
  reason: BackendReason;
  /** Null without WebGPU. */
  adapter: AdapterReport | null;
  /** Codec strings that a trial encode passed, best first. Empty: nothing can be exported. */
  codecs: string[];
}

export interface Size {
  width: number;
  height: number;
}

/** Bits of a kept key or value. 16 stands for what activations have: 16, or 32 on adapters without shader-f16. */
export type CacheBits = 8 | 16;

/** What the page needs to know of a loaded model; a part of `model.json`. */
export interface ModelInfo {
  id: string;
  name: string;
  edition: string;
  fps: number;
  /** Sizes it was trained for; the first is native. Other multiples of 16 px work, less well. */
  sizes: Size[];
  seconds: { default: number; max: number };
  /** The default step list, unwarped, from 1000 downwards. */
  timesteps: number[];
  /** Example prompts by language ("en", "zh"). */
  prompts: Record<string, string[]>;
  /** It can begin with a picture. */
  encodes?: boolean;
  /** Latent frames of a block, those that a block sees, and those of them that stay when the window moves on. */
  sight?: { block: number; window: number; sink: number };
  /** It is guided away from a negative prompt, at noise levels of a shift; what it takes where nothing else is said. */
  guidance?: { scale: number; negative: string; shift: number };
  /** Bytes of all its files. */
  bytes: number;
  /** Why its files are not kept for the next visit; absent when they are. */
  unkept?: string;
}

export interface LoadRequest {
  /** As `check` chose it; default webgpu. */
  backend?: BackendKind;
  /** Folder of model.json, relative to the page, e.g. "models/pocket/"; the client makes it absolute. */
  model: string;
  /** The person's own files, in place of `model`. WebGPU only. */
  opened?: OpenedFiles;
  /** The picture size that is waited for; one that will not do here is refused before any download. */
  wanted?: Size;
  /** The edition that an interrupted clip was begun with; default: the newest. */
  edition?: string;
}

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

export type LoadEvent =
  /** Before a download: bytes to fetch, and bytes that the browser offers (null: it does not say). */
  | { type: 'plan'; bytes: number; free: number | null }
  | { type: 'download'; file: string; loaded: number; total: number }
  /** A downloaded file's hash is taken. */
  | { type: 'check'; file: string; loaded: number; total: number }
  /** Weights become smaller; the small form is kept. */
  | { type: 'convert'; file: string; loaded: number; total: number }
  | { type: 'upload'; loaded: number; total: number }
  | { type: 'compile'; done: number; total: number };

/** What a clip shall be. */
export interface Settings {
  /** One shot a line; see story/script.ts. */
  prompt: string;
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

/** What a browser has stored of a model. */
export interface StoredModel {
  /** Name of its folder. */
  id: string;
  /** '' when its download was never finished. */
  name: string;
  edition: string;
  license: string;
  bytes: number;
  /** The small form of one of the person's own files, which is not downloaded but made. */
  small?: boolean;
  /** It came from a hub. */
  hub?: boolean;
}

export interface VerifyReport {
  /** Files whose hash is right. */
  whole: number;
  /** Files that were not what model.json says; they are deleted by now. */
  damaged: string[];
  /** Files that were never needed here, such as those of the other backend. */
  missing: number;
}

/** What a page or worker asked the network for, as the browser itself records it. */
export interface NetworkRequest {
  url: string;
  /** When it began, ms since 1970. */
  at: number;
  /** It was stopped before anything left: by the content policy, or by a shut Gate (requests.ts). */
  stopped?: true;
}

/** The worker's whole surface, exposed with comlink. Callbacks are proxied; the client releases them. */
export interface Engine {
  /** Looks at the browser and chooses a backend; `auto` takes WebGPU on a real adapter, else the CPU. */
  check(wish: 'auto' | BackendKind): Promise<Result<CheckReport>>;
  load(request: LoadRequest, onEvent: (e: LoadEvent) => void): Promise<Result<ModelInfo>>;
  /** What picked files are and whether they make a model together; reads their headers only. */
  recognise(opened: OpenedFiles, size: Size): Promise<Result<Recognition>>;
  /**
   * Bytes of memory that the GPU has, as the person says; undefined: what is usual (limits.ts). All that is planned from now
   * on goes by it, of a model that is loaded as well. Of a real adapter only.
   */
  countOn(memory: number | undefined): void;
  generate(request: GenerateRequest, onEvent: (e: GenerateEvent) => void): Promise<Result<Clip>>;
  /** Takes effect before the next denoising step. True when something was running. */
  cancel(): Promise<boolean>;
  /**
   * As `cancel`, but the clip can be gone on with: its `generate` answers `paused`. Frees what it held on the GPU, and the
   * weights where they can come back without a network: the next clip brings them.
   */
  pause(): Promise<boolean>;
  /** The coming blocks of the clip in work follow these words. True when something was running. */
  steer(text: string): Promise<boolean>;
  /** Interrupted clips, newest first. */
  journals(): Promise<Result<JournalInfo[]>>;
  /** The page has its own copy of a finished clip, or does not want an interrupted one: its files may go. */
  settle(id: string): Promise<void>;
  dispose(): Promise<void>;
  /** Answers as soon as the worker can: one that does not for long is taken to hang. */
  ping(): Promise<void>;
  /** What is stored of models, to be listed, checked and deleted; see weights/manager.ts. */
  models(): Promise<Result<StoredModel[]>>;
  verifyModel(id: string): Promise<Result<VerifyReport>>;
  deleteModel(id: string): Promise<Result<void>>;
  /** What is here of the models of hubs; see weights/hub-store.ts. */
  downloads(): Promise<Result<Download[]>>;
  /** The files of a whole one, as if they had been picked. */
  openDownload(id: string): Promise<Result<PickedFile[]>>;
  /** Which kernels were chosen by trial; empty where nothing is loaded or there was nothing to choose. */
  tuning(): Promise<TuningAnswer[]>;
  /** Forgets them: the next model that is loaded has them chosen anew. */
  resetTuning(): Promise<void>;
  /** Tells every request that the worker makes of the network, those before included. */
  watch(onRequests: (requests: NetworkRequest[]) => void): Promise<void>;
}

/** Files of a hub that somebody thinks of fetching. */
export interface HubWish {
  /** Origin of a hub of policy.ts. */
  hub: string;
  files: { repo: string; revision: string; path: string }[];
}

/** A file as the hub itself describes it. */
export interface HubFile {
  /** "owner/name". */
  repo: string;
  /** What its bytes are of; a branch may move, a commit does not. */
  commit: string;
  path: string;
  bytes: number;
  sha256: string;
}

export interface HubAnswer {
  /** In the order of the wish. */
  files: HubFile[];
  /** By repository, as the hub says; '' where it says nothing. */
  licenses: Record<string, string>;
  /** Bytes that the browser offers; null: it does not say. */
  free: number | null;
}

/** What the person asked to be fetched and kept. */
export interface HubOrder {
  /** Lower-case letters, digits, "-": an order of the same id takes the place of the one before. */
  id: string;
  name: string;
  /** How it is sampled, of `Recognition.samplings`. */
  sampling: string;
  /** As the hub says. */
  license: string;
  /** Origin of a hub of policy.ts. */
  hub: string;
  files: HubFile[];
}

/** An order and what is here of it. Bytes. */
export interface Download {
  order: HubOrder;
  loaded: number;
  total: number;
  /** Every file is here, and was what the hub promised. */
  whole: boolean;
}

/** The surface of hub.worker.ts, exposed with comlink. */
export interface HubEngine {
  /** Asks what the files are: sizes, hashes, licences. Fetches none. */
  look(wish: HubWish): Promise<Result<HubAnswer>>;
  fetch(order: HubOrder, onEvent: (e: LoadEvent) => void): Promise<Result<void>>;
  /** What is whole of the download stays; its `fetch` answers `cancelled`. */
  pause(): Promise<void>;
  /** Tells every request that the worker makes of the network. */
  watch(onRequests: (requests: NetworkRequest[]) => void): Promise<void>;
}
