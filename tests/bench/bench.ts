/** `npm run bench`: every case on one adapter, with its own peak measured in the same run. */
import { openGpu, type Gpu } from '../../src/gpu/device';
import { Run } from '../../src/gpu/run';
import { size, type Tensor } from '../../src/gpu/tensor';
import { f32ToF16 } from '../../src/weights/convert';
import { CASES, type Case, type Maker } from './cases';
import { BLOCK_PEER, measureBlock } from './block';
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
  /** Geometric mean of the peers' ratios over the operations (without the whole block). */
  mean?: Record<Provider, number | null>;
}

interface Options {
  filter?: string;
  /** Leaves out what would take minutes. */
  software?: boolean;
  onRow?: (row: Row) => void;
  peer?: Peer;
  /** Address of Pocket's folder, for the whole block. */
  pocket?: string;
}

const PROVIDERS: readonly Provider[] = ['webgpu', 'wasm'];

/** Opens an adapter and benches it. */
export async function bench(entry: GPU, options: Options & { f16?: boolean } = {}): Promise<Report> {
  return benchOn(await openGpu(entry, { f16: options.f16 ?? true }), options);
}

/** Benches an open device, and closes it. */
export async function benchOn(gpu: Gpu, options: Options = {}): Promise<Report> {
  const { filter = '', onRow, peer, pocket } = options;
  const software = options.software ?? gpu.adapter.isFallback;
  const wanted = (name: string) => name.includes(filter);
  const rows: Row[] = [];
  const add = (row: Row) => {
    rows.push(row);
    onRow?.(row);
  };
  try {
    const peak = await measurePeak(gpu);
    for (const test of CASES)
      if (!(software && test.large) && wanted(`${test.name} ${test.shape}`))
        add(await withPeers(await measureCase(gpu, test, peak), test.peer, peer));
    const operations = [...rows];
    if (pocket && wanted(`${BLOCK} Pocket`)) {
      const { seconds, launches } = await measureBlock(gpu, pocket);
      const row = { name: BLOCK, shape: `Pocket, ${launches} launches`, ms: seconds * 1000, gflops: 0, gbytes: 0, share: 0 }; // prettier-ignore
      add(await withPeers(row, BLOCK_PEER, peer));
    }
    const { adapter } = gpu;
    return {
      adapter: adapter.description || adapter.device || `${adapter.vendor} ${adapter.architecture}`,
      elem: gpu.elem,
      peak,
      rows,
      ...(peer && {
        mean: { webgpu: geometricMean(operations, 'webgpu'), wasm: geometricMean(operations, 'wasm') },
      }),
    };
  } finally {
    gpu.destroy();
  }
}

const BLOCK = 'whole block';

async function measureCase(gpu: Gpu, test: Case, peak: Peak): Promise<Row> {
  const run = new Run(gpu);
  try {
    const seconds = await measure(run, test.prepare(makerOf(run)));
    const gflops = test.flops / seconds / 1e9;
    const gbytes = test.bytes / seconds / 1e9;
    const share = Math.max(gflops / peak.gflops, gbytes / peak.gbytes);
    return { name: test.name, shape: test.shape, ms: seconds * 1000, gflops, gbytes, share };
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
    quantised([N, K]): Tensor {
      const quants = Int8Array.from({ length: N * K }, () => Math.round(next() * 254));
      const halves = Uint16Array.from({ length: (N * K) / 32 }, () => f32ToF16(0.01));
      const [q, s] = [
        run.tensor([(N * K) / 4], 'quants', 'u32'),
        run.tensor([(N * K) / 32], 'scales', 'f16'),
      ];
      memory.write(q.storage, quants);
      memory.write(s.storage, halves);
      return { storage: q.storage, scales: s.storage, dtype: 'q8_0', shape: [N, K], label: 'bench' };
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

export function formatRow({ name, shape, ms, gflops, gbytes, share, peers }: Row): string {
  const columns = [name.padEnd(17), shape.padEnd(38), `${ms.toFixed(3).padStart(9)} ms`];
  if (share) {
    columns.push(`${gflops.toFixed(2).padStart(9)} GFLOP/s`, `${gbytes.toFixed(2).padStart(8)} GB/s`);
    columns.push(`${(100 * share).toFixed(0).padStart(4)} % of its limit`);
  }
  if (peers) columns.push(`ort webgpu ${times(peers.webgpu)}`, `wasm ${times(peers.wasm)}`);
  return columns.join(' ');
}
