/**
 * Matrices of subgroups, which Chromium has behind a flag. No software adapter has them; Dawn's null backend, which
 * compiles and computes nothing, does. So here is shown that the kernel is good WGSL, and that it is not taken where it is
 * not offered; that it computes rightly around its matrices, tests/ops/variants.gpu.test.ts shows.
 */
import { create, globals } from 'webgpu';
import { afterAll, expect, test } from 'vitest';
import { featuresOf, Gpu, openGpu, type Feature } from '../../src/gpu/device';
import { Run } from '../../src/gpu/run';
import { attention } from '../../src/ops/attention';
import { matmul } from '../../src/ops/matmul';
import { wordsOf } from '../../src/ops/store-8bit';
import { offered, possible } from '../../src/ops/choose';
import { ATTENTION, MATMUL } from '../../src/ops/variants';

Object.assign(globalThis, globals);
const entry = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
const opened = await openGpu(entry, { f16: true });
afterAll(() => {
  opened.destroy();
  expect(entry).toBeDefined(); // Dawn dies when an entry is collected before its devices
});

const MATRICES = MATMUL.filter(({ file }) => file === 'matmul-matrix');
const SHAPE = { M: 300, N: 300, K: 64, x: 'f16', w: 'q8_0' } as const;
const ATTENDED = { M: 300, keys: 3000, HEAD: 128, elem: 'f16' } as const;
const CONFIG = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 };
const EXTENSION = 'chromium-experimental-subgroup-matrix';

test.each(MATRICES.map(({ name, needs }) => [name, needs!]))('Dawn compiles %s', async (name, needs) => {
  expect(opened.device.features.has(EXTENSION as GPUFeatureName)).toBe(true);
  const features = new Set<Feature>([...opened.features, ...needs]);
  const gpu = new Gpu(opened.device, opened.adapter, 'f16', features);
  for (const w of ['q8_0', 'q4_0', 'q4_k', 'q5_k', 'q6_k', 'f16'] as const) {
    const run = new Run(gpu, { dry: true });
    const x = run.tensor([70, 256], 'x');
    const storage = { bytes: 64 * 256 * 2, buffer: null, id: -1000 };
    matmul(run, x, { storage, scales: storage, dtype: w, shape: [64, 256], label: 'w' }, { variant: name });
    await run.compile();
    expect([...run.kernels].map((kernel) => kernel.name)).toEqual(['matmul-matrix']);
  }
});

const ATTENTIONS = ATTENTION.filter(({ file }) => file === 'attention-matrix');
test.each(ATTENTIONS.map(({ name, needs }) => [name, needs!]))(
  'Dawn compiles attention with %s, heads of 64 and 128, and keys and values of 8 bit but as halves',
  async (name, needs) => {
    const gpu = new Gpu(opened.device, opened.adapter, 'f16', new Set([...opened.features, ...needs]));
    const run = new Run(gpu, { dry: true });
    for (const HEAD of [64, 128]) {
      const q = run.tensor([70, 2 * HEAD], 'q');
      const bias = run.tensor([90], 'bias', 'f32');
      const [plain, packed] = [run.tensor([90, 2 * HEAD], 'kv'), run.tensor([90, 2, wordsOf(HEAD)], 'kv', 'u32')]; // prettier-ignore
      for (const kv of /f32/.test(name) ? [plain, packed] : [plain])
        attention(run, q, kv, kv, { heads: 2, bias, variant: name });
    }
    await run.compile();
    expect([...run.kernels].map((kernel) => kernel.name)).toEqual(
      Array(/f32/.test(name) ? 4 : 2).fill('attention-matrix'),
    );
  },
);

test('what does not compile is told', async () => {
  const run = new Run(opened, { dry: true });
  const out = run.tensor([4], 'out', 'f32');
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<f32>;
    @compute @workgroup_size(32) fn main() { let m = subgroup_matrix_left<f32, 8, 8>(); out[0] = m; }`;
  run.dispatch({ kernel: { name: 'wrong', code }, bindings: { out }, workgroups: [1] });
  await expect(run.compile()).rejects.toMatchObject({ code: 'internal', params: { operation: 'wrong' } });
});

test('offered only with the extension, a size of subgroups that does not vary, and these matrices', () => {
  const language = { wgslLanguageFeatures: new Set(['subgroup_id']) };
  const enabled = ['shader-f16', 'subgroups', EXTENSION];
  const info = { subgroupMinSize: 32, subgroupMaxSize: 32, subgroupMatrixConfigs: [CONFIG] };
  const namesWith = (features: ReadonlySet<Feature>, fallback = false) => {
    const gpu = { adapter: { isFallback: fallback }, features } as unknown as Gpu;
    const attending = offered(gpu, ATTENTION, ATTENDED).map(({ name }) => `attention ${name}`);
    return [...offered(gpu, MATMUL, SHAPE).map(({ name }) => name), ...attending];
  };
  const all = featuresOf(language, enabled, info);
  expect(namesWith(all)).toContain('matrix f16 16×16×16');
  expect(namesWith(all)).toContain('attention matrix f16 16×16×16');
  // Before a trial.
  expect(namesWith(all)[0]).toBe('tiled 128');
  expect(namesWith(all).find((name) => name.startsWith('attention'))).toBe('attention tiled 64');
  const without = [
    featuresOf(language, enabled.slice(0, 2), info),
    featuresOf(language, enabled, { ...info, subgroupMinSize: 8 }),
    featuresOf(language, enabled, { ...info, subgroupMatrixConfigs: [{ ...CONFIG, resultComponentType: 'f16' }] }), // prettier-ignore
    featuresOf(language, enabled, { ...info, subgroupMatrixConfigs: undefined }),
    featuresOf({ wgslLanguageFeatures: new Set() }, enabled, info),
  ];
  for (const features of without) expect(namesWith(features).join()).not.toContain('matrix');
});

test('not for what halves would spoil', () => {
  const features = new Set<Feature>(['f16', 'subgroups', 'matrix f16→f32 16×16×16']);
  const gpu = { adapter: { isFallback: false }, features } as unknown as Gpu;
  const has = (change: object) =>
    possible(gpu, MATMUL, { ...SHAPE, ...change }).some(({ name }) => name.startsWith('matrix'));
  expect(has({})).toBe(true);
  expect(has({ x: 'f32' })).toBe(false);
  expect(has({ w: 'f32' })).toBe(false);
  expect(has({ w: 'f8_e5m2' })).toBe(false);
  const attends = (change: object) =>
    possible(gpu, ATTENTION, { ...ATTENDED, ...change }).some(({ name }) => name.startsWith('matrix'));
  expect(attends({})).toBe(true);
  expect(attends({ elem: 'f32' })).toBe(false);
  expect(attends({ packed: true })).toBe(false);
  expect(attends({ HEAD: 96 })).toBe(false);
});
