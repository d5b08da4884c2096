/**
 * Will a clip of this size fit here? Answered from model.json and the adapter's limits alone, before anything
 * is loaded, allocated or compiled. Bytes are estimated by the largest tensors that live at the same time; the
 * weights, which are the same at every size, come with the room (whole-plan.ts counts them).
 *
 * F latent frames of a block, h w of the latents, N tokens of a block, D the transformer's width.
 */
import { KinoraError } from '../errors';
import { GIB, usualMemory } from '../limits';
import { readWanConfig } from '../models/wan-config';
import { wordsOf } from '../ops/store-8bit';
import type { ModelManifest } from '../weights/manifest';
import type { CacheBits, Size } from '../worker/protocol/clip';
import type { AdapterReport } from '../worker/protocol/machine';
import { readAutoencoderConfig } from './autoencoder';
import { WHOLE, type Tiling } from '../models/tiling';
import { decoderTilings, estimateDecoder } from './decoder-plan';

/** What a machine offers a clip. */
export interface Room {
  /** Bytes of an activation's element. */
  element: 2 | 4;
  /** Bytes of one buffer. */
  buffer: number;
  /** Bytes of everything that lives at once. No browser tells how much a GPU has; this is what is counted on. */
  total: number;
  /** Bytes of it that weights take. Default: none. */
  weights?: number;
  /** Bytes that are taken while a prompt is read, before a clip is at work. Default: none. */
  reading?: number;
  /** Whether the person can say how much `total` is. Default: no. */
  adjustable?: boolean;
  /** Floating-point operations a second, roughly. Null: not known before a step has run, so that nothing is refused for time. */
  speed: number | null;
  /** Attention keeps all its scores at once, as onnxruntime-web does; our kernels do not. */
  scores: boolean;
  /** Keys and values can be kept in 8 bit. */
  packs: boolean;
}

/** What a clip of some size needs. Bytes, but for the last. */
export interface Need {
  buffer: number;
  /** Weights included. */
  total: number;
  /** Floating-point operations of one pass of the transformer over a block. */
  pass: number;
  /** Keys and values of the blocks before. */
  cache: number;
  /** What the decoder keeps of the frames before. */
  kept: number;
  /** Everything that comes and goes. */
  work: number;
}

/** A step that takes longer than this, where that is known, is taken for a mistake. Seconds. */
const LONGEST_STEP = 300;

/**
 * What can be counted on with WebGPU.
 * @param memory what the person says that the GPU has, in bytes; default: `usualMemory`. A software adapter takes no such word
 * @throws KinoraError `bad-request` for a number that is none
 */
export function roomOfGpu(adapter: AdapterReport, element: 2 | 4, memory?: number): Room {
  const { maxBufferSize, maxStorageBufferBindingSize: binding, isFallback } = adapter;
  if (memory !== undefined && !(Number.isFinite(memory) && memory > 0))
    throw new KinoraError('bad-request', `The GPU's memory must be a number of bytes above 0, but it is ${String(memory)}.`, { field: 'gpuMemory', found: String(memory) }); // prettier-ignore
  const usual = usualMemory(maxBufferSize);
  return {
    element,
    buffer: Math.min(maxBufferSize, binding),
    total: isFallback ? usual : (memory ?? usual),
    adjustable: !isFallback,
    // Real ones differ by a factor of a hundred and more.
    speed: isFallback ? 2e9 : null,
    scores: false,
    packs: true,
  };
}

/** What can be counted on with WebAssembly, whose memory ends at 4 GiB. */
export const ROOM_OF_CPU: Room = { element: 4, buffer: GIB, total: 2 * GIB, speed: 4e10, scores: true, packs: false }; // prettier-ignore

/** How a clip is made where memory asks for it: bits of keys and values, and tiles that its pictures are decoded in. */
export interface Fitting {
  bits: CacheBits;
  tiling: Tiling;
}

