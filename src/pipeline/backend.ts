/**
 * What a clip needs of the networks, whatever computes them: WebGPU kernels (pipeline/webgpu.ts) or
 * onnxruntime-web on the CPU (src/onnx). generate.ts tells the story in these words.
 */
import type { Step } from '../sampling/schedule';
import type { Tokenizer } from '../text/tokenizer';
import type { ModelManifest } from '../weights/manifest';
import type { AdapterReport, BackendKind, GenerateEvent, GenerateRequest } from '../worker/protocol';
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

/** The networks at work on one clip, block by block. Owns what the clip needs of memory. */
export interface ClipNetworks {
  /** Begins a block from noise, [C, F, h, w]. */
  start(block: Block, noise: Float32Array<ArrayBuffer>): void;
  /**
   * One denoising step of the present block.
   * @param fresh noise for samplers that add some after the step, else null
   * @returns a picture of the clean block that the prediction points to
   */
  step(step: Step, fresh: Float32Array<ArrayBuffer> | null): Promise<Picture>;
  /** Ends the denoising: throws `not-finite` when the block broke down. */
  settle(): Promise<void>;
  /** The frames of latent `i` of the present block: at least one. Throws `not-finite`. */
  decode(i: number): Promise<Frames>;
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
  /** Seconds that loading took. */
  readonly loadSeconds: number;
  /** The most GPU memory that was ever in use, in bytes; 0 on the CPU. */
  readonly peakGpuBytes: number;
  /** Encodes the prompt and makes room for a clip. What this size needs compiled is compiled first. */
  open(request: GenerateRequest, plan: ClipPlan, ids: Int32Array<ArrayBuffer>): Promise<ClipNetworks>;
  free(): void;
}
