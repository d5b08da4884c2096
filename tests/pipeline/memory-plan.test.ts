import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import {
  checkPlan,
  estimateNeed,
  findFit,
  fittingBits,
  gridOf,
  roomOfGpu,
  ROOM_OF_CPU,
  type Room,
} from '../../src/pipeline/memory-plan';
import { readModelManifest, type ModelManifest } from '../../src/weights/manifest';

const POCKET = readModelManifest(JSON.parse(readFileSync('public/models/pocket/model.json', 'utf8')));
const GRID = { width: 16, height: 16 };
const adapter = { vendor: '', architecture: '', device: '', description: '', features: [] };
const REAL = roomOfGpu({ ...adapter, isFallback: false, maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 31 - 4 }, 2); // prettier-ignore
const SMALL = roomOfGpu({ ...adapter, isFallback: false, maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 }, 4); // prettier-ignore
const SOFTWARE = roomOfGpu({ ...adapter, isFallback: true, maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 }, 4); // prettier-ignore
const ROOMS = { REAL, SMALL, SOFTWARE, CPU: ROOM_OF_CPU };

function refusal(width: number, height: number, room = SOFTWARE): KinoraError | null {
  try {
    checkPlan(POCKET, { width, height }, GRID, room);
    return null;
  } catch (e) {
    return e as KinoraError;
  }
}

test('the grid is the token’s', () => expect(gridOf(POCKET)).toEqual(GRID));

test.each(Object.entries(ROOMS))(
  '%s: what Pocket was made for fits, thousands of pixels do not',
  (_, room) => {
    for (const [width, height] of [
      [96, 64],
      [64, 96],
      [160, 96],
      [256, 144],
    ] as const)
      // prettier-ignore
      expect(refusal(width, height, room), `${width} × ${height}`).toBeNull();
    const error = refusal(4096, 4096, room)!;
    expect(error.params.field).toBe('size');
    expect(error.message).toContain('4096 × 4096');
    const [width, height] = String(error.params.fits).split(' × ').map(Number) as [number, number];
    expect(refusal(width, height, room)).toBeNull();
    expect(refusal(width + 16, height + 16, room)).not.toBeNull(); // it is the largest
  },
);

test('what is taken while a prompt is read counts, where it is more than the clip’s work', () => {
  const size = { width: 128, height: 80 };
  const { total, work } = estimateNeed(POCKET, size, { ...SOFTWARE, packs: false });
  const tight = { ...SOFTWARE, total, packs: false };
  expect(refusal(128, 80, { ...tight, reading: work })).toBeNull();
  expect(refusal(128, 80, { ...tight, reading: work + 1 })?.code).toBe('out-of-memory');
  expect(estimateNeed(POCKET, size, { ...tight, reading: work + 1 })).toMatchObject({
    total: total + 1,
    work,
  });
});

test('the refusal names both numbers', () => {
  const error = refusal(4096, 4096, ROOM_OF_CPU)!;
  expect(error.code).toBe('out-of-memory');
  expect(error.message).toMatch(/need about [\d.]+ GB of memory, but 2\.1 GB can be counted on here\. \d+ × \d+ fits\./); // prettier-ignore
  expect(error.params.needed).toBeGreaterThan(error.params.limit as number);
});

test('a size that fits but would take for ever is refused, too', () => {
  const error = refusal(1280, 720, SOFTWARE)!;
  expect(error.code).toBe('bad-request');
  expect(error.message).toMatch(/some \d+ minutes a step/);
});

