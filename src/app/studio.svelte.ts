/**
 * The work: what the engine can do here, what it is doing, and what came of it. Owns the calls to the
 * engine; knows nothing of how the page looks. Everything that happens is also told to `emit`, which
 * becomes DOM events for whoever drives the page (`npm run generate`, tests).
 */
import type { EngineClient } from '../worker/client';
import type { Clip, GenerateEvent, GenerateRequest, JournalInfo } from '../worker/protocol/clip';
import type { OpenedFiles } from '../worker/protocol/files';
import type { BackendKind, CheckReport } from '../worker/protocol/machine';
import type { LoadEvent, LoadRequest, ModelInfo } from '../worker/protocol/model';
import type { EngineError, Result } from '../worker/protocol/result';
import { isMissing, type Missing } from './browser';
import { whileMaking } from './making';
import { problemOf } from './problems';
import type { Picture } from './pictures';
import { Saying, saysSomething } from './saying.svelte';
import type { Settings } from './settings.svelte';
import { Work, type Preview, type Progress } from './work.svelte';
import { en } from './words/en';

export type Engine = Pick<
  EngineClient,
  'check' | 'load' | 'generate' | 'cancel' | 'dispose' | 'pause' | 'steer' | 'journals' | 'settle' | 'countOn'
>;
/** `frames` and `preview` events are too large to pass on. */
type Emitted = {
  'kinora:loaded': ModelInfo;
  'kinora:progress': LoadEvent | Progress;
  'kinora:done': Clip;
  'kinora:error': EngineError;
  /** What a file from outside was taken for, or why it was not. */
  'kinora:taken': { as: 'picture' | 'video' | 'clip' | 'script' | null; message: string };
};
export type Emit = <K extends keyof Emitted>(name: K, detail: Emitted[K]) => void;

/** How often, and milliseconds after how long, a journal that must be there is looked for again. */
const [HELD_TRIES, HELD_PAUSE] = [120, 250];
/** A worker that hangs or dies so often in one clip is not going to hold. */
const MOST_WORKERS = 3;
/** There is no worker that could go on, or one that knows nothing yet: of an engine that died while nobody waited. */
const GONE: ReadonlySet<EngineError['code']> = new Set(['worker-dead', 'not-loaded']);

export interface StudioOptions {
  engine: Engine;
  settings: Settings;
  emit: Emit;
  /** What the person asked to compute with; default: what is best here. */
  wish?: 'auto' | BackendKind;
  /** Folder of the model, e.g. "models/pocket/". */
  model: string;
  /** A script's first shot as a whole sentence, where its words leave something open that the seed may choose; else null. */
  complete?: (prompt: string, seed: number) => string | null;
  /** Another model than the page's to begin with, now that it is known what computes here; null: the page's. */
  before?: (report: CheckReport) => Promise<OpenedFiles | null>;
  /** The model was loaded, for the first time or again. */
  onLoaded?: () => void;
  /** Makes the clip that waited for the model, of all that it is made of; default: of the settings alone. */
  again?: () => Promise<void>;
  /** Keeps a finished clip, before the reel is let go; the file as it is kept. */
  onClip: (clip: Clip) => Promise<Blob>;
  /** Makes something that can be drawn of each frame of a preview. */
  toPictures: (preview: Preview) => Picture[];
}

export class Studio {
  engine = $state<'checking' | 'missing' | 'unloaded' | 'loading' | 'ready'>('checking');
  phase = $state<'idle' | 'queued' | 'working' | 'stopping'>('idle');
  /** How the last work ended, while nothing new has begun. */
  ended = $state<'done' | 'cancelled' | 'paused' | null>(null);
  /** Clips that were interrupted, newest first. */
  unfinished = $state.raw<JournalInfo[]>([]);
  /** What the person says shall happen next. */
  readonly saying = new Saying();
  /** The clip in work, or the one made last. */
  readonly work: Work;
  report = $state.raw<CheckReport | null>(null);
  model = $state.raw<ModelInfo | null>(null);
  /** The person's own files, in place of the page's model. */
  opened = $state.raw<OpenedFiles | null>(null);
  loading = $state.raw<LoadEvent | null>(null);
  /** Bytes that the browser offered before the last download; null when it did not say. */
  free = $state<number | null>(null);
  lastClip = $state.raw<Clip | null>(null);
  /** What this browser lacks; nothing can be made then. */
  missing = $state.raw<(EngineError & { code: Missing }) | null>(null);
  error = $state.raw<EngineError | null>(null);

