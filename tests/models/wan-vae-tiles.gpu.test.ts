/** The Wan VAE's decoder in tiles against the whole, which is held against diffusers' in wan-vae.gpu.test.ts. */
import { afterEach, expect, test } from 'vitest';
import { spansOf, WHOLE } from '../../src/models/tiling';
import { prepareWanVae, readWanVaeConfig } from '../../src/models/wan-vae';
import { haloOf } from '../../src/models/wan-vae-layers';
import { TiledMemory, wanVaeDecodeTiled } from '../../src/models/wan-vae-tiles';
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
      spansOf(w, 2, haloOf(config) - 3).forEach((span, i) => (short.tiles[i]!.columns = span));
      expect(unlike(await decode(short))).toBeGreaterThan(100);
    } finally {
      vae.free();
    }
  });
});
