/**
 * Reports of the bench: kept in tests/bench/results/, one file a run, and shown together in docs/bench.md.
 *
 * `node scripts/bench-results.mjs` makes the table anew from what is there.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModule } from './dawn.mjs';

const ROOT = join(import.meta.dirname, '..');
const RESULTS = join(ROOT, 'tests/bench/results');
const TABLE = join(ROOT, 'docs/bench.md');
/** Other work for this share of the processors spoils a figure. The bench itself keeps about one busy. */
const QUIET = 0.5;

/** Work of this machine over the last minute, in processors, beside the bench itself. */
export const loadOf = () => Math.max(0, loadavg()[0] - 1);

const versionOf = (name) =>
  JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;

function commit() {
  try {
    const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', 'src', 'shaders') ? ' and changes' : '')
    );
  } catch {
    return 'unknown';
  }
}

/** Writes a report with what is needed to read it later; returns the file's path from the root. */
export function save(report, kind, load, formatClips) {
  mkdirSync(RESULTS, { recursive: true });
  const date = new Date().toISOString().slice(0, 16);
  const processors = cpus().length;
  const whole = {
    date,
    kind,
    commit: commit(),
    versions: {
      node: process.version,
      dawn: versionOf('webgpu'),
      'onnxruntime-web': versionOf('onnxruntime-web'),
    },
    load: Number(load.toFixed(1)),
    processors,
    noisy: load > processors * QUIET,
    ...report,
  };
  const slug = report.adapter
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '');
  const name = `${date.replace(/[:T]/g, '-')}-${slug}-${kind}.json`;
  writeFileSync(join(RESULTS, name), `${JSON.stringify(whole, null, 1)}\n`);
  writeFileSync(TABLE, tableOf(readResults(), formatClips));
  return `tests/bench/results/${name}`;
}

function readResults() {
  return readdirSync(RESULTS)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .reverse()
    .map((name) => JSON.parse(readFileSync(join(RESULTS, name), 'utf8')));
}

const cell = (value, digits) => (typeof value === 'number' ? value.toFixed(digits) : '');
const ratio = (value) => (typeof value === 'number' ? `${value.toFixed(2)}×` : '');

/** What the issue asks of the ratios, and whether this run has it. */
function asked({ rows, mean: wall, cpuMean }) {
  if (typeof wall?.webgpu !== 'number') return [];
  const mean = cpuMean ?? wall;
  const of = (row) => (cpuMean ? row.cpuPeers : row.peers)?.webgpu;
  const said = (holds) => (holds ? 'holds' : 'does not hold');
  const below = rows.filter((row) => typeof of(row) === 'number' && of(row) < 1);
  const names = below.map((row) => `${row.name} ${row.shape} (${ratio(of(row))})`);
  const block = rows.find((row) => row.name === 'whole block' && of(row));
  return [
    '',
    ...(cpuMean ? ['By processor time, in which other work on the machine does not count:', ''] : []),
    `Geometric mean over the operations: ${ratio(mean.webgpu)} onnxruntime-web's WebGPU provider (2.5 is asked: ${said(mean.webgpu >= 2.5)}).`,
    `No operation below 1×: ${said(!below.length)}${below.length ? `: ${names.join(', ')}` : ''}.`,
    ...(block ? [`Whole block: ${ratio(of(block))} (2 is asked: ${said(of(block) >= 2)}).`] : []),
  ];
}

/** What the issue asks of an H200 class GPU, judged where the run has it: of other adapters these are figures, no verdicts. */
const HARDWARE = [
  {
    what: 'Matmul, without matrices of subgroups, of the FMA peak',
    asked: 60,
    of: ({ name, variant, share }) =>
      /^matmul/.test(name) && variant && !/matrix/.test(variant) ? 100 * share : null,
  },
  {
    what: 'Matmul, with them, of cuBLAS in bf16',
    asked: 50,
    of: ({ name, variant, torchShare }) =>
      /^matmul/.test(name) && /matrix/.test(variant ?? '') ? (torchShare ?? null) : null,
  },
  {
    what: 'Attention, with them, of flash SDPA',
    asked: 40,
    of: ({ name, variant, torchShare }) =>
      name === 'attention' && /matrix/.test(variant ?? '') ? (torchShare ?? null) : null,
  },
  {
    what: 'Frames a second of a causal block at 448×256 with 30 layers of 12×128',
    asked: 16,
    of: ({ shape, fps }) => (/30 layers of 12×128, 448×256/.test(shape) ? (fps ?? null) : null),
    unit: '',
  },
];

