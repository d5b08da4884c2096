/** `npm run bench`: every case on one adapter, with its own peak measured in the same run. */
import { openGpu, type Gpu } from '../../src/gpu/device';
import { Run } from '../../src/gpu/run';
import { bytesOf, size, type Tensor } from '../../src/gpu/tensor';
import { f32ToF16 } from '../../src/weights/convert';
import { loadModel } from '../../src/pipeline/model';
import { readWanConfig } from '../../src/models/wan-transformer';
import type { ModelManifest } from '../../src/weights/manifest';
import type { TuningAnswer } from '../../src/worker/protocol';
import { blockPeer, blockSizeOf, measureBlock, syntheticWeights, WAN_CONFIG } from './block';
import { casesOf, type Case, type Maker } from './cases';
import { measure } from './measure';
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
}

interface Options {
  filter?: string;
  /** Leaves out what would take minutes. */
  software?: boolean;
  onRow?: (row: Row) => void;
  peer?: Peer;
  /** model.json of the bundled model: its shapes. */
  manifest?: ModelManifest;
  /** Address of its folder, for the whole block with its weights. */
  pocket?: string;
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

/** Opens an adapter and benches it. */
export async function bench(entry: GPU, options: Options & { f16?: boolean } = {}): Promise<Report> {
  return benchOn(await openGpu(entry, { f16: options.f16 ?? true, tuning: { always: true } }), options);
}

/** Benches an open device, and closes it. */
export async function benchOn(gpu: Gpu, options: Options = {}): Promise<Report> {
  const { filter = '', onRow, peer, pocket, manifest, synthetic } = options;
  const software = options.software ?? gpu.adapter.isFallback;
  const wanted = (name: string) => name.includes(filter);
  const rows: Row[] = [];
  const add = (row: Row) => {
    rows.push(row);
    onRow?.(row);
  };
  try {
    const peak = await measurePeak(gpu);
    for (const test of casesOf(manifest ?? null))
      if (!(software && test.large) && wanted(`${test.name} ${test.shape}`))
        add(await withPeers(await measureCase(gpu, test, peak), test.peer, peer));
    const operations = [...rows];
    if (pocket && manifest && wanted(`${BLOCK} ${manifest.name}`)) {
      const model = await loadModel(gpu, pocket, () => {});
      const { weights, config } = model.transformer;
      const time = await measureBlock(gpu, weights, config, blockSizeOf(manifest)).finally(() =>
        model.free(),
      );
      add(await withPeers(blockRow(manifest.name, time), blockPeer(manifest), peer));
    }
    if (synthetic && wanted(`${BLOCK} synthetic`)) await addSynthetic(gpu, synthetic, add);
    const { adapter } = gpu;
    return {
      adapter: adapter.description || adapter.device || `${adapter.vendor} ${adapter.architecture}`,
      elem: gpu.elem,
      peak,
      rows,
      trials: gpu.tuner.answers,
      ...(peer && {
        mean: { webgpu: geometricMean(operations, 'webgpu'), wasm: geometricMean(operations, 'wasm') },
      }),
    };
  } finally {
    gpu.destroy();
  }
}

const BLOCK = 'whole block';

function blockRow(what: string, { seconds, launches }: { seconds: number; launches: number }): Row {
  return {
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
    const seconds = await measure(run, work);
    const variant = [...run.questions.values()].map((q) => gpu.tuner.choice(q)).join(', ');
    const gflops = test.flops / seconds / 1e9;
    const gbytes = test.bytes / seconds / 1e9;
    const share = Math.max(gflops / peak.gflops, gbytes / peak.gbytes);
    return {
      name: test.name,
      shape: test.shape,
      ms: seconds * 1000,
      gflops,
      gbytes,
      share,
      ...(variant && { variant }),
    };
  } finally {
    run.destroy();
  }
}

async function withPeers(row: Row, test: PeerCase | undefined, peer: Peer | undefined): Promise<Row> {
  if (!peer || !test) return row;
  const peers: Record<Provider, number | null> = { webgpu: null, wasm: null };
  const problems: string[] = [];
  for (const provider of PROVIDERS) {
    const { seconds, problem } = await peer.measure(test, provider);
    peers[provider] = seconds === null ? null : (1000 * seconds) / row.ms;
    if (problem) problems.push(`${provider}: ${problem}`);
  }
  return { ...row, peers, ...(problems.length && { problems }) };
}

function geometricMean(rows: readonly Row[], provider: Provider): number | null {
  const ratios = rows.flatMap(({ peers }) => peers?.[provider] ?? []);
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
export function formatReport({ adapter, elem, peak, rows, mean }: Report): string {
  const head = `${adapter}, activations ${elem}: peak ${peak.gflops.toFixed(1)} GFLOP/s (f32 FMA), copy ${peak.gbytes.toFixed(1)} GB/s`;
  const tail =
    mean?.webgpu || mean?.wasm
      ? [
          `geometric mean over the operations: ${times(mean.webgpu)} onnxruntime-web WebGPU, ${times(mean.wasm)} WASM`,
        ]
      : [];
  return [head, ...rows.map(formatRow), ...tail].join('\n');
}

const times = (ratio: number | null) => (ratio === null ? 'no' : `${ratio.toFixed(2)}×`);

export function formatRow({ name, shape, ms, gflops, gbytes, share, peers, variant, fps }: Row): string {
  const columns = [name.padEnd(17), shape.padEnd(38), `${ms.toFixed(3).padStart(9)} ms`];
  if (share) {
    columns.push(`${gflops.toFixed(2).padStart(9)} GFLOP/s`, `${gbytes.toFixed(2).padStart(8)} GB/s`);
    columns.push(`${(100 * share).toFixed(0).padStart(4)} % of its limit`);
  }
  if (variant) columns.push(variant.padEnd(10));
  if (fps) columns.push(`${fps.toFixed(1)} frames/s`);
  if (peers) columns.push(`ort webgpu ${times(peers.webgpu)}`, `wasm ${times(peers.wasm)}`);
  return columns.join(' ');
}

/** q4_k: five words a block, of which the first are two halves and the rest bytes (weights/pack.ts). */
function kScales(blocks: number, next: () => number): Uint32Array<ArrayBuffer> {
  const half = f32ToF16(0.01);
  return Uint32Array.from({ length: 5 * blocks }, (_, i) =>
    i % 5 === 0 ? half | (half << 16) : (next() * 2 ** 32) & 0x3f3f3f3f,
  );
}