/** What one block of a clip of this size needs with keys and values of so many bits, decoded in such tiles. */
export function estimateNeed(
  manifest: ModelManifest,
  { width, height }: Size,
  room: Room,
  bits: CacheBits = 16,
  tiling: Tiling = WHOLE,
): Need {
  const { latent, sampler, components } = manifest;
  const wan = readWanConfig(components.transformer.config);
  const [, strideY, strideX] = latent.stride;
  const [h, w] = [height / strideY, width / strideX];
  const [pt, ph, pw] = wan.patch_size;
  const perFrame = (h / ph) * (w / pw);
  const N = (sampler.num_frame_per_block / pt) * perFrame;
  const keys = (sampler.window / pt) * perFrame;
  const D = wan.num_attention_heads * wan.attention_head_dim;
  const e = room.element;

  const scores = room.scores ? wan.num_attention_heads * N * keys * 4 : 0;
  const hidden = N * wan.ffn_dim * e;
  // Of 16 bit also where activations are f32 (models/kv-cache).
  const kept = room.packs && wan.attention_head_dim % 4 === 0 ? 2 : e;
  const row = bits === 8 ? wan.num_attention_heads * wordsOf(wan.attention_head_dim) * 4 : D * kept;
  const cacheOfLayer = keys * row;
  // Of a sink that moves along, keys before their turn (models/wan-transformer).
  const { sink, positions = 'window', guidance } = sampler;
  const sinkOfLayer = positions === 'window' ? (sink / pt) * perFrame * D * e : 0;
  // Guidance keeps what the negative prompt sees, too.
  const cache = (guidance ? 2 : 1) * wan.num_layers * (2 * cacheOfLayer + sinkOfLayer);
  // The residual stream three times; queries, keys, values and what attention gives; the feed-forward; where tokens stand.
  // Scratch of one size is not lent for another; of one type, five of the seven are enough.
  const tokens = e === 4 ? 5 * N * D * 4 : 3 * N * D * 4 + 4 * N * D * e;
  const pass = tokens + hidden + N * wan.attention_head_dim * 4 + 2 * scores;
  const decoder = estimateDecoder(readAutoencoderConfig(components.autoencoder), h, w, e, tiling);
  const work = pass + decoder.peak;
  return {
    buffer: Math.max(scores, hidden, cacheOfLayer, N * D * 4, decoder.largest),
    // A block is decoded while the next one is denoised; while a prompt is read neither is.
    total: (room.weights ?? 0) + cache + decoder.kept + Math.max(work, room.reading ?? 0),
    cache,
    kept: decoder.kept,
    work,
    pass: wan.num_layers * N * (2 * (8 * D * D + 2 * D * wan.ffn_dim) + 4 * keys * D),
  };
}

/** Bits of keys and values to try, the best first. What was asked for, or the checkpoint says, is taken at its word. */
const bitsToTry = ({ sampler }: ModelManifest, room: Room, asked?: CacheBits): CacheBits[] => {
  const said = room.packs ? (asked ?? sampler.cache_bits) : 16;
  return said === undefined ? [16, 8] : [said];
};

/** From the whole picture to the tiles that take least memory. Other backends than ours decode it whole. */
function tilingsToTry({ latent, components }: ModelManifest, { width, height }: Size, room: Room): Tiling[] {
  const [, y, x] = latent.stride;
  return room.packs ? decoderTilings(readAutoencoderConfig(components.autoencoder), height / y, width / x) : [WHOLE]; // prettier-ignore
}

/**
 * How a clip of this size fits; null where it does not. Tiles come before keys and values of 8 bit: they cost time, and
 * change nothing.
 */
export function fitting(manifest: ModelManifest, size: Size, room: Room, asked?: CacheBits): Fitting | null {
  const tilings = tilingsToTry(manifest, size, room);
  const ways = bitsToTry(manifest, room, asked).flatMap((bits) =>
    tilings.map((tiling) => ({ bits, tiling })),
  );
  return ways.find(({ bits, tiling }) => fits(estimateNeed(manifest, size, room, bits, tiling), room)) ?? null; // prettier-ignore
}

/** The bits of keys and values with which a clip of this size fits: 16, or else 8. Null where none does. */
export function fittingBits(
  manifest: ModelManifest,
  size: Size,
  room: Room,
  asked?: CacheBits,
): CacheBits | null {
  return fitting(manifest, size, room, asked)?.bits ?? null;
}

/**
 * The tiles in which a clip of this size is decoded, with keys and values of these bits. The least that there are where
 * none fits.
 * @param asked those that it came to when memory ran out
 */
export function fittingTiles(
  manifest: ModelManifest,
  size: Size,
  room: Room,
  bits: CacheBits,
  asked?: Tiling,
): Tiling {
  const known = asked && tilingsToTry(manifest, size, room).find((tiling) => sameTiles(tiling, asked));
  if (known) return known;
  return fitting(manifest, size, room, bits)?.tiling ?? tilingsToTry(manifest, size, room).at(-1)!;
}

