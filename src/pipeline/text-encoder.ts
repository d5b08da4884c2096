/**
 * The text encoder of a model: with all its weights on the GPU, as Pocket's few megabytes, or streamed from its file
 * layer by layer, as UMT5-XXL must be (5.7 billion parameters, of which a prompt needs some rows of the table and each
 * layer once). What was encoded is remembered, so the same words cost nothing again.
 */
import { KinoraError } from '../errors';
import type { Gpu } from '../gpu/device';
import type { Run } from '../gpu/run';
import type { Tensor } from '../gpu/tensor';
import { matchTensors, umt5Shapes, type Match } from '../models/tensors';
import {
  layerName,
  umt5,
  umt5Finish,
  umt5Layer,
  UMT5_NORM,
  UMT5_TABLE,
  type Umt5Config,
} from '../models/umt5';
import { toF32 } from '../weights/convert';
import { LAYOUTS } from '../weights/dtypes';
import { readScale } from '../weights/scaled';
import { damaged, type WeightFile } from '../weights/source';
import { uploadWeights, type UploadOptions, type Weights } from '../weights/upload';

/** So many layers of all are done; so many were on the GPU at once. */
export type OnLayer = (done: number, total: number, resident: number) => void;

export interface TextEncoder {
  readonly config: Umt5Config;
  /** Bytes on the GPU between prompts. */
  readonly bytes: number;
  /**
   * Ids, `</s>` included → [L, D] f32, a tensor of the run.
   * @param onLayer called between layers where they are streamed, which may take minutes; what it throws ends the encoding
   */
  encode(run: Run, ids: Int32Array<ArrayBuffer>, onLayer?: OnLayer): Promise<Tensor>;
  /** Records the kernels of a prompt of so many tokens, for warming up; null where weights are not at hand. */
  dry(run: Run, length: number): Tensor | null;
  free(): void;
}

/** Every weight stays on the GPU. Owns them. */
export function residentEncoder(weights: Weights, config: Umt5Config): TextEncoder {
  const record = (run: Run, ids: Int32Array<ArrayBuffer>): Tensor => {
    const input = run.input(ids, [ids.length], 'token ids');
    const hidden = umt5(run, weights, config, input);
    run.release(input);
    return hidden;
  };
  return {
    config,
    get bytes() {
      return weights.bytes;
    },
    encode: async (run, ids) => record(run, ids),
    dry: (run, length) => record(run, new Int32Array(length)),
    free: () => weights.free(),
  };
}

/** Prompts that are remembered; the longest takes 8 MB. */
const REMEMBERED = 8;

export interface StreamOptions {
  /** Layers that may be on the GPU at once: the one at work, and those read ahead. At least 1. */
  layers?: number;
  /** What the layers' matrices become on their way, as the plan counts them (weights/upload). */
  smaller?: Pick<UploadOptions, 'quantize' | 'quantizer'>;
}

/**
 * An encoder that reads its file again for every new prompt.
 * @throws KinoraError `bad-model` listing what does not fit
 */
export function streamedEncoder(
  gpu: Gpu,
  file: WeightFile,
  config: Umt5Config,
  { layers: most = 2, smaller = {} }: StreamOptions = {},
): TextEncoder {
  const matches = matchTensors(file, 'umt5', umt5Shapes(config));
  const known = new Map<string, Float32Array<ArrayBuffer>>();
  const { d_model: D, num_layers: count } = config;
  const upload = (wanted: (name: string) => boolean): Promise<Weights> => {
    const tensors = new Map([...matches].filter(([name]) => wanted(name)));
    return uploadWeights(gpu, file, { tensors, ...smaller });
  };
  const layer = (i: number) => upload((name) => name.startsWith(`${layerName(i)}.`));

  const run = async (r: Run, ids: Int32Array<ArrayBuffer>, onLayer?: OnLayer): Promise<Tensor> => {
    const embedded = await readRows(file, matches.get(UMT5_TABLE)!, ids);
    let x = r.input(embedded, [ids.length, D], 'embedded tokens', 'f32');
    const ahead: Promise<Weights>[] = [];
    let next = 0;
    const readOn = () => {
      while (next < count && ahead.length < most) {
        const reading = layer(next++);
        reading.catch(() => {}); // awaited below
        ahead.push(reading);
      }
    };
    try {
      for (let i = 0; i < count; i++) {
        readOn();
        const weights = await ahead[0]!;
        const before = x;
        x = umt5Layer(r, weights, config, i, before);
        r.release(before);
        await r.sync(); // the GPU is done with the layer
        ahead.shift();
        const resident = ahead.length + 1;
        weights.free();
        onLayer?.(i + 1, count, resident);
      }
      const last = await upload((name) => name === UMT5_NORM);
      const hidden = umt5Finish(r, last, config, x);
      await r.sync();
      last.free();
      r.release(x);
      return hidden;
    } catch (e) {
      for (const reading of ahead) await reading.then((w) => w.free(), () => {}); // prettier-ignore
      throw e;
    }
  };
  return {
    config,
    bytes: 0,
    async encode(r, ids, onLayer) {
      const key = ids.join();
      const found = known.get(key);
      if (found) return r.input(found, [ids.length, D], 'text embedding', 'f32');
      const hidden = await run(r, ids, onLayer);
      if (known.size === REMEMBERED) known.delete(known.keys().next().value!);
      known.set(key, await r.read(hidden));
      return hidden;
    },
    dry: () => null,
    free: () => known.clear(),
  };
}

/** Rows of the embedding table, read one by one: the table itself never loads. [L, D] */
async function readRows(
  file: WeightFile,
  { info, shape }: Match,
  ids: Int32Array<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer>> {
  const [rows, D] = shape as [number, number];
  const { elements, bytes } = LAYOUTS[info.dtype];
  if (D % elements)
    throw damaged(
      file.name,
      `the table "${info.name}" has rows of ${D}, which are not whole blocks of ${elements}.`,
    );
  const step = (D / elements) * bytes;
  const scale = await readScale(file, info);
  const out = new Float32Array(ids.length * D);
  const seen = new Map<number, Float32Array>();
  for (const [i, id] of ids.entries()) {
    if (id < 0 || id >= rows)
      throw new KinoraError('bad-model', `The tokenizer gave id ${id}, but ${file.name} has ${rows} rows.`, {
        id,
        rows,
      });
    let row = seen.get(id);
    if (!row) {
      row = toF32(info, await file.read(info.name, id * step, step), file.name);
      const factor = scale ? scale[scale.length === 1 ? 0 : id]! : 1;
      if (factor !== 1) row = row.map((v) => v * factor);
      seen.set(id, row);
    }
    out.set(row, i * D);
  }
  return out;
}
