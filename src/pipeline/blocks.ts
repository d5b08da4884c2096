/** Counting: shots → frames (story/takes.ts) → latent frames → blocks. */
import type { TimedShot } from '../story/script';
import { latentsBefore, planTakes, type Counts } from '../story/takes';

export type { Counts };

/** What happens before a block: the clip begins, is cut, or goes on with other words. */
export type Entrance = 'start' | 'cut' | 'switch';

/** A stretch without a cut: decoded as a clip of its own. */
export interface Take {
  /** Number in the clip of its first latent frame. */
  firstLatent: number;
  /** Number in the clip of its first frame. */
  firstFrame: number;
  frames: number;
  /** Latent frames at its beginning that are decoded, but not shown: of a loop, what its end leads back to. */
  lead: number;
}

/** A few latent frames that are denoised together. */
export interface Block {
  /** Counts from 0. */
  index: number;
  /** Number in the clip of its first latent frame. */
  firstLatent: number;
  /** Latent frames. */
  size: number;
  /** Latent frames to decode: all, but for the last block of a take, of which the clip may need only some. */
  decode: number;
  last: boolean;
  /** Index of the shot whose words it follows. */
  shot: number;
  /** Null where the shot goes on. */
  enter: Entrance | null;
  take: Take;
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

/** Of the `stride` frames that latent `i` of a block becomes, which are the clip's: `count` (none of a lead) after the first `skip`. */
export function framesAt(
  { stride }: Pick<ClipPlan, 'stride'>,
  { firstLatent, take }: Block,
  i: number,
): { first: number; skip: number; count: number } {
  const dropped = take.lead > 0 ? take.lead * stride : stride - 1;
  const start = (firstLatent + i - take.firstLatent) * stride - dropped;
  const first = Math.max(0, start);
  return {
    first: take.firstFrame + first,
    skip: first - start,
    count: Math.max(0, Math.min(take.frames, start + stride) - first),
  };
}

/** Every shot has at least one block, a clip at least one frame. */
export function planClip(shots: readonly Pick<TimedShot, 'seconds' | 'cut'>[], counts: Counts): ClipPlan {
  const { perBlock, stride, loop = false } = counts;
  const plan: ClipPlan = { frames: 0, stride, latents: 0, decoded: 0, blocks: [] };
  for (const { firstShot, starts, frames, size } of planTakes(shots, counts))
    addTake(plan, { frames, lead: loop ? perBlock : 0 }, starts, firstShot, { size, perBlock });
  plan.blocks.at(-1)!.last = true;
  return plan;
}

/** @param starts block of the take that each of its shots begins with */
function addTake(
  plan: ClipPlan,
  { frames, lead }: Pick<Take, 'frames' | 'lead'>,
  starts: number[],
  firstShot: number,
  { size, perBlock }: { size: number; perBlock: number },
): void {
  const { stride } = plan;
  const decoded = lead > 0 ? lead + frames / stride : Math.ceil((frames + stride - 1) / stride);
  const count = 1 + Math.max(0, Math.ceil((decoded - size) / perBlock));
  const take = { firstLatent: plan.latents, firstFrame: plan.frames, frames, lead };
  for (let b = 0; b < count; b++) {
    const shot = starts.findLastIndex((start) => start <= b);
    const begins = starts[shot] === b;
    plan.blocks.push({
      index: plan.blocks.length,
      firstLatent: plan.latents + latentsBefore(b, size, perBlock),
      size: b === 0 ? size : perBlock,
      decode: Math.min(b === 0 ? size : perBlock, decoded - latentsBefore(b, size, perBlock)),
      last: false,
      shot: firstShot + shot,
      enter: !begins ? null : b > 0 ? 'switch' : plan.frames > 0 ? 'cut' : 'start',
      take,
    });
  }
  plan.frames += frames;
  plan.latents += latentsBefore(count, size, perBlock);
  plan.decoded += decoded;
}
