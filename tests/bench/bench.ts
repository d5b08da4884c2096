/** `npm run bench`: every case on one adapter, with its own peak measured in the same run. */
import { openGpu, type Gpu } from '../../src/gpu/device';
import { Run } from '../../src/gpu/run';
import { size, type Tensor } from '../../src/gpu/tensor';
import { f32ToF16 } from '../../src/weights/convert';
import { CASES, type Case, type Maker } from './cases';
import { measure } from './measure';
import { measurePeak, type Peak } from './peak';

export interface Row {
  name: string;
  shape: string;
  ms: number;
  gflops: number;
  gbytes: number;
  /** Of the adapter's FMA peak, or of its copy, whichever is nearer: what limits the kernel. */
  share: number;
}

export interface Report {
  adapter: string;
  elem: string;
  peak: Peak;
  rows: Row[];
}

/** @param software leaves out what would take minutes */
export async function bench(
  entry: GPU,
  options: { filter?: string; f16?: boolean; software?: boolean; onRow?: (row: Row) => void } = {},
): Promise<Report> {
  const { filter = '', f16 = true, onRow } = options;
  const gpu = await openGpu(entry, { f16 });
  const software = options.software ?? gpu.adapter.isFallback;
  try {
    const peak = await measurePeak(gpu);
    const rows: Row[] = [];
    for (const test of CASES) {
      if ((software && test.large) || !`${test.name} ${test.shape}`.includes(filter)) continue;
      const row = await measureCase(gpu, test, peak);
      rows.push(row);
      onRow?.(row);
    }
    return { adapter: gpu.adapter.description || gpu.adapter.device, elem: gpu.elem, peak, rows };
  } finally {
    gpu.destroy();
  }
}

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
export function formatReport({ adapter, elem, peak, rows }: Report): string {
  const head = `${adapter}, activations ${elem}: peak ${peak.gflops.toFixed(1)} GFLOP/s (f32 FMA), copy ${peak.gbytes.toFixed(1)} GB/s`;
  return [head, ...rows.map(formatRow)].join('\n');
}

export function formatRow({ name, shape, ms, gflops, gbytes, share }: Row): string {
  const numbers = `${ms.toFixed(3).padStart(10)} ms ${gflops.toFixed(2).padStart(9)} GFLOP/s ${gbytes.toFixed(2).padStart(8)} GB/s`;
  return `${name.padEnd(18)}${shape.padEnd(42)}${numbers} ${(100 * share).toFixed(0).padStart(4)} % of what limits it`;
}
