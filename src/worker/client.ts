/**
 * The page's only door to the engine: owns the worker, one at a time, and turns a dead worker into an
 * error that reaches every waiting call (comlink's own calls would wait for ever).
 */
import { proxy, releaseProxy, wrap, type Remote } from 'comlink';
import { beginWorker } from './begin';
import workerAddress from './engine.worker.ts?worker&url';
import type { Clip, GenerateEvent, GenerateRequest, JournalInfo, Size } from './protocol/clip';
import type { Engine } from './protocol/engine';
import type { OpenedFiles, PickedFile, Recognition } from './protocol/files';
import type { Download } from './protocol/hub';
import type { BackendKind, CheckReport, TuningAnswer } from './protocol/machine';
import type { LoadEvent, LoadRequest, ModelInfo, StoredModel, VerifyReport } from './protocol/model';
import type { NetworkRequest } from './protocol/network';
import type { Result } from './protocol/result';

type Handler<E> = (event: E) => void;

const dead = (detail: string): Result<never> => ({
  ok: false,
  error: {
    code: 'worker-dead',
    message: 'The engine stopped unexpectedly. Your clips are kept; try again to start it anew.',
    detail,
  },
});

/** Milliseconds, and ticks. */
export interface Patience {
  tick: number;
  /** Ticks that a question may stay unanswered: onnxruntime-web keeps the worker busy for a whole network. */
  unanswered: number;
  /** The same, when the person has asked it to stop: what is finished is kept, so nothing is lost by ending it. */
  stopping: number;
  /** A step of a whole clip at 832 × 480 takes an hour on the slowest of real GPUs: some 600 TFLOP where there are two passes. */
  withoutEvent: number;
}
const PATIENCE: Patience = { tick: 15_000, unanswered: 24, stopping: 4, withoutEvent: 3_600_000 };

export class EngineClient {
  #worker: Worker | null = null;
  #remote: Remote<Engine> | null = null;
  /** The one that is there, or is being begun. */
  #opening: Promise<Remote<Engine>> | null = null;
  /** Ends each call that waits, with the reason. */
  readonly #waiting = new Set<(detail: string) => void>();
  #stopping = false;
  /** Told to every worker that is begun. */
  #memory: number | undefined;
  readonly #patience: Patience;
  readonly #onRequests: Handler<NetworkRequest[]> | null;

  /** `onRequests` hears what the worker asks the network for. */
  constructor(onRequests: Handler<NetworkRequest[]> | null = null, patience: Patience = PATIENCE) {
    this.#onRequests = onRequests;
    this.#patience = patience;
  }

