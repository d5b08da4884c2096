/** The bundled model as a person meets it: from nothing until it is ready, a whole clip, and a long one. */
import type { Gpu } from '../../src/gpu/device';
import type { KeyValue, TunerOptions } from '../../src/gpu/tuner';
import { generate } from '../../src/pipeline/generate';
import { buildModel, type GpuModel } from '../../src/pipeline/model';
import type { OpenOutput } from '../../src/pipeline/output';
import type { ModelManifest } from '../../src/weights/manifest';
import { fromBlob } from '../../src/weights/source';
import type { ModelFiles } from '../../src/weights/store';
import type { BlockReport, Size } from '../../src/worker/protocol/clip';

/** Where the bench runs: how a device is opened there, where the model's files are, where frames go. */
export interface Place {
  open(tuning: TunerOptions): Promise<Gpu>;
  files(): Promise<ModelFiles>;
  /** Default: as in the page, into an MP4. */
  openOutput?: OpenOutput;
}

/** Seconds of a start, in order, and pipelines compiled behind the loading bar. */
export interface StartTimes {
  device: number;
  /** Fetched, hashed and kept; found, where they were kept. */
  files: number;
  /** Read, and on the GPU. */
  weights: number;
  /** Of variants of kernels; none on software adapters. */
  trials: number;
  /** A dry run of the whole path, and its pipelines compiled. */
  kernels: number;
  /** From the last byte of weights until the first pipeline could be used, trials included. */
  firstPipeline: number;
  total: number;
  pipelines: number;
}

export interface ClipTimes {
  model: string;
  width: number;
  height: number;
  /** Of the clip. */
  seconds: number;
  steps: number;
  frames: number;
  /** Seconds from the beginning until the first frame was there, and the last was written. */
  firstFrame: number;
  total: number;
  /** GPU dispatches of a denoising step, its preview included. */
  launches: number;
  /** GPU memory at most, in bytes. */
  peakGpuBytes: number;
  blocks: BlockReport[];
}

export interface Asked extends Size {
  seconds: number;
  steps: number;
}

/** A store of answers that lasts as long as the bench: the second start is that of a second visit. */
function shortLived(): KeyValue {
  const kept = new Map<string, string>();
  return {
    get: async (key) => kept.get(key) ?? null,
    set: async (key, value) => void kept.set(key, value),
    delete: async (key) => void kept.delete(key),
  };
}

/** Starts from nothing, and once more as on a second visit. Nothing stays. */
export async function measureStart(place: Place): Promise<{ first: StartTimes; again: StartTimes }> {
  const store = shortLived();
  const once = async (): Promise<StartTimes> => {
    const { model, gpu, times } = await start(place, { store });
    model.free();
    gpu.destroy();
    return times;
  };
  return { first: await once(), again: await once() };
}

/** A model that is ready, on a device of its own. */
export async function start(
  place: Place,
  tuning: TunerOptions = {},
): Promise<{ model: GpuModel; gpu: Gpu; times: StartTimes }> {
  const began = performance.now();
  const seconds = (from: number, to: number) => Math.max(0, to - from) / 1000;
  const gpu = await place.open(tuning);
  const opened = performance.now();
  const files = await place.files();
  const found = performance.now();
  let [uploaded, first, trials, pipelines] = [found, 0, 0, 0];
  const settle = gpu.tuner.settle.bind(gpu.tuner);
  gpu.tuner.settle = async (...args) => {
    const before = performance.now();
    return settle(...args).finally(() => (trials += performance.now() - before));
  };
  const model = await buildModel(gpu, files, (event) => {
    if (event.type === 'upload') uploaded = performance.now();
    if (event.type !== 'compile') return;
    first ||= performance.now();
    pipelines = event.total;
  });
  const ready = performance.now();
  const times = {
    device: seconds(began, opened),
    files: seconds(opened, found),
    weights: seconds(found, uploaded),
    trials: trials / 1000,
    kernels: seconds(uploaded + trials, ready),
    firstPipeline: seconds(uploaded, first),
    total: seconds(began, ready),
    pipelines,
  };
  return { model, gpu, times };
}

/** A model of files that are here, by their paths in model.json. */
export function filesOf(manifest: ModelManifest, blobs: ReadonlyMap<string, Blob>): ModelFiles {
  const blob = (path: string) => {
    const found = blobs.get(path);
    if (!found) throw new Error(`${path} is not here`);
    return found;
  };
  return {
    manifest,
    persisted: true,
    problem: null,
    offline: false,
    source: (path) => fromBlob(path, blob(path)),
    json: async (path) => JSON.parse(await blob(path).text()) as unknown,
  };
}

/** Node has no video encoder: frames are counted, and that is all. */
export const countFrames: OpenOutput = async () => ({
  write: async () => {},
  finish: async () => ({ mp4: new Blob(), poster: new Blob(), codec: 'none', frameHashes: [], seam: null }),
  abort: () => {},
});

/** Makes a clip. */
export async function measureClip(
  model: GpuModel,
  asked: Asked,
  openOutput?: OpenOutput,
): Promise<ClipTimes> {
  const clip = await generate(
    model,
    { prompt: 'a red boat drifting on the sea at sunset', seed: 7, ...asked },
    {
      emit: (event) => {
        if (event.type === 'frames') for (const bitmap of event.bitmaps) bitmap.close();
      },
      ...(openOutput && { openOutput }),
    },
  );
  return {
    model: model.manifest.name,
    ...asked,
    frames: clip.frames,
    firstFrame: clip.timings.firstFrame,
    total: clip.timings.total,
    launches: Math.max(...clip.blocks.map(({ launches }) => launches)),
    peakGpuBytes: clip.peakGpuBytes,
    blocks: clip.blocks,
  };
}
