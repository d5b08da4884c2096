/** Frames → clean latents, with the encoder of the model's autoencoder, one latent at a time. */
import { KinoraError } from '../errors';
import { Run } from '../gpu/run';
import type { Tiling } from '../models/tiling';
import type { Size } from '../worker/protocol/clip';
import type { Latents } from './backend';
import { waysToEncode } from './encoder-plan';
import type { FrameEncoder } from './frame-encoder';
import type { GpuModel } from './model';
import { encodePieces } from './pieces';

/**
 * In tiles where memory asks for it, and in more of them where it runs out: the latents are the same.
 * @param frames [T, height, width, 3] in [0, 1], T = 1 + stride·(F − 1)
 * @returns [C, F, h, w], normalised; see pieces.ts
 */
export async function encodeFrames(
  model: GpuModel,
  encoder: FrameEncoder,
  frames: Float32Array<ArrayBuffer>,
  size: Size,
): Promise<Latents> {
  const ways = waysToEncode(model.manifest, size, model.room);
  const last = ways.pop()!;
  for (const tiling of ways) {
    try {
      return await encodeIn(tiling, model, encoder, frames, size);
    } catch (e) {
      if (!(e instanceof KinoraError) || e.code !== 'out-of-memory') throw e;
    }
  }
  return encodeIn(last, model, encoder, frames, size);
}

async function encodeIn(
  tiling: Tiling,
  { gpu, manifest }: GpuModel,
  encoder: FrameEncoder,
  frames: Float32Array<ArrayBuffer>,
  size: Size,
): Promise<Latents> {
  const { stride, mean, std } = manifest.latent;
  const { width, height } = size;
  const pixels = (height / stride[1]) * (width / stride[2]);
  const run = new Run(gpu);
  const memory = encoder.remember(size, tiling);
  try {
    return await encodePieces(manifest, frames, size, async (piece) => {
      const input = run.input(piece, [stride[0], height, width, 3], 'frames', 'f32');
      const made = encoder.encode(run, input, memory); // [1, C, h, w]
      const values = await run.read(made);
      for (const t of [input, made]) run.release(t);
      return values.map((v, i) => (v - mean[Math.floor(i / pixels)]!) / std[Math.floor(i / pixels)]!);
    });
  } finally {
    memory.free();
    run.destroy();
  }
}
