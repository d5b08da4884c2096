/** `npm run bench`: every case on one adapter, with its own peak measured in the same run. */
import { openGpu, type Gpu } from '../../src/gpu/device';
import { Run } from '../../src/gpu/run';
import type { TunerOptions } from '../../src/gpu/tuner';
import { bytesOf, size, type Tensor } from '../../src/gpu/tensor';
import { f32ToF16 } from '../../src/weights/convert';
import { readWanConfig } from '../../src/models/wan-config';
import type { ModelManifest } from '../../src/weights/manifest';
import type { TuningAnswer } from '../../src/worker/protocol/machine';
import { blockPeer, blockSizeOf, measureBlock, syntheticWeights, WAN_CONFIG, type BlockTime } from './block';
import { casesOf, type Case, type Maker } from './cases';
import {
  countFrames,
  filesOf,
  measureClip,
  measureStart,
  start,
  type ClipTimes,
  type Place,
  type StartTimes,
} from './clip';
import { measure, watchProcessor } from './measure';
import { measurePeak, type Peak } from './peak';
import type { Peer, PeerCase, Provider } from './peer';

export interface Row {
  name: string;
  shape: string;
  ms: number;
  gflops: number;
  gbytes: number;
  /** Of the adapter's FMA peak, or of its copy, whichever is nearer: what limits the kernel. */
  share: number;
  /** Of a whole block: frames a second with four steps and one pass for the cache, without decoding. */
  fps?: number;
  torch?: Case['torch'];
  /** Our speed as a share of PyTorch's on the same card, in per cent of its bf16. */
  torchShare?: number;
  /** The variant that won the trial, where there was one. */
  variant?: string;
  /** How many times as long onnxruntime-web takes, by provider; null where it cannot, absent in Node. */
  peers?: Record<Provider, number | null>;
  /** The same by processor time, on software adapters: other work on the machine does not count. */
  cpuMs?: number;
  cpuPeers?: Record<Provider, number | null>;
  /** Its words where it cannot. */
  problems?: string[];
}

export interface Report {
  adapter: string;
  elem: string;
  peak: Peak;
  rows: Row[];
  /** Every trial of variants that was held; each run of the bench begins without any. */
  trials: TuningAnswer[];
  /** Geometric mean of the peers' ratios over the operations (without the whole block). */
  mean?: Record<Provider, number | null>;
  cpuMean?: Record<Provider, number | null>;
  /** Of the bundled model: from nothing until it is ready, and as on a second visit. */
  start?: { first: StartTimes; again: StartTimes };
  /** A clip as the page makes it by itself, and a long one of few steps. */
  clip?: ClipTimes;
  long?: ClipTimes;
  /** What a late block of the long clip needs of an early one's (scripts/series.mjs). */
  growth?: Growth;
}

export interface Growth {
  /** Seconds of a block, and growth of the trend with its range at 95 %; absent for a clip of few blocks. */
  seconds?: Trend & { range: { least: number; most: number } };
  /** Bytes on the GPU. */
  gpu?: Trend;
}

interface Trend {
  early: number;
  late: number;
  growth: number;
  /** flat, grown or unsure */
  verdict: string;
}

interface Options {
  filter?: string;
  /** Leaves out what would take minutes. */
  software?: boolean;
  onRow?: (row: Row) => void;
  peer?: Peer;
  /** model.json of the bundled model: its shapes. */
  manifest?: ModelManifest;
  /** Where it is opened: for its start, the whole block with its weights, and clips. */
  place?: Place;
  /** Processor seconds so far of all that computes, for software adapters. */
  processor?: () => Promise<number>;
  /** Of the long clip; default 8. */
  seconds?: number;
  /** The whole block of a network of the 1.3B model's kind with made-up weights, at these sizes. */
  synthetic?: Synthetic;
}

export interface Synthetic {
  /** Fields of the config that differ from the 1.3B model's. */
  config: Readonly<Record<string, number>>;
  /** Pixels. */
  sizes: readonly { width: number; height: number }[];
  /** Latent frames before the block. */
  past: readonly number[];
}

/** Wan's autoencoder: pixels of a latent. */
const STRIDE = 8;
/** Self-Forcing: four steps and one pass that keeps the clean block; three latents are twelve frames. */
const PASSES = 5;
const FRAMES_PER_LATENT = 4;

const PROVIDERS: readonly Provider[] = ['webgpu', 'wasm'];

