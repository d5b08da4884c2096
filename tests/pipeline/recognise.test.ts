/**
 * Picked files that are a little other than the plain ones: with tensors that belong to sparse attention, with shards whose
 * scales lie elsewhere, and with names and configs that speak of millions of layers. No GPU is needed to look at them.
 */
import { describe, expect, test } from 'vitest';
import { openFiles, type Opened } from '../../src/pipeline/opened';
import { readScale } from '../../src/weights/scaled';
import type { EngineError } from '../../src/worker/protocol/result';
import { collected, diffusersFolder, family, inLayout, safetensorsFile, UMT5, VAE, WAN, type Files, type Tensors } from '../helpers/wan-family'; // prettier-ignore
import { join, safetensors } from '../weights/write';

const open = (files: Files): Promise<Opened> =>
  openFiles({ files: Object.entries(files).map(([path, bytes]) => ({ path, file: new Blob([bytes]), changed: 1 })) }); // prettier-ignore
const problemOf = ({ recognition }: Opened, path: string): EngineError | null =>
  recognition.findings.find((one) => one.path === path)!.problem;
// Made once: filling them takes longer than looking at them.
const [transformer, text, vae] = [family.transformer(), family.text(), family.vae()];
/** Milliseconds, on a machine that does other work beside. Such files once took a minute, or never ended. */
const SOON = 15_000;
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)) as Uint8Array<ArrayBuffer>;
const extra = (tensors: Tensors, ...names: string[]): Tensors =>
  new Map([...tensors, ...names.map((name) => [name, { shape: [1], values: new Float32Array(1) }] as const)]);

test('FastWan opens: gates of sparse attention are left out, the finding tells of it, and three steps are offered', async () => {
  const D = 128;
  const gates = [0, 1].flatMap((i) => [
    [`blocks.${i}.to_gate_compress.weight`, { shape: [D, D], values: new Float32Array(D * D) }] as const,
    [`blocks.${i}.to_gate_compress.bias`, { shape: [D], values: new Float32Array(D) }] as const,
  ]);
  const fastWan = safetensorsFile(new Map([...transformer, ...gates]));
  const { 'wan-1.3b.gguf': plain, ...others } = collected();
  const { recognition, files } = await open({ ...others, 'fastwan.safetensors': fastWan });
  expect(recognition).toMatchObject({ ready: true, problems: [], sampling: 'fastwan' });
  expect(files!.manifest.sampler.timesteps).toHaveLength(3);
  const sparse = (seen: typeof recognition) => seen.findings.map((one) => [one.part, one.sparse]);
  expect(sparse(recognition)).toContainEqual(['transformer', true]);
  expect(sparse(recognition).filter(([, is]) => is)).toHaveLength(1);
  expect(files!.manifest.components.transformer.config).toMatchObject({ num_layers: 2 });
  const usual = await open({ ...others, 'wan-1.3b.gguf': plain! });
  expect(sparse(usual.recognition)).toContainEqual(['transformer', false]);
  expect(usual.recognition.sampling).toBe('wan');
});

