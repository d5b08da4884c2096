/** The memory plan of the Wan VAE at full size, held against dry runs of the networks themselves. */
import { describe, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import type { Tensor } from '../../src/gpu/tensor';
import { Run } from '../../src/gpu/run';
import { spansOf, tilingsOf, WHOLE, type Tiling } from '../../src/models/tiling';
import { WanVaeSide, type Side } from '../../src/models/wan-vae';
import { haloOf, readWanVaeConfig, wanVaeSideShapes } from '../../src/models/wan-vae-layers';
import { TiledMemory, wanVaeDecodeTiled, wanVaeEncodeTiled } from '../../src/models/wan-vae-tiles';
import { affine } from '../../src/ops/elementwise';
import { decoderTilings, estimateDecoder } from '../../src/pipeline/decoder-plan';
import type { Room } from '../../src/pipeline/memory-plan';
import type { ModelManifest } from '../../src/weights/manifest';
import { encoderTilings, estimateEncoder, waysToEncode } from '../../src/pipeline/encoder-plan';
import { gpuNowhere, tensorNowhere } from '../helpers/nowhere';

/** Wan 2.1's own numbers. */
const config = readWanVaeConfig({});
const A = { network: 'wan-vae', config } as const;
const SIZES = [
  [832, 480],
  [448, 256],
  [320, 192],
] as const;

/** As `prepareWanVae` repacks them. */
function sideOf(gpu: Gpu, side: Side): WanVaeSide {
  const shapes = [...wanVaeSideShapes(config, side)].map(([name, shape]) => {
    const [O, I] = shape as [number, number];
    const window = shape.length === 5 ? shape.slice(2) : [1, ...shape.slice(2)];
    const kernel = name.endsWith('.weight');
    return [name, tensorNowhere(kernel ? [O, ...window, I] : [O], kernel ? gpu.elem : 'f32', name)] as const;
  });
  return new WanVaeSide(gpu, side, config, new Map(shapes));
}

function measure(gpu: Gpu, side: Side, width: number, height: number, tiling: Tiling) {
  const [h, w] = [height / 8, width / 8];
  const run = new Run(gpu, { dry: true });
  const memory = new TiledMemory(gpu, config, h, w, tiling, { side, dry: true });
  const vae = sideOf(gpu, side);
  let largest = 0;
  const take = run.arena.take.bind(run.arena);
  run.arena.take = (bytes, label) => {
    largest = Math.max(largest, bytes);
    return take(bytes, label);
  };
  const one = tensorNowhere([1], 'f32', 'half');
  const shifted = (x: Tensor) =>
    affine(run, { ...x, dtype: 'f32', shape: [1, x.shape.reduce((a, b) => a * b, 1)] }, one, one);
  const latent = run.tensor([1, 16, h, w], 'latent', 'f32');
  // The first latent has no frames before it; of the next ones, one is as large as the other.
  for (let i = 0; i < 3; i++)
    run.scope(() => {
      if (side === 'decoder') return void shifted(wanVaeDecodeTiled(run, vae, latent, memory));
      const shape = [i === 0 ? 1 : 4, height, width, 3];
      wanVaeEncodeTiled(run, vae, { ...shifted(run.tensor(shape, 'frames', 'f32')), shape }, memory);
    });
  return { scratch: run.arena.bytes, kept: memory.bytes, largest };
}

test('tiles are as alike as can be, and all is taken from tiles that see far enough', () => {
  expect(haloOf(config, 'decoder')).toBe(4); // 25 pixels: 4 + 6 · 2 + 2 + 6 + 1
  expect(haloOf(config, 'encoder')).toBe(2); // 16 pixels: 1 + 4 + 1 + 4 · 2 + 2
  for (const halo of [1, 2, 4, 5])
    for (const length of [24, 31, 60, 104, 105, 999])
      for (const count of [1, 2, 3, 4]) {
        const spans = spansOf(length, count, halo);
        if (spans[0]!.length < 6 * halo) continue;
        let end = 0;
        for (const { start, length: size, from, to } of spans) {
          expect(size).toBe(spans[0]!.length);
          expect(from).toBe(end);
          if (from > 0) expect(from - start).toBeGreaterThanOrEqual(halo);
          if (to < length) expect(start + size - to).toBeGreaterThanOrEqual(halo);
          end = to;
        }
        expect(end).toBe(length);
      }
  expect(tilingsOf(60, 104, 4).slice(0, 4)).toEqual([WHOLE, { rows: 1, columns: 2 }, { rows: 2, columns: 2 }, { rows: 2, columns: 3 }]); // prettier-ignore
  expect(tilingsOf(24, 24, 4)).toEqual([WHOLE]);
});

test('what memory asks for at 832 × 480: less with every step, and buffers of 128 MiB will do', () => {
  const needs = decoderTilings(A, 60, 104).map((tiling) => estimateDecoder(A, 60, 104, 2, tiling));
  const totals = needs.map(({ kept, peak }) => kept + peak);
  expect(totals).toEqual(totals.toSorted((a, b) => b - a));
  expect(needs[0]!.largest).toBeGreaterThan(2 ** 27);
  expect(needs.at(-1)!.largest).toBeLessThan(2 ** 27);
  expect(totals.at(-1)! / totals[0]!).toBeLessThan(0.75);
});

test('the encoder takes as many tiles as memory and buffers ask for, and says both numbers where none will do', () => {
  const manifest = { latent: { stride: [4, 8, 8] }, components: { autoencoder: { network: 'wan-vae', config: {}, file: '' } } } as unknown as ModelManifest; // prettier-ignore
  const size = { width: 832, height: 480 };
  const room: Room = { element: 2, buffer: 2 ** 31, total: 2 ** 33, weights: 1e9, speed: 1, scores: false, packs: true }; // prettier-ignore
  const all = encoderTilings(A, 60, 104);
  expect(all.length).toBeGreaterThan(2);
  expect(waysToEncode(manifest, size, room)).toEqual(all);
  const needOf = (tiling: Tiling) => {
    const { kept, peak } = estimateEncoder(config, 60, 104, 2, tiling);
    return kept + peak;
  };
  expect(needOf(all.at(-1)!)).toBeLessThan(needOf(WHOLE) / 2);
  expect(waysToEncode(manifest, size, { ...room, total: 1e9 + needOf(all[1]!) })).toEqual(all.slice(1));
  // Buffers of 128 MiB are enough, and want tiles.
  const [first] = waysToEncode(manifest, size, { ...room, buffer: 2 ** 27 });
  expect(first).not.toEqual(WHOLE);
  expect(() => waysToEncode(manifest, size, { ...room, total: 2e9 })).toThrow(/832 × 480 needs about 2\.\d GB of memory, but 2\.0 GB/); // prettier-ignore
});

describe.each(['f16', 'f32'] as const)('%s', (elem) => {
  const gpu = gpuNowhere(elem);
  const e = elem === 'f16' ? 2 : 4;
  test.each(SIZES)(
    'Wan VAE at %d × %d: what is kept to the byte, all of it within a tenth',
    (width, height) => {
      const [h, w] = [height / 8, width / 8];
      const sides = [
        ...decoderTilings(A, h, w).map((tiling) => ['decoder', tiling, estimateDecoder(A, h, w, e, tiling)] as const), // prettier-ignore
        ...encoderTilings(A, h, w).map((tiling) => ['encoder', tiling, estimateEncoder(config, h, w, e, tiling)] as const), // prettier-ignore
      ];
      for (const [side, tiling, plan] of sides) {
        const real = measure(gpu, side, width, height, tiling);
        const what = JSON.stringify({ side, tiling, real, plan });
        const ratio = (real.kept + real.scratch) / (plan.kept + plan.peak);
        if (process.env.SHOW) console.log(width, elem, what, ratio.toFixed(3));
        expect.soft(plan.kept, what).toBe(real.kept);
        expect.soft(ratio, what).toBeGreaterThan(0.9);
        expect.soft(ratio, what).toBeLessThan(1.1);
        expect.soft(plan.largest, what).toBeGreaterThanOrEqual(real.largest);
      }
    },
  );
});
