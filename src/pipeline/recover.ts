/**
 * A clip that survives its GPU: when the device is lost in the middle, a new one is opened, the weights come back
 * from this browser's storage, and the clip goes on behind its last finished block, to the bit. When memory runs
 * out, it is decoded in more tiles, which changes no picture; then it goes on with keys and values of 8 bit, and then
 * seeing less far back. The making itself is generate.ts.
 */
import { KinoraError } from '../errors';
import type { Clip, GenerateRequest } from '../worker/protocol/clip';
import type { Latents, Model } from './backend';
import type { Change } from './changes';
import { generate, type GenerateOptions, type KnownBlocks } from './generate';
import { fittingBits, fittingTiles, gridOf, isRefusal, moreTiles } from './memory-plan';
import { scaleOf } from './draft';
import { seeing, windowOf } from './window';

export interface RecoverOptions extends GenerateOptions {
  /** A model on a new device. Throws when there is none to be had. */
  reopen: () => Promise<Model>;
  /** The finished blocks as they are kept elsewhere; default: they are held in memory. */
  kept?: () => Promise<KnownBlocks>;
  /** The device is gone, whatever the error says that came of it. */
  isLost?: () => Promise<boolean>;
}

/** A device that is lost so often is not going to hold. */
const MOST_LOSSES = 3;

/** As `generate`. Throws the last error when nothing helps; what was finished is told to `keep` all the same. */
export async function generateSafely(
  model: Model,
  request: GenerateRequest,
  { reopen, kept, isLost = async () => false, ...options }: RecoverOptions,
): Promise<Clip> {
  const done = new Finished(options.known, kept === undefined);
  let present = model;
  let wish = request;
  let told: Change = {};
  for (let losses = 0; ;) {
    try {
      const known = kept && wish !== request ? await longer(options.known, kept) : done;
      const changed: GenerateOptions['changed'] = async (change, block) => {
        told = change;
        await options.changed?.(change, block);
      };
      return await generate(present, wish, { ...options, known, changed, keep: done.keeping(options.keep) });
    } catch (e) {
      if (isRefusal(e) && done.count === 0) throw e;
      wish = { ...wish, ...told };
      const code = (await isLost()) ? 'device-lost' : e instanceof KinoraError ? e.code : 'internal';
      if (code === 'device-lost' && losses++ < MOST_LOSSES) {
        options.emit({ type: 'recover', reason: 'device-lost', block: done.count });
        present = await reopen();
      } else if (code === 'out-of-memory') {
        const smaller = lessMemory(present, wish);
        if (smaller === null) throw e;
        const { tiles, cacheBits, window } = smaller;
        options.emit({ type: 'recover', reason: 'out-of-memory', block: done.count, ...(tiles && { tiles: tiles.rows * tiles.columns }), ...(cacheBits && { cacheBits }), ...(window && { window }) }); // prettier-ignore
        // The first block sees itself alone; of more, the settings of now would not make the beginning again.
        const other = !tiles && done.count > 1 && !wish.begins;
        const change: Change = { ...smaller, ...(other && { begins: 'clip' }) };
        await options.changed?.(change, done.count);
        wish = { ...wish, ...change };
      } else throw e;
    }
  }
}

/** What to ask for when memory ran out; null when there is nothing left to give up. */
export function lessMemory(
  model: Pick<Model, 'manifest' | 'room'>,
  request: GenerateRequest,
): Pick<GenerateRequest, 'tiles' | 'cacheBits' | 'window' | 'sink'> | null {
  const { manifest, room } = model;
  const size = scaleOf(request, gridOf(manifest), manifest.sizes);
  const seen = seeing(manifest, windowOf(manifest, request));
  const bits = fittingBits(seen, size, room, request.cacheBits);
  const present = fittingTiles(seen, size, room, bits ?? 8, request.tiles);
  const tiles = moreTiles(seen, size, room, present);
  if (tiles) return { tiles };
  // What the person asked for stays.
  if (room.packs && bits === 16 && request.cacheBits === undefined) return { cacheBits: 8 };
  const window = nextWindow(model, request);
  if (window === null) return null;
  const { sink } = request;
  const most = window - manifest.sampler.num_frame_per_block;
  return { window, ...(sink !== undefined && sink > most && { sink: most }) };
}

/** The next smaller window in whole blocks; null when a block sees nothing but itself already. */
export function nextWindow({ manifest }: Pick<Model, 'manifest'>, request: GenerateRequest): number | null {
  const block = manifest.sampler.num_frame_per_block;
  const { window } = windowOf(manifest, request);
  const smaller = Math.max(block, Math.floor(window / 2 / block) * block);
  return smaller < window ? smaller : null;
}

/** The finished blocks: those that were known before, and those made since. Small: a block is some 10 KB. */
class Finished implements KnownBlocks {
  readonly #before: KnownBlocks | undefined;
  readonly #holds: boolean;
  #count = 0;
  readonly #made = new Map<number, Latents>();

  /** @param holds keeps the latents, too */
  constructor(before: KnownBlocks | undefined, holds: boolean) {
    this.#before = before;
    this.#holds = holds;
  }

  get count(): number {
    return Math.max(this.#before?.count ?? 0, this.#count);
  }

  async read(index: number): Promise<Latents> {
    const made = this.#made.get(index);
    if (made) return made.slice();
    if (this.#before) return this.#before.read(index);
    throw new Error(`block ${index} is not finished`);
  }

  /** Takes note of every block, and tells `keep` of each once. */
  keeping(keep: GenerateOptions['keep']): NonNullable<GenerateOptions['keep']> {
    return async (block, latents, text) => {
      const before = this.#before?.count ?? 0;
      if (block.index < this.#count) return;
      this.#count = block.index + 1;
      if (this.#holds && block.index >= before) this.#made.set(block.index, latents.slice());
      await keep?.(block, latents, text);
    };
  }
}

/** What is kept, or what was known before where that is more. */
async function longer(
  before: KnownBlocks | undefined,
  kept: () => Promise<KnownBlocks>,
): Promise<KnownBlocks> {
  const found = await kept();
  return before && before.count > found.count ? before : found;
}