describe('shards of scaled fp8', () => {
  const FOLDER = 'wan/transformer/';
  const BASE = 'diffusion_pytorch_model';
  const INDEX = `${FOLDER}${BASE}.safetensors.index.json`;
  const SERVES = /\.scale_(weight|input)$|^scaled_fp8$/;

  /** Matrices of ones in E4M3; the scale of the n-th is n + 1, and all scales are in a file of their own. */
  function scaled(listed: boolean): { files: Files; scales: Map<string, number> } {
    const weights: Record<string, unknown> = {};
    const parts: Uint8Array[] = [];
    let end = 0;
    const scales = new Map<string, number>();
    for (const [name, { shape, values }] of transformer) {
      const fp8 = name.endsWith('.weight') && shape.length === 2;
      const bytes = fp8 ? new Uint8Array(values.length).fill(0x38) : new Uint8Array(values.buffer);
      weights[name] = { dtype: fp8 ? 'F8_E4M3' : 'F32', shape, data_offsets: [end, end + bytes.length] };
      parts.push(bytes);
      end += bytes.length;
      if (fp8) scales.set(name, scales.size + 1);
    }
    const second: Record<string, unknown> = { scaled_fp8: { dtype: 'F8_E4M3', shape: [2], data_offsets: [0, 2] } }; // prettier-ignore
    let at = 2;
    const numbers = [...scales].flatMap(([name, scale]) =>
      [['scale_weight', scale] as const, ['scale_input', 1] as const].map(([key, value]) => {
        second[name.replace(/weight$/, key)] = { dtype: 'F32', shape: [1], data_offsets: [at, (at += 4)] };
        return new Uint8Array(Float32Array.of(value).buffer);
      }),
    );
    const names = [1, 2].map((i) => `${BASE}-0000${i}-of-00002.safetensors`);
    // The last of the weights is in the second file, so that an index of weights names both.
    const last = 'proj_out.bias';
    const bias = transformer.get(last)!.values;
    delete weights[last];
    second[last] = { dtype: 'F32', shape: [bias.length], data_offsets: [at, at + 4 * bias.length] };
    const first = join(parts.slice(0, -1));
    const rest = join([new Uint8Array(2), ...numbers, new Uint8Array(bias.buffer)]);
    const where = (of: Record<string, unknown>, file: string) => Object.keys(of).map((name) => [name, file]);
    const all = [...where(weights, names[0]!), ...where(second, names[1]!)];
    const weight_map = Object.fromEntries(all.filter(([name]) => listed || !SERVES.test(name!)));
    const whole = Object.entries(diffusersFolder()).filter(([path]) => !path.includes(BASE));
    return {
      scales,
      files: {
        ...Object.fromEntries(whole),
        [`${FOLDER}${names[0]}`]: safetensors(weights, first),
        [`${FOLDER}${names[1]}`]: safetensors(second, rest),
        [INDEX]: json({ metadata: {}, weight_map }),
      },
    };
  }

  test.each([
    ['with scales and marks in the index', true],
    ['with an index of the weights only', false],
  ])('open, each matrix with its own scale: %s', async (_, listed) => {
    const { files, scales } = scaled(listed);
    const { recognition, files: model } = await open(files);
    expect(recognition.findings.filter(({ problem }) => problem)).toEqual([]);
    expect(recognition.ready).toBe(true);
    const opened = await model!.weights!(INDEX);
    expect([...opened.tensors.keys()].sort()).toEqual([...transformer.keys()].sort());
    expect(scales.size).toBeGreaterThan(20);
    for (const [name, scale] of scales)
      expect(await readScale(opened, opened.tensors.get(name)!), name).toEqual(Float32Array.of(scale));
  });
});