  #open(): Promise<Remote<Engine>> {
    if (this.#opening) return this.#opening;
    const opening: Promise<Remote<Engine>> = this.#begin(() => this.#opening === opening);
    opening.catch(() => this.#opening === opening && (this.#opening = null));
    return (this.#opening = opening);
  }

  /** `wanted`: nobody ended it while it was begun. */
  async #begin(wanted: () => boolean): Promise<Remote<Engine>> {
    const worker = (await beginWorker(workerAddress, 'kinora-engine'))!;
    if (!wanted()) {
      worker.terminate();
      throw new Error('it was ended before it had begun');
    }
    worker.onerror = (e) => this.#drop(e.message || 'the worker could not start');
    worker.onmessageerror = () => this.#drop('a message could not be read');
    this.#worker = worker;
    this.#remote = wrap<Engine>(worker);
    if (this.#onRequests) void this.#remote.watch(proxy(this.#onRequests));
    if (this.#memory !== undefined) void this.#remote.countOn(this.#memory);
    return this.#remote;
  }

  /** Ends the worker at once; calls that wait are answered with `worker-dead`. */
  #drop(detail: string): void {
    this.#remote?.[releaseProxy]();
    this.#worker?.terminate();
    this.#remote = this.#worker = this.#opening = null;
    for (const end of this.#waiting) end(detail);
  }

  async #call<T>(work: (engine: Remote<Engine>) => Promise<Result<T>>): Promise<Result<T>> {
    let end!: (detail: string) => void;
    // A promise of this call alone: one that all calls raced with would keep every answer, clips included, alive.
    const died = new Promise<Result<T>>((resolve) => (end = (detail) => resolve(dead(detail))));
    this.#waiting.add(end);
    try {
      return await Promise.race([this.#open().then(work), died]);
    } catch (e) {
      return dead(e instanceof Error ? (e.stack ?? e.message) : String(e));
    } finally {
      this.#waiting.delete(end);
    }
  }

  /** What this browser offers, and the backend that is chosen for it. */
  check(wish: 'auto' | BackendKind = 'auto'): Promise<Result<CheckReport>> {
    return this.#watched(
      this.#call((engine) => engine.check(wish) as Promise<Result<CheckReport>>),
      () => 0,
    );
  }

  /**
   * While `work` is waited for: a worker that leaves a question unanswered for long hangs, and is ended, which answers
   * `work` with `worker-dead`; the next call opens another. Counted in ticks, so that a computer that slept does not
   * count as silence.
   */
  async #watched<T>(work: Promise<T>, quiet: () => number): Promise<T> {
    const { tick, unanswered, stopping, withoutEvent } = this.#patience;
    let [missed, waiting] = [0, false];
    const timer = setInterval(() => {
      const remote = this.#remote;
      if (!this.#opening) return;
      missed = waiting ? missed + 1 : 0;
      if (missed >= (this.#stopping ? stopping : unanswered))
        return this.#drop(`it did not answer for ${(missed * tick) / 1000} s`);
      if (quiet() * tick > withoutEvent) return this.#drop(`nothing happened for ${withoutEvent / 1000} s`);
      if (waiting) return;
      waiting = true;
      if (remote) void remote.ping().then(() => (waiting = false));
      else void this.#opening.then(() => (waiting = false)).catch(() => {}); // its script must come first
    }, tick);
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  /** Downloads, verifies and uploads a model, and compiles its pipelines. */
  load(
    { model, backend = 'webgpu', opened, wanted, edition }: LoadRequest,
    onEvent: Handler<LoadEvent>,
  ): Promise<Result<ModelInfo>> {
    // A worker's own base is its script; the folder is meant from where the page is.
    const url = new URL(model, document.baseURI).href;
    const request = { backend, model: url, ...(opened && { opened }), ...(wanted && { wanted }), ...(edition !== undefined && { edition }) }; // prettier-ignore
    this.#stopping = false;
    const load = (engine: Remote<Engine>) =>
      engine.load(request, proxy(onEvent)) as Promise<Result<ModelInfo>>;
    return this.#watched(this.#call(load), () => 0); // a download may be slow, and another tab may be at it
  }

  /** What picked files are; reads their headers only. */
  recognise(opened: OpenedFiles, size: Size): Promise<Result<Recognition>> {
    return this.#call((engine) => engine.recognise(opened, size) as Promise<Result<Recognition>>);
  }

  /** Bytes that the GPU has, as the person says; undefined: they say nothing. Never starts a worker. */
  countOn(memory: number | undefined): void {
    this.#memory = memory;
    void this.#remote?.countOn(memory);
  }

  /** Makes one clip; answers `busy` while another is being made. */
  generate(request: GenerateRequest, onEvent: Handler<GenerateEvent>): Promise<Result<Clip>> {
    let ticks = 0;
    this.#stopping = false;
    const heard: Handler<GenerateEvent> = (event) => {
      ticks = 0;
      onEvent(event);
    };
    const made = this.#call((engine) => engine.generate(request, proxy(heard)) as Promise<Result<Clip>>);
    return this.#watched(made, () => ++ticks);
  }

  /** What is stored of models in this browser. */
  models(): Promise<Result<StoredModel[]>> {
    return this.#call((engine) => engine.models() as Promise<Result<StoredModel[]>>);
  }

  /** Compares what is stored of a model with its hashes; deletes what is damaged. */
  verifyModel(id: string): Promise<Result<VerifyReport>> {
    return this.#call((engine) => engine.verifyModel(id) as Promise<Result<VerifyReport>>);
  }

  deleteModel(id: string): Promise<Result<void>> {
    return this.#call((engine) => engine.deleteModel(id) as Promise<Result<void>>);
  }

  /** What is here of the models of hubs. */
  downloads(): Promise<Result<Download[]>> {
    return this.#call((engine) => engine.downloads() as Promise<Result<Download[]>>);
  }

  /** The files of a whole one, as if they had been picked. */
  openDownload(id: string): Promise<Result<PickedFile[]>> {
    return this.#call((engine) => engine.openDownload(id) as Promise<Result<PickedFile[]>>);
  }

  /** Which kernels were chosen by trial on this adapter. Never starts a worker. */
  async tuning(): Promise<TuningAnswer[]> {
    return this.#remote ? await this.#remote.tuning() : [];
  }

  /** Forgets them; they are chosen anew when a model is loaded next. */
  async resetTuning(): Promise<void> {
    await this.#remote?.resetTuning();
  }

  /** True when a clip was being made. Its `generate` then answers `cancelled`. */
  async cancel(): Promise<boolean> {
    this.#stopping = true;
    return this.#remote ? await this.#remote.cancel() : false;
  }

  /** As `cancel`, but the clip can be gone on with. Its `generate` then answers `paused`. */
  async pause(): Promise<boolean> {
    this.#stopping = true;
    return this.#remote ? await this.#remote.pause() : false;
  }

  /** What the coming blocks of the clip in work shall show. */
  async steer(text: string): Promise<boolean> {
    return this.#remote ? await this.#remote.steer(text) : false;
  }

  /** Interrupted clips, newest first. */
  journals(): Promise<Result<JournalInfo[]>> {
    return this.#call((engine) => engine.journals() as Promise<Result<JournalInfo[]>>);
  }

  /** The files of a clip may go: the page has its own copy, or does not want it. A worker that dies leaves them to the next. */
  async settle(id: string): Promise<void> {
    const settled = this.#call(async (engine) => ({ ok: true, value: await engine.settle(id) }));
    await this.#watched(settled, () => 0);
  }

  /** Frees the GPU and ends the worker. The client can be used again; it starts a new one. */
  async dispose(): Promise<void> {
    if (!this.#opening) return;
    await Promise.race([this.#remote?.dispose(), new Promise((r) => setTimeout(r, 2000))]);
    this.#drop('the engine was closed');
  }
}
