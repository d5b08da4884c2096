/** The memory plan of the decoders at full size, held against dry runs of the decoders themselves. */
import { describe, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device';
import { Run } from '../../src/gpu/run';
import { spansOf, tilingsOf, WHOLE, type Tiling } from '../../src/models/tiling';
import { WanVaeSide } from '../../src/models/wan-vae';
import { haloOf, readWanVaeConfig, wanVaeSideShapes } from '../../src/models/wan-vae-layers';
import { TiledMemory, wanVaeDecodeTiled } from '../../src/models/wan-vae-tiles';
import { affine } from '../../src/ops/elementwise';
import { decoderTilings, estimateDecoder } from '../../src/pipeline/decoder-plan';
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
function side(gpu: Gpu): WanVaeSide {
  const shapes = [...wanVaeSideShapes(config, 'decoder')].map(([name, shape]) => {
    const [O, I] = shape as [number, number];
    const window = shape.length === 5 ? shape.slice(2) : [1, ...shape.slice(2)];
    const kernel = name.endsWith('.weight');
    return [name, tensorNowhere(kernel ? [O, ...window, I] : [O], kernel ? gpu.elem : 'f32', name)] as const;
  });
  return new WanVaeSide(gpu, 'decoder', config, new Map(shapes));
}

function measure(gpu: Gpu, width: number, height: number, tiling: Tiling) {
  const [h, w] = [height / 8, width / 8];
  const run = new Run(gpu, { dry: true });
  const memory = new TiledMemory(gpu, config, h, w, tiling, { dry: true });
  const vae = side(gpu);
  let largest = 0;
  const take = run.arena.take.bind(run.arena);
  run.arena.take = (bytes, label) => {
    largest = Math.max(largest, bytes);
    return take(bytes, label);
  };
  const latent = run.tensor([1, 16, h, w], 'latent', 'f32');
  const one = tensorNowhere([1], 'f32', 'half');
  // The first latent has no frames before it; of the next ones, one is as large as the other.
  for (let i = 0; i < 3; i++)
    run.scope(() => {
      const rgb = wanVaeDecodeTiled(run, vae, latent, memory);
      affine(run, { ...rgb, dtype: 'f32', shape: [1, rgb.shape.reduce((a, b) => a * b, 1)] }, one, one);
    });
  return { scratch: run.arena.bytes, kept: memory.bytes, largest };
}

test('tiles are as alike as can be, and all is taken from tiles that see far enough', () => {
  expect(haloOf(config)).toBe(4); // 25 pixels: 4 + 6 · 2 + 2 + 6 + 1
  for (const halo of [1, 4, 5])
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

describe.each(['f16', 'f32'] as const)('%s', (elem) => {
  const gpu = gpuNowhere(elem);
  test.each(SIZES)(
    'Wan VAE at %d × %d: what is kept to the byte, all of it within a tenth',
    (width, height) => {
      for (const tiling of decoderTilings(A, height / 8, width / 8)) {
        const real = measure(gpu, width, height, tiling);
        const plan = estimateDecoder(A, height / 8, width / 8, elem === 'f16' ? 2 : 4, tiling);
        const what = JSON.stringify({ tiling, real, plan });
        if (process.env.SHOW) console.log(width, elem, what);
        expect(plan.kept, what).toBe(real.kept);
        const ratio = (real.kept + real.scratch) / (plan.kept + plan.peak);
        expect(ratio, what).toBeGreaterThan(0.9);
        expect(ratio, what).toBeLessThan(1.1);
        expect(plan.largest, what).toBeGreaterThanOrEqual(real.largest);
      }
    },
  );
});
