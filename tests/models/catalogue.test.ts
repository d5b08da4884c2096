/** The catalogue says what the rest of Kinora says: its samplings exist, and what it tells of GPU memory is the plan's. */
import { expect, test } from 'vitest';
import { DECODERS, ENCODERS, filesFor, MODELS } from '../../src/models/catalogue/catalogue';
import { readTaehvConfig, taehvShapes } from '../../src/models/taehv';
import { umt5Shapes, wanShapes, type Shapes } from '../../src/models/tensors';
import { readUmt5Config } from '../../src/models/umt5';
import { readWanConfig } from '../../src/models/wan-config';
import { WHOLE, type Tiling } from '../../src/models/tiling';
import { readWanVaeConfig } from '../../src/models/wan-vae-layers';
import { decoderTilings } from '../../src/pipeline/decoder-plan';
import { GPU_MEMORY } from '../../src/limits';
import { estimateNeed, fitting, roomOfGpu, type Room } from '../../src/pipeline/memory-plan';
import { planOpened } from '../../src/pipeline/whole-plan';
import { SAMPLINGS, WAN_LATENTS, previewOf } from '../../src/pipeline/samplings';
import { infoAddress } from '../../src/weights/hub-api';
import type { ModelManifest } from '../../src/weights/manifest';
import type { WeightFile } from '../../src/weights/source';
import type { ModelFiles } from '../../src/weights/store';
import { HUBS } from '../../src/policy';

const WAN = { _class_name: 'WanTransformer3DModel', num_attention_heads: 12, attention_head_dim: 128, in_channels: 16, out_channels: 16, text_dim: 4096, freq_dim: 256, ffn_dim: 8960, num_layers: 30 }; // prettier-ignore
const UMT5 = { model_type: 'umt5', feed_forward_proj: 'gated-gelu', vocab_size: 256384, d_model: 4096, d_kv: 64, d_ff: 10240, num_layers: 24, num_heads: 64 }; // prettier-ignore
const SIZES = { small: { width: 448, height: 256 }, full: { width: 832, height: 480 } };
/** More than any clip needs. */
const ROOM = {
  element: 2,
  buffer: 2 ** 33,
  total: 2 ** 40,
  speed: 1e15,
  scores: false,
  packs: true,
} as const;

/** A checkpoint of these shapes in halves; nothing of it is read for a plan. */
function headers(shapes: Shapes): WeightFile {
  const tensors = new Map([...shapes].map(([name, shape]) => {
    const bytes = 2 * shape.reduce((a, b) => a * b, 1);
    return [name, { name, dtype: 'F16' as const, shape: [...shape], bytes, offset: 0 }];
  })); // prettier-ignore
  return { tensors, metadata: new Map() } as unknown as WeightFile;
}

function modelOf(sampling: string): ModelFiles {
  const { sampler, seconds } = SAMPLINGS.find(({ id }) => id === sampling)!;
  const manifest = {
    sampler,
    seconds,
    latent: { channels: 16, stride: [4, 8, 8], ...WAN_LATENTS },
    preview: previewOf(16),
    components: {
      tokenizer: { file: '' },
      text_encoder: { network: 'umt5', config: UMT5, file: 'text' },
      transformer: { network: 'wan-transformer-causal', config: WAN, file: 'transformer' },
      autoencoder: { network: 'taehv', config: {}, file: 'decoder' },
    },
  } as unknown as ModelManifest;
  const files: Record<string, WeightFile> = {
    text: headers(umt5Shapes(readUmt5Config(UMT5))),
    transformer: headers(wanShapes(readWanConfig(WAN))),
    decoder: headers(taehvShapes(readTaehvConfig({}), 'decoder')),
  };
  return { manifest, weights: async (name: string) => files[name]! } as unknown as ModelFiles;
}

test.each(MODELS.map((model) => [model.id, model] as const))('%s', async (_, model) => {
  const sampling = SAMPLINGS.find(({ id }) => id === model.sampling)!;
  expect(sampling.sampler.timesteps).toHaveLength(model.steps);
  expect(model.causal).toBe(sampling.sampler.num_frame_per_block < sampling.sampler.window);
  for (const name of ['small', 'full'] as const) {
    const { total } = await planOpened(modelOf(model.sampling), SIZES[name], ROOM, 'q8_0');
    expect(model.gpu[name] / total, `${name}: ${(total / 1e9).toFixed(2)} GB`).toBeGreaterThan(0.97);
    expect(model.gpu[name] / total, `${name}: ${(total / 1e9).toFixed(2)} GB`).toBeLessThan(1.03);
  }
});

