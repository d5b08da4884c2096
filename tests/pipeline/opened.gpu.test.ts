/** Models of a person's own files: recognised, put together, and making the very clip that the same weights make otherwise. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { KinoraError } from '../../src/errors';
import type { Gpu } from '../../src/gpu/device';
import { sha256Hex } from '../../src/media/frames';
import { generate } from '../../src/pipeline/generate';
import { buildModel, roomOf, type GpuModel } from '../../src/pipeline/model';
import { loadOpened, openFiles } from '../../src/pipeline/opened';
import { shrink } from '../../src/pipeline/shrink';
import { SmallStore } from '../../src/weights/small-store';
import { planOpened } from '../../src/pipeline/whole-plan';
import type { OpenedFiles, PickedFile } from '../../src/worker/protocol/files';
import type { LoadEvent } from '../../src/worker/protocol/model';
import { openTestGpu } from '../helpers/gpu';
import { random } from '../helpers/tensors';
import { FakeDisk } from '../weights/opfs';
import { torchFile } from '../helpers/torch-zip';
import { join, safetensors } from '../weights/write';
import { collected, diffusersFolder, family, ggufFile, inLayout, safetensorsFile, WAN, type Files } from '../helpers/wan-family'; // prettier-ignore

const SIZE = { width: 48, height: 32 };
const REQUEST = { prompt: 'a red boat', seed: 7, seconds: 0.7, ...SIZE, steps: 2 };

let gpu: Gpu;
beforeAll(async () => void (gpu = await openTestGpu()));
afterAll(() => gpu.destroy());

const opened: GpuModel[] = [];
afterEach(() => {
  for (const model of opened.splice(0)) model.free();
  expect(gpu.memory.bytes).toBe(0);
});

/** A file on a disk: reads are counted, and none may be larger than 64 MiB. */
const reads = { most: 0 };
function blobOf(bytes: Uint8Array<ArrayBuffer>): Blob {
  const blob = new Blob([bytes]);
  const slice = blob.slice.bind(blob);
  blob.slice = (from = 0, to = blob.size) => {
    reads.most = Math.max(reads.most, to - from);
    return slice(from, to);
  };
  blob.arrayBuffer = () => Promise.reject(new Error('the whole file was asked for'));
  return blob;
}
const picked = (files: Files): PickedFile[] =>
  Object.entries(files).map(([path, bytes]) => ({ path, file: blobOf(bytes), changed: 1 }));

async function framesOf(files: Files, options: Partial<OpenedFiles> = {}) {
  const request = { files: picked(files), sampling: 'self-forcing', ...options };
  const model = await loadOpened(gpu, request, () => {}, SIZE);
  opened.push(model);
  return framesWith(model);
}

async function framesWith(model: GpuModel): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  await generate(model, REQUEST, {
    emit: () => {},
    openOutput: async () => ({
      write: async (_, { i420 }) => void frames.push(...i420),
      finish: async () => ({
        mp4: new Blob(),
        poster: new Blob(),
        codec: 'none',
        frameHashes: [],
        seam: null,
      }),
      abort: () => {},
    }),
  });
  return frames;
}
const hashes = (frames: Uint8Array[]) => Promise.all(frames.map(sha256Hex));
const rms = (a: Uint8Array[], b: Uint8Array[]) =>
  Math.sqrt(a.reduce((sum, frame, t) => sum + frame.reduce((s, v, i) => s + (v - b[t]![i]!) ** 2, 0) / frame.length, 0) / a.length); // prettier-ignore

