/** Pocket's encoder of patches: against PyTorch, against plain loops at other sizes, in pieces, and with trained weights. */
import { readFile } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import { createPatchMemory, patchEncode, preparePatchEncoder, readPatchEncoderConfig } from '../../src/models/patch-encoder'; // prettier-ignore
import { prepareTaehvDecoder, readTaehvConfig, taehvDecode } from '../../src/models/taehv';
import { toF32 } from '../../src/weights/convert';
import { readSafetensors } from '../../src/weights/safetensors';
import { fromBytes, type WeightFile } from '../../src/weights/source';
import { uploadWeights } from '../../src/weights/upload';
import { onEveryElem, random } from '../helpers/tensors';
import * as reference from '../reference/patch-encoder';
import { safetensors } from '../weights/write';
import { expectNear, golden, NEAR, run } from './goldens';

const config = (change: Record<string, unknown> = {}) => ({
  latent_channels: 3,
  decoder_channels: [8, 8, 8, 8],
  decoder_time_upscale: [false, true, true],
  decoder_space_upscale: [false, false, false],
  patch_size: 4,
  encoder_kind: 'patches',
  encoder_width: 6,
  encoder_blocks: 1,
  ...change,
});

/** Seeded weights of an encoder. */
function randomWeights(c: ReturnType<typeof readPatchEncoderConfig>): Promise<WeightFile> {
  const shapes: [string, number[]][] = [];
  const conv = (name: string, from: number, to: number, k: number) =>
    shapes.push([`encoder.${name}.weight`, [to, from, k, k]], [`encoder.${name}.bias`, [to]]);
  const values = c.time * 3 * c.space ** 2;
  conv('linear', values, c.latent_channels, 1);
  conv('wide', values, c.width, 1);
  for (let i = 0; i < c.blocks; i++)
    for (const j of [0, 2, 4]) conv(`blocks.${i}.conv.${j}`, j === 0 ? 2 * c.width : c.width, c.width, 3);
  conv('out', c.width, c.latent_channels, 3);
  const header: Record<string, unknown> = {};
  const parts: number[] = [];
  shapes.forEach(([name, shape], i) => {
    const n = shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [4 * parts.length, 4 * (parts.length + n)] };
    parts.push(...random(n, i, Math.sqrt(3 / Math.max(1, n / shape[0]!))));
  });
  return readSafetensors(
    fromBytes('x', safetensors(header, new Uint8Array(Float32Array.from(parts).buffer))),
  );
}

