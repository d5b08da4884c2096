/**
 * Counting: seconds → frames → latent frames → blocks.
 *
 * A latent frame becomes `stride` frames, but the clip's first latent gives only one: the decoder's first
 * `stride − 1` frames are dropped. So n latents make n·stride − (stride − 1) frames.
 */

/** A few latent frames that are denoised together. */
export interface Block {
  /** Counts from 0. */
  index: number;
  /** Number in the clip of its first latent frame. */
  firstLatent: number;
  /** Latent frames to decode: all, but for the last block, of which the clip may need only some. */
  decode: number;
  last: boolean;
}

export interface ClipPlan {
  frames: number;
  /** Frames of a latent frame. */
  stride: number;
  /** Latent frames that are denoised: whole blocks. */
  latents: number;
  /** Latent frames that are decoded. */
  decoded: number;
  blocks: Block[];
}

/** Frames of a clip of so many seconds; at least one. */
export const countFrames = (seconds: number, fps: number) => Math.max(1, Math.round(seconds * fps));

/** Of the `stride` frames that a latent frame becomes, which are the clip's: `count` after the first `skip`. */
export function framesAt(plan: ClipPlan, latent: number): { first: number; skip: number; count: number } {
  const { stride, frames } = plan;
  const start = latent * stride - (stride - 1);
  const first = Math.max(0, start);
  return { first, skip: first - start, count: Math.min(frames, start + stride) - first };
}

/**
 * @param frames of the clip, at least 1
 * @param perBlock latent frames denoised together
 * @param stride frames of a latent frame
 */
export function planClip(frames: number, perBlock: number, stride: number): ClipPlan {
  const decoded = Math.ceil((frames + stride - 1) / stride);
  const count = Math.ceil(decoded / perBlock);
  const blocks = Array.from({ length: count }, (_, index) => ({
    index,
    firstLatent: index * perBlock,
    decode: Math.min(perBlock, decoded - index * perBlock),
    last: index === count - 1,
  }));
  return { frames, stride, latents: count * perBlock, decoded, blocks };
}