/** Trials of variants on every adapter, on software ones by processor time. */
export const trials = (processor?: () => Promise<number>): TunerOptions => ({
  always: true,
  ...(processor && { clock: async () => 1000 * (await processor()) }),
});

/**
 * Opens an adapter and benches it, in Node.
 * @param options.blobs the bundled model's files by their paths
 */
export async function bench(
  entry: GPU,
  {
    f16 = true,
    blobs,
    ...options
  }: Options & { f16?: boolean; blobs?: () => Promise<Map<string, Blob>> } = {},
): Promise<Report> {
  const { manifest } = options;
  const processor = async () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const open = (tuning: TunerOptions) => openGpu(entry, { f16, tuning });
  const place = manifest && blobs && { open, files: async () => filesOf(manifest, await blobs()), openOutput: countFrames }; // prettier-ignore
  return benchOn(await open(trials(processor)), { ...options, processor, ...(place && { place }) });
}

/** Benches an open device, and closes it. */
export async function benchOn(gpu: Gpu, options: Options = {}): Promise<Report> {
  const { filter = '', onRow, peer, place, manifest, synthetic, seconds = 8 } = options;
  const software = options.software ?? gpu.adapter.isFallback;
  const words = filter.split(',');
  const wanted = (name: string) => words.some((word) => name.includes(word));
  const rows: Row[] = [];
  const add = (row: Row) => {
    rows.push(row);
    onRow?.(row);
  };
  watchProcessor(gpu.adapter.isFallback ? (options.processor ?? null) : null);
  try {
    const model = manifest?.name ?? '';
    // Before anything else was compiled.
    const cold = place && wanted(`${START} ${model}`) ? await measureStart(place) : undefined;
    const peak = await measurePeak(gpu);
    for (const test of casesOf(manifest ?? null))
      if (!(software && test.large) && wanted(`${test.name} ${test.shape}`))
        add(await withPeers(await measureCase(gpu, test, peak), test.peer, peer));
    const operations = [...rows];
    const clips: Pick<Report, 'clip' | 'long'> = {};
    if (place && manifest) {
      const asked = { block: wanted(`${BLOCK} ${model}`), clip: wanted(`${CLIP} ${model}`), long: wanted(`${LONG} ${model}`) }; // prettier-ignore
      if (asked.block) {
        const own = await start(place, trials(options.processor));
        const { weights, config } = own.model.transformer;
        const time = await measureBlock(own.gpu, weights, config, blockSizeOf(manifest));
        own.model.free();
        own.gpu.destroy();
        add(
          await withPeers(blockRow(`${manifest.name}, its text included`, time), blockPeer(manifest), peer),
        );
      }
      if (asked.clip || asked.long) {
        const own = await start(place);
        const { openOutput } = place;
        const { sizes, sampler, seconds: usual } = manifest;
        const make = (what: { seconds: number; steps: number }, size = sizes[0]!) =>
          measureClip(own.model, { ...size, ...what }, openOutput);
        if (asked.clip) clips.clip = await make({ seconds: usual.default, steps: sampler.timesteps.length });
        if (asked.long) clips.long = await make({ seconds, steps: 2 }, sizes.at(-1));
        own.model.free();
        own.gpu.destroy();
      }
    }
    if (synthetic && wanted(`${BLOCK} synthetic`)) await addSynthetic(gpu, synthetic, add);
    const { adapter } = gpu;
    return {
      adapter: adapter.description || adapter.device || `${adapter.vendor} ${adapter.architecture}`,
      elem: gpu.elem,
      peak,
      rows,
      trials: gpu.tuner.answers,
      ...(cold && { start: cold }),
      ...clips,
      ...(peer && {
        mean: meansOf(operations, 'peers'),
        ...(operations.some(({ cpuPeers }) => cpuPeers) && { cpuMean: meansOf(operations, 'cpuPeers') }),
      }),
    };
  } finally {
    gpu.destroy();
  }
}

const BLOCK = 'whole block';
const START = 'cold start';
const CLIP = 'whole clip';
const LONG = 'long clip';

function blockRow(what: string, { seconds, cpu, launches }: BlockTime): Row {
  return {
    ...(cpu !== null && { cpuMs: cpu * 1000 }),
    name: BLOCK,
    shape: `${what}, ${launches} launches`,
    ms: seconds * 1000,
    gflops: 0,
    gbytes: 0,
    share: 0,
  };
}