/** Products and attention of the 1.3B model, the least of each kind, where a card ran them beside PyTorch. */
function askedOfHardware({ rows, torch }) {
  if (!torch) return [];
  return HARDWARE.flatMap(({ what, asked: least, of, unit = ' %' }) => {
    const figures = rows
      .filter(({ name, shape }) => name === 'whole block' || shape.startsWith('1.3B '))
      .map((row) => ({ row, value: of(row) }))
      .filter(({ value }) => value !== null);
    if (!figures.length) return [`${what}: not measured (${least}${unit} is asked).`];
    const { row, value } = figures.reduce((a, b) => (b.value < a.value ? b : a));
    const holds = value >= least ? 'holds' : 'does not hold';
    return [
      `${what}: ${value.toFixed(1)}${unit} at least, of ${row.shape} (${least}${unit} is asked: ${holds}).`,
    ];
  }).flatMap((line) => ['', line]);
}

/**
 * All reports, newest first, as one document.
 * @param formatClips of tests/bench/bench.ts
 */
export function tableOf(reports, formatClips) {
  const parts = reports.map((r) => {
    const versions = Object.entries({ ...r.versions, ...(r.browser && { browser: r.browser }) });
    const lines = [
      `## ${r.adapter}`,
      '',
      `${r.date}, ${r.kind}, commit ${r.commit}, activations ${r.elem}; ${versions.map((v) => v.join(' ')).join(', ')}.`,
      `Peak in the same run: ${cell(r.peak.gflops, 1)} GFLOP/s (f32 FMA), ${cell(r.peak.gbytes, 1)} GB/s (copy).`,
    ];
    if (r.torch) lines.push(`PyTorch in the same call: ${r.torch}.`);
    if (r.noisy)
      lines.push(
        '',
        `**A noisy machine**: ${r.load} of its ${r.processors} processors had other work. The times are no measure, and ratios only a hint.`,
      );
    if (r.rows.length)
      lines.push(
        '',
        '| operation | shape | ms | GFLOP/s | GB/s | % of its limit | variant | frames/s | % of PyTorch | ort WebGPU | ort WASM | by processor time |',
        '| --- | --- | --: | --: | --: | --: | --- | --: | --: | --: | --: | --: |',
        ...r.rows.map((row) => {
          const limit = row.share ? cell(100 * row.share, 0) : '';
          const rates = row.share ? [cell(row.gflops, 1), cell(row.gbytes, 1)] : ['', ''];
          const peers = [ratio(row.peers?.webgpu), ratio(row.peers?.wasm), ratio(row.cpuPeers?.webgpu)];
          return `| ${[row.name, row.shape, cell(row.ms, 3), ...rates, limit, row.variant ?? '', cell(row.fps, 1), cell(row.torchShare, 0), ...peers].join(' | ')} |`;
        }),
      );
    lines.push(...asked(r), ...askedOfHardware(r));
    const clips = formatClips(r);
    if (clips.length) lines.push('', ...clips.map((line) => `- ${line}`));
    return lines.join('\n');
  });
  const head = `# Measured\n\nMade by \`npm run bench -- --save\` from tests/bench/results/; do not edit. Software adapters (llvmpipe, SwiftShader)\nprove that kernels are right and allow ratios; they say nothing about a GPU.\n`;
  return `${[head, ...parts].join('\n')}\n`.replace(/\n\n\n+/g, '\n\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { formatClips } = await loadModule('tests/bench/bench.ts');
  writeFileSync(TABLE, tableOf(readResults(), formatClips));
  process.exit(0);
}
