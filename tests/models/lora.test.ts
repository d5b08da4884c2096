/** LoRAs in four key styles against merging in PyTorch (training/goldens/make_lora.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { patchOf, readLora } from '../../src/models/lora';
import { wanShapes, type Shapes } from '../../src/models/tensors';
import { readWanConfig } from '../../src/models/wan-transformer';
import { toF32 } from '../../src/weights/convert';
import { readWeights } from '../../src/weights/read';
import { fromBytes } from '../../src/weights/source';

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
])('%s is merged as PyTorch merges it', async (name, kind) => {
  const lora = readLora(await open(name), shapes, STRENGTH);
  expect(lora.parts.size).toBe(kind === 'bias' ? 8 : 4);
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
