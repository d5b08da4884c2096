/** The model that ships with the page, as it is, over many blocks: what streaming.gpu.test.ts shows of a tiny one holds for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildModel } from '../../src/pipeline/model';
import { readModelManifest } from '../../src/weights/manifest';
import { fromBytes } from '../../src/weights/source';
import type { ModelFiles } from '../../src/weights/store';
import { openTestGpu } from '../helpers/gpu';
import { makeClip } from '../helpers/make-clip';

const FOLDER = join(import.meta.dirname, '../../public/models/pocket');
const read = (path: string) => readFileSync(join(FOLDER, path));

function pocket(): ModelFiles {
  const manifest = readModelManifest(JSON.parse(read('model.json').toString()));
  return {
    manifest,
    persisted: false,
    problem: null,
    offline: false,
    source: (path) => fromBytes(path, new Uint8Array(read(path))),
    json: async (path) => JSON.parse(read(path).toString()),
  };
}

/** As many as fill its window several times over. */
const BLOCKS = 41;

test('GPU memory does not grow by a byte from block 3 to block 40', async () => {
  const gpu = await openTestGpu();
  const model = await buildModel(gpu, pocket(), () => {});
  const { window } = model.manifest.sampler;
  const { num_frame_per_block: perBlock } = model.manifest.sampler;
  expect(BLOCKS * perBlock).toBeGreaterThan(4 * window!);
  const frames = BLOCKS * perBlock * 4 - 3;
  const { clip } = await makeClip(model, { width: 16, height: 16, seconds: frames / 16, steps: 1 });
  expect(clip.blocks).toHaveLength(BLOCKS);
  const bytes = clip.blocks.slice(3).map((block) => block.gpuBytes);
  expect(bytes[0]).toBeGreaterThan(1e7); // weights, at least
  expect(new Set(bytes).size).toBe(1);
  expect(new Set(clip.frameHashes).size).toBeGreaterThan(clip.frames / 2); // and it goes on moving
  model.free();
  expect(gpu.memory.bytes).toBe(0);
  gpu.destroy();
}, 600_000);
