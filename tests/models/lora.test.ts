/** LoRAs in the key styles of others against merging in PyTorch and in diffusers (training/goldens/make_lora.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isLora, patchOf, readLora } from '../../src/models/lora';
import { wanShapes, type Shapes } from '../../src/models/tensors';
import { readWanConfig } from '../../src/models/wan-config';
import { toF32 } from '../../src/weights/convert';
import { readWeights } from '../../src/weights/read';
import { fromBytes } from '../../src/weights/source';
import { trainingFile } from '../helpers/torch-zip';
import type { Tensors } from '../helpers/wan-family';
import { join as concat, safetensors } from '../weights/write';

const open = (name: string) =>
  readWeights(
    fromBytes(name, new Uint8Array(readFileSync(join(import.meta.dirname, '../goldens/lora', name)))),
  );
const golden = await open('merged.safetensors');
const values = async (name: string) => toF32(golden.tensors.get(name)!, await golden.read(name));

/** The one block's shapes that the golden has. */
const shapes: Shapes = new Map(
  [...golden.tensors.values()]
    .filter(({ name }) => name.startsWith('base/'))
    .map(({ name, shape }) => [name.slice('base/'.length), shape]),
);
const STRENGTH = 0.8;

test.each([
  ['kohya.safetensors', 'alpha'],
  ['comfy.safetensors', 'bias'],
  ['diffusers.safetensors', 'plain'],
  ['longlive.pt', 'plain'],
  // With alphas, ranks and biases of their own, which diffusers notes in the header.
  ['adapter.safetensors', 'adapter'],
  ['adapter-rs.safetensors', 'adapter-rs'],
])('%s is merged as PyTorch and diffusers merge it', async (name, kind) => {
  const lora = readLora(await open(name), shapes, STRENGTH);
  expect(lora.parts.size).toBe(kind === 'alpha' || kind === 'plain' ? 4 : 8);
  for (const [tensor, shape] of shapes) {
    const base = await values(`base/${tensor}`);
    const want = await values(`${kind}/${tensor}`);
    // In pieces that begin and end inside rows, too.
    for (const piece of [7, base.length]) {
      const got = base.slice();
      const patch = await patchOf([lora], tensor, shape);
      for (let at = 0; at < got.length; at += piece) patch?.(got.subarray(at, at + piece), at);
      got.forEach((v, i) => {
        if (!(Math.abs(v - want[i]!) <= 2e-6 * Math.max(1, Math.abs(want[i]!)))) throw new Error(`${tensor} ${i}: ${v}, not ${want[i]}`); // prettier-ignore
      });
    }
  }
});

test('two at once, and back again', async () => {
  const file = await open('kohya.safetensors');
  const there = readLora(file, shapes, 1);
  const back = readLora(file, shapes, -1);
  const name = 'blocks.0.attn1.to_q.weight';
  const base = await values(`base/${name}`);
  const got = base.slice();
  (await patchOf([there, back], name, shapes.get(name)!))!(got, 0);
  got.forEach((v, i) => expect(v).toBeCloseTo(base[i]!, 4));
  expect(await patchOf([there], 'blocks.0.attn1.to_q.bias', [12])).toBeNull();
});

test('refuses what does not belong to the model, or does not fit', async () => {
  const file = await open('kohya.safetensors');
  const other = new Map([...shapes].filter(([name]) => !name.includes('attn1')));
  expect(() => readLora(file, other, 1)).toThrow(
    'it changes what this model does not have: lora_unet_blocks_0_self_attn_q',
  );
  const wide = new Map([...shapes, ['blocks.0.attn1.to_q.weight', [24, 12]] as const]);
  expect(() => readLora(file, wide, 1)).toThrow(
    'its matrices do not fit the model’s: blocks.0.attn1.to_q.weight.',
  );
  const half = {
    ...file,
    tensors: new Map([...file.tensors].filter(([name]) => !name.endsWith('lora_up.weight'))),
  };
  expect(() => readLora(half, shapes, 1)).toThrow('do not fit');
});

