/**
 * The engine behind the page: owns the GPU and the loaded model, does one thing at a time, and answers
 * everything as data. What it does is in pipeline/generate.ts.
 */
import { expose, releaseProxy, transfer } from 'comlink';
import { asResult, KinoraError } from '../errors';
import { openGpu, type Gpu } from '../gpu/device';
import { listCodecs, requireWebCodecs } from '../media/codecs';
import { dropJournal, listJournals } from '../pipeline/journal';
import { makeClip } from '../pipeline/session';
import { releaseWork, sweepWork } from '../media/sink';
import type { Model } from '../pipeline/backend';
import { chooseBackend } from '../pipeline/choose';
import { neededEditions } from '../pipeline/editions';
import { loadModel, roomOf } from '../pipeline/model';
import { loadOpened, openFiles } from '../pipeline/opened';
import { planOpened } from '../pipeline/whole-plan';
import { listDownloads, openDownload } from '../weights/hub-store';
import { deleteModel, listModels, verifyModel } from '../weights/manager';
import { holdEdition } from '../weights/editions';
import { openNotes } from '../weights/notes';
import { sweepEditions } from '../weights/store';
import { toModelInfo } from '../weights/manifest';
import { Gate, watchRequests } from '../requests';
import type { GenerateEvent, Size } from './protocol/clip';
import type { Engine } from './protocol/engine';
import type { OpenedFiles } from './protocol/files';
import type { BackendKind } from './protocol/machine';
import type { LoadEvent, LoadRequest } from './protocol/model';
import type { NetworkRequest } from './protocol/network';

/** Browser and build: the built worker's name carries a hash of its code. Kernels chosen by trial hold for these. */
const BUILD = `${navigator.userAgent} ${new URL(import.meta.url).pathname}`;

const openTuned = () => openGpu(navigator.gpu, { tuning: { store: openNotes(), key: BUILD } });

type Listener<E> = (event: E) => void;
/** What comlink makes of a listener: it posts a message, and resolves when the page has heard it. */
type Proxied<E> = ((event: E) => Promise<void>) & { [releaseProxy](): void };

class KinoraEngine implements Engine {
  /** What asks to hear of requests; the Gate's own refusals are told there, too. */
  #onRequests: Listener<NetworkRequest[]> = () => {};
  readonly #gate = new Gate((request) => this.#onRequests([request]));
  #gpu: Gpu | null = null;
  /** Bytes that it has, as the person says. */
  #said: number | undefined;
  #loaded: { request: LoadRequest; model: Model } | null = null;
  /** What was loaded when a clip was paused: its weights are not on the GPU, and come back with the next clip. */
  #asleep: { request: LoadRequest; edition: string } | null = null;
  #work: 'loading a model' | 'making a clip' | null = null;
  #cancelled = false;
  #paused = false;
  #told: string | null = null;
  /** Ends the hold on the edition that is loaded. */
  #letGo = () => {};

  check(wish: 'auto' | BackendKind) {
    return asResult(async () => {
      const choice = await chooseBackend(wish, navigator.gpu);
      requireWebCodecs();
      return { ...choice, codecs: await listCodecs() };
    });
  }

