/**
 * Where frames go: at once to the page, to their hashes, and into the MP4. `generate` knows only the
 * interface, for Node has no video encoder.
 */
import { chooseCodec, ClipEncoder } from '../media/encoder';
import { poster, sha256Hex, toImageBitmaps } from '../media/frames';
import { SeamMeter } from '../media/seam';
import { openSink } from '../media/sink';
import type { Clip, GenerateEvent, Recipe } from '../worker/protocol/clip';
import type { Frames } from './backend';

/** What is left when all frames are written. */
export type Finished = Pick<Clip, 'mp4' | 'codec' | 'poster' | 'frameHashes' | 'seam'>;

export interface ClipOutput {
  /** Takes frames in order, without gaps; resolves when there is room for more. */
  write(block: number, frames: Frames): Promise<void>;
  /** @param recipe how the clip was made in the end; it goes into the file */
  finish(recipe: Recipe): Promise<Finished>;
  /** Frees everything; harmless when it is over. */
  abort(): void;
}

export type OpenOutput = (
  recipe: Recipe,
  emit: (event: GenerateEvent) => void,
  id: string,
) => Promise<ClipOutput>;

/** Frames → `frames` events and an MP4. Throws `no-webcodecs` or `no-encoder` before any work is done. */
export const openClip: OpenOutput = async (recipe, emit, id) => {
  const { width, height, fps } = recipe;
  const size = { width, height };
  const codec = await chooseCodec(width, height, fps);
  const sink = await openSink(`${id}.mp4`, () => emit({ type: 'full' }));
  const encoder = await ClipEncoder.open({ width, height, fps, codec, recipe, sink });
  const frameHashes: string[] = [];
  const meter = new SeamMeter(size);
  let still: Promise<Blob> | null = null;
  return {
    async write(block, { first, i420 }) {
      emit({ type: 'frames', block, firstFrame: first, fps, bitmaps: await toImageBitmaps(i420, size) });
      still ??= poster(i420[0]!, size);
      still.catch(() => {}); // awaited in finish
      for (const [i, frame] of i420.entries()) {
        frameHashes.push(await sha256Hex(frame));
        meter.add(frame);
        await encoder.encode(frame, first + i);
      }
    },
    finish: async (made) => ({
      mp4: await encoder.finish(made),
      codec: codec.codec,
      poster: await still!,
      frameHashes,
      seam: meter.seam,
    }),
    abort: () => encoder.abort(),
  };
};