await onEveryElem((kit) => {
  afterEach(() => {
    kit.reset();
    expect(kit.gpu.memory.bytes).toBe(0);
  });

  test('as training has it (patch_golden.py)', async () => {
    const g = await golden('patch-encoder');
    expectNear(await run(kit.gpu, g), g.expected, NEAR[kit.elem]);
  });

  test.each([
    [config(), { F: 3, h: 2, w: 3 }],
    [config({ encoder_blocks: 0, patch_size: 2 }), { F: 1, h: 3, w: 1 }],
    [
      config({ encoder_blocks: 3, decoder_time_upscale: [false, false, true], encoder_width: 5 }),
      { F: 4, h: 1, w: 2 },
    ],
    [
      config({ decoder_space_upscale: [true, false, false], patch_size: 2, latent_channels: 1 }),
      { F: 2, h: 5, w: 2 },
    ],
  ])('as plain loops have it: %j, %j; in pieces the same as whole', async (given, sizes) => {
    const c = readPatchEncoderConfig(given);
    const file = await randomWeights(c);
    const weights = await uploadWeights(kit.gpu, file);
    const plain = new Map<string, Float32Array>();
    for (const info of file.tensors.values()) plain.set(info.name, toF32(info, await file.read(info.name)));
    const { F, h, w } = sizes;
    const frame = [h * c.space, w * c.space, 3];
    const { t: frames, x } = kit.random([F * c.time, ...frame], 'f32');
    const encoder = preparePatchEncoder(kit.run, weights, c);
    const made = await kit.read(patchEncode(kit.run, encoder, frames));
    const want = reference.patchEncode(
      { ...sizes, t: c.time, p: c.space, C: c.latent_channels, width: c.width, blocks: c.blocks },
      x,
      (name) => plain.get(name)!,
    );
    const [error, scale] = [0, 1].map((k) => Math.hypot(...want.map((v, i) => (k ? v : v - made[i]!))));
    expect(error! / scale!).toBeLessThan(NEAR[kit.elem]);

    const memory = createPatchMemory(kit.gpu, encoder, h, w);
    const pieces: number[] = [];
    const n = x.length / F;
    for (let f = 0; f < F; f++) {
      const piece = kit.run.input(x.slice(f * n, (f + 1) * n), [c.time, ...frame], 'piece', 'f32');
      pieces.push(...(await kit.read(patchEncode(kit.run, encoder, piece, memory))));
    }
    expect(pieces).toEqual([...made]);
    memory.free();
    encoder.weights.free();
    weights.free();
  });

  test('the weights of the second edition so far bring a picture back', async () => {
    const bytes = await readFile(
      new URL('../../training/checkpoints/pocket-ae.safetensors', import.meta.url),
    );
    const file = await readSafetensors(fromBytes('pocket-ae', new Uint8Array(bytes)));
    const facts = JSON.parse(String(file.metadata.get('facts'))) as { config: Record<string, unknown> };
    const given = { ...facts.config, encoder_kind: 'patches', encoder_width: 128, encoder_blocks: 2 };
    const weights = await uploadWeights(kit.gpu, file);
    const encoder = preparePatchEncoder(kit.run, weights, readPatchEncoderConfig(given));
    const decoder = prepareTaehvDecoder(kit.run, weights, readTaehvConfig(given));
    // A red disc on a blue sky that grows lighter upwards, as Pocket's world has them.
    const [H, W] = [32, 48];
    const picture = Float32Array.from({ length: H * W * 3 }, (_, i) => {
      const [y, x, c] = [Math.floor(i / 3 / W), Math.floor(i / 3) % W, i % 3];
      const disc = Math.hypot(x - 24, y - 16) < 9;
      return disc ? [0.8, 0.15, 0.15][c]! : [0.4, 0.6, 0.9][c]! - (0.3 * y) / H;
    });
    const four = new Float32Array(4 * picture.length);
    for (let t = 0; t < 4; t++) four.set(picture, t * picture.length);
    const frames = kit.run.input(four, [4, H, W, 3], 'frames', 'f32');
    const latents = patchEncode(kit.run, encoder, frames);
    const back = (await kit.read(taehvDecode(kit.run, decoder, latents))).slice(3 * picture.length);
    const error = picture.reduce((sum, v, i) => sum + (v - Math.min(1, Math.max(0, back[i]!))) ** 2, 0) / picture.length; // prettier-ignore
    expect(-10 * Math.log10(error)).toBeGreaterThan(22); // PSNR in dB
    encoder.weights.free();
    decoder.free();
    weights.free();
  });

  test('a config that does not fit is refused with its field', async () => {
    const bad = (change: Record<string, unknown>) => () => readPatchEncoderConfig(config(change));
    expect(bad({ encoder_width: 0 })).toThrow('config.encoder_width');
    expect(bad({ encoder_blocks: 'two' })).toThrow('config.encoder_blocks');
    expect(bad({ encoder_kind: 'linear' })).toThrow('config.encoder_kind');
    const weights = await uploadWeights(kit.gpu, await randomWeights(readPatchEncoderConfig(config())));
    const other = readPatchEncoderConfig(config({ encoder_width: 7 }));
    expect(() => preparePatchEncoder(kit.run, weights, other)).toThrow('encoder.wide.weight');
    weights.free();
  });
});