describe('a real GPU', () => {
  const MEMORY = 16 * 2 ** 30;
  const report = {
    ...adapter,
    isFallback: false,
    maxBufferSize: 2 ** 32,
    maxStorageBufferBindingSize: 2 ** 32 - 4,
  };

  test('is refused nothing for time, for its speed is not known', () => {
    const room = { ...roomOfGpu(report, 2), total: 2 ** 50, buffer: 2 ** 50 };
    expect(room.speed).toBeNull();
    expect(refusal(4096, 4096, room)).toBeNull();
    expect(refusal(4096, 4096, { ...room, speed: 2e9 })?.message).toMatch(/some \d+ minutes a step/);
  });

  test('has as much memory as the person says, and buffers as the adapter says', () => {
    expect(roomOfGpu(report, 2).total).toBe(8 * 2 ** 30);
    expect(roomOfGpu(report, 2, MEMORY)).toMatchObject({ total: MEMORY, buffer: 2 ** 32 - 4 });
    expect(roomOfGpu(report, 2, 4 * 2 ** 30).total).toBe(4 * 2 ** 30);
    // Small buffers make the usual guess smaller, not what is known.
    const small = { ...report, maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 };
    expect(roomOfGpu(small, 2).total).toBe(2 ** 30);
    expect(roomOfGpu(small, 2, MEMORY)).toMatchObject({ total: MEMORY, buffer: 2 ** 27 });
    for (const wrong of [0, -1, NaN, Infinity])
      expect(() => roomOfGpu(report, 2, wrong)).toThrow(/number of bytes above 0/);
  });

  test('is told that the number can be changed where memory is the reason, and only there', () => {
    const { message, params } = refusal(4096, 4096, roomOfGpu(report, 2, 2 ** 30))!;
    expect(message).toMatch(/but 1\.1 GB can be counted on here \(if your GPU has more, say so in the settings, at “Memory of your GPU”\)\. \d+ × \d+ fits\./); // prettier-ignore
    expect(params.setting).toBe('gpuMemory');
    const pieces = refusal(4096, 4096, { ...roomOfGpu(report, 2, 2 ** 50), buffer: 2 ** 27 })!;
    expect(pieces.message).toMatch(/in one piece/);
    expect(pieces.params.setting).toBeUndefined();
    expect(refusal(4096, 4096, ROOM_OF_CPU)!.params.setting).toBeUndefined();
  });

  test('of software is as it was, whatever is said', () => {
    const software = { ...report, isFallback: true };
    expect(roomOfGpu(software, 4, MEMORY)).toEqual(roomOfGpu(software, 4));
    expect(roomOfGpu(software, 4)).toMatchObject({ speed: 2e9, adjustable: false });
  });
});

test('a size of the same shape is proposed, in whole tokens', () => {
  const fit = findFit(POCKET, { width: 3200, height: 1808 }, GRID, SOFTWARE)!;
  expect(fit.width % 16 + (fit.height % 16)).toBe(0); // prettier-ignore
  expect(Math.abs(fit.width / fit.height / (3200 / 1808) - 1)).toBeLessThan(0.1);
  expect(findFit(POCKET, { width: 96, height: 64 }, GRID, { ...SOFTWARE, total: 1 })).toBeNull();
});

test('half the bytes an element need less, and more pixels more', () => {
  const need = (side: number, room = REAL) => estimateNeed(POCKET, { width: side, height: side }, room);
  expect(need(512).total).toBeLessThan(need(512, { ...REAL, element: 4 }).total);
  expect(need(1024).total).toBeGreaterThan(3.9 * need(512).total);
});

describe('keys and values of 8 bit', () => {
  const SIZE = { width: 832, height: 480 };
  /** The shapes of Wan 2.1 1.3B as LongLive samples it. */
  const config = { ...POCKET.components.transformer.config, num_layers: 30, num_attention_heads: 12, attention_head_dim: 128, ffn_dim: 8960 }; // prettier-ignore
  const WAN: ModelManifest = {
    ...POCKET,
    sampler: { ...POCKET.sampler, window: 12, sink: 3, positions: 'clip' as const },
    components: { ...POCKET.components, transformer: { ...POCKET.components.transformer, config } },
  };
  const need = (bits: 8 | 16, manifest = WAN) => estimateNeed(manifest, SIZE, REAL, bits);

  test('take 132 bytes of 256 for a head of 128', () => {
    const rows = 12 * 30 * 52 * 2 * 30 * 12; // frames, tokens, keys and values, layers, heads
    expect(need(16).cache).toBe(rows * 256);
    expect(need(8).cache).toBe(rows * 132);
    expect([16, 8].map((bits) => (need(bits as 8 | 16).cache / 1e9).toFixed(2))).toEqual(['3.45', '1.78']);
    // A sink that moves along keeps its keys as they were, too.
    const along = { ...WAN, sampler: { ...WAN.sampler, positions: 'window' as const } };
    for (const bits of [8, 16] as const)
      expect(need(bits, along).cache - need(bits).cache).toBe(3 * 30 * 52 * 30 * 12 * 256);
  });

  test('are taken where only they fit, or where they are asked for', () => {
    const between = { ...REAL, total: (need(8).total + need(16).total) / 2 };
    const bits = (room: Room, asked?: 8 | 16, manifest: ModelManifest = WAN) =>
      fittingBits(manifest, SIZE, room, asked);
    expect(bits({ ...REAL, total: need(16).total })).toBe(16);
    expect(bits(between)).toBe(8);
    expect(bits({ ...REAL, total: need(8).total - 1 })).toBeNull();
    expect(bits(REAL, 8)).toBe(8);
    expect(bits(between, 16)).toBeNull();
    expect(bits(REAL, undefined, { ...WAN, sampler: { ...WAN.sampler, cache_bits: 8 } })).toBe(8);
    expect(bits({ ...between, packs: false }, 8)).toBeNull(); // the CPU backend has 32 bits, whatever is asked
    expect(checkPlan(WAN, SIZE, GRID, between)).toBe(8);
    expect(() => checkPlan(WAN, SIZE, GRID, between, 16)).toThrow('With keys and values of 8 bit it fits.');
  });
});
