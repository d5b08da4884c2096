/**
 * What a model of opened files and a clip with it will take of GPU memory, before anything is loaded: weights by their
 * headers, the rest by pipeline/memory-plan. Where it does not fit, the nearest setting that does.
 */
import { KinoraError, toEngineError } from '../errors';
import { changes, type Lora } from '../models/lora';
import { matchTensors, umt5Shapes, wanShapes, type Match } from '../models/tensors';
import { layerName, readUmt5Config, type Umt5Config } from '../models/umt5';
import { readWanConfig } from '../models/wan-config';
import type { ModelManifest } from '../weights/manifest';
import { smallType } from '../weights/small';
import type { WeightFile } from '../weights/source';
import type { ModelFiles } from '../weights/store';
import { plannedBytes } from '../weights/upload';
import type { Size } from '../worker/protocol/clip';
import type { MemoryPlan, Quantize } from '../worker/protocol/files';
import { readAutoencoderConfig, matchAutoencoder } from './autoencoder';
import { encodingNeed, waysToEncode } from './encoder-plan';
import { checkPlan, estimateNeed, findFit, fitting, fittingTiles, gridOf, type Room } from './memory-plan';
import { openLoras, STREAMED } from './model';

/** What waits to be copied to the GPU, at most (weights/upload), and the layers of a streamed encoder that are there at once. */
const PIECES = 64 * 2 ** 20;
const LAYERS = 2;

/** Bytes of the weights on the GPU. */
interface Counted {
  transformer: number;
  autoencoder: number;
  /** For as long as the model is loaded. */
  resident: number;
  /** While a prompt is read. */
  streamed: number;
  /** The Wan VAE's encoder is among them. */
  encodes: boolean;
}

/** @throws KinoraError `bad-model` where files do not match their configs */
export async function planOpened(
  files: ModelFiles,
  size: Size,
  room: Room,
  quantize?: Quantize,
): Promise<MemoryPlan> {
  const { manifest } = files;
  const { transformer } = manifest.components;
  const open = async (part: 'transformer' | 'text_encoder' | 'autoencoder') =>
    files.weights!(manifest.components[part].file);
  const opened = {
    transformer: await open('transformer'),
    text: await open('text_encoder'),
    autoencoder: await open('autoencoder'),
    loras: await openLoras(files, transformer, wanShapes(readWanConfig(transformer.config))),
  };
  const plan = (bits: Quantize | undefined) => {
    const counted = count(manifest, opened, room.element, bits);
    const weights = counted.transformer + counted.autoencoder + counted.resident;
    // While a prompt is read, nothing else is at work.
    const before = counted.streamed > 0 ? counted.streamed + PIECES : 0;
    const full = { ...room, weights, reading: before };
    const cacheBits = fitting(manifest, size, full)?.bits ?? 8;
    const { rows, columns } = fittingTiles(manifest, size, full, cacheBits);
    const need = estimateNeed(manifest, size, full, cacheBits, { rows, columns });
    // A picture or a video that the clip begins with is encoded before anything else of it is there.
    const encoding = counted.encodes ? encodingBytes(manifest, size, full) : 0;
    const total = Math.max(need.total, encoding);
    return { counted, full, need, cacheBits, tiles: rows * columns, total };
  };
  const { counted, full, need, cacheBits, tiles, total } = plan(quantize);
  const items: MemoryPlan['items'] = [
    { what: 'transformer', bytes: counted.transformer },
    { what: 'text_encoder', bytes: counted.resident + counted.streamed },
    { what: 'autoencoder', bytes: counted.autoencoder + need.kept },
    { what: 'cache', bytes: need.cache },
    { what: 'work', bytes: need.work },
    { what: 'pieces', bytes: PIECES },
  ];
  const made = { size, window: manifest.sampler.window, cacheBits, tiles, items, total, limit: room.total }; // prettier-ignore
  const grid = gridOf(manifest);
  try {
    checkPlan(manifest, size, grid, full);
    return { ...made, problem: null };
  } catch (e) {
    const error = e as KinoraError;
    if (error.params.fits) return { ...made, problem: toEngineError(error) };
    // No size fits with these weights; smaller ones may leave room for some.
    for (const bits of ['q8_0', 'q4_0'] as const) {
      if (bits === quantize) continue;
      const other = plan(bits);
      if (other.counted.transformer >= counted.transformer) continue;
      const fit = fitsAt(manifest, size, other.full) ? size : findFit(manifest, size, grid, other.full);
      if (!fit) continue;
      const message = `${error.message} With weights of ${bits === 'q8_0' ? 8 : 4} bits ${fit.width} × ${fit.height} fits.`;
      return { ...made, problem: toEngineError(new KinoraError(error.code, message, { ...error.params, quantize: bits === 'q8_0' ? 8 : 4, then: `${fit.width} × ${fit.height}` })) }; // prettier-ignore
    }
    return { ...made, problem: toEngineError(error) };
  }
}

function fitsAt(manifest: ModelManifest, size: Size, room: Room): boolean {
  try {
    checkPlan(manifest, size, gridOf(manifest), room);
    return true;
  } catch {
    return false;
  }
}

function count(
  { components }: ModelManifest,
  files: { transformer: WeightFile; text: WeightFile; autoencoder: WeightFile; loras: readonly Lora[] },
  element: 2 | 4,
  quantize: Quantize | undefined,
): Counted {
  const options = quantize ? { quantize: (name: string, row: number) => smallType(name, quantize, row) } : {};
  const wan = matchTensors(files.transformer, 'wan-transformer', wanShapes(readWanConfig(components.transformer.config))); // prettier-ignore
  const config = readUmt5Config(components.text_encoder.config);
  const text = matchTensors(files.text, 'umt5', umt5Shapes(config));
  const a = readAutoencoderConfig(components.autoencoder);
  const sides = matchAutoencoder(files.autoencoder, a);
  // Repacked: matrices in the activations' type, all else f32.
  const repacked = [...sides.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((x, y) => x * y, 1) * (shape.length > 1 ? element : 4),
    0,
  );
  const whole = [...files.text.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const streams = whole > STREAMED;
  return {
    transformer: plannedBytes(files.transformer, wan, {
      ...options,
      patched: (name) => changes(files.loras, name),
    }),
    autoencoder: repacked,
    resident: streams ? 0 : plannedBytes(files.text, text, options),
    encodes: a.network === 'wan-vae' && [...sides.keys()].some((name) => name.startsWith('encoder.')),
    streamed: streams ? LAYERS * largestLayer(files.text, config, text, options) : 0,
  };
}

/** What encoding takes where it can be done; 0 where no tiles are small enough: a picture is then refused, words are not. */
function encodingBytes(manifest: ModelManifest, size: Size, room: Room): number {
  try {
    const [tiling] = waysToEncode(manifest, size, room);
    return encodingNeed(manifest, size, room, tiling)?.total ?? 0;
  } catch (e) {
    if (e instanceof KinoraError && e.code === 'out-of-memory') return 0;
    throw e;
  }
}

function largestLayer(
  file: WeightFile,
  { num_layers }: Umt5Config,
  tensors: ReadonlyMap<string, Match>,
  options: Parameters<typeof plannedBytes>[2],
): number {
  const layers = Array.from({ length: num_layers }, (_, i) => {
    const own = [...tensors].filter(([name]) => name.startsWith(`${layerName(i)}.`));
    return plannedBytes(file, new Map(own), options);
  });
  return Math.max(...layers);
}
