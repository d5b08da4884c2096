/**
 * A small family of Wan networks with seeded weights, in the files that people have: any format, any layout. Shapes are
 * those of real ones but for their numbers, so everything is told as for real ones. Pictures mean nothing.
 */
import { readFileSync } from 'node:fs';
import { join as path } from 'node:path';
import { readTaehvConfig, taehvShapes } from '../../src/models/taehv';
import { umt5Shapes, wanShapes, type Shapes } from '../../src/models/tensors';
import { readUmt5Config } from '../../src/models/umt5';
import { readWanConfig } from '../../src/models/wan-config';
import { readWanVaeConfig, wanVaeShapes } from '../../src/models/wan-vae';
import { f32ToF16 } from '../../src/weights/half';
import { quantizeQ4_0, quantizeQ8_0 } from '../../src/weights/pack';
import { gguf, safetensors } from '../weights/write';
import { random } from './tensors';
import { torchFile } from './torch-zip';

export type Tensors = Map<string, { shape: readonly number[]; values: Float32Array<ArrayBuffer> }>;

/** One head of 128, as the config is inferred; 16 channels, for Wan's VAE is told by them. */
export const WAN = {
  _class_name: 'WanTransformer3DModel',
  num_attention_heads: 1,
  attention_head_dim: 128,
  in_channels: 16,
  out_channels: 16,
  text_dim: 64,
  freq_dim: 256,
  ffn_dim: 256,
  num_layers: 2,
};
export const UMT5 = {
  model_type: 'umt5',
  feed_forward_proj: 'gated-gelu',
  vocab_size: 640,
  d_model: 64,
  d_kv: 64,
  d_ff: 128,
  num_layers: 2,
  num_heads: 2,
};
export const TAEHV = { latent_channels: 16, decoder_channels: [16, 8, 8, 8] };
export const VAE = { _class_name: 'AutoencoderKLWan', base_dim: 8, z_dim: 16 };

/** Seeded numbers, scaled so that layers keep the size of what goes through them. */
function fill(shapes: Shapes, seed: number): Tensors {
  const tensors: Tensors = new Map();
  for (const [name, shape] of shapes) {
    const count = shape.reduce((a, b) => a * b, 1);
    const spread = name === 'shared.weight' ? 1 : /bias$|table$/.test(name) ? 0.1 : Math.sqrt(3 / Math.max(1, count / shape[0]!)); // prettier-ignore
    const gain = /norm[^.]*\.(weight|gamma)$|norm_[qk]\.weight$/.test(name);
    const values = random(count, seed++, gain ? 0.1 : spread);
    tensors.set(name, { shape, values: gain ? values.map((v) => 1 + v) : values });
  }
  return tensors;
}

export const family = {
  transformer: () => fill(wanShapes(readWanConfig(WAN)), 1000),
  text: () => fill(umt5Shapes(readUmt5Config(UMT5)), 2000),
  taehv: () => fill(taehvShapes(readTaehvConfig(TAEHV), 'decoder'), 3000),
  vae: () => fill(wanVaeShapes(readWanVaeConfig(VAE)), 4000),
};

const golden = JSON.parse(readFileSync(path(import.meta.dirname, '../goldens/names.json'), 'utf8')) as {
  names: Record<string, Record<string, string>>;
};

/** The tensors under the names of a layout of tests/goldens/names.json. */
export function inLayout(layout: string, tensors: Tensors, prefix = ''): Tensors {
  const theirs = new Map(Object.entries(golden.names[layout]!).map(([name, ours]) => [ours, name]));
  return new Map([...tensors].map(([name, t]) => {
    const other = theirs.get(name);
    if (!other) throw new Error(`${layout} has no name for ${name}`);
    return [prefix + other, t];
  })); // prettier-ignore
}

const halves = (values: Float32Array) =>
  new Uint16Array(new Uint32Array(Float32Array.from(values).buffer).map((bits) => bits >>> 16));

/** F32, or BF16 (cut off). */
export function safetensorsFile(tensors: Tensors, dtype: 'F32' | 'BF16' = 'F32'): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, { shape, values }] of tensors) {
    const bytes = new Uint8Array(dtype === 'F32' ? values.buffer : halves(values).buffer);
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    parts.push(bytes);
    end += bytes.length;
  }
  const data = new Uint8Array(end);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return safetensors(header, data);
}