  readonly #options: StudioOptions;
  /** Events of an earlier run may still be on their way when it has ended. */
  #run = 0;
  #auto: boolean | 'resume' = false;
  /** Of the clip in work; null where the browser gives no storage. */
  #journal: string | null = null;
  /** How it shall end that the person has stopped. */
  #stop: 'cancelled' | 'paused' = 'cancelled';

  constructor(options: StudioOptions) {
    this.#options = options;
    this.work = new Work(options.toPictures);
  }

  get busy(): boolean {
    return this.phase !== 'idle';
  }

  /** Looks at the browser, then loads the model; `auto` makes a clip as soon as it is there. */
  async start(auto: boolean | 'resume' = false): Promise<void> {
    if (auto) this.phase = 'queued'; // checked when it is known what the model offers
    this.#auto = auto;
    this.engine = 'checking';
    this.missing = null;
    const { engine, wish } = this.#options;
    const checked = await engine.check(wish);
    if (!checked.ok) return this.#cannot(checked.error);
    this.report = checked.value;
    if (checked.value.codecs.length === 0)
      return this.#cannot({ code: 'no-encoder', message: 'This browser encodes no video (H.264, VP9 and AV1 were tried).' }); // prettier-ignore
    this.opened = (await this.#options.before?.(checked.value)) ?? null;
    await this.load();
  }

  async load(): Promise<void> {
    const { settings } = this.#options;
    this.error = null;
    // Size of the clip that waits: one that will not do is refused before anything is downloaded.
    const { width, height } = settings.effectiveSize;
    const loaded = await this.#open(this.phase === 'queued' ? { wanted: { width, height } } : {});
    if (!loaded.ok) {
      this.#fail(loaded.error);
      return this.#awaitNetwork();
    }
    await this.#look();
    if (this.phase !== 'queued') return;
    this.phase = 'idle';
    const resume = this.#auto === 'resume';
    this.#auto = false;
    if (!resume) return (this.#options.again ?? (() => this.generate()))();
    const [last] = this.unfinished;
    if (last) return this.resume(last);
    this.#fail({ code: 'storage', message: 'There is no interrupted clip to go on with.' });
  }

  /** The machine is off the network, and a download broke off: it goes on when the network is back. */
  #awaitNetwork(): void {
    if (this.error?.code !== 'network' || globalThis.navigator?.onLine !== false) return;
    const again = () => void (this.engine === 'unloaded' && !this.busy && this.load());
    globalThis.addEventListener('online', again, { once: true });
  }

  /** Goes over to a model of the person's own files, or back to the page's. */
  async use(opened: OpenedFiles | null): Promise<void> {
    if (this.busy || this.engine === 'loading') return;
    this.opened = opened;
    await this.load();
  }

  /** Gets the engine its model. A worker that dies of it is followed by one more. */
  async #open(wish: Pick<LoadRequest, 'wanted' | 'edition'> = {}): Promise<Result<ModelInfo>> {
    const { engine, settings, emit, model } = this.#options;
    this.engine = 'loading';
    this.loading = null;
    const { opened } = this;
    const { width, height } = settings.effectiveSize;
    // Of files, it is always planned for a size.
    const own = opened ? { opened, wanted: { width, height } } : {};
    const load = () =>
      engine.load({ model, backend: this.report?.backend, ...wish, ...own }, (event) => {
        this.loading = event;
        if (event.type === 'plan') this.free = event.free;
        emit('kinora:progress', event);
      });
    let loaded = await load();
    if (!loaded.ok && loaded.error.code === 'worker-dead') loaded = await load();
    if (!loaded.ok) {
      this.engine = 'unloaded';
      return loaded;
    }
    this.model = loaded.value;
    const { sizes, seconds, timesteps, sight, guidance } = loaded.value;
    settings.offer = { sizes, seconds, steps: timesteps.length, ...(sight && { sight }), ...(guidance && { guidance }) }; // prettier-ignore
    this.engine = 'ready';
    this.#options.onLoaded?.();
    emit('kinora:loaded', loaded.value);
    return loaded;
  }