describe('a clip', () => {
  let folder: Uint8Array[];
  beforeAll(async () => {
    folder = await framesOf(diffusersFolder());
    expect(folder).toHaveLength(11);
    expect(new Set(await hashes(folder)).size).toBe(11);
  });

  test('of GGUF, safetensors and .pth in original names is that of the diffusers folder, to the bit', async () => {
    expect(await hashes(await framesOf(collected()))).toEqual(await hashes(folder));
    expect(reads.most).toBeLessThanOrEqual(64 << 20);
  });

  test('of a Self-Forcing .pt and names of ComfyUI, too', async () => {
    const files = collected();
    delete files['wan-1.3b.gguf'];
    delete files['taew2_1.pth'];
    files['self_forcing_dmd.pt'] = torchFile(inLayout('wan-transformer', family.transformer(), 'model.'), ['generator_ema']); // prettier-ignore
    files['lighttae.safetensors'] = safetensorsFile(family.taehv());
    expect(await hashes(await framesOf(files))).toEqual(await hashes(folder));
  });

  test('of Q8_0 is near to it, of other weights it is not', async () => {
    const near = await framesOf(collected('Q8_0'));
    expect(rms(near, folder)).toBeLessThan(4);
    const files = collected();
    const other = family.transformer();
    other.get('blocks.0.attn1.to_v.weight')!.values.reverse();
    files['wan-1.3b.gguf'] = ggufFile(inLayout('wan-transformer', other));
    expect(rms(await framesOf(files), folder)).toBeGreaterThan(rms(near, folder));
  });

  test('takes LoRAs at the strength that is asked for; at 0 it is as if there were none', async () => {
    const name = 'transformer.blocks.0.attn1.to_v';
    const lora = new Map([
      [`${name}.lora_A.weight`, { shape: [4, 128], values: random(512, 51, 0.5) }],
      [`${name}.lora_B.weight`, { shape: [128, 4], values: random(512, 52, 0.5) }],
    ]);
    const files = { ...collected(), 'style.safetensors': safetensorsFile(lora) };
    const at = async (strength?: number) => hashes(await framesOf(files, strength === undefined ? {} : { strengths: { 'style.safetensors': strength } })); // prettier-ignore
    const usual = await at();
    expect(await at(1)).toEqual(usual);
    expect(await at(0.5)).not.toEqual(usual);
    expect(usual).not.toEqual(await hashes(folder));
    expect(await at(0)).toEqual(await hashes(folder));
  });

  test('with the Wan VAE is the same from its folder and from original names', async () => {
    const files = diffusersFolder('vae');
    const first = await framesOf(files);
    expect(await hashes(first)).not.toEqual(await hashes(folder));
    const original = collected();
    delete original['taew2_1.pth'];
    original['Wan2.1_VAE.pth'] = torchFile(inLayout('wan-vae', family.vae()));
    expect(await hashes(await framesOf(original))).toEqual(await hashes(first));
  });
});

describe('smaller weights', () => {
  test('are made once, kept, and found at the next start; pictures stay near', async () => {
    const store = new SmallStore({ storage: new FakeDisk().storage, estimate: async () => ({}) });
    const load = async (events: LoadEvent[]) => {
      const request = { files: picked(collected()), sampling: 'self-forcing' };
      const { files } = await openFiles(request);
      const smaller = await shrink(files!, request.files, 'q8_0', (e) => events.push(e), gpu, store);
      expect(smaller.problem).toBeNull();
      const model = await buildModel(gpu, smaller, () => {}, { wanted: SIZE });
      opened.push(model);
      return framesWith(model);
    };
    const [first, second]: LoadEvent[][] = [[], []];
    const made = await load(first!);
    expect(first!.filter(({ type }) => type === 'convert').length).toBeGreaterThan(10);
    expect((await store.list()).map(({ name }) => name).sort()).toEqual([
      'umt5.safetensors',
      'wan-1.3b.gguf',
    ]);
    expect(await hashes(await load(second!))).toEqual(await hashes(made));
    expect(second!).toEqual([]);
    expect(rms(made, await framesOf(collected()))).toBeLessThan(4);
  });

  test('without storage they are made at every start, and why is told', async () => {
    const before = await loadOpened(
      gpu,
      { files: picked(collected()), sampling: 'self-forcing' },
      () => {},
      SIZE,
    );
    opened.push(before);
    const whole = before.transformer.weights.bytes;
    const request = { files: picked(collected()), sampling: 'self-forcing', quantize: 'q4_0' as const };
    const model = await loadOpened(gpu, request, () => {}, SIZE);
    opened.push(model);
    expect(model.transformer.weights.bytes).toBeLessThan(whole / 2);
    expect(model.unkept).toContain('could not be kept');
  });
});