/** Whether a clip is planned on a real GPU of so many GiB, with weights of 8 bits; null: nothing is said of its memory. */
async function planned(sampling: string, size: keyof typeof SIZES, memory: number | null): Promise<boolean> {
  const adapter = { ...{ vendor: '', architecture: '', device: '', description: '', features: [] }, isFallback: false, maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 32 - 4 }; // prettier-ignore
  const room = roomOfGpu(adapter, 2, memory === null ? undefined : memory * 2 ** 30);
  return (await planOpened(modelOf(sampling), SIZES[size], room, 'q8_0')).problem === null;
}

test.each(MODELS.map((model) => [model.id, model] as const))(
  '%s is planned where the GPU has what it wants',
  async (_, { gpu, sampling }) => {
    for (const size of ['small', 'full'] as const) {
      const enough = GPU_MEMORY.find((n) => n * 2 ** 30 >= gpu[size])!;
      expect(await planned(sampling, size, enough), `${size}: ${enough} GB`).toBe(true);
    }
  },
);

test('a person with a GPU of 8 to 16 GB gets a clip of 832 × 480', async () => {
  const least = async (sampling: string) => {
    for (const n of GPU_MEMORY) if (await planned(sampling, 'full', n)) return n;
    return null;
  };
  // With keys and values of 8 bits where it must be.
  expect(Object.fromEntries(await Promise.all(['longlive', 'self-forcing', 'fastwan', 'rcm', 'wan'].map(async (one) => [one, await least(one)])))).toEqual({ longlive: 4, 'self-forcing': 6, fastwan: 8, rcm: 8, wan: 12 }); // prettier-ignore
  for (const { sampling } of MODELS) if (sampling !== 'wan') expect(await planned(sampling, 'full', null), `${sampling}, nothing said`).toBe(true); // prettier-ignore
});

test('what is expected of LongLive (window 12) at 4 bits with the quick decoder, and of the text encoder', async () => {
  const plan = (size: keyof typeof SIZES) => planOpened(modelOf('longlive'), SIZES[size], ROOM, 'q4_0');
  const [full, small] = [await plan('full'), await plan('small')];
  expect([full.window, full.cacheBits, full.tiles]).toEqual([12, 16, 1]);
  expect(full.total / 1e9, '832 × 480').toBeLessThan(6);
  expect(small.total / 1e9, '448 × 256').toBeLessThan(2.5);
  const item = (what: string) => full.items.find((one) => one.what === what)!.bytes;
  expect((item('text_encoder') + item('pieces')) / 1e9, 'UMT5-XXL').toBeLessThan(0.5);
  if (process.env.SHOW) console.log(JSON.stringify({ full, small }));
});

test('the Wan VAE is tiled where memory asks for it, before keys and values get 8 bit', async () => {
  const { manifest } = modelOf('longlive');
  const autoencoder = { network: 'wan-vae' as const, config: {}, file: 'decoder' };
  const wan = { ...manifest, components: { ...manifest.components, autoencoder } };
  const need = (tiling: Tiling, bits: 8 | 16 = 16) => estimateNeed(wan, SIZES.full, ROOM, bits, tiling).total;
  const way = (room: Partial<Room>) => fitting(wan, SIZES.full, { ...ROOM, ...room });
  const two = { rows: 1, columns: 2 };
  expect(way({})).toEqual({ bits: 16, tiling: WHOLE });
  expect(need(two)).toBeLessThan(need(WHOLE) - 0.5e9);
  expect(way({ total: need(two) })).toEqual({ bits: 16, tiling: two });
  // Buffers of 128 MiB are enough, and want tiles.
  expect(way({ buffer: 2 ** 27 })).toMatchObject({ bits: 16 });
  expect(way({ buffer: 2 ** 27 })!.tiling).not.toEqual(WHOLE);
  const least = Math.min(...decoderTilings({ network: 'wan-vae', config: readWanVaeConfig({}) }, 60, 104).map((t) => need(t))); // prettier-ignore
  expect(way({ total: least - 1 })!.bits).toBe(8);
  expect(way({ total: 1e9 })).toBeNull();
});

test('ids name downloads, and every file has an address', () => {
  const ids = MODELS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z0-9-]{1,40}$/);
  for (const model of MODELS)
    for (const encoder of ENCODERS)
      for (const decoder of DECODERS)
        for (const { repo, revision, bytes } of filesFor(model, encoder, decoder)) {
          expect(infoAddress(HUBS[0]!.origin, repo, revision).href).toContain(
            `/api/models/${repo}/revision/`,
          );
          expect(revision).toMatch(/^main$|^[0-9a-f]{40}$/);
          expect(bytes === null || bytes > 1e6).toBe(true);
        }
});
