/** What may be asked for at all, on every way in: the page, links, clips, the command line, the engine. */

/** UTF-16 units of a prompt. Far more than the 512 tokens that Wan reads. */
export const MAX_PROMPT = 5000;
/** Seeds are unsigned 32-bit integers. */
export const MAX_SEED = 2 ** 32 - 1;
/** Seconds of a clip. Memory does not grow with its length; how good it stays is the model's business. */
export const MAX_SECONDS = 600;
/** Denoising steps of a block. */
export const MAX_STEPS = 50;
/** Scale of classifier-free guidance; Wan was published with 5. */
export const MAX_GUIDANCE = 100;
/** How far the noise levels of a guided model lean towards noise; Wan was published with 3 to 12. */
export const MAX_SHIFT = 100;
/** What a person may say of how much memory their GPU has: GiB, as cards are sold. No browser tells. */
export const GPU_MEMORY = [4, 6, 8, 12, 16, 24] as const;
export const GIB = 2 ** 30;
/** Pixels of a side. What fits into a machine's memory is less; see pipeline/memory-plan.ts. */
export const MAX_SIDE = 4096;
/** Pixels that width and height are multiples of. */
export const GRID = 16;

/**
 * Bytes of GPU memory that are counted on where nobody says how much there is: twice the largest buffer that the adapter
 * allows, at least 1 GiB and at most 8.
 */
export const usualMemory = (maxBufferSize: number): number =>
  Math.min(8 * GIB, Math.max(GIB, 2 * maxBufferSize));
