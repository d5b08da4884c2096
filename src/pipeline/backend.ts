/**
 * What a clip needs of the networks, whatever computes them: WebGPU kernels (pipeline/webgpu.ts) or
 * onnxruntime-web on the CPU (src/onnx). generate.ts tells the story in these words.
 */
import type { Step } from '../sampling/schedule';
import type { Tokenizer } from '../text/tokenizer';
import type { ModelManifest } from '../weights/manifest';
import type { GenerateEvent, GenerateRequest, Size } from '../worker/protocol/clip';
import type { AdapterReport, BackendKind } from '../worker/protocol/machine';
import type { Block, ClipPlan } from './blocks';
import type { Room } from './memory-plan';
import type { Costs } from './progress';

/** Decoded frames, in order. */
export interface Frames {
  /** Index in the clip of the first. */
  first: number;
  /** Tightly packed I420, bt709 limited; see media/frames.ts. */
  i420: Uint8Array[];
}

/** The present guess of a block as a small picture, one frame a latent frame, at latent resolution. */
export type Picture = Pick<
  Extract<GenerateEvent, { type: 'preview' }>,
  'type' | 'frames' | 'width' | 'height' | 'rgba'
>;

/** Latents of a block on the CPU, [C, F, h, w], normalised. */
export type Latents = Float32Array<ArrayBuffer>;

/**
 * The networks at work on one clip, block by block. Owns what the clip needs of memory, which does not grow with its
 * length. `decode` may go on while the next block is denoised; the rest comes one after the other.
 */
export interface ClipNetworks {
  /**
   * Steps, and pieces to decode, may be asked for before the one before is there: they wait in the GPU's queue, which so
   * never idles. Absent: only one at a time.
   */
  readonly queues?: boolean;
  /** GPU dispatches of the last denoising step, its preview included; absent on the CPU. */
  readonly launches?: number;
  /**
   * The words that the coming blocks follow: token ids, `</s>` included.
   * @param onPart called with the share that is read, 0…1, where reading takes long; what it throws ends the reading
   */
  say(ids: Int32Array<ArrayBuffer>, onPart?: (share: number) => void): Promise<void>;
  /** The coming block sees none of those before it. */
  forget(): void;
  /** Begins a block from noise. */
  start(block: Block, noise: Latents): void;
  /** Begins a block that is known: in place of `start`, the steps and `settle`. */
  take(block: Block, latents: Latents): void;
  /**
   * One denoising step of the present block.
   * @param fresh noise for samplers that add some after the step, else null
   * @returns a picture of the clean block that the prediction points to
   */
  step(step: Step, fresh: Float32Array<ArrayBuffer> | null): Promise<Picture>;
  /** Ends the denoising; the clean latents. Throws `not-finite` when the block broke down. */
  settle(): Promise<Latents>;
  /**
   * The frames of latent `i` of a block: at least one. Latents come in the order of the clip; the decoder begins
   * afresh with each take. Throws `not-finite`.
   */
  decode(block: Block, latents: Latents, i: number): Promise<Frames>;
  /** One more pass over the clean block: the next blocks see it without noise. */
  remember(): Promise<void>;
  free(): void;
}

/** A loaded model on one backend. */
export interface Model {
  readonly backend: BackendKind;
  readonly adapter: AdapterReport | null;
  readonly manifest: ModelManifest;
  readonly tokenizer: Tokenizer;
  /** Text rows that the transformer was trained with: longer prompts are cut. */
  readonly textLength: number;
  /** What work costs on this device, learnt from clip to clip. */
  readonly costs: Costs;
  /** Pixels of one token: what width and height must be multiples of. */
  readonly grid: { width: number; height: number };
  /** What a clip can count on here: larger sizes are refused before anything is allocated. */
  readonly room: Room;
  /** Why its files are not kept for the next visit; null when they are. */
  readonly unkept: string | null;
  /**
   * Clean latents [C, F, h, w] of frames [T, height, width, 3] in [0, 1]; T = 1 + stride·(F − 1). Null where the model has
   * no encoder.
   */
  readonly encode: ((frames: Float32Array<ArrayBuffer>, size: Size) => Promise<Latents>) | null;
  /** Seconds that loading took. */
  readonly loadSeconds: number;
  /** GPU memory in use now, in bytes; 0 on the CPU. */
  readonly gpuBytes: number;
  /** The most GPU memory that was ever in use, in bytes; 0 on the CPU. */
  readonly peakGpuBytes: number;
  /** Makes room for a clip. What this size needs compiled is compiled first. */
  open(request: GenerateRequest, plan: ClipPlan): Promise<ClipNetworks>;
  free(): void;
}