/** The tiles that take less memory than these; null where there are none. */
export function moreTiles(manifest: ModelManifest, size: Size, room: Room, tiles: Tiling): Tiling | null {
  const all = tilingsToTry(manifest, size, room);
  return all[all.findIndex((tiling) => sameTiles(tiling, tiles)) + 1] ?? null;
}

const sameTiles = (a: Tiling, b: Tiling): boolean => a.rows === b.rows && a.columns === b.columns;

/** The largest size of the same shape that fits, in whole multiples of the grid; null when none does. */
export function findFit(
  manifest: ModelManifest,
  size: Size,
  grid: Size,
  room: Room,
  asked?: CacheBits,
): Size | null {
  for (let width = size.width - grid.width; width >= grid.width; width -= grid.width) {
    const rows = Math.round((width * size.height) / size.width / grid.height);
    const smaller = { width, height: Math.max(1, rows) * grid.height };
    if (fittingBits(manifest, smaller, room, asked)) return smaller;
  }
  return null;
}

/** Pixels of one token of the transformer: what width and height must be multiples of. */
export function gridOf({ latent, components }: ModelManifest): Size {
  const [, rows, columns] = readWanConfig(components.transformer.config).patch_size;
  return { width: latent.stride[2] * columns, height: latent.stride[1] * rows };
}

const fits = (need: Need, room: Room): boolean =>
  need.buffer <= room.buffer && need.total <= room.total && secondsOf(need, room) <= LONGEST_STEP;

/** Of a step, roughly; 0 where nobody knows. */
const secondsOf = ({ pass }: Need, { speed }: Room): number => (speed === null ? 0 : pass / speed);

/** What can be counted on in all, for a message that refuses more. */
export const countedOn = ({ total, adjustable }: Room): string =>
  `${gb(total)} can be counted on here${adjustable ? ' (if your GPU has more, say so in the settings, at “Memory of your GPU”)' : ''}`; // prettier-ignore
/** Tells the page that this may be said. */
export const adjusting = ({ adjustable }: Room): { setting?: 'gpuMemory' } =>
  adjustable ? { setting: 'gpuMemory' } : {};

/** The plan's own no, which nothing ran out for: what is refused before it is begun. */
export const isRefusal = (e: unknown): boolean => e instanceof KinoraError && e.params.field === 'size';

/**
 * Throws `out-of-memory` (or `bad-request`, when a step would take many minutes) for a size that will not do
 * here. The message has both numbers and a size that fits; `params.fits` is that size.
 * @param asked bits of keys and values; default: as the checkpoint says, or as memory allows
 * @returns the bits
 */
export function checkPlan(
  manifest: ModelManifest,
  size: Size,
  grid: Size,
  room: Room,
  asked?: CacheBits,
): CacheBits {
  const bits = fittingBits(manifest, size, room, asked);
  if (bits) return bits;
  const least = tilingsToTry(manifest, size, room).at(-1)!;
  const need = estimateNeed(manifest, size, room, bitsToTry(manifest, room, asked).at(-1), least);
  const found = `${size.width} × ${size.height}`;
  const fit = findFit(manifest, size, grid, room, asked);
  const smaller = asked === 16 && fittingBits(manifest, size, room, 8);
  const advice = smaller
    ? 'With keys and values of 8 bit it fits.'
    : fit
      ? `${fit.width} × ${fit.height} fits.`
      : 'No size of this shape fits.';
  const params = {
    field: 'size',
    found,
    needed: need.total,
    limit: room.total,
    ...(fit && { fits: `${fit.width} × ${fit.height}` }),
  };
  if (need.total > room.total)
    throw new KinoraError(
      'out-of-memory',
      `Pictures of ${found} need about ${gb(need.total)} of memory, but ${countedOn(room)}. ${advice}`,
      { ...params, ...adjusting(room) },
    );
  if (need.buffer > room.buffer)
    throw new KinoraError(
      'out-of-memory',
      `Pictures of ${found} need ${gb(need.buffer)} in one piece, but ${gb(room.buffer)} is the most here. ${advice}`,
      { ...params, needed: need.buffer, limit: room.buffer },
    );
  const minutes = Math.round(secondsOf(need, room) / 60);
  throw new KinoraError(
    'bad-request',
    `Pictures of ${found} would take some ${minutes} minutes a step here. ${advice}`,
    { field: 'size', found, minutes, ...(fit && { fits: params.fits! }) },
  );
}

export const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