test('as LongLive’s training saves it: the generator’s is merged, the critic’s is not looked at', async () => {
  const pair = (value: number): Tensors =>
    new Map(
      (['A', 'B'] as const).map((half) => {
        const shape = half === 'A' ? [2, 12] : [12, 2];
        return [`base_model.model.model.blocks.0.self_attn.q.lora_${half}.default.weight`, { shape, values: new Float32Array(24).fill(value) }]; // prettier-ignore
      }),
    );
  // A DoRA, and layers that the model does not have: what a critic has is no matter.
  const critic: Tensors = new Map([
    ...pair(7),
    ['base_model.model.model.blocks.40.self_attn.q.lora_magnitude_vector', { shape: [12], values: new Float32Array(12) }], // prettier-ignore
  ]);
  const saved = await readWeights(fromBytes('lora.pt', trainingFile({ generator_lora: pair(1), critic_lora: critic }, 3000))); // prettier-ignore
  expect(saved.tensors.size).toBe(5);
  const read: string[] = [];
  const file = { ...saved, read: (...which: Parameters<typeof saved.read>) => (read.push(which[0]), saved.read(...which)) }; // prettier-ignore
  expect([...readLora(file, shapes, 1).parts.keys()]).toEqual([`${MODULE}.weight`]);
  expect(await added(file)).toBe(2);
  expect(read.every((name) => name.startsWith('generator_lora.'))).toBe(true);
  expect(read).toHaveLength(2);

  const alone = await readWeights(fromBytes('critic.pt', trainingFile({ critic_lora: critic }, 3000)));
  expect(() => readLora(alone, shapes, 1)).toThrow('it holds no tensors but those of its training.');
});

test('every module of a real transformer is known by kohya’s names', async () => {
  const all = wanShapes(readWanConfig({ num_layers: 2 }));
  const names = [...all.keys()].filter((n) => n.endsWith('.weight') && all.get(n)!.length === 2);
  for (const name of names) {
    const module = name.replace('.weight', '').replaceAll('.', '_');
    const [out, from] = all.get(name) as [number, number];
    const info = (part: string, shape: number[]) => ({ name: `lora_unet_${module}.${part}.weight`, dtype: 'F16', shape, offset: 0, bytes: 0 }) as const; // prettier-ignore
    const tensors = [info('lora_down', [4, from]), info('lora_up', [out, 4])];
    const file = { ...golden, tensors: new Map(tensors.map((t) => [t.name, t])) };
    expect([...readLora(file, all, 1).parts.keys()]).toEqual([name]);
  }
});

/** A LoRA of rank 2 for one module of the golden's, with whatever else a test puts beside its matrices. */
interface Extra {
  [name: string]: { dtype: string; shape: number[]; bytes: Uint8Array };
}
const MODULE = 'blocks.0.attn1.to_q';
const f32 = (shape: number[], ...values: number[]) => ({ dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) }); // prettier-ignore
const ones = (...shape: number[]) => f32(shape, ...Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1));

function make(extra: Extra, notes?: unknown, matrices: Extra = {}) {
  const all: Extra = {
    [`transformer.${MODULE}.lora_A.weight`]: ones(2, 12),
    [`transformer.${MODULE}.lora_B.weight`]: ones(12, 2),
    ...matrices,
    ...Object.fromEntries(Object.entries(extra).map(([name, one]) => [`transformer.${name}`, one])),
  };
  return makeOf(all, notes);
}

/** A file of these tensors. */
function makeOf(all: Extra, notes?: unknown) {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { dtype, shape, bytes }] of Object.entries(all))
    header[name] = { dtype, shape, data_offsets: [at, (at += bytes.length)] };
  const text = typeof notes === 'string' ? notes : JSON.stringify(notes);
  if (notes !== undefined) header.__metadata__ = { format: 'pt', lora_adapter_metadata: text };
  const bytes = safetensors(header, concat(Object.values(all).map((one) => one.bytes)));
  return readWeights(fromBytes('own.safetensors', bytes));
}