describe('scales that are missed', () => {
  type Entry = [name: string, dtype: string, shape: readonly number[], bytes: Uint8Array];
  const fileOf = (entries: Entry[]): Uint8Array<ArrayBuffer> => {
    let end = 0;
    const header = Object.fromEntries(entries.map(([name, dtype, shape, bytes]) => [name, { dtype, shape, data_offsets: [end, (end += bytes.length)] }])); // prettier-ignore
    return safetensors(header, join(entries.map(([, , , bytes]) => bytes)));
  };
  const isMatrix = (name: string) => name.endsWith('.weight') && transformer.get(name)!.shape.length === 2;
  /** The transformer with its matrices, all of them ones, in fp8. */
  const weights = [...transformer].map(([name, { shape, values }]): Entry =>
    isMatrix(name)
      ? [name, 'F8_E4M3', shape, new Uint8Array(values.length).fill(0x38)]
      : [name, 'F32', shape, new Uint8Array(values.buffer)],
  );
  const one = new Uint8Array(Float32Array.of(2).buffer);
  const scales = [...transformer.keys()].filter(isMatrix).map((name): Entry => [name.replace(/weight$/, 'scale_weight'), 'F32', [1], one]); // prettier-ignore
  const mark: Entry = ['scaled_fp8', 'F8_E4M3', [2], new Uint8Array(2)];
  const without = (name: string) => scales.filter(([scale]) => scale !== name);
  const index = (...shards: Entry[][]) => json({ weight_map: Object.fromEntries(shards.flatMap((shard, i) => shard.map(([name]) => [name, `m-${i + 1}.safetensors`]))) }); // prettier-ignore
  const INDEX = 'm.safetensors.index.json';
  const GONE = 'blocks.1.attn1.to_q.scale_weight';

  test.each<[string, string, () => Files, string]>([
    [
      'of all matrices, in a file that the index does not name',
      INDEX,
      () => ({
        'm-1.safetensors': fileOf(weights),
        'm-2.safetensors': fileOf(scales),
        [INDEX]: index(weights),
      }),
      'have no scales. m-2.safetensors has them, but no index says that it belongs to it',
    ],
    [
      'of all matrices, in a file of its own without an index',
      'm-1.safetensors',
      () => ({ 'm-1.safetensors': fileOf(weights), 'm-2.safetensors': fileOf(scales) }),
      'm-1.safetensors: its 8-bit tensors (such as "condition_embedder.',
    ],
    [
      'of one matrix, in a shard of nothing but scales',
      INDEX,
      () => ({
        'm-1.safetensors': fileOf(weights),
        'm-2.safetensors': fileOf(without(GONE)),
        [INDEX]: index(weights, without(GONE)),
      }),
      'the same tensors of other layers have them',
    ],
    [
      'of all matrices, of a file that is marked as scaled',
      'wan.safetensors',
      () => ({ 'wan.safetensors': fileOf([...weights, mark]) }),
      `${scales.length} of its 8-bit tensors have no scales, but it is marked as scaled: condition_embedder.`,
    ],
    [
      'of all matrices, of a shard that is marked as scaled and whose index does not say so',
      INDEX,
      () => ({ 'm-1.safetensors': fileOf([...weights, mark]), [INDEX]: index(weights) }),
      'have no scales, but it is marked as scaled',
    ],
    [
      'of one layer, where another has it',
      'wan.safetensors',
      () => ({ 'wan.safetensors': fileOf([...weights, ...without(GONE)]) }),
      '1 of its 8-bit tensors have no scales, but the same tensors of other layers have them: blocks.1.attn1.to_q.weight.',
    ],
  ])('%s', async (_, path, make, message) => {
    const { 'wan.safetensors': _plain, ...others } = withPart({});
    const opened = await open({ ...others, ...make() });
    expect(opened.recognition.ready).toBe(false);
    expect(problemOf(opened, path)).toMatchObject({ code: 'bad-model' });
    expect(problemOf(opened, path)!.message).toContain(message);
  });

  test.each<[string, () => Entry[]]>([
    ['fp8 that is not scaled at all', () => weights],
    ['all scales', () => [...weights, ...scales, mark]],
    ['none of a matrix that is in no layer', () => [...weights, ...without('proj_out.scale_weight'), mark]],
  ])('are not missed: %s', async (_, entries) => {
    const { recognition } = await open(withPart({ 'wan.safetensors': fileOf(entries()) }));
    expect(recognition.findings.map(({ problem }) => problem?.message).filter(Boolean)).toEqual([]);
    expect(recognition.ready).toBe(true);
  });

  test('another model’s scales in the folder are no matter', async () => {
    const files = { 'm-1.safetensors': fileOf([...weights, ...scales]), 'other/m-2.safetensors': fileOf(scales), 'm-3.safetensors': fileOf(scales), [INDEX]: index([...weights, ...scales]) }; // prettier-ignore
    const { 'wan.safetensors': _, ...others } = withPart({});
    const { recognition } = await open({ ...others, ...files });
    expect(recognition.findings.find(({ path }) => path === INDEX)).toMatchObject({ used: true, problem: null }); // prettier-ignore
    expect(recognition.ready).toBe(true);
  });
});

/** Plain files of every part, with others in their place or beside them. */
const withPart = (files: Files): Files => ({
  'wan.safetensors': safetensorsFile(transformer),
  'umt5.safetensors': safetensorsFile(text),
  'vae.safetensors': safetensorsFile(vae),
  'tokenizer.json': diffusersFolder()['wan/tokenizer/tokenizer.json']!,
  ...files,
});

