/**
 * What crosses between the page and the engine's worker. This folder holds types only, no code: here is the worker's whole
 * surface, in the files beside it is what is said over it.
 *
 * Times are in seconds unless a name says otherwise, sizes in pixels, memory in bytes.
 */
import type { Clip, GenerateEvent, GenerateRequest, JournalInfo, Size } from './clip';
import type { OpenedFiles, PickedFile, Recognition } from './files';
import type { Download } from './hub';
import type { BackendKind, CheckReport, TuningAnswer } from './machine';
import type { LoadEvent, LoadRequest, ModelInfo, StoredModel, VerifyReport } from './model';
import type { NetworkRequest } from './network';
import type { Result } from './result';

/** The worker's whole surface, exposed with comlink. Callbacks are proxied; the client releases them. */
export interface Engine {
  /** Looks at the browser and chooses a backend; `auto` takes WebGPU on a real adapter, else the CPU. */
  check(wish: 'auto' | BackendKind): Promise<Result<CheckReport>>;
  load(request: LoadRequest, onEvent: (e: LoadEvent) => void): Promise<Result<ModelInfo>>;
  /** What picked files are and whether they make a model together; reads their headers only. */
  recognise(opened: OpenedFiles, size: Size): Promise<Result<Recognition>>;
  /**
   * Bytes of memory that the GPU has, as the person says; undefined: what is usual (limits.ts). All that is planned from now
   * on goes by it, of a model that is loaded as well. Of a real adapter only.
   */
  countOn(memory: number | undefined): void;
  generate(request: GenerateRequest, onEvent: (e: GenerateEvent) => void): Promise<Result<Clip>>;
  /** Takes effect before the next denoising step. True when something was running. */
  cancel(): Promise<boolean>;
  /**
   * As `cancel`, but the clip can be gone on with: its `generate` answers `paused`. Frees what it held on the GPU, and the
   * weights where they can come back without a network: the next clip brings them.
   */
  pause(): Promise<boolean>;
  /** The coming blocks of the clip in work follow these words. True when something was running. */
  steer(text: string): Promise<boolean>;
  /** Interrupted clips, newest first. */
  journals(): Promise<Result<JournalInfo[]>>;
  /** The page has its own copy of a finished clip, or does not want an interrupted one: its files may go. */
  settle(id: string): Promise<void>;
  dispose(): Promise<void>;
  /** Answers as soon as the worker can: one that does not for long is taken to hang. */
  ping(): Promise<void>;
  /** What is stored of models, to be listed, checked and deleted; see weights/manager.ts. */
  models(): Promise<Result<StoredModel[]>>;
  verifyModel(id: string): Promise<Result<VerifyReport>>;
  deleteModel(id: string): Promise<Result<void>>;
  /** What is here of the models of hubs; see weights/hub-store.ts. */
  downloads(): Promise<Result<Download[]>>;
  /** The files of a whole one, as if they had been picked. */
  openDownload(id: string): Promise<Result<PickedFile[]>>;
  /** Which kernels were chosen by trial; empty where nothing is loaded or there was nothing to choose. */
  tuning(): Promise<TuningAnswer[]>;
  /** Forgets them: the next model that is loaded has them chosen anew. */
  resetTuning(): Promise<void>;
  /** Tells every request that the worker makes of the network, those before included. */
  watch(onRequests: (requests: NetworkRequest[]) => void): Promise<void>;
}