/** What is added to the module's weight, which is the same everywhere: 2 by the matrices alone. */
async function added(file: Awaited<ReturnType<typeof make>>, strength = 1, tensor = `${MODULE}.weight`) {
  const shape = shapes.get(tensor) ?? [1, 6, 12];
  const all: Shapes = new Map([...shapes, ['blocks.0.scale_shift_table', [1, 6, 12]]]);
  const into = new Float32Array(shape.reduce((a, b) => a * b, 1));
  (await patchOf([readLora(file, all, strength)], tensor, shape))!(into, 0);
  expect(new Set(into).size).toBe(1);
  return into[0]!;
}

test.each<[string, Uint8Array, number]>([
  ['I64', new Uint8Array(BigInt64Array.of(16n).buffer), 16],
  ['U64', new Uint8Array(BigUint64Array.of(16n).buffer), 16],
  ['I32', new Uint8Array(Int32Array.of(-3).buffer), -3],
  ['U32', new Uint8Array(Uint32Array.of(3).buffer), 3],
  ['I16', new Uint8Array(Int16Array.of(-3).buffer), -3],
  ['U16', new Uint8Array(Uint16Array.of(3).buffer), 3],
  ['I8', new Uint8Array(Int8Array.of(-3).buffer), -3],
  ['U8', new Uint8Array(Uint8Array.of(200).buffer), 200],
  ['F64', new Uint8Array(Float64Array.of(0.5).buffer), 0.5],
])('an alpha may be %s', async (dtype, bytes, alpha) => {
  const file = await make({ [`${MODULE}.alpha`]: { dtype, shape: [], bytes } }, { lora_alpha: 99 });
  expect(await added(file)).toBe(alpha); // 2 · alpha / rank, the tensor before the notes
});

test.each<[string, unknown, number]>([
  ['by a pipeline', { 'transformer.r': 2, 'transformer.lora_alpha': 16 }, 8],
  ['by a model, without prefixes', { r: 2, lora_alpha: 16 }, 8],
  ['of another part', { 'transformer.lora_alpha': 16, lora_alpha: 4, 'text_encoder.lora_alpha': 2 }, 8],
  ['about no alpha', { r: 2 }, 1],
  ['with an alpha by the end of a name', { lora_alpha: 16, alpha_pattern: { to_q: 4 } }, 2],
  ['with the first that fits', { lora_alpha: 16, alpha_pattern: { o_q: 1, 'attn1.to_q': 4, to_q: 6 } }, 2],
  ['with dots escaped and the beginning marked', { lora_alpha: 16, alpha_pattern: { '^attn1.to_q': 6, '^blocks\\.0\\.attn1\\.to_q$': 4 } }, 2], // prettier-ignore
  ['with alphas of others', { lora_alpha: 16, alpha_pattern: { '^to_q': 4, to_k: 4, 'attn2.to_q': 4 } }, 8],
])('notes %s', async (_, notes, scale) => {
  expect(await added(await make({}, notes))).toBe(2 * scale);
});

test('older names of diffusers', async () => {
  const name = `transformer.${MODULE}`;
  const tensors = { [`${name}.lora.down.weight`]: ones(2, 12), [`${name}.lora.up.weight`]: ones(12, 2), [`${name}.alpha`]: f32([1], 4) }; // prettier-ignore
  expect(isLora(Object.keys(tensors))).toBe(true);
  expect(await added(await makeOf(tensors))).toBe(4);
  expect(await added(await makeOf({ ...tensors, [`${name}.lora.up.bias`]: ones(12) }), 1, `${MODULE}.bias`)).toBe(2); // prettier-ignore
});

test('names in no known style are told, and which styles are', async () => {
  const file = await makeOf({ [`transformer.${MODULE}.lokr_w1`]: ones(12, 12) });
  expect(() => readLora(file, shapes, 1)).toThrow(
    'blocks.0.attn1.to_q.lokr_w1. Take a LoRA of this very model, with names as kohya, ComfyUI, diffusers or PEFT write them.',
  );
});

test('what a file of 8 bits scales by is counted', async () => {
  const a = `transformer.${MODULE}.lora_A`;
  const byte = { dtype: 'F8_E4M3', shape: [2, 12], bytes: new Uint8Array(24).fill(0x38) }; // 1
  const file = await make({}, undefined, { [`${a}.weight`]: byte, [`${a}.scale_weight`]: f32([2], 3, 5) });
  expect(await added(file)).toBe(8);
});

