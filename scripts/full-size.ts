/** Loads a folder of checkpoints as the page does, makes one block, and measures. `full-size.mjs` is the command. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openGpu } from '../src/gpu/device';
import { generate } from '../src/pipeline/generate';
import { roomOf } from '../src/pipeline/model';
import { loadOpened, openFiles } from '../src/pipeline/opened';
import { planOpened } from '../src/pipeline/whole-plan';
import { seeing } from '../src/pipeline/window';
import type { Size } from '../src/worker/protocol/clip';
import type { MemoryPlan, OpenedFiles, PickedFile, Quantize } from '../src/worker/protocol/files';
import { DiskBlob } from './disk-blob';

/** Pieces of files may be so large. Bytes. */
const MOST_PIECE = 64 << 20;

export interface FullSizeOptions {
  dir: string;
  size: Size;
  steps: number;
  f16: boolean;
  /** What F16 and BF16 matrices become while they are loaded. */
  quantize: Quantize | null;
  /** JS memory may grow by so much while files are read. Bytes. */
  most: number;
}

/** The model's sampling: blocks of so many latents, of which one is made, so the window need hold no more. */
const [SAMPLING, BLOCK] = ['longlive', 3];
/** The most GPU memory that was in use may differ from the plan by so much of it. */
const NEAR = 0.1;

/** Resolves to the exit code: 1 when more memory or larger pieces are taken than may be, or other than the plan says. */
export async function main(
  { dir, size, steps, f16, quantize, most }: FullSizeOptions,
  openEntry: () => Promise<GPU>,
): Promise<number> {
  const gpu = await openGpu(await openEntry(), { f16, profile: true });
  // A software adapter would refuse a model of this size: a step takes minutes, and that is what is to be measured. Its
  // memory is the machine's.
  const { maxBufferSize } = gpu.adapter;
  Object.assign(gpu.adapter, { isFallback: false, maxBufferSize: Math.max(maxBufferSize, 2 ** 32) });
  const watch = new Watch();
  const files: PickedFile[] = [];
  for (const name of (await readdir(dir)).sort())
    files.push({ path: name, file: watch.blob(await DiskBlob.open(join(dir, name))), changed: 1 });
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);

  const request: OpenedFiles = { files, sampling: SAMPLING, ...(quantize && { quantize }) };
  const began = performance.now();
  const plan = await planOneBlock(request, size, roomOf(gpu));
  const model = await loadOpened(gpu, request, () => watch.look(), size);
  const loaded = performance.now();
  const [whileLoading, readToLoad] = [watch.growth, watch.read];

  await gpu.profiler!.clear(); // of the block alone
  const stages = new Map<string, number>();
  let [stage, since] = ['text', performance.now()];
  const enter = (next: string) => {
    stages.set(stage, (stages.get(stage) ?? 0) + performance.now() - since);
    [stage, since] = [next, performance.now()];
  };
  const wish = { prompt: 'a red boat drifting on the sea', seed: 7, seconds: 0.5, ...size, steps, window: BLOCK, sink: 0 }; // prettier-ignore
  let frames = 0;
  await generate(model, wish, {
    emit: (event) => {
      watch.look();
      if (event.type === 'progress' && event.stage !== stage) enter(event.stage);
    },
    openOutput: async () => ({
      write: async (_, { i420 }) => void (frames += i420.length),
      finish: async () => ({
        mp4: new Blob(),
        poster: new Blob(),
        codec: 'none',
        frameHashes: [],
        seam: null,
      }),
      abort: () => {},
    }),
  });
  enter('end');
  const operations = [...(await gpu.profiler!.times())].sort((a, b) => b[1].ms - a[1].ms);
  const peak = gpu.memory.peak;
  const streams = model.textEncoder.bytes === 0;
  model.free();

  const gb = (n: number) => `${(n / 1e9).toFixed(2)} GB`;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const { description, device, vendor } = gpu.adapter;
  console.log(
    `${files.length} files of ${gb(bytes)}, ${gpu.elem} activations, on ${description || device || vendor}`,
  );
  console.log(`  loading        ${seconds(loaded - began)}, ${gb(readToLoad)} read, in pieces of ${(watch.piece / 2 ** 20).toFixed(1)} MiB at most`); // prettier-ignore
  console.log(`  JS memory      grew by ${(whileLoading / 1e6).toFixed(0)} MB while loading, ${(watch.growth / 1e6).toFixed(0)} MB in all`); // prettier-ignore
  const planned = buffersOf(plan, streams);
  const near = peak / planned;
  console.log(`  GPU memory     ${gb(peak)} at most, ${gb(planned)} planned: ${(100 * near).toFixed(1)} % of it`); // prettier-ignore
  console.log(`    planned      ${plan.items.map(({ what, bytes: n }) => `${what} ${gb(n)}`).join(', ')}`);
  for (const [name, ms] of stages) console.log(`  ${name.padEnd(14)} ${seconds(ms)}`);
  console.log(`  in all         ${gb(watch.read)} read, ${frames} frames of ${size.width}×${size.height}, one block, ${steps} steps`); // prettier-ignore
  const all = operations.reduce((sum, [, { ms }]) => sum + ms, 0);
  const clock = gpu.profiler!.clock === 'timestamps' ? 'the GPU’s timestamps' : 'wall time, the way to the GPU and back included'; // prettier-ignore
  console.log(`Operations of the block (${clock}):`);
  for (const [name, { ms, dispatches }] of operations)
    console.log(`  ${name.padEnd(18)} ${seconds(ms).padStart(9)} ${((100 * ms) / all).toFixed(1).padStart(5)} % in ${dispatches} dispatches`); // prettier-ignore
  console.log(`  ${'in all'.padEnd(18)} ${seconds(all).padStart(9)}`);
  const ok = watch.growth <= most && watch.piece <= MOST_PIECE && frames > 0;
  if (!ok) console.error(`More than may be: ${most / 1e6} MB of growth, pieces of ${MOST_PIECE / 2 ** 20} MiB.`); // prettier-ignore
  const kept = Math.abs(near - 1) <= NEAR;
  if (!kept) console.error(`GPU memory is not within ${100 * NEAR} % of the plan.`);
  return ok && kept ? 0 : 1;
}

