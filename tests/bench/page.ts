/** The bench in a browser, where onnxruntime-web stands beside our kernels. Driven by scripts/bench.mjs. */
import * as ort from 'onnxruntime-web/webgpu';
import { openGpu } from '../../src/gpu/device';
import { openModel } from '../../src/weights/store';
import { benchOn, trials, type Report, type Row } from './bench';
import type { ModelManifest } from '../../src/weights/manifest';
import { Peer } from './peer';

declare global {
  /** Given by scripts/bench.mjs: a row is ready. */
  var tellRow: (row: Row) => void;
  /** Seconds that the browser's processes have run. */
  var processorSeconds: () => Promise<number>;
  var kinoraBench: (options: {
    filter: string;
    f16: boolean;
    large: boolean;
    seconds: number;
  }) => Promise<Report>;
}

const POCKET = '/models/pocket/';

globalThis.kinoraBench = async ({ filter, f16, large, seconds }) => {
  ort.env.logLevel = 'error';
  const gpu = await openGpu(navigator.gpu, { f16, tuning: trials(globalThis.processorSeconds) });
  const manifest = (await (await fetch(`${POCKET}model.json`)).json()) as ModelManifest;
  const load = async (model: string) => {
    const response = await fetch(POCKET + model);
    if (!response.ok) throw new Error(`${model}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  return benchOn(gpu, {
    filter,
    software: gpu.adapter.isFallback && !large,
    peer: new Peer(ort, gpu.device, load, gpu.elem === 'f16' ? 'float16' : 'float32'),
    manifest,
    seconds,
    processor: globalThis.processorSeconds,
    place: {
      open: (tuning) => openGpu(navigator.gpu, { f16, tuning }),
      files: () => openModel(new URL(POCKET, location.href).href),
    },
    onRow: (row) => globalThis.tellRow(row),
  });
};