  load(request: LoadRequest, onEvent: Listener<LoadEvent>) {
    return this.#exclusively('loading a model', onEvent, async (tell) => {
      this.#gate.open();
      if (this.#staleFailure()?.code === 'device-lost') this.#drop();
      if (!this.#has(request)) {
        this.#loaded?.model.free();
        this.#loaded = this.#asleep = null;
        this.#letGo();
        const model = await this.#open(request, tell).catch((e: unknown) => {
          this.#letGo();
          throw e;
        });
        this.#loaded = { request, model };
      }
      const { manifest, encode, unkept } = this.#loaded!.model;
      return { ...toModelInfo(manifest), encodes: encode !== null, ...(unkept && { unkept }) };
    });
  }

  async #open(request: LoadRequest, tell: Listener<LoadEvent>): Promise<Model> {
    const { model: url, backend, opened, wanted } = request;
    if (backend === 'cpu') {
      if (opened)
        throw new KinoraError('no-adapter', 'Models of your own files are computed with WebGPU, and the CPU computes here. Use a browser and a machine with WebGPU.'); // prettier-ignore
      // Loaded only here: with WebGPU not a byte of it is fetched.
      const { loadOnnxModel } = await import('../onnx/model');
      return loadOnnxModel(url, tell, { ...request, onEdition: (edition) => this.#hold(url, edition) });
    }
    const gpu = await this.#openGpu();
    if (opened) return loadOpened(gpu, opened, tell, wanted);
    return loadModel(gpu, url, tell, { ...request, onEdition: (edition) => this.#hold(url, edition) });
  }

  async #openGpu(): Promise<Gpu> {
    this.#gpu ??= await openTuned();
    this.#gpu.said = this.#said;
    return this.#gpu;
  }

  countOn(memory: number | undefined): void {
    this.#said = memory;
    if (this.#gpu) this.#gpu.said = memory;
  }

  /** From before its files are looked for, so that no other tab sweeps them meanwhile. */
  #hold(url: string, edition: string): void {
    const letGo = this.#letGo;
    this.#letGo = holdEdition(url, edition);
    letGo();
  }

  recognise(opened: OpenedFiles, size: Size) {
    return asResult(async () => {
      const { recognition, files } = await openFiles(opened);
      if (!files) return recognition;
      const gpu = await this.#openGpu().catch(() => null); // without one there is nothing to plan for
      const plan = gpu && (await planOpened(files, size, roomOf(gpu), opened.quantize));
      return { ...recognition, plan };
    });
  }

  generate(request: Parameters<Engine['generate']>[0], onEvent: Listener<GenerateEvent>) {
    return this.#exclusively('making a clip', onEvent, async (tell) => {
      if (!this.#loaded && !this.#asleep)
        throw new KinoraError('not-loaded', 'No model is loaded. Load one first.');
      const stale = this.#staleFailure();
      if (stale?.code === 'device-lost') throw stale;
      this.#cancelled = this.#paused = false;
      this.#told = null;
      const model = await this.#awake();
      return await makeClip(model, request, {
        emit: (event) => tell(event, bulk(event)),
        isCancelled: () => this.#cancelled,
        isPaused: () => this.#paused,
        steer: () => {
          const told = this.#told;
          this.#told = null;
          return told;
        },
        reopen: () => this.#reopen(),
        isLost: async () => (await this.#gpu?.isLost()) ?? false,
      }).catch((e: unknown) => {
        throw e instanceof KinoraError && e.code === 'paused' ? this.#sleep(e) : e;
      });
    });
  }

  /**
   * Of a clip that is paused nothing stays on the GPU: its cache is gone already, and the weights go, too, where they can come
   * back without a network. The device stays, and with it the compiled kernels.
   */
  #sleep(paused: KinoraError): KinoraError {
    const { request, model } = this.#loaded!;
    if (model.backend === 'webgpu' && (!model.unkept || request.opened)) {
      model.free();
      this.#loaded = null;
      this.#asleep = { request, edition: model.manifest.edition };
    }
    return new KinoraError('paused', paused.message, { ...paused.params, gpuBytes: this.#gpu?.memory.bytes ?? 0 }); // prettier-ignore
  }

  /** The loaded model, its weights back on the GPU. */
  async #awake(): Promise<Model> {
    if (!this.#asleep) return this.#loaded!.model;
    const { request, edition } = this.#asleep; // whatever was agreed to meanwhile
    this.#asleep = null;
    try {
      this.#loaded = { request, model: await this.#open({ ...request, edition }, () => {}) };
      return this.#loaded.model;
    } catch (e) {
      // Its files are gone, say. Who asked may load it, with all that belongs to it.
      throw new KinoraError('not-loaded', 'The model has to be loaded anew.', {}, String(e));
    }
  }

  /** A new device, and the weights back from this browser's storage; where it has none, they are fetched again. */
  async #reopen(): Promise<Model> {
    const { request, model } = this.#loaded!;
    this.#drop();
    if (model.unkept && !request.opened) this.#gate.open();
    try {
      const { edition } = model.manifest; // whatever was agreed to meanwhile
      this.#loaded = { request, model: await this.#open({ ...request, edition }, () => {}) };
    } finally {
      this.#gate.shut();
    }
    return this.#loaded.model;
  }

  async cancel() {
    this.#cancelled = true;
    return this.#work === 'making a clip';
  }

  async pause() {
    this.#paused = true;
    return this.cancel();
  }

  async steer(text: string) {
    this.#told = text;
    return this.#work === 'making a clip';
  }

  journals() {
    return asResult(async () => {
      await sweepWork(); // half-written films of tabs that are gone; their journals are what counts
      return listJournals();
    });
  }

  async settle(id: string) {
    await dropJournal(id);
    const { model: url, opened } = this.#loaded?.request ?? {};
    if (url && !opened) await sweepEditions(url, { needed: () => neededEditions(url) }).catch(() => {}); // the next load does it
    await releaseWork(`${id}.mp4`).catch(() => {}); // no storage, nothing to release
  }

  async dispose() {
    this.#cancelled = true;
    this.#drop();
  }

  async ping() {}

  models() {
    return asResult(() => listModels());
  }

  verifyModel(id: string) {
    return asResult(() => verifyModel(id));
  }

  deleteModel(id: string) {
    return asResult(() => deleteModel(id));
  }

  downloads() {
    return asResult(() => listDownloads());
  }

  openDownload(id: string) {
    return asResult(() => openDownload(id));
  }

  async tuning() {
    return this.#gpu?.tuner.answers ?? [];
  }

  async resetTuning() {
    await this.#gpu?.tuner.reset();
  }

  async watch(onRequests: Listener<NetworkRequest[]>) {
    this.#onRequests = onRequests;
    watchRequests(onRequests);
  }

  /** One piece of work at a time. A lost GPU is dropped, so that the next load starts afresh. */
  async #exclusively<E extends object, T>(
    work: 'loading a model' | 'making a clip',
    onEvent: Listener<E>,
    job: (tell: (event: E, bulk?: Transferable[]) => void) => Promise<T>,
  ) {
    const listener = onEvent as unknown as Proxied<E>;
    let heard: Promise<unknown> = Promise.resolve();
    const tell = (event: E, bulk: Transferable[] = []) => {
      heard = listener(transfer(event, bulk)).catch(() => {}); // a page that fails at it does not stop us
    };
    const result = await asResult(async () => {
      if (this.#work)
        throw new KinoraError('busy', `The engine is ${this.#work}. Wait, or cancel that first.`);
      this.#work = work;
      try {
        return await job(tell);
      } finally {
        this.#work = null;
        this.#gate.shut();
      }
    });
    if (!result.ok && result.error.code === 'device-lost') this.#drop();
    await heard; // the answer comes after all events
    listener[releaseProxy]();
    return result;
  }

  /** What is asked for is loaded. */
  #has(wish: LoadRequest): boolean {
    if (!this.#loaded || keyOf(this.#loaded.request) !== keyOf(wish)) return false;
    const { request, model } = this.#loaded;
    return wish.edition === undefined ? request.edition === undefined : wish.edition === model.manifest.edition; // prettier-ignore
  }

  /** What went wrong on the GPU while nobody waited. It may be gone. */
  #staleFailure(): KinoraError | null {
    try {
      this.#gpu?.check();
      return null;
    } catch (e) {
      return e as KinoraError;
    }
  }

  #drop(): void {
    this.#loaded = this.#asleep = null; // their buffers go with the device
    this.#gpu?.destroy();
    this.#gpu = null;
  }
}

/** Two requests of one key are for the same model, of whatever edition. */
function keyOf({ model, backend = 'webgpu', opened }: LoadRequest): string {
  if (!opened) return JSON.stringify([backend, model]);
  const files = opened.files.map(({ path, file, changed }) => [path, file.size, changed]);
  return JSON.stringify([backend, files, opened.sampling, opened.quantize, opened.strengths]);
}

/** What of an event is moved instead of copied. */
function bulk(event: GenerateEvent): Transferable[] {
  if (event.type === 'frames') return event.bitmaps;
  return event.type === 'preview' ? [event.rgba.buffer] : [];
}

expose(new KinoraEngine());
