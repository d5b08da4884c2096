/** How far back a block sees: the checkpoint's window and sink, or what the request says instead. */
import { KinoraError } from '../errors';
import type { ModelManifest } from '../weights/manifest';
import type { GenerateRequest } from '../worker/protocol/clip';

/** Latent frames. Beyond it no checkpoint was ever trained. */
export const MAX_WINDOW = 1024;

export interface Window {
  /** Latent frames in the cache, the present block included. */
  window: number;
  /** First latent frames (since a cut or a change of prompt) that stay in it. */
  sink: number;
  /** Where the sink stands when frames have fallen out; see models/wan-transformer. */
  positions: 'clip' | 'window';
}

/** Throws `bad-request` naming the field: window holds a block and the sink, sink is at least 0. */
export function windowOf(
  { sampler }: ModelManifest,
  request: Pick<GenerateRequest, 'window' | 'sink'>,
): Window {
  const { num_frame_per_block: block, positions = 'window' } = sampler;
  const window = request.window ?? sampler.window;
  // A smaller window than the checkpoint's may not hold its sink.
  const sink = request.sink ?? Math.max(0, Math.min(sampler.sink, window - block));
  check('window', window, block, MAX_WINDOW);
  check('sink', sink, 0, window - block);
  return { window, sink, positions };
}

/** The checkpoint, were its window so: what a clip needs depends on it. */
export const seeing = (manifest: ModelManifest, window: Window): ModelManifest => ({
  ...manifest,
  sampler: { ...manifest.sampler, ...window },
});

function check(field: 'window' | 'sink', value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const found = String(value).slice(0, 40);
  throw new KinoraError(
    'bad-request',
    `${field} must be a whole number of latent frames from ${least} to ${most}, but it is ${found}.`,
    { field, found, least, most },
  );
}
