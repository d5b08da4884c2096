/** The Wan VAE in tiles against the whole, which is held against diffusers' in wan-vae.gpu.test.ts. */
import { afterEach, expect, test } from 'vitest';
import { spansOf, WHOLE, type Tiling } from '../../src/models/tiling';
import { prepareWanVae, readWanVaeConfig } from '../../src/models/wan-vae';
import { haloOf } from '../../src/models/wan-vae-layers';
import { TiledMemory, wanVaeDecodeTiled, wanVaeEncodeTiled } from '../../src/models/wan-vae-tiles';
import { uploadWeights } from '../../src/weights/upload';
import { onEveryElem, random } from '../helpers/tensors';
import { golden } from './goldens';

await onEveryElem((kit) => {
  const { gpu } = kit;
  afterEach(() => {
    kit.reset();
    expect(gpu.memory.bytes).toBe(0);
  });

  test('two tiles make the very frames of the whole; that see less far, they do not', async () => {
    const g = await golden('wan-vae-levels-decoder'); // the levels of Wan 2.1, narrow
    const config = readWanVaeConfig(g.config);
    const weights = await uploadWeights(gpu, g.weights);
    const vae = prepareWanVae(kit.run, weights, config, 'decoder');
    await kit.run.sync();
    weights.free();
    const [z, h, w] = [config.z_dim, 2, 40];
    const latents = [1, 2].map((seed) => random(z * h * w, seed, 2));
    const decode = async (memory: TiledMemory) => {
      const frames: Float32Array[] = [];
      for (const values of latents) {
        const x = kit.run.input(values, [1, z, h, w], 'latent', 'f32');
        const rgb = wanVaeDecodeTiled(kit.run, vae, x, memory); // [T, H, W, 3]
        frames.push(await kit.run.read(rgb));
        for (const t of [x, rgb]) kit.run.release(t);
      }
      memory.free();
      return frames.flatMap((piece) => Array.from(piece));
    };
    try {
      const open = (columns: number) => new TiledMemory(gpu, config, h, w, { ...WHOLE, columns });
      const whole = await decode(open(1));
      expect(whole).toHaveLength(5 * 16 * 320 * 3);
      const unlike = (frames: number[]) => frames.filter((v, i) => v !== whole[i]).length;
      expect(unlike(await decode(open(2)))).toBe(0);
      const short = open(2);
      spansOf(w, 2, haloOf(config, 'decoder') - 3).forEach((span, i) => (short.tiles[i]!.columns = span));
      expect(unlike(await decode(short))).toBeGreaterThan(100);
    } finally {
      vae.free();
    }
  });

  test('the encoder’s tiles make the very latents of the whole, at odd sizes, too; that see less far, they do not', async () => {
    const g = await golden('wan-vae-levels-encoder');
    const config = readWanVaeConfig(g.config);
    const weights = await uploadWeights(gpu, g.weights);
    const vae = prepareWanVae(kit.run, weights, config, 'encoder');
    await kit.run.sync();
    weights.free();
    const halo = haloOf(config, 'encoder');
    expect(halo).toBe(2);
    // A picture, then a latent of four frames: what tiles keep of the frames before counts there.
    const encode = async ([h, w]: readonly [number, number], memory: TiledMemory) => {
      const latents: Float32Array[] = [];
      for (const [i, T] of [1, 4].entries()) {
        const shape = [T, 8 * h, 8 * w, 3];
        const x = kit.run.input(random(T * 8 * h * 8 * w * 3, i + 1, 1), shape, 'frames', 'f32');
        const made = wanVaeEncodeTiled(kit.run, vae, x, memory); // [1, h, w, 2·z]
        expect(made.shape).toEqual([1, h, w, 2 * config.z_dim]);
        latents.push(await kit.run.read(made));
        for (const t of [x, made]) kit.run.release(t);
      }
      memory.free();
      return latents.flatMap((piece) => Array.from(piece));
    };
    try {
      for (const [size, tiles] of [
        [[3, 15], { rows: 1, columns: 2 }],
        [[9, 11], { rows: 2, columns: 2 }],
      ] as const) {
        const open = (tiling: Tiling) =>
          new TiledMemory(gpu, config, size[0], size[1], tiling, { side: 'encoder' });
        const whole = await encode(size, open(WHOLE));
        const unlike = (latents: number[]) => latents.filter((v, i) => v !== whole[i]).length;
        expect(unlike(await encode(size, open(tiles))), String(size)).toBe(0);
        if (tiles.rows > 1) continue;
        const short = open(tiles);
        spansOf(size[1], tiles.columns, halo - 2).forEach((span, i) => (short.tiles[i]!.columns = span));
        expect(unlike(await encode(size, short)), String(size)).toBeGreaterThan(50);
      }
    } finally {
      vae.free();
    }
  });
});
