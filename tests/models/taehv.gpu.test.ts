import { afterEach, expect, test } from 'vitest';
import {
  createTaehvMemory,
  prepareTaehvDecoder,
  readTaehvConfig,
  taehvDecode,
  type TaehvMemory,
} from '../../src/models/taehv';
import { axesOf, strided } from '../../src/ops/strided';
import { uploadWeights } from '../../src/weights/upload';
import { onEveryElem } from '../helpers/tensors';
import { expectNear, golden, NEAR, run } from './goldens';

await onEveryElem((kit) => {
  afterEach(() => {
    kit.reset();
    expect(kit.gpu.memory.bytes).toBe(0);
  });

  test.each(['taehv-decoder', 'taehv-patch2-decoder', 'taehv-encoder', 'taehv-patch2-encoder'])(
    '%s, layer by layer',
    async (name) => {
      const g = await golden(name);
      expect(g.expected.size).toBeGreaterThan(15);
      expectNear(await run(kit.gpu, g), g.expected, NEAR[kit.elem]);
    },
  );

  test.each(['taehv-decoder', 'taehv-patch2-decoder'])('%s in pieces is the same as whole', async (name) => {
    const g = await golden(name);
    const c = readTaehvConfig(g.config);
    const weights = await uploadWeights(kit.gpu, g.weights);
    const decoder = prepareTaehvDecoder(kit.run, weights, c);
    const [F, h, w] = [5, 3, 4];
    const { t: latents } = kit.random([F, c.latent_channels, h, w], 'f32', 2);
    const whole = await kit.read(taehvDecode(kit.run, decoder, latents));
    const memory = createTaehvMemory(kit.gpu, decoder, h, w);
    const one = [1, c.latent_channels, h, w];
    const latentAt = (i: number) =>
      strided(kit.run, latents, axesOf(one), one, { dtype: 'f32', offset: i * axesOf(one)[0]!.stride });

    const inPieces = async (memory: TaehvMemory) => {
      const frames: number[] = [];
      for (let i = 0; i < F; i++)
        frames.push(...(await kit.read(taehvDecode(kit.run, decoder, latentAt(i), memory))));
      return frames;
    };
    expect(await inPieces(memory)).toEqual([...whole]);
    expect(await inPieces(memory)).not.toEqual([...whole]); // goes on from the end of the clip
    memory.reset();
    expect(await inPieces(memory)).toEqual([...whole]);

    memory.free();
    decoder.free();
    weights.free();
  });
});
