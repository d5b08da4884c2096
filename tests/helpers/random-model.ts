/**
 * A tiny model of random weights: every part that a real one has, in files of real formats, and nothing
 * learnt. Its pictures mean nothing. For tests of the pipeline; what trained networks compute is compared
 * with PyTorch elsewhere.
 */
import { readWanVaeConfig, wanVaeShapes } from '../../src/models/wan-vae';
import type { ModelManifest } from '../../src/weights/manifest';
import { fromBytes, type ByteSource } from '../../src/weights/source';
import type { ModelFiles } from '../../src/weights/store';
import { tokenizerJson } from '../text/fixtures';
import { safetensors } from '../weights/write';
import {
  BUCKETS,
  CHANNELS,
  D,
  DECODER,
  FREQUENCIES,
  INNER,
  LAYERS,
  randomManifest,
  VAE_CONFIG,
  VOCABULARY,
  W,
} from './random-manifest';
import { random } from './tensors';

export { AUTOENCODER_CONFIG, TEXT_CONFIG, TRANSFORMER_CONFIG } from './random-manifest';

type Tensors = Map<string, { shape: number[]; values: Float32Array<ArrayBuffer> }>;

/** Collects tensors of seeded numbers, scaled so that layers keep the size of what goes through them. */
class Maker {
  readonly tensors: Tensors = new Map();
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  weight(name: string, ...shape: number[]): void {
    const [rows, ...rest] = shape as [number, ...number[]];
    const spread = Math.sqrt(3 / Math.max(1, product(rest)));
    this.tensors.set(name, { shape, values: random(rows * product(rest), this.#seed++, spread) });
  }

  linear(name: string, out: number, from: number): void {
    this.weight(`${name}.weight`, out, from);
    this.bias(`${name}.bias`, out);
  }

  bias(name: string, ...shape: number[]): void {
    this.tensors.set(name, { shape, values: random(product(shape), this.#seed++, 0.1) });
  }

  /** Of a norm: about 1. */
  gain(name: string, n: number): void {
    this.tensors.set(name, { shape: [n], values: random(n, this.#seed++, 0.1).map((v) => 1 + v) });
  }
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function textTensors(): Tensors {
  const m = new Maker(1000);
  m.tensors.set('shared.weight', { shape: [VOCABULARY, D], values: random(VOCABULARY * D, 1, 1) });
  const layer = 'encoder.block.0.layer';
  for (const n of ['q', 'k', 'v', 'o']) m.weight(`${layer}.0.SelfAttention.${n}.weight`, D, D);
  m.bias(`${layer}.0.SelfAttention.relative_attention_bias.weight`, BUCKETS, 2);
  for (const n of ['wi_0', 'wi_1']) m.weight(`${layer}.1.DenseReluDense.${n}.weight`, INNER, D);
  m.weight(`${layer}.1.DenseReluDense.wo.weight`, D, INNER);
  for (const i of [0, 1]) m.gain(`${layer}.${i}.layer_norm.weight`, D);
  m.gain('encoder.final_layer_norm.weight', D);
  return m.tensors;
}

function transformerTensors(): Tensors {
  const m = new Maker(2000);
  m.weight('patch_embedding.weight', W, CHANNELS, 1, 2, 2);
  m.bias('patch_embedding.bias', W);
  const condition = 'condition_embedder';
  m.linear(`${condition}.time_embedder.linear_1`, W, FREQUENCIES);
  m.linear(`${condition}.time_embedder.linear_2`, W, W);
  m.linear(`${condition}.time_proj`, 6 * W, W);
  m.linear(`${condition}.text_embedder.linear_1`, W, D);
  m.linear(`${condition}.text_embedder.linear_2`, W, W);
  for (let i = 0; i < LAYERS; i++) {
    const block = `blocks.${i}`;
    for (const attn of ['attn1', 'attn2']) {
      for (const n of ['to_q', 'to_k', 'to_v', 'to_out.0']) m.linear(`${block}.${attn}.${n}`, W, W);
      for (const n of ['norm_q', 'norm_k']) m.gain(`${block}.${attn}.${n}.weight`, W);
    }
    m.gain(`${block}.norm2.weight`, W);
    m.bias(`${block}.norm2.bias`, W);
    m.linear(`${block}.ffn.net.0.proj`, INNER, W);
    m.linear(`${block}.ffn.net.2`, W, INNER);
    m.bias(`${block}.scale_shift_table`, 1, 6, W);
  }
  m.bias('scale_shift_table', 1, 2, W);
  m.linear('proj_out', 4 * CHANNELS, W);
  return m.tensors;
}

function decoderTensors(): Tensors {
  const m = new Maker(3000);
  const conv = (name: string, from: number, to: number, bias = true) => {
    m.weight(`decoder.${name}.weight`, to, from, 3, 3);
    if (bias) m.bias(`decoder.${name}.bias`, to);
  };
  conv('1', CHANNELS, DECODER);
  for (const first of [3, 9, 15]) {
    for (let i = first; i < first + 3; i++) {
      conv(`${i}.conv.0`, 2 * DECODER, DECODER);
      for (const j of [2, 4]) conv(`${i}.conv.${j}`, DECODER, DECODER);
    }
    const times = first === 3 ? 1 : 2;
    m.weight(`decoder.${first + 4}.conv.weight`, times * DECODER, DECODER, 1, 1);
    conv(`${first + 5}`, DECODER, DECODER, false);
  }
  conv('22', DECODER, 3 * 8 * 8);
  return m.tensors;
}

function encoderTensors(): Tensors {
  const m = new Maker(4000);
  const conv = (name: string, from: number, to: number, bias = true) => {
    m.weight(`encoder.${name}.weight`, to, from, 3, 3);
    if (bias) m.bias(`encoder.${name}.bias`, to);
  };
  conv('0', 3 * 8 * 8, DECODER);
  for (const first of [2, 7, 12]) {
    const times = first === 12 ? 1 : 2;
    m.weight(`encoder.${first}.conv.weight`, DECODER, times * DECODER, 1, 1);
    conv(`${first + 1}`, DECODER, DECODER, false);
    for (let i = first + 2; i < first + 5; i++) {
      conv(`${i}.conv.0`, 2 * DECODER, DECODER);
      for (const j of [2, 4]) conv(`${i}.conv.${j}`, DECODER, DECODER);
    }
  }
  conv('17', DECODER, CHANNELS);
  return m.tensors;
}

function vaeTensors(): Tensors {
  const m = new Maker(5000);
  for (const [name, shape] of wanVaeShapes(readWanVaeConfig(VAE_CONFIG))) {
    if (name.endsWith('.gamma')) m.gain(name, product(shape));
    else if (name.endsWith('.bias')) m.bias(name, ...shape);
    else m.weight(name, ...(shape as [number, ...number[]]));
    m.tensors.get(name)!.shape = [...shape];
  }
  return m.tensors;
}

function toFile(name: string, tensors: Tensors): ByteSource {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [key, { shape, values }] of tensors) {
    header[key] = { dtype: 'F32', shape, data_offsets: [end, end + values.byteLength] };
    end += values.byteLength;
  }
  const data = new Uint8Array(end);
  let at = 0;
  for (const { values } of tensors.values()) {
    data.set(new Uint8Array(values.buffer), at);
    at += values.byteLength;
  }
  return fromBytes(name, safetensors(header, data));
}

export interface RandomModelOptions {
  /** With Wan's VAE, encoder and all, in place of TAEHV. */
  vae?: boolean;
  /** With an encoder; default: without. */
  encoder?: boolean;
  sampler?: Partial<ModelManifest['sampler']>;
  /** Changes a tensor, as damage would. */
  spoil?: { name: string; value: number };
  components?: Partial<ModelManifest['components']>;
}

/** The files of the model, as `openModel` gives those of a real one. */
export function randomModel({
  encoder,
  sampler,
  spoil,
  components,
  vae,
}: RandomModelOptions = {}): ModelFiles {
  const manifest = randomManifest({ sampler, components, vae });
  const parts = {
    'text.safetensors': textTensors(),
    'dit.safetensors': transformerTensors(),
    'taehv.safetensors': new Map([...decoderTensors(), ...(encoder ? encoderTensors() : [])]),
    'vae.safetensors': vaeTensors(),
  };
  if (spoil)
    for (const tensors of Object.values(parts)) tensors.get(spoil.name)?.values.fill(spoil.value, 3, 4);
  return {
    manifest,
    persisted: false,
    problem: null,
    offline: false,
    source: (path) => toFile(path, parts[path as keyof typeof parts]),
    json: async () => tokenizerJson('words'),
  };
}
