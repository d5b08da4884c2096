/** Stand-ins for what the page's classes talk to. The engine is a script: it answers when a test says so. */
import type { Picture } from '../../src/app/pictures';
import type { Engine } from '../../src/app/studio.svelte';
import type { Store } from '../../src/app/store';
import type { LibraryEntry } from '../../src/library/library';
import type {
  Clip,
  GenerateEvent,
  GenerateRequest,
  JournalInfo,
  Recipe,
} from '../../src/worker/protocol/clip';
import type { AdapterReport, CheckReport } from '../../src/worker/protocol/machine';
import type { LoadEvent, LoadRequest, ModelInfo } from '../../src/worker/protocol/model';
import type { Result } from '../../src/worker/protocol/result';

export function memoryStore(values: Record<string, unknown> = {}): Store & { values: typeof values } {
  return {
    values,
    read: (key) => JSON.parse(JSON.stringify(values[key] ?? null)),
    write: (key, value) => void (values[key] = JSON.parse(JSON.stringify(value))),
  };
}

const adapter: AdapterReport = {
  vendor: 'test',
  architecture: 'paper',
  device: '',
  description: 'A paper adapter',
  isFallback: false,
  features: [],
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
};

export const REPORT: CheckReport = { backend: 'webgpu', reason: 'adapter', adapter, codecs: ['avc1.42001f'] };

export const MODEL: ModelInfo = {
  id: 'pocket',
  name: 'Kinora Pocket',
  edition: '1',
  fps: 16,
  sizes: [{ width: 96, height: 64 }],
  seconds: { default: 2, max: 5 },
  timesteps: [1000, 750, 500, 250],
  prompts: { en: ['a red boat', 'a blue fish'], zh: ['红色的船'] },
  bytes: 24e6,
};

export const RECIPE: Recipe = {
  prompt: 'a red boat drifting on the sea at sunset',
  seed: 7,
  seconds: 1,
  width: 96,
  height: 64,
  steps: 2,
  model: 'pocket',
  edition: '1',
  fps: 16,
  frames: 16,
  app: 'Kinora test',
  created: '2026-11-24T10:00:00.000Z',
};

export function clipOf(recipe: Recipe = RECIPE): Clip {
  const { width, height, frames, fps } = recipe;
  return {
    mp4: new Blob([recipe.prompt], { type: 'video/mp4' }),
    poster: new Blob(['poster'], { type: 'image/webp' }),
    codec: 'avc1.42001f',
    frameHashes: [],
    backend: 'webgpu',
    timings: { load: 1, firstFrame: 2, total: 3 },
    peakGpuBytes: 1e6,
    blocks: [],
    ...{ id: 'clip', latents: null, seam: null },
    ...{ recipe, width, height, frames, fps, adapter },
  };
}

export function entryOf(id: string, created: string, recipe = RECIPE): LibraryEntry {
  const { width, height, frames, fps } = recipe;
  const timings = { load: 1, firstFrame: 2, total: 3 };
  return { id, recipe, width, height, frames, fps, bytes: 9, codec: 'avc1', created, backend: 'webgpu', adapter: '', timings }; // prettier-ignore
}

/** A call to the engine that waits for its answer. */
class Call<Request, Event, Value> {
  request!: Request;
  say!: (event: Event) => void;
  answer!: (result: Result<Value>) => void;
  count = 0;

  make(request: Request, say: (event: Event) => void): Promise<Result<Value>> {
    this.count++;
    this.request = request;
    this.say = say;
    return new Promise((answer) => (this.answer = answer));
  }
}

export class ScriptedEngine implements Engine {
  checked: Result<CheckReport> = { ok: true, value: REPORT };
  readonly loading = new Call<LoadRequest, LoadEvent, ModelInfo>();
  readonly making = new Call<GenerateRequest, GenerateEvent, Clip>();
  cancels = 0;
  disposals = 0;
  /** What was said of the GPU's memory last, in bytes. */
  counted: number | undefined;

  check = async () => this.checked;
  load: Engine['load'] = (request, say) => this.loading.make(request, say);
  generate: Engine['generate'] = (request, say) => this.making.make(request, say);
  pauses = 0;
  told: string[] = [];
  interrupted: JournalInfo[] = [];
  settled: string[] = [];
  pause = async () => ++this.pauses > 0;
  steer = async (text: string) => this.told.push(text) > 0;
  journals: Engine['journals'] = async () => ({ ok: true, value: this.interrupted });
  settle = async (id: string) => void this.settled.push(id);
  cancel = async () => ++this.cancels > 0;
  dispose = async () => void this.disposals++;
  countOn = (memory: number | undefined) => void (this.counted = memory);
}

/** Something that a canvas could draw, and that remembers whether it was freed. */
export class Paper {
  width = 96;
  height = 64;
  closed = false;
  constructor(readonly name = '') {}
  close(): void {
    this.closed = true;
  }
  get picture(): Picture & ImageBitmap {
    return this as unknown as Picture & ImageBitmap;
  }
}

/** Lets everything that waits on settled promises run. */
export const settle = () => new Promise((done) => setTimeout(done, 0));