  /** What was interrupted. */
  async #look(): Promise<void> {
    const found = await this.#options.engine.journals();
    this.unfinished = found.ok ? found.value : [];
  }

  /** It was begun with an edition of the model that is not the present one. */
  isOfEarlier({ model, edition }: JournalInfo): boolean {
    return !this.opened && model === this.model?.id && edition !== this.model.edition;
  }

  /** Goes on with an interrupted clip. One of an earlier edition gets that for as long as it takes. */
  async resume(info: JournalInfo): Promise<void> {
    if (this.busy || this.engine !== 'ready') return;
    this.error = null;
    this.ended = null;
    const earlier = this.isOfEarlier(info);
    if (earlier) {
      this.phase = 'queued';
      const loaded = await this.#open({ edition: info.edition });
      if (!loaded.ok) this.#fail(loaded.error);
    }
    if (this.engine === 'ready' && (!earlier || this.phase === 'queued'))
      await this.#make({ ...info.request, resume: info.id });
    if (earlier) {
      const { error } = this;
      await this.load();
      this.error ??= error;
    }
    await this.#look();
  }

  /** Forgets an interrupted clip. */
  async discard({ id }: JournalInfo): Promise<void> {
    this.unfinished = this.unfinished.filter((info) => info.id !== id);
    await this.#options.engine.settle(id);
  }

  /** What the engine holds of a clip that is kept elsewhere may go. */
  settle(id: string): Promise<void> {
    return this.#options.engine.settle(id);
  }

  /** Stops so that the clip can be gone on with. */
  async pause(): Promise<void> {
    if (this.phase !== 'working') return;
    this.#stop = 'paused';
    this.phase = 'stopping';
    await this.#options.engine.pause();
  }

  /** What the coming blocks shall show. False for what says nothing. */
  steer(text: string): boolean {
    if (this.phase !== 'working' || !saysSomething(text)) return false;
    this.saying.tell(text);
    // Not waited for: a worker that computes hears of it between two steps.
    void this.#options.engine.steer(this.saying.told);
    return true;
  }

  /** Makes a clip of the settings; first loads what is not loaded. Does nothing while one is being made. */
  async generate(extra: Partial<GenerateRequest> = {}): Promise<void> {
    if (this.busy) return;
    if (this.missing) return this.#options.emit('kinora:error', this.missing);
    const asked = this.#options.settings.request();
    if (!asked) return this.#refuse();
    const request = { ...asked, ...extra, ...this.#completed(asked, extra) };
    this.error = null;
    this.ended = null;
    if (this.engine === 'ready') return this.#make(request);
    this.phase = 'queued';
    if (this.engine === 'unloaded') await this.load();
  }

  /** Only of what is made of words alone: a picture shows what it leaves unsaid; a clip that is gone on with was told. */
  #completed({ prompt, seed }: GenerateRequest, { source, picture, footage }: Partial<GenerateRequest>) {
    if (picture || footage || source?.use === 'remix') return {};
    const { use, recipe } = source ?? {};
    const completed = use === 'extend' ? recipe!.completed : this.#options.complete?.(prompt, seed);
    return completed ? { completed } : {}; // a clip from outside may say anything
  }

  async cancel(): Promise<void> {
    if (this.phase === 'queued')
      return this.#fail({ code: 'cancelled', message: 'Stopped before it began.' });
    if (this.phase !== 'working') return;
    this.#stop = 'cancelled';
    this.phase = 'stopping';
    await this.#options.engine.cancel();
  }

  async #make(request: GenerateRequest): Promise<void> {
    const { emit, onClip } = this.#options;
    this.work.begin(request, this.model?.fps ?? 16);
    this.saying.begin();
    this.phase = 'working';
    await whileMaking(async () => {
      const made = await this.#insist(request);
      const paused = !made.ok && made.error.code === 'paused';
      this.saying.end(made.ok, paused); // a paused clip knows what it was told
      if (!made.ok) return this.#fail(made.error);
      const mp4 = await onClip(made.value);
      this.phase = 'idle';
      this.ended = 'done';
      this.lastClip = { ...made.value, mp4, latents: null };
      emit('kinora:done', this.lastClip);
    });
  }

  /** Makes the clip; a worker that hangs or dies of it is followed by another, which goes on from the journal. */
  async #insist(request: GenerateRequest): Promise<Result<Clip>> {
    const { saying, work } = this;
    const { engine } = this.#options;
    let wish = request;
    for (let workers = 1; ; workers++) {
      const run = ++this.#run;
      this.#journal = null;
      const making = engine.generate(wish, (event) => this.#hear(event, run));
      if (saying.told) void engine.steer(saying.told); // the worker before did not come to it
      const made = await making;
      this.#run++;
      if (made.ok || !GONE.has(made.error.code) || workers === MOST_WORKERS) return made;
      const edition = this.opened ? undefined : this.model?.edition;
      let loaded = await this.#open({ ...(edition !== undefined && { edition }) });
      // It was kept in no browser, and its host has another by now.
      if (!loaded.ok && loaded.error.params?.edition !== undefined) loaded = await this.#open();
      if (!loaded.ok) return loaded;
      if (this.phase === 'stopping') return this.#stopped();
      const mine = edition === undefined || loaded.value.edition === edition;
      const kept = mine ? await this.#kept() : null;
      if (kept) wish = { ...kept.request, resume: kept.id };
      else if (wish.resume !== undefined) return made;
      if (made.error.code !== 'worker-dead') continue;
      const block = kept?.done ?? 0;
      const again = work.finished(block);
      // What was said is in the journal; where that is not to be had, it is said again.
      if (!kept) saying.forgotten();
      work.hear({ type: 'recover', reason: 'worker-dead', block, ...(again > 0 && { again }) });
    }
  }

  /**
   * The journal of the clip in work, where a block of it was finished. The browser may take a while to close the files of
   * a worker that was ended, and a finished block is worth the wait.
   */
  async #kept(): Promise<JournalInfo | null> {
    const patience = this.work.finished() > 0 ? HELD_TRIES : 1;
    for (let tries = 1; ; tries++) {
      const found = await this.#options.engine.journals();
      const own = found.ok && found.value.find(({ id }) => id === this.#journal);
      if (own || tries >= patience) return own || null;
      await new Promise((resolve) => setTimeout(resolve, HELD_PAUSE));
    }
  }

  /** The person has stopped a worker that did not hear of it any more. */
  async #stopped(): Promise<Result<never>> {
    const code = this.#stop;
    this.saying.end(false); // that worker told no journal of it
    if (code === 'cancelled' && this.#journal) await this.#options.engine.settle(this.#journal);
    return { ok: false, error: { code, message: 'The engine had to be started anew to stop the clip.' } };
  }

  #hear(event: GenerateEvent, run: number): void {
    if (run !== this.#run) {
      if (event.type === 'frames') for (const bitmap of event.bitmaps) bitmap.close();
      return;
    }
    if (event.type === 'told') return this.saying.hear(event);
    if (event.type === 'journal') this.#journal = event.id;
    this.work.hear(event);
    if (event.type === 'progress') this.#options.emit('kinora:progress', event);
  }

  /** A setting will not do; its field says so to the person. */
  #refuse(): void {
    const { problems } = this.#options.settings;
    const message = Object.values(problems)
      .map((problem) => en.problem[problem.field](problem))
      .join(' ');
    const params = { field: Object.keys(problems)[0] ?? '' };
    this.#options.emit('kinora:error', { code: 'bad-request', message, params });
  }

  #cannot(error: EngineError): void {
    if (isMissing(error.code)) {
      this.engine = 'missing';
      this.missing = { ...error, code: error.code };
      this.phase = 'idle';
      this.#options.emit('kinora:error', error);
      return;
    }
    this.engine = 'unloaded';
    this.#fail(error);
  }

  #fail(error: EngineError): void {
    this.phase = 'idle';
    this.work.drop();
    const wanted = error.code === 'cancelled' || error.code === 'paused';
    this.ended = wanted ? (error.code as 'cancelled' | 'paused') : null;
    this.error = wanted ? null : error;
    const problem = problemOf(error);
    if (problem) this.#options.settings.refuse(problem);
    if (error.code !== 'cancelled' && this.engine === 'ready') void this.#look();
    if (error.code === 'worker-dead' || error.code === 'not-loaded') this.engine = 'unloaded';
    if (error.code === 'device-lost') {
      this.engine = 'unloaded';
      void this.#options.engine.dispose(); // the next try gets a fresh worker and device
    }
    this.#options.emit('kinora:error', error);
  }
}