async function addSynthetic(gpu: Gpu, synthetic: Synthetic, add: (row: Row) => void): Promise<void> {
  const config = readWanConfig({ ...WAN_CONFIG, ...synthetic.config });
  const weights = syntheticWeights(gpu, config);
  try {
    for (const { width, height } of synthetic.sizes)
      for (const past of synthetic.past) {
        const size = { H: height / STRIDE, W: width / STRIDE, F: 3, past, text: 64 };
        const time = await measureBlock(gpu, weights, config, size);
        const fps = (size.F * FRAMES_PER_LATENT) / (PASSES * time.seconds);
        const what = `synthetic, ${config.num_layers} layers of ${config.num_attention_heads}×${config.attention_head_dim}, ${width}×${height}, ${past} frames before`;
        add({ ...blockRow(what, time), fps });
      }
  } finally {
    weights.free();
  }
}

async function measureCase(gpu: Gpu, test: Case, peak: Peak): Promise<Row> {
  const run = new Run(gpu);
  try {
    const work = test.prepare(makerOf(run));
    run.scope(work); // gathers what there is to choose between
    await run.sync();
    await gpu.tuner.settle(gpu, run.questions.values());
    const { seconds, cpu } = await measure(run, work);
    const variant = [...run.questions.values()].map((q) => gpu.tuner.choice(q)).join(', ');
    const gflops = test.flops / seconds / 1e9;
    const gbytes = (test.bytes + test.activations * (run.elem === 'f16' ? 2 : 4)) / seconds / 1e9;
    const share = Math.max(gflops / peak.gflops, gbytes / peak.gbytes);
    return {
      name: test.name,
      shape: test.shape,
      ms: seconds * 1000,
      gflops,
      gbytes,
      share,
      ...(variant && { variant }),
      ...(cpu !== null && { cpuMs: cpu * 1000 }),
      ...(test.torch && { torch: test.torch }),
    };
  } finally {
    run.destroy();
  }
}

async function withPeers(row: Row, test: PeerCase | undefined, peer: Peer | undefined): Promise<Row> {
  if (!peer || !test) return row;
  const peers: Record<Provider, number | null> = { webgpu: null, wasm: null };
  const cpuPeers = { ...peers };
  const problems: string[] = [];
  for (const provider of PROVIDERS) {
    const { time, problem } = await peer.measure(test, provider);
    if (time) peers[provider] = (1000 * time.seconds) / row.ms;
    if (time?.cpu && row.cpuMs) cpuPeers[provider] = (1000 * time.cpu) / row.cpuMs;
    if (problem) problems.push(`${provider}: ${problem}`);
  }
  return { ...row, peers, ...(row.cpuMs && { cpuPeers }), ...(problems.length && { problems }) };
}

const meansOf = (rows: readonly Row[], by: 'peers' | 'cpuPeers'): Record<Provider, number | null> => ({
  webgpu: geometricMean(rows.map((row) => row[by]?.webgpu)),
  wasm: geometricMean(rows.map((row) => row[by]?.wasm)),
});

function geometricMean(known: readonly (number | null | undefined)[]): number | null {
  const ratios = known.flatMap((ratio) => ratio ?? []);
  return ratios.length ? Math.exp(ratios.reduce((sum, r) => sum + Math.log(r), 0) / ratios.length) : null;
}

function makerOf(run: Run): Maker {
  let state = 1;
  /** In (−0.5, 0.5): a small generator, for the values do not matter. */
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5;
  const { memory } = run.gpu;
  return {
    run,
    random(shape, dtype = run.elem): Tensor {
      const values = Float32Array.from({ length: size({ shape }) }, next);
      const data = dtype === 'f16' ? Uint16Array.from(values, f32ToF16) : values;
      const t = run.tensor(shape, 'bench', dtype);
      memory.write(t.storage, data);
      return t;
    },
    quantised([N, K], dtype): Tensor {
      const quants = Int8Array.from({ length: bytesOf([N, K], dtype) }, () => Math.round(next() * 254));
      const scales = dtype === 'q4_k' ? kScales((N * K) / 256, next) : new Uint16Array((N * K) / 32).fill(f32ToF16(0.01)); // prettier-ignore
      const [q, s] = [quants, scales].map((data) => {
        const t = run.tensor([Math.ceil(data.byteLength / 4)], 'weights', 'u32');
        memory.write(t.storage, data);
        return t.storage;
      });
      return { storage: q!, scales: s!, dtype, shape: [N, K], label: 'bench' };
    },
  };
}

