/** What the bench compares with, and what it says of it. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tableOf } from '../../scripts/bench-results.mjs';
import { compareTorch } from '../../scripts/bench-torch.mjs';
import { readModelManifest } from '../../src/weights/manifest';
import { formatClips, type Report } from '../bench/bench';
import { blockPeer } from '../bench/block';
import { casesOf } from '../bench/cases';

const FOLDER = 'public/models/pocket';
const POCKET = readModelManifest(JSON.parse(readFileSync(join(FOLDER, 'model.json'), 'utf8')));

test('every operation that onnxruntime-web has does the same work there, and the whole block, too', async () => {
  const cases = casesOf(POCKET);
  expect(cases.filter(({ peer }) => peer).length).toBeGreaterThan(15);
  // Only what it does not have is without: weights of these types, keys of 8 bit, and what belongs to this network.
  const alone = cases.flatMap(({ name, peer }) => (peer ? [] : [name]));
  const ours = ['layerNorm, modulated', 'rope into the cache', 'store in the cache'];
  expect(new Set(alone)).toEqual(
    new Set(['matmul f16', 'matmul q4_0', 'matmul q4_k', 'attention 8 bit', ...ours]),
  );
  const block = blockPeer(POCKET);
  expect('model' in block && existsSync(join(FOLDER, block.model))).toBe(true);
});

const row = (name: string, webgpu: number | null) => ({
  name,
  shape: 'Pocket 2×3',
  ms: 2,
  gflops: 1,
  gbytes: 1,
  share: 0.5,
  peers: { webgpu, wasm: 0.1 },
});
const REPORT: Report = {
  adapter: 'some adapter',
  elem: 'f32',
  peak: { gflops: 10, gbytes: 20 },
  rows: [row('matmul', 3), row('conv', 0.5), row('norm', null), row('whole block', 1.5)],
  trials: [],
  mean: { webgpu: 2.6, wasm: 0.1 },
};
const saved = (change: Partial<Report>) => ({ date: 'today', kind: 'browser', commit: 'abc', versions: {}, load: 0, processors: 2, noisy: false, ...REPORT, ...change }); // prettier-ignore

test('the table names what is slower than the peer, and says what does not hold', () => {
  const table = tableOf([saved({})], formatClips);
  expect(table).toContain('2.60× onnxruntime-web');
  expect(table).toContain('(2.5 is asked: holds)');
  expect(table).toContain('No operation below 1×: does not hold: conv Pocket 2×3 (0.50×).');
  expect(table).toContain('Whole block: 1.50× (2 is asked: does not hold).');
  const good = tableOf([saved({ rows: [row('matmul', 3)] })], formatClips);
  expect(good).toContain('No operation below 1×: holds.');
  expect(good).not.toContain('Whole block');
});

test('what is asked of a large card is judged by its worst operation, where PyTorch ran beside it', () => {
  const on = (name: string, shape: string, more: object) => ({ ...row(name, null), shape, ...more });
  const rows = [
    on('matmul q8_0', '1.3B 1×2×3', { variant: 'tiled 128', share: 0.7 }),
    on('matmul q4_k', '1.3B 4×5×6', { variant: 'tiled 64', share: 0.55 }),
    on('matmul f16', '1.3B 1×2×3', { variant: 'matrix f16 16×16×16', share: 0.1, torchShare: 52 }),
    on('matmul f16', 'Pocket 1×2×3', { variant: 'matrix f16 16×16×16', share: 0.1, torchShare: 2 }),
    on('whole block', 'synthetic, 30 layers of 12×128, 448×256, 9 frames before, 1 launches', { fps: 17.2 }),
  ];
  const table = tableOf([saved({ rows, torch: 'a card, bfloat16' } as Partial<Report>)], formatClips);
  expect(table).toContain('of the FMA peak: 55.0 % at least, of 1.3B 4×5×6 (60 % is asked: does not hold).');
  expect(table).toContain('of cuBLAS in bf16: 52.0 % at least, of 1.3B 1×2×3 (50 % is asked: holds).');
  expect(table).toContain('Attention, with them, of flash SDPA: not measured (40 % is asked).');
  expect(table).toContain('17.2 at least');
  expect(tableOf([saved({ rows })], formatClips)).not.toContain('cuBLAS');
});

test('start, clip and growth are told', () => {
  const start = { device: 0.1, files: 0.2, weights: 0.3, trials: 0, kernels: 0.4, firstPipeline: 0.05, total: 1, pipelines: 57 }; // prettier-ignore
  const clip = { model: 'Pocket', width: 96, height: 64, seconds: 2, steps: 8, frames: 32, firstFrame: 4.1, total: 18.9, launches: 133, peakGpuBytes: 40.1e6, blocks: [] }; // prettier-ignore
  const trend = { early: 2, late: 2.02, growth: 1.01, verdict: 'flat' };
  const lines = formatClips({
    ...REPORT,
    start: { first: start, again: { ...start, total: 0.5 } },
    clip,
    long: { ...clip, seconds: 8 },
    growth: { seconds: { ...trend, range: { least: 0.99, most: 1.03 } }, gpu: { ...trend, growth: 1 } },
  });
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^cold start: 1\.00 s \(device 0\.10 s, .*57 pipelines 0\.40 s; .*0\.05 s after/);
  expect(lines[1]).toMatch(/^cold start, second visit: 0\.50 s/);
  expect(lines[2]).toMatch(/133 launches a step, 40\.1 MB .*first frame after 4\.10 s, all after 18\.9 s/);
  expect(lines[3]).toMatch(/2\.00 s early and 2\.02 s late, ×1\.010 \(95 %: ×0\.990 to ×1\.030, flat\); GPU memory ×1\.000/); // prettier-ignore
  expect(formatClips(REPORT)).toEqual([]);
});

/** An "interpreter" that answers for PyTorch. */
function fake(answer: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'kinora-torch-')), 'python');
  writeFileSync(path, `#!${process.execPath}\n${answer}`);
  chmodSync(path, 0o755);
  return path;
}

test('PyTorch gets the dimensions of every matmul and attention, and its times become shares', () => {
  const [first, ...rest] = casesOf(POCKET).filter(({ torch }) => torch);
  expect(new Set([first!, ...rest].map(({ torch }) => torch!.op))).toEqual(new Set(['matmul', 'attention']));
  const report = {
    ...REPORT,
    rows: [row('norm', 1), { ...row('matmul', 3), torch: { op: 'matmul' as const, dims: [12, 48, 32] } }],
  };
  const echo = `const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    if (JSON.stringify(cases) !== '[{"op":"matmul","dims":[12,48,32]}]') process.exit(1);
    console.log(JSON.stringify({ device: 'CPU', dtype: 'float32', seconds: [0.0005] }));`;
  compareTorch(fake(echo), report);
  expect(report).toMatchObject({ torch: 'CPU, float32', rows: [{}, { torchShare: 25 }] });
  expect(report.rows[0]).not.toHaveProperty('torchShare');
  expect(() => compareTorch(fake(`console.error('no torch'); process.exit(3)`), report)).toThrow(/--torch .*: no torch/); // prettier-ignore
});