/** Q4_1, as others write it: a scale and a minimum a block of 32. Kinora itself never writes it. */
function quantizeQ4_1(x: Float32Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array((x.length / 32) * 20);
  const view = new DataView(out.buffer);
  for (let b = 0; b < x.length / 32; b++) {
    const block = x.subarray(32 * b, 32 * b + 32);
    const least = Math.min(...block);
    const d = (Math.max(...block) - least) / 15;
    view.setUint16(20 * b, f32ToF16(d), true);
    view.setUint16(20 * b + 2, f32ToF16(least), true);
    const quant = (i: number) => (d === 0 ? 0 : Math.min(15, Math.round((block[i]! - least) / d)));
    for (let i = 0; i < 16; i++) out[20 * b + 4 + i] = quant(i) | (quant(16 + i) << 4);
  }
  return out;
}
const WRITERS = {
  F32: { type: 0, write: (x: Float32Array<ArrayBuffer>) => new Uint8Array(x.buffer) },
  Q4_0: { type: 2, write: quantizeQ4_0 },
  Q4_1: { type: 3, write: quantizeQ4_1 },
  Q8_0: { type: 8, write: quantizeQ8_0 },
} as const;

/** Matrices of whole rows in `type`, all else F32. Kernels of five axes are flattened, for ggml has four. */
export function ggufFile(
  tensors: Tensors,
  type: keyof typeof WRITERS = 'F32',
  entries: Uint8Array[] = [],
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let end = 0;
  const listed = [...tensors].map(([name, { shape, values }]) => {
    const flat = shape.length > 4 ? [shape[0]!, shape.slice(1).reduce((a, b) => a * b, 1)] : [...shape];
    const whole = flat.length === 2 && flat[0]! > 1 && flat[1]! % 32 === 0;
    const as = WRITERS[whole ? type : 'F32'];
    const bytes = as.write(values);
    const padded = new Uint8Array(Math.ceil(bytes.length / 32) * 32);
    padded.set(bytes);
    const offset = end;
    parts.push(padded);
    end += padded.length;
    return { name, dims: flat.reverse(), type: as.type, offset };
  });
  const data = new Uint8Array(end);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return gguf({ tensors: listed, data, entries });
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)) as Uint8Array<ArrayBuffer>;

export type Files = Record<string, Uint8Array<ArrayBuffer>>;

/** Two files and their index, as diffusers cuts large ones. */
export function shards(folder: string, tensors: Tensors): Files {
  const all = [...tensors];
  const base = 'diffusion_pytorch_model';
  const halves = [all.slice(0, all.length >> 1), all.slice(all.length >> 1)];
  const weight_map: Record<string, string> = {};
  const files: Files = {};
  halves.forEach((half, i) => {
    const name = `${base}-0000${i + 1}-of-00002.safetensors`;
    for (const [tensor] of half) weight_map[tensor] = name;
    files[`${folder}${name}`] = safetensorsFile(new Map(half));
  });
  files[`${folder}${base}.safetensors.index.json`] = json({ metadata: {}, weight_map });
  return files;
}

const tokenizer = () =>
  new Uint8Array(readFileSync(path(import.meta.dirname, '../text/fixtures/words.json')));

/** A folder as diffusers has it, transformer in shards. */
export function diffusersFolder(decoder: 'vae' | 'taehv' = 'taehv'): Files {
  return {
    'wan/model_index.json': json({ _class_name: 'WanPipeline' }),
    'wan/transformer/config.json': json(WAN),
    ...shards('wan/transformer/', family.transformer()),
    'wan/text_encoder/config.json': json(UMT5),
    'wan/text_encoder/model.safetensors': safetensorsFile(family.text()),
    'wan/tokenizer/tokenizer.json': tokenizer(),
    ...(decoder === 'vae'
      ? {
          'wan/vae/config.json': json(VAE),
          'wan/vae/diffusion_pytorch_model.safetensors': safetensorsFile(family.vae()),
        }
      : { 'wan/taew2_1.safetensors': safetensorsFile(family.taehv()) }),
  };
}

/** The files of a person who collects: every format and another layout each. */
export function collected(type: 'F32' | 'Q8_0' | 'Q4_0' = 'F32'): Files {
  return {
    'wan-1.3b.gguf': ggufFile(inLayout('wan-transformer', family.transformer()), type),
    'umt5.safetensors': safetensorsFile(inLayout('umt5', family.text())),
    'taew2_1.pth': torchFile(family.taehv()),
    'tokenizer.json': tokenizer(),
  };
}