/** What the page would plan for a clip that sees no more than its only block. */
async function planOneBlock(opened: OpenedFiles, size: Size, room: ReturnType<typeof roomOf>) {
  const { files, recognition } = await openFiles(opened);
  if (!files) throw new Error(`No model: ${JSON.stringify([recognition.missing, recognition.problems])}`);
  const manifest = seeing(files.manifest, { window: BLOCK, sink: 0, positions: 'clip' });
  return planOpened({ ...files, manifest }, size, room, opened.quantize);
}

/**
 * Of the plan's total, what is buffers: pieces that wait to be copied are the browser's, and nobody counts them. They are in
 * it where a text encoder that is read layer by layer takes more than the clip at work.
 */
function buffersOf({ items, total }: MemoryPlan, streams: boolean): number {
  const [text, work, pieces] = (['text_encoder', 'work', 'pieces'] as const).map((one) => items.find(({ what }) => what === one)!.bytes) as [number, number, number]; // prettier-ignore
  return streams ? total - Math.min(pieces, Math.max(0, text + pieces - work)) : total;
}

/** What is read of files, and how far JS memory grew meanwhile. */
class Watch {
  read = 0;
  piece = 0;
  growth = 0;
  readonly #before = inUse();

  look(): void {
    this.growth = Math.max(this.growth, inUse() - this.#before);
  }

  /** A blob whose parts count when they are read. */
  blob(blob: Blob): Blob {
    const slice = blob.slice.bind(blob);
    blob.slice = (from = 0, to = blob.size, type) => {
      this.look();
      this.read += to - from;
      this.piece = Math.max(this.piece, to - from);
      return slice(from, to, type);
    };
    return blob;
  }
}

function inUse(): number {
  const { heapUsed, external } = process.memoryUsage(); // arrayBuffers are in `external`
  return heapUsed + external;
}