describe('what picked files are', () => {
  const look = async (files: Files) => (await openFiles({ files: picked(files) })).recognition;

  test('each is told by its tensors, whatever its name', async () => {
    const seen = await look(collected('Q8_0'));
    expect(seen).toMatchObject({ ready: true, missing: [], problems: [], sampling: 'wan', name: 'wan-1.3b' });
    const facts = seen.findings.map(({ part, layout, types, used }) => [part, layout, types[0], used]);
    expect(facts).toEqual([
      ['transformer', 'original', 'Q8_0', true],
      ['text_encoder', 'original', 'F32', true],
      ['autoencoder', 'ours', 'F32', true],
      ['tokenizer', '', undefined, true],
    ]);
    const folder = await look(diffusersFolder('vae'));
    expect(folder.ready).toBe(true);
    const parts = Object.fromEntries(
      folder.findings.map(({ path, part }) => [path.split('/').slice(-1)[0], part]),
    );
    expect(parts).toMatchObject({
      'model_index.json': null,
      'config.json': 'config',
      'diffusion_pytorch_model-00001-of-00002.safetensors': 'shard',
      'diffusion_pytorch_model.safetensors.index.json': 'transformer',
      'model.safetensors': 'text_encoder',
      'tokenizer.json': 'tokenizer',
    });
  });

  test('what is missing is named, and loading says so', async () => {
    const files = collected();
    delete files['umt5.safetensors'];
    delete files['tokenizer.json'];
    const seen = await look(files);
    expect(seen).toMatchObject({ ready: false, missing: ['text_encoder', 'tokenizer'] });
    const error = await framesOf(files).then(() => null, (e: KinoraError) => e); // prettier-ignore
    expect(error).toMatchObject({ code: 'bad-model' });
    expect(error!.message).toContain('lack a text encoder, a tokenizer');
  });

  test('a misfit says both numbers and what to do', async () => {
    const files = collected();
    const small = new Map([...family.text()].filter(([name]) => name !== 'encoder.final_layer_norm.weight'));
    files['umt5.safetensors'] = safetensorsFile(small);
    const [, encoder] = (await look(files)).findings;
    expect(encoder!.problem?.message).toContain('missing: encoder.final_layer_norm.weight');

    const wide = await look({
      ...collected(),
      'wan-1.3b.gguf': safetensorsFile(widened(family.transformer(), 96)),
    });
    expect(wide.ready).toBe(false);
    expect(wide.problems.map(({ message }) => message)).toEqual([
      'The transformer reads texts of 96 numbers a word, but the text encoder makes 64. Take the text encoder that belongs to it (for Wan: UMT5-XXL).',
    ]);
  });

  test('a shard without the others, a damaged file and one of another kind have their reasons', async () => {
    const { 'wan/transformer/diffusion_pytorch_model-00002-of-00002.safetensors': _, ...files } =
      diffusersFolder();
    const cut = collected()['wan-1.3b.gguf']!.slice(0, 5000);
    const seen = await look({ ...files, 'cut.gguf': cut, 'notes.txt': cut });
    const problem = (name: string) => seen.findings.find(({ path }) => path.endsWith(name))!.problem?.message;
    expect(problem('.index.json')).toContain(
      'names 1 files that are not here: diffusion_pytorch_model-00002',
    );
    expect(problem('cut.gguf')).toMatch(/ends at byte \d+, but the file has 5000/);
    expect(problem('notes.txt')).toBeUndefined();
    expect(seen.ready).toBe(false);
  });

  test('the id tells which LoRA has which strength, 0 as well', async () => {
    const lora = (seed: number) =>
      safetensorsFile(
        new Map([
          ['blocks.0.attn1.to_v.lora_A.weight', { shape: [4, 128], values: random(512, seed, 0.5) }],
          ['blocks.0.attn1.to_v.lora_B.weight', { shape: [128, 4], values: random(512, seed + 1, 0.5) }],
        ]),
      );
    const files = { ...collected(), 'a.safetensors': lora(1), 'b.safetensors': lora(3) };
    const idOf = async (strengths?: Record<string, number>, order = Object.entries(files)) => {
      const asked = { files: picked(Object.fromEntries(order)), ...(strengths && { strengths }) };
      return (await openFiles(asked)).files!.manifest.id;
    };
    const both = (a: number, b: number) => ({ 'a.safetensors': a, 'b.safetensors': b });
    const mixed = [both(1, 1), both(0, 1), both(1, 0), both(0, 0), both(0.5, 1), both(1, 0.5), both(0.5, 0), both(0, 0.5)]; // prettier-ignore
    const ids = await Promise.all(mixed.map((strengths) => idOf(strengths)));
    expect(new Set(ids).size).toBe(mixed.length);
    // Unsaid is 1, and how they were picked says nothing.
    expect(await idOf()).toBe(ids[0]);
    expect(await idOf({ 'b.safetensors': 0.5 }, Object.entries(files).reverse())).toBe(ids[5]);
  });

  test('the id tells with which bits weights are read, as blocks of a clip are not the same', async () => {
    const files = picked(collected());
    const idOf = async (quantize?: 'q8_0' | 'q4_0') =>
      (await openFiles({ files, ...(quantize && { quantize }) })).files!.manifest.id;
    const ids = [await idOf(), await idOf('q8_0'), await idOf('q4_0')];
    expect(new Set(ids).size).toBe(3);
    expect(await idOf('q8_0')).toBe(ids[1]);
  });

  test.each([NaN, Infinity, 1e9, -10.5])('a strength of %d is refused', async (strength) => {
    const asked = { files: picked(collected()), strengths: { 'a.safetensors': strength } };
    const error = await openFiles(asked).then(() => null, (e: KinoraError) => e); // prettier-ignore
    expect(error).toMatchObject({ code: 'bad-request', params: { field: 'loras' } });
    expect(error!.message).toBe(`The strength of a.safetensors must be a number from −10 to 10, but it is ${strength}.`); // prettier-ignore
    for (const most of [-10, 10]) await openFiles({ ...asked, strengths: { 'a.safetensors': most } });
  });

  test('a DoRA is told at its file', async () => {
    const lora = (extra: string) =>
      safetensorsFile(
        new Map([
          ['blocks.0.attn1.to_v.lora_A.weight', { shape: [4, 128], values: random(512, 1, 0.5) }],
          ['blocks.0.attn1.to_v.lora_B.weight', { shape: [128, 4], values: random(512, 2, 0.5) }],
          [extra, { shape: [128], values: random(128, 3, 0.5) }],
        ]),
      );
    const seen = await look({ ...collected(), 'a.safetensors': lora('blocks.0.attn1.to_v.dora_scale') });
    expect(seen.ready).toBe(false);
    expect(seen.findings.at(-1)).toMatchObject({ part: 'lora', used: true, problem: { params: { why: 'dora' } } }); // prettier-ignore
    expect((await look({ ...collected(), 'a.safetensors': lora('blocks.0.attn1.to_v.diff_b') })).ready).toBe(true); // prettier-ignore
  });

  test('of two transformers the one picked last is taken', async () => {
    const files = { ...collected(), 'later.safetensors': safetensorsFile(family.transformer()) };
    const used = (await look(files)).findings.filter(({ part, used }) => part === 'transformer' && used);
    expect(used.map(({ path }) => path)).toEqual(['later.safetensors']);
    expect(WAN.num_layers).toBe(2);
  });
});