/** The report as lines of text. */
export function formatReport(report: Report): string {
  const { adapter, elem, peak, rows, mean, cpuMean } = report;
  const head = `${adapter}, activations ${elem}: peak ${peak.gflops.toFixed(1)} GFLOP/s (f32 FMA), copy ${peak.gbytes.toFixed(1)} GB/s`;
  const tail =
    mean?.webgpu || mean?.wasm
      ? [
          `geometric mean over the operations: ${times(mean.webgpu)} onnxruntime-web WebGPU, ${times(mean.wasm)} WASM` +
            (cpuMean ? `; by processor time ${times(cpuMean.webgpu)}, ${times(cpuMean.wasm)}` : ''),
        ]
      : [];
  return [head, ...rows.map(formatRow), ...tail, ...formatClips(report)].join('\n');
}

/** Start, clip and long clip, a line each; those that were measured. Markdown may have them, too. */
export function formatClips({ start: cold, clip, long, growth }: Report): string[] {
  const s = (seconds: number) => `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const lines: string[] = [];
  if (cold) {
    const { first, again } = cold;
    const parts = (t: StartTimes) =>
      `${s(t.total)} (device ${s(t.device)}, files ${s(t.files)}, weights to the GPU ${s(t.weights)}, trials of variants ${s(t.trials)}, ${t.pipelines} pipelines ${s(t.kernels)}; the first could be used ${s(t.firstPipeline)} after the last weight)`;
    lines.push(`${START}: ${parts(first)}`, `${START}, second visit: ${parts(again)}`);
  }
  const of = ({ model, width, height, seconds, steps, frames, launches, peakGpuBytes }: ClipTimes) =>
    `${model} ${width}×${height}, ${seconds} s (${frames} frames), ${steps} steps, ${launches} launches a step, ${(peakGpuBytes / 1e6).toFixed(1)} MB on the GPU at most`;
  if (clip) lines.push(`${CLIP}: ${of(clip)}: first frame after ${s(clip.firstFrame)}, all after ${s(clip.total)}`); // prettier-ignore
  if (long) {
    const { seconds, gpu } = growth ?? {};
    const grown = seconds
      ? `a block takes ${s(seconds.early)} early and ${s(seconds.late)} late, ×${seconds.growth.toFixed(3)} (95 %: ×${seconds.range.least.toFixed(3)} to ×${seconds.range.most.toFixed(3)}, ${seconds.verdict})`
      : 'too few blocks to tell growth';
    const memory = gpu ? `; GPU memory ×${gpu.growth.toFixed(3)}` : '';
    lines.push(`${LONG}: ${of(long)}, ${long.blocks.length} blocks: all after ${s(long.total)}; ${grown}${memory}`); // prettier-ignore
  }
  return lines;
}

const times = (ratio: number | null) => (ratio === null ? 'no' : `${ratio.toFixed(2)}×`);

export function formatRow(row: Row): string {
  const { name, shape, ms, gflops, gbytes, share, peers, variant, fps, cpuMs, cpuPeers } = row;
  const columns = [name.padEnd(17), shape.padEnd(38), `${ms.toFixed(3).padStart(9)} ms`];
  if (share) {
    columns.push(`${gflops.toFixed(2).padStart(9)} GFLOP/s`, `${gbytes.toFixed(2).padStart(8)} GB/s`);
    columns.push(`${(100 * share).toFixed(0).padStart(4)} % of its limit`);
  }
  if (variant) columns.push(variant.padEnd(10));
  if (fps) columns.push(`${fps.toFixed(1)} frames/s`);
  if (peers) columns.push(`ort webgpu ${times(peers.webgpu)}`, `wasm ${times(peers.wasm)}`);
  if (cpuMs) columns.push(`processor ${cpuMs.toFixed(3)} ms`);
  if (cpuPeers) columns.push(`ort ${times(cpuPeers.webgpu)}, ${times(cpuPeers.wasm)}`);
  return columns.join(' ');
}

/** q4_k: five words a block, of which the first are two halves and the rest bytes (weights/pack.ts). */
function kScales(blocks: number, next: () => number): Uint32Array<ArrayBuffer> {
  const half = f32ToF16(0.01);
  return Uint32Array.from({ length: 5 * blocks }, (_, i) =>
    i % 5 === 0 ? half | (half << 16) : (next() * 2 ** 32) & 0x3f3f3f3f,
  );
}