test('a modulation is changed as LightX2V has it; a bias of B counts as B does, any other by itself', async () => {
  const notes = { lora_alpha: 16 };
  const file = await make({ 'blocks.0.diff_m': ones(1, 6, 12), [`${MODULE}.lora_B.bias`]: ones(12), 'blocks.0.attn2.to_out.0.diff_b': ones(12) }, notes); // prettier-ignore
  expect(await added(file, 0.5, 'blocks.0.scale_shift_table')).toBe(0.5);
  expect(await added(file, 0.5, `${MODULE}.bias`)).toBe(0.5 * 8);
  expect(await added(file, 0.5, 'blocks.0.attn2.to_out.0.bias')).toBe(0.5);
});

test.each<[string, () => ReturnType<typeof make>, string]>([
  ['kohya’s DoRA', () => make({ [`${MODULE}.dora_scale`]: ones(12) }), `it is a DoRA (it has "transformer.${MODULE}.dora_scale")`],
  ['PEFT’s DoRA', () => make({ [`${MODULE}.lora_magnitude_vector.default.weight`]: ones(12) }), 'merges plain LoRAs only'],
  ['a DoRA by its notes', () => make({}, { lora_alpha: 2, use_dora: true }), 'it is a DoRA: '],
  ['a bias without matrices', () => make({ 'blocks.0.attn2.to_out.0.lora_B.bias': ones(12) }), 'these have a bias, but no matrices: transformer.blocks.0.attn2.to_out.0.lora_B.bias'],
  ['matrices of whole numbers', () => make({}, undefined, { [`transformer.${MODULE}.lora_A.weight`]: { dtype: 'I32', shape: [2, 12], bytes: new Uint8Array(96) } }), 'is I32; Kinora computes with'],
  ['an alpha that is yes or no', () => make({ [`${MODULE}.alpha`]: { dtype: 'BOOL', shape: [], bytes: new Uint8Array(1) } }), 'is BOOL; Kinora computes with'],
  ['notes that are no JSON', () => make({}, '{"lora_alpha": 16'), 'which tell how strongly it counts, are not a JSON object'],
  ['notes that are a list', () => make({}, []), 'are not a JSON object'],
  ['notes without end', () => make({}, ' '.repeat(2 ** 20) + '{}'), 'have 1048578 characters, at most 1048576 are read'],
  ['an alpha in words', () => make({}, { lora_alpha: 'a lot' }), '"lora_alpha" in its notes ("lora_adapter_metadata") must be a number, but is "a lot".'],
  ['alphas by expressions', () => make({}, { lora_alpha: 2, alpha_pattern: { '(a+)+$': 4 } }), 'by the expression "(a+)+$", and Kinora reads names only'],
])('refuses %s when the files are looked at', async (_, file, message) => {
  const read = await file();
  expect(() => readLora(read, shapes, 1)).toThrow(message);
}); // prettier-ignore

test.each<[string, () => ReturnType<typeof make>, string]>([
  ['an alpha', () => make({ [`${MODULE}.alpha`]: f32([1], NaN) }), `"transformer.${MODULE}.alpha" is no number (NaN)`],
  ['a matrix', () => make({}, undefined, { [`transformer.${MODULE}.lora_B.weight`]: f32([12, 2], NaN, ...Array<number>(23).fill(1)) }), `"transformer.${MODULE}.lora_B.weight" has values that are no numbers (NaN)`],
  ['an infinite matrix', () => make({}, undefined, { [`transformer.${MODULE}.lora_A.weight`]: f32([2, 12], ...Array<number>(23).fill(1), -Infinity) }), 'has values that are no numbers (-Infinity)'],
  ['a product', () => make({ [`${MODULE}.alpha`]: f32([1], 3e38) }, undefined, { [`transformer.${MODULE}.lora_A.weight`]: f32([2, 12], ...Array<number>(24).fill(9)) }), `it changes "${MODULE}.weight" by more than a number can hold`],
])('does not merge %s that is no number', async (_, file, message) => {
  await expect(added(await file())).rejects.toThrow(message);
}); // prettier-ignore