describe('the plan', () => {
  const planned = async (files: Files, size = SIZE, room = roomOf(gpu)) => {
    const { files: model } = await openFiles({ files: picked(files), sampling: 'longlive' });
    return planOpened(model!, size, room);
  };

  test('counts the weights to the byte, and all that lives at once to within a tenth', async () => {
    const size = { width: 128, height: 64 };
    const plan = await planned(collected(), size);
    expect(plan.problem).toBeNull();
    const request = { files: picked(collected()), sampling: 'longlive' };
    const model = await loadOpened(gpu, request, () => {}, size);
    opened.push(model);
    const bytes = (what: string) => plan.items.find((item) => item.what === what)!.bytes;
    const weights = bytes('transformer') + bytes('text_encoder') + bytes('autoencoder');
    const small = 4096; // the preview's matrix and the like; what the decoder keeps is counted with it
    expect(Math.abs(gpu.memory.bytes + keptOf(model, size) - weights)).toBeLessThan(small);
    gpu.memory.peak = gpu.memory.bytes;
    // As many latents as the window holds.
    await generate(
      model,
      { ...REQUEST, ...size, seconds: 2.8, steps: 1 },
      {
        emit: () => {},
        openOutput: async () => ({
          write: async () => {},
          finish: async () => ({
            mp4: new Blob(),
            poster: new Blob(),
            codec: 'none',
            frameHashes: [],
            seam: null,
          }),
          abort: () => {},
        }),
      },
    );
    const { peak } = gpu.memory;
    expect(peak / plan.total).toBeGreaterThan(0.9);
    expect(peak / plan.total).toBeLessThan(1.1);
  });

  /** Of rank 2, for every matrix of the blocks. */
  const loraForAll = () => {
    const matrices = [...family.transformer()].filter(([name, { shape }]) => name.startsWith('blocks.') && shape.length === 2 && name.endsWith('.weight')); // prettier-ignore
    return safetensorsFile(
      new Map(
        matrices.flatMap(([name, { shape }]) =>
          (['A', 'B'] as const).map((half) => {
            const of = half === 'A' ? [2, shape[1]!] : [shape[0]!, 2];
            return [name.replace('weight', `lora_${half}.weight`), { shape: of, values: random(of[0]! * of[1]!, 9, 0.05) }]; // prettier-ignore
          }),
        ),
      ),
    );
  };
  /** The same transformer with all matrices in fp8: ones, for no number of it is looked at. */
  const fp8 = () => {
    const parts = [...family.transformer()].map(([name, { shape, values }]) => {
      const matrix = shape.length === 2 && shape[0]! > 1;
      const bytes = matrix ? new Uint8Array(values.length).fill(0x38) : new Uint8Array(values.buffer);
      return { name, shape, dtype: matrix ? 'F8_E4M3' : 'F32', bytes };
    });
    let at = 0;
    const header = Object.fromEntries(parts.map(({ name, shape, dtype, bytes }) => [name, { dtype, shape, data_offsets: [at, (at += bytes.length)] }])); // prettier-ignore
    return safetensors(header, join(parts.map(({ bytes }) => bytes)));
  };
  const with8 = () => ({ ...collected(), 'wan-1.3b.gguf': new Uint8Array(), 'wan.safetensors': fp8() });

  test.each<[string, () => Files, 'q4_0' | 'q8_0' | undefined, boolean, number]>([
    ['kept in 4 bits', collected, 'q4_0', true, 1.15],
    ['in 4 bits, kept nowhere', collected, 'q4_0', false, 1.15],
    ['kept in 8 bits', collected, 'q8_0', true, 1],
    ['of Q4_0', () => collected('Q4_0'), undefined, true, 1.4],
    ['of fp8', with8, undefined, true, 1.6],
  ])('counts what LoRAs make of weights %s, to the byte', async (_, files, quantize, keeps, more) => {
    const { 'wan-1.3b.gguf': plain, ...others } = files();
    const all = { ...others, ...(plain!.length && { 'wan-1.3b.gguf': plain! }), 'style.safetensors': loraForAll() }; // prettier-ignore
    const taken: number[] = [];
    for (const strength of [0, 0.7]) {
      const asked = { files: picked(all), sampling: 'self-forcing', strengths: { 'style.safetensors': strength } }; // prettier-ignore
      const chosen = quantize && { quantize };
      const { files: model } = await openFiles({ ...asked, ...chosen });
      const plan = await planOpened(model!, SIZE, roomOf(gpu), quantize);
      let loaded: GpuModel;
      if (quantize && keeps) {
        const store = new SmallStore({ storage: new FakeDisk().storage, estimate: async () => ({}) });
        const small = await shrink(model!, asked.files, quantize, () => {}, gpu, store);
        expect(small.problem).toBeNull();
        loaded = await buildModel(gpu, small, () => {}, { wanted: SIZE });
      } else loaded = await loadOpened(gpu, { ...asked, ...chosen }, () => {}, SIZE);
      opened.push(loaded);
      const { bytes } = loaded.transformer.weights;
      expect(plan.items.find(({ what }) => what === 'transformer')!.bytes).toBe(bytes);
      taken.push(bytes);
    }
    expect(taken[1]! / taken[0]!).toBeGreaterThanOrEqual(more);
    if (more === 1) expect(taken[1]).toBe(taken[0]);
  });

  test('refuses what cannot fit, and says what does', async () => {
    const room = { ...roomOf(gpu), total: 20e6 };
    const plan = await planned(collected(), { width: 832, height: 480 }, room);
    expect(plan.problem).toMatchObject({ code: 'out-of-memory' });
    const [, width, height] = /^(\d+) × (\d+)$/.exec(String(plan.problem!.params!.fits))!.map(Number);
    expect((await planned(collected(), { width: width!, height: height! }, room)).problem).toBeNull();
    // Nothing fits beside these weights, but beside smaller ones.
    const least = await planned(collected(), SIZE);
    expect(least.cacheBits).toBe(16);
    // A little short of room: keys and values of 8 bit fit.
    const cacheOf = ({ items }: typeof least) => items.find(({ what }) => what === 'cache')!.bytes;
    const short = await planned(collected(), SIZE, { ...roomOf(gpu), total: least.total - 1 });
    expect(short).toMatchObject({ cacheBits: 8, problem: null });
    expect(cacheOf(short)).toBeLessThan(cacheOf(least));
    const transformer = least.items.find(({ what }) => what === 'transformer')!.bytes;
    const tight = { ...roomOf(gpu), total: least.items.slice(0, 3).reduce((sum, { bytes }) => sum + bytes, 0) - transformer / 2 }; // prettier-ignore
    const other = await planned(collected(), SIZE, tight);
    expect(other.problem?.message).toMatch(/With weights of [84] bits \d+ × \d+ fits/);
  });
});