describe('millions of layers are refused at once, in words', () => {
  const wan = (...names: string[]) => safetensorsFile(extra(transformer, ...names));
  const umt5 = (...names: string[]) => safetensorsFile(extra(text, ...names));
  const wanVae = (...names: string[]) => safetensorsFile(extra(vae, ...names));
  const without = (tensors: Tensors, part: string): Uint8Array<ArrayBuffer> =>
    safetensorsFile(new Map([...tensors].filter(([name]) => !name.includes(part))));
  const many = (n: number, name: (i: number) => string) => Array.from({ length: n }, (_, i) => name(i));

  test.each<[what: string, path: string, make: () => Files, message: string]>([
    [
      'a transformer’s name',
      'wan.safetensors',
      () => ({ 'wan.safetensors': wan('blocks.9999998.norm3.weight') }),
      'it has tensors of layer 9999998, but none of layer 2.',
    ],
    [
      'a smaller one',
      'wan.safetensors',
      () => ({ 'wan.safetensors': wan('blocks.300000.norm3.weight') }),
      'it has tensors of layer 300000, but none of layer 2.',
    ],
    [
      'one of many digits',
      'wan.safetensors',
      () => ({ 'wan.safetensors': wan(`blocks.${'9'.repeat(400)}.norm3.weight`) }),
      'but none of layer 2.',
    ],
    [
      'names one by one',
      'wan.safetensors',
      () => ({ 'wan.safetensors': wan(...many(10_000, (i) => `blocks.${i + 2}.norm3.weight`)) }),
      'it has 10002 layers, at most 512 can be.',
    ],
    [
      'a text encoder’s name',
      'umt5.safetensors',
      () => ({ 'umt5.safetensors': umt5('encoder.block.9999998.layer.0.layer_norm.weight') }),
      'it has tensors of layer 9999998, but none of layer 2.',
    ],
    [
      'a VAE’s residual block',
      'vae.safetensors',
      () => ({ 'vae.safetensors': wanVae('decoder.up_blocks.0.resnets.9999999.conv1.bias') }),
      'it has tensors of layer 9999999, but none of layer 3.',
    ],
    [
      'a VAE’s level',
      'vae.safetensors',
      () => ({ 'vae.safetensors': wanVae('decoder.up_blocks.9999999.resnets.0.conv1.bias') }),
      'it has tensors of layer 9999999, but none of layer 4.',
    ],
    [
      'a VAE’s levels one by one',
      'vae.safetensors',
      () => ({
        'vae.safetensors': wanVae(...many(10_000, (i) => `decoder.up_blocks.${i + 4}.resnets.0.conv1.bias`)),
      }),
      'it has 10004 layers, at most 8 can be.',
    ],
    [
      'a layer that is gone',
      'wan.safetensors',
      () => ({ 'wan.safetensors': without(transformer, 'blocks.0.') }),
      '"blocks.0.ffn.net.0.proj.weight" is missing',
    ],
    [
      'a transformer’s config',
      'wan.safetensors',
      () => ({ 'config.json': json({ ...WAN, num_layers: 5_000_000 }) }),
      'config.num_layers must be a whole number of at most 512, but is 5000000.',
    ],
    [
      'a text encoder’s config',
      'umt5.safetensors',
      () => ({ 'config.json': json({ ...UMT5, num_layers: 5_000_000 }) }),
      'config.num_layers must be a whole number of at most 512, but is 5000000.',
    ],
    [
      'a VAE’s config',
      'vae.safetensors',
      () => ({ 'config.json': json({ ...VAE, num_res_blocks: 5_000_000 }) }),
      'config.num_res_blocks must be a whole number of at most 512, but is 5000000.',
    ],
    [
      'a VAE’s levels in its config',
      'vae.safetensors',
      () => ({
        'config.json': json({
          ...VAE,
          dim_mult: Array(500_000).fill(1),
          temperal_downsample: Array(499_999).fill(true),
        }),
      }),
      'config.dim_mult must be 1 to 8 whole numbers, but is [1,1,1,',
    ],
    [
      'as many layers as a config may have',
      'wan.safetensors',
      () => ({ 'config.json': json({ ...WAN, num_layers: 512 }) }),
      'missing: blocks.2.scale_shift_table, ',
    ],
  ])('%s', async (_, path, make, message) => {
    // prettier-ignore
    const files = withPart(make());
    const began = performance.now();
    const opened = await open(files);
    expect(performance.now() - began).toBeLessThan(SOON);
    expect(opened.recognition.ready).toBe(false);
    const problem = problemOf(opened, path)!;
    expect(problem.code).toBe('bad-model');
    expect(problem.message).toContain(message);
    expect(problem.message.length).toBeLessThan(1500);
    expect(problem.detail!.length).toBeLessThan(25_000);
  });

  test('TAEHV has as many layers as it has: names beyond them are of no use, and harmless', async () => {
    const taehv = safetensorsFile(extra(family.taehv(), 'decoder.9999999.weight'));
    const { 'vae.safetensors': _, ...files } = withPart({ 'taew2_1.safetensors': taehv });
    const began = performance.now();
    expect((await open(files)).recognition.ready).toBe(true);
    expect(performance.now() - began).toBeLessThan(SOON);
  });

  test('a layer in between that is gone is named, in names of any layout', async () => {
    const gone = inLayout('wan-transformer', transformer, 'model.');
    const three = new Map([...gone].map(([name, t]) => [name.replace('blocks.1.', 'blocks.2.'), t]));
    const opened = await open(withPart({ 'wan.safetensors': safetensorsFile(three) }));
    expect(problemOf(opened, 'wan.safetensors')).toMatchObject({
      message: 'wan.safetensors is no wan-transformer that Kinora knows: it has tensors of layer 2, but none of layer 1. It is not whole, or damaged.',
      params: { file: 'wan.safetensors', why: 'layers', layer: 2, missing: 1 },
    }); // prettier-ignore
  });
});
