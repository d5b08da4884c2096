/** Pictures and videos on the CPU backend, with a tiny model that training's own export wrote (tests/onnx/tiny_pocket.py). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildOnnxModel } from '../../../src/onnx/model';
import type { Model } from '../../../src/pipeline/backend';
import { makeClip } from '../../../src/pipeline/session';
import { toF32 } from '../../../src/weights/convert';
import { readSafetensors } from '../../../src/weights/safetensors';
import { fromBytes } from '../../../src/weights/source';
import type { ModelFiles } from '../../../src/weights/store';
import type { GenerateEvent, GenerateRequest } from '../../../src/worker/protocol';
import { readGolden } from '../../helpers/fixtures';
import { denoised, hashing, REQUEST } from '../../helpers/make-clip';
import { randomManifest } from '../../helpers/random-manifest';

type Onnx = NonNullable<ModelFiles['manifest']['onnx']>;
const FOLDER = 'tiny-onnx';
/** As few pieces as a Unigram tokenizer can have. */
const TOKENIZER = {
  version: '1.0',
  normalizer: null,
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  post_processor: null,
  decoder: null,
  added_tokens: [],
  model: { type: 'Unigram', unk_id: 2, vocab: [['<pad>', 0], ['</s>', 0], ['<unk>', -9], ['▁', -3], ['a', -2], ['storm', -4]] }, // prettier-ignore
};
const SIZE = { width: 48, height: 32 };

async function open(change: (onnx: Onnx) => Onnx = (onnx) => onnx): Promise<Model> {
  const text = new TextDecoder().decode(await readGolden(`${FOLDER}/onnx.json`));
  const onnx = change(JSON.parse(text) as Onnx);
  const bytes = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { path } of onnx.files) bytes.set(path, await readGolden(`${FOLDER}/${path}`));
  const files: ModelFiles = {
    manifest: { ...randomManifest(), onnx },
    persisted: false,
    problem: null,
    offline: false,
    source: (path) => fromBytes(path, bytes.get(path)!),
    json: async () => TOKENIZER,
  };
  return buildOnnxModel(files, () => {});
}

let model: Model;
beforeAll(async () => void (model = await open()), 180_000);
afterAll(() => model?.free());

async function make(change: Partial<GenerateRequest>, on = model) {
  const events: GenerateEvent[] = [];
  const clip = await makeClip(on, { ...REQUEST, ...SIZE, steps: 2, ...change }, {
    emit: (event) => void events.push(event),
    isCancelled: () => false,
    isPaused: () => false,
    steer: () => null,
    reopen: () => Promise.reject(new Error('none')),
    openOutput: hashing,
  }); // prettier-ignore
  return { clip, denoised: denoised(events) };
}

const rgba = (frames: number) =>
  Uint8ClampedArray.from({ length: 4 * 48 * 32 * frames }, (_, i) => (i * 37 + (i >> 9)) % 256);
const picture = { ...SIZE, rgba: rgba(1) };

test('frames become the latents that PyTorch makes of them', async () => {
  const file = await readSafetensors(fromBytes('encoded', await readGolden(`${FOLDER}/encoded.safetensors`)));
  const read = async (name: string) => toF32(file.tensors.get(name)!, await file.read(name));
  const [frames, want] = [await read('frames'), await read('latents')];
  const made = await model.encode!(frames, SIZE);
  expect(made).toHaveLength(want.length);
  const norm = (x: Float32Array) => Math.hypot(...x);
  // f32 on both sides, with weights of 16 bit that both read.
  expect(norm(made.map((v, i) => v - want[i]!)) / norm(want)).toBeLessThan(1e-4);
});

test('a clip begins with a picture', async () => {
  const made = await make({ picture, seconds: 1 });
  expect(made.clip).toMatchObject({ backend: 'cpu', frames: 16 });
  expect(made.denoised).toEqual([1, 2]); // the picture is the first block
  expect(made.clip.recipe.begins).toBe('picture');
  const other = await make({ picture, seconds: 1, seed: 8 });
  expect(other.clip.frameHashes[0]).toBe(made.clip.frameHashes[0]);
  expect(other.clip.frameHashes[1]).not.toBe(made.clip.frameHashes[1]);
});

test('a video from outside is gone on with, and made anew', async () => {
  const footage = { ...SIZE, frames: 24, rgba: rgba(24) };
  const longer = await make({ prompt: 'a storm', seconds: 1, footage: { ...footage, use: 'extend' } });
  expect(longer.clip.frames).toBe(21 + 16); // 24 frames hold two whole blocks
  expect(longer.denoised).toEqual([2, 3]);
  expect(longer.clip.recipe).toMatchObject({ begins: 'video', prompt: '[1.31s] …\na storm' });
  const remix = await make({ prompt: 'a storm', seconds: 1, strength: 0.5, footage: { ...footage, use: 'remix' } }); // prettier-ignore
  expect(remix.denoised).toEqual([0, 1]);
  const stronger = await make({ prompt: 'a storm', seconds: 1, strength: 1, footage: { ...footage, use: 'remix' } }); // prettier-ignore
  expect(stronger.clip.frameHashes).not.toEqual(remix.clip.frameHashes);
});

test('a model whose export has no encoder says so', async () => {
  const without = await open(({ encoder, files, ...rest }) => ({
    ...rest,
    files: files.filter(({ path }) => path !== encoder),
  }));
  expect(without.encode).toBeNull();
  await expect(make({ picture }, without)).rejects.toMatchObject({
    code: 'bad-request',
    message: 'Random weights, for tests only cannot begin with a picture: it has no encoder here.',
    params: { field: 'picture' },
  });
  without.free();
});
