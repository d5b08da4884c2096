/** Makes clips with a model on the GPU in Node, where there is no video encoder: frames are hashed, that is all. */
import { expect } from 'vitest';
import { sha256Hex } from '../../src/media/frames';
import { SeamMeter } from '../../src/media/seam';
import type { Latents } from '../../src/pipeline/backend';
import { generate, type GenerateOptions, type KnownBlocks } from '../../src/pipeline/generate';
import type { GpuModel } from '../../src/pipeline/model';
import type { OpenOutput } from '../../src/pipeline/output';
import type { Clip, GenerateEvent, GenerateRequest } from '../../src/worker/protocol/clip';

/** 24 frames: 7 latents, 3 blocks, one more than the window of the random model holds. */
export const REQUEST: GenerateRequest = {
  prompt: 'a red boat drifting on the sea at sunset',
  seed: 7,
  seconds: 1.5,
  width: 48,
  height: 32,
  steps: 2,
};

export interface Made {
  clip: Clip;
  events: GenerateEvent[];
  /** Clean latents of each block. */
  latents: Latents[];
}

export const hashing: OpenOutput = async (recipe) => {
  const meter = new SeamMeter(recipe);
  const hashes: Promise<string>[] = [];
  return {
    async write(_block, { first, i420 }) {
      expect(first).toBe(hashes.length);
      for (const frame of i420) {
        hashes.push(sha256Hex(frame));
        meter.add(frame);
      }
    },
    finish: async () => ({ mp4: new Blob(), poster: new Blob(), codec: 'none', frameHashes: await Promise.all(hashes), seam: meter.seam }), // prettier-ignore
    abort: () => {},
  };
};

/** Makes a clip and sees to it that it left nothing on the GPU. */
export async function makeClip(
  model: GpuModel,
  change: Partial<GenerateRequest> = {},
  options: Partial<GenerateOptions> = {},
): Promise<Made> {
  const before = model.gpu.memory.bytes;
  const [events, latents]: [GenerateEvent[], Latents[]] = [[], []];
  try {
    const clip = await generate(
      model,
      { ...REQUEST, ...change },
      {
        openOutput: hashing,
        ...options,
        emit: (event) => {
          events.push(event);
          options.emit?.(event);
        },
        keep: async (block, clean, text) => {
          expect(block.index).toBe(latents.length);
          latents.push(clean.slice());
          await options.keep?.(block, clean, text);
        },
      },
    );
    expect(clip.frameHashes).toHaveLength(clip.frames);
    return { clip, events, latents };
  } finally {
    expect(model.gpu.memory.bytes).toBe(before);
  }
}

/** The first blocks of a clip that was made, as they would come from a journal. */
export const firstBlocks = (latents: readonly Latents[], count: number): KnownBlocks => ({
  count,
  read: async (index) => latents[index]!.slice(),
});

/** Blocks that were denoised, by their previews. */
export const denoised = (events: readonly GenerateEvent[]): number[] => [
  ...new Set(events.flatMap((e) => (e.type === 'preview' ? [e.block] : []))),
];