test('goes by what the person says of a real GPU’s memory, while it is loaded and behind that', async () => {
  const { isFallback } = gpu.adapter;
  gpu.adapter.isFallback = false; // of software, whatever is said is not heard
  try {
    const request = { files: picked(collected()), sampling: 'self-forcing' };
    gpu.said = 1e6;
    await expect(loadOpened(gpu, request, () => {}, SIZE)).rejects.toMatchObject({ code: 'out-of-memory', params: { setting: 'gpuMemory' } }); // prettier-ignore
    gpu.said = 2 ** 34;
    const model = await loadOpened(gpu, request, () => {}, SIZE);
    opened.push(model);
    expect(model.room).toMatchObject({ total: 2 ** 34, weights: gpu.memory.bytes });
    const { weights } = model.room;
    gpu.said = 2 ** 33;
    expect(model.room).toMatchObject({ total: 2 ** 33, weights });
    gpu.said = undefined;
    expect(model.room).toEqual({ ...roomOf(gpu), weights });
  } finally {
    gpu.adapter.isFallback = isFallback;
    gpu.said = undefined;
  }
});

function keptOf(model: GpuModel, { width, height }: typeof SIZE): number {
  const before = gpu.memory.bytes;
  const memory = model.decoder.open(height / 8, width / 8);
  const kept = gpu.memory.bytes - before;
  memory.free();
  return kept;
}

/** The same with texts of another width. */
function widened(tensors: ReturnType<typeof family.transformer>, width: number) {
  const name = 'condition_embedder.text_embedder.linear_1.weight';
  return tensors.set(name, { shape: [128, width], values: new Float32Array(128 * width) });
}
