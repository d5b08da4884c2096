/** The page's parts and what passes between them. Components take it from the context. */
import { createContext } from 'svelte';
import { openLibrary } from '../library/library';
import { watchRequests } from '../requests';
import { watchShut } from '../shut';
import { EngineClient } from '../worker/client';
import { HubClient } from '../worker/hub';
import { isEdited, parseScript, timeShots, withLength, writeScript } from '../story/script';
import type {
  CheckReport,
  Clip,
  GenerateRequest,
  OpenedFiles,
  PickedFile,
  Recipe,
  Size,
} from '../worker/protocol';
import { fetchJson, readCard, type Card } from './card';
import { looksLikeModel } from './dropped';
import { Downloads, type Hub, type Kept } from './downloads.svelte';
import { Egress } from './egress.svelte';
import { fileName, saveFile } from './filename';
import { readBackend, readFragment, writeFragment, type Wish } from './fragment';
import { Offline } from './offline.svelte';
import { Intake } from './intake.svelte';
import { browserHandles, type HandleStore } from './handles';
import { LastModels, type LastModel } from './last-model.svelte';
import { unlessMaking } from './making';
import { Materials } from './material.svelte';
import { OwnModel, type Recogniser } from './own-model.svelte';
import { toPictures } from './pictures';
import { Preferences } from './preferences.svelte';
import { Settings } from './settings.svelte';
import { saysSomething } from './saying.svelte';
import { asError, Shelf, type Item, type Shelved } from './shelf.svelte';
import { Stage } from './stage.svelte';
import { browserStore, type Store } from './store';
import { Storage, type Keeper } from './storage.svelte';
import { Studio, type Emit, type Engine } from './studio.svelte';
import { surprise } from './surprise';
import { Wording } from './wording.svelte';

/** Seconds that are offered when a clip is extended. */
const EXTENSION = 2;

export const [getApp, setApp] = createContext<App>();

/** One passing message. With `undo` it stays until it is dismissed; `settle` runs when it goes. */
export interface Toast {
  text: string;
  undo?: () => void;
  settle?: () => void;
}

export interface Parts {
  engine?: Engine;
  hub?: Hub;
  openShelf?: () => Promise<Shelved>;
  store?: Store;
  handles?: HandleStore;
  languages?: readonly string[];
  hash?: string;
  search?: string;
}

const emitEvent: Emit = (name, detail) =>
  globalThis.document?.dispatchEvent(new CustomEvent(name, { detail }));

export class App {
  readonly preferences: Preferences;
  readonly settings: Settings;
  readonly studio: Studio;
  readonly wording: Wording;
  readonly shelf: Shelf;
  readonly storage: Storage;
  readonly own: OwnModel;
  readonly downloads: Downloads;
  readonly last: LastModels;
  readonly stage = new Stage();
  readonly offline = new Offline();
  readonly egress = new Egress(globalThis.location?.origin ?? '');
  card = $state.raw<Card | null>(null);
  /** What the next clip is made of besides words. */
  readonly material = new Materials();
  toast = $state.raw<Toast | null>(null);
  /** The drawer is open. */
  drawer = $state(false);
  /** How often the drawer was opened for the part where models of one's own are picked. */
  shown = $state(0);
  readonly #engine: Engine;
  readonly #intake: Intake;
  readonly #folder: string;
  readonly #auto: boolean | 'resume';
  /** The address names a model. */
  readonly #named: boolean;
  /** What was asked for last is a draft; undefined: as the settings say. */
  #draft: boolean | undefined;
  /** The clip that was made last, in the library. */
  #made: string | null = null;
  #vocabulary: Promise<void> | null = null;
  #cardRead: Promise<void> = Promise.resolve();

  constructor(parts: Parts = {}) {
    const store = parts.store ?? browserStore();
    this.preferences = new Preferences(store, parts.languages ?? navigator.languages);
    this.settings = new Settings(store);
    this.wording = new Wording(this.settings, () => this.preferences.language);
    this.shelf = new Shelf(parts.openShelf ?? openLibrary, store);
    const wish = readFragment(parts.hash ?? location.hash);
    if (wish) this.settings.apply(wish);
    this.#auto = wish?.resume ? 'resume' : (wish?.auto ?? false);
    this.#folder = `models/${wish?.model ?? 'pocket'}/`;
    this.#named = wish?.model !== undefined;
    this.last = new LastModels(store, parts.handles ?? browserHandles());
    const engine = parts.engine ?? new EngineClient((requests) => this.egress.hear(requests));
    this.#engine = engine;
    engine.countOn(this.preferences.gpuBytes);
    this.storage = new Storage(engine as Engine & Keeper);
    this.own = new OwnModel(engine as Engine & Recogniser);
    const hub = parts.hub ?? new HubClient((requests) => this.egress.hearHub(requests));
    this.downloads = new Downloads(hub, engine as Engine & Kept, store, this.storage);
    this.studio = new Studio({
      engine,
      settings: this.settings,
      emit: emitEvent,
      model: this.#folder,
      wish: readBackend(parts.search ?? globalThis.location?.search ?? ''),
      before: (report) => this.#before(report),
      onLoaded: () => void this.#loaded(),
      again: () => this.generate(this.#draft),
      onClip: (clip) => this.#finished(clip),
      toPictures,
    });
    let refusal: Toast | null = null;
    this.#intake = new Intake({
      studio: this.studio,
      material: this.material,
      emit: emitEvent,
      words: () => this.preferences.words,
      name: () => this.modelName,
      refuse: (text) => this.say((refusal = { text })),
      withdraw: () => refusal !== null && this.toast === refusal && this.dismiss(),
      restore: (recipe) => this.restore(recipe),
      show: (file, recipe) => this.stage.show(file, recipe, null),
      write: (prompt, said) => this.#replacing(() => this.settings.apply({ prompt, auto: false }), said),
    });
  }

  /** "Pocket" of "Kinora Pocket": how the page calls the model. */
  get modelName(): string {
    return (this.studio.model?.name || this.card?.name || 'Pocket').replace(/^Kinora /, '');
  }

  get modelBytes(): number {
    return this.studio.model?.bytes || this.card?.bytes || 0;
  }

  get examples(): readonly string[] {
    const { prompts } = this.studio.model ?? this.card ?? {};
    const { words, language } = this.preferences;
    return prompts?.[language]?.length ? prompts[language] : [words.example];
  }

  /** A real GPU computes here, of which only the person knows how much memory it has. */
  get tellsMemory(): boolean {
    const { backend, adapter } = this.studio.report ?? {};
    return backend === 'webgpu' && adapter?.isFallback === false;
  }

  /** How much memory the GPU has, in GiB; null: as is usual. What is planned is planned anew, and the next clip has it. */
  async countOn(gpuMemory: number | null): Promise<void> {
    this.preferences.choose({ gpuMemory });
    this.#engine.countOn(this.preferences.gpuBytes);
    await this.own.look();
  }

  /** Goes over to a model of the person's own files, or back to the bundled one. */
  async useModel(opened: OpenedFiles | null): Promise<void> {
    if (opened) this.settings.choose({ size: this.own.size });
    else this.settings.size = null; // the other's
    this.wording.silent = opened !== null;
    this.settings.steps = '';
    await (opened ? this.last.try(this.own) : this.last.forget());
    await this.studio.use(opened);
  }

  /** The model that was used last, where it can be opened without asking; what cannot is offered (last-model.svelte.ts). */
  async #before({ backend }: CheckReport): Promise<OpenedFiles | null> {
    const last = this.last.read();
    if (!last || this.#named || backend !== 'webgpu') return null;
    const opened = last.trying ? null : await this.#again(last, false);
    if (!opened) {
      this.last.offer = this.last.read();
      return null;
    }
    await this.last.try(this.own);
    this.settings.choose({ size: this.own.size });
    this.wording.silent = true;
    return opened;
  }

  /** What the engine is to load of it; null where its files cannot be had, or will not do any more. */
  async #again(last: LastModel, ask: boolean): Promise<OpenedFiles | null> {
    let files: readonly PickedFile[] | null;
    if (last.download === null) files = await this.last.files(last, ask);
    else {
      await this.downloads.refresh();
      files = (await this.downloads.open(last.download))?.files ?? null;
      if (!files) await this.last.forget(); // deleted; the list of models says so, too
    }
    if (!files) return null;
    await this.own.restore(files, last);
    return this.own.usable ? this.own.opened : null;
  }

  /** The person wants what was offered. Where it cannot be had, the drawer shows why, and where to pick it. */
  async openLast(): Promise<void> {
    const { offer } = this.last;
    if (!offer || this.studio.busy) return;
    const opened = await this.#again(offer, true);
    if (opened) return this.useModel(opened);
    this.last.lost = this.own.picked.length === 0;
    this.#showOwn();
  }

  #showOwn(): void {
    this.drawer = true;
    this.shown++;
  }

  /** Goes over to a model that was downloaded. False where it will not do here: its plan, in the drawer, says why. */
  async useDownload(id: string): Promise<boolean> {
    const found = await this.downloads.open(id);
    if (!found) return false;
    await this.own.open(found.files, found.sampling, found.name, id);
    if (!this.own.usable) this.#showOwn();
    if (!this.own.usable || this.studio.busy) return false;
    void this.useModel(this.own.opened);
    return true;
  }

  /** Everything that needs time, begun side by side. */
  async start(): Promise<void> {
    watchRequests((requests) => this.egress.hear(requests));
    watchShut((requests) => this.egress.hear(requests));
    void this.shelf.open();
    this.#cardRead = this.#readCard();
    if (import.meta.env.PROD) {
      this.offline.start();
      await this.offline.guarded();
    }
    await this.studio.start(this.#auto);
  }

  /** The model is there: from now on nothing is asked of the network, and all of this can be had without it. */
  async #loaded(): Promise<void> {
    await this.#cardRead;
    await this.#vocabulary;
    this.egress.loaded();
    if (this.studio.opened) this.last.settle();
    const small = ['model.json', 'showcase.mp4', this.card?.vocabulary].filter((name) => !!name);
    if (import.meta.env.PROD)
      await this.offline.keep(
        small.map((name) => this.#folder + name),
        this.studio.report?.backend === 'cpu',
      );
    if (this.offline.state === 'ready') document.dispatchEvent(new Event('kinora:offline'));
  }

  async #readCard(): Promise<void> {
    const json = await fetchJson(`${this.#folder}model.json`);
    if (json === null) return; // the engine will say so when it loads
    this.card = readCard(json);
    if (this.card.offer && !this.studio.model) this.settings.offer = this.card.offer;
    if (this.card.showcase) this.stage.showcase = this.#folder + this.card.showcase;
    // Now, so that nothing is left to ask for when it is wanted.
    const { vocabulary } = this.card;
    if (vocabulary)
      this.#vocabulary = fetchJson(this.#folder + vocabulary).then((json) => this.wording.learn(json));
  }

  /** Keeps the clip; what the engine held of it may then go. */
  async #finished(clip: Clip): Promise<Blob> {
    const item = await this.shelf.add(clip);
    // What it goes on from is part of it now.
    if (this.material.given?.kind === 'clip' && this.material.given.use === 'extend') this.material.drop();
    const file = item.memory ? clip.mp4 : await this.shelf.file(item).catch(() => clip.mp4);
    this.#made = item.entry.id;
    this.stage.show(file, clip.recipe, item.entry.id);
    if (file !== clip.mp4) await this.studio.settle(clip.id);
    return file;
  }

  /** The clip on the stage, where it is kept. */
  get #shown(): Item | null {
    return this.shelf.items.find(({ entry }) => entry.id === this.stage.clip?.id) ?? null;
  }

  /** How well the loop on the stage closes: the step over its seam, in the clip's own larger steps. Null where it is no loop. */
  get seam(): number | null {
    const seam = this.#shown?.entry.seam;
    return seam && this.stage.clip?.recipe.loop ? seam.error / Math.max(seam.typical, 0.01) : null;
  }

  /** The script is that of the clip on the stage, but for a later shot. */
  get #edits(): boolean {
    const { clip } = this.stage;
    const { shots } = this.settings;
    if (!clip || !Array.isArray(shots)) return false;
    const { prompt, seconds } = clip.recipe;
    try {
      return isEdited(timeShots(parseScript(prompt), seconds), shots);
    } catch {
      return false; // a clip from outside may say anything
    }
  }

  /** Makes a clip; what is left as it was of the one on the stage is taken over. */
  async generate(draft = this.settings.draft): Promise<void> {
    if (this.studio.busy) return;
    await this.#intake.settled; // what was given a moment ago is meant
    this.#draft = draft;
    const latents = (item: Item) => this.shelf.latents(item);
    try {
      const size = this.settings.effectiveSize;
      let extra: Partial<GenerateRequest> | null = await this.material.read(size, this.studio.model?.fps ?? 16, latents); // prettier-ignore
      const item = this.#shown;
      // What stands before the edited shot is to stay as it is, and so must the noise.
      if (!extra && this.#edits && !this.settings.keepSeed)
        this.settings.holdSeed(this.stage.clip!.recipe.seed);
      if (!extra && item) {
        const kept = await latents(item).catch(() => null);
        if (kept) extra = { source: { recipe: item.entry.recipe, latents: kept, use: 'again' } };
      }
      await this.studio.generate({ ...extra, ...(draft && { draft }) });
    } catch (e) {
      this.studio.error = asError(e); // the file may have gone in the meantime
    }
  }

  /**
   * The clip on the stage becomes the beginning of a longer one: its words stand in the prompt.
   * @param next what comes then; default: it is to be typed
   */
  async extend(next = ''): Promise<void> {
    const { clip } = this.stage;
    if (!clip) return;
    const item = this.#shown;
    if (!item && clip.recipe.begins) {
      if (next) this.settings.type('prompt', next);
      return this.#intake.takeVideo(clip.file, 'extend');
    }
    const shots = timeShots(parseScript(clip.recipe.prompt), clip.recipe.seconds);
    this.settings.restore(clip.recipe);
    this.settings.type('prompt', `${writeScript(shots)}\n${withLength(next, EXTENSION)}`);
    this.settings.loop = false;
    if (item) this.material.useClip(clip.recipe, item, 'extend');
    else this.material.drop();
  }

  /** Words came too late for the clip that was just made: it is extended with them. */
  async extendWithLate(): Promise<void> {
    const { saying } = this.studio;
    if (this.studio.busy || !this.isLate) return;
    const text = saying.text.trim();
    if (!saysSomething(text)) return;
    await this.extend(text);
    saying.drop();
    await this.generate(); // of a draft, a draft: only what has the same size can be gone on with
  }

  /** Words came too late for the clip that was made last, and it is on the stage. */
  get isLate(): boolean {
    const { saying, phase } = this.studio;
    return phase === 'idle' && saying.late && this.stage.clip !== null && this.stage.clip.id === this.#made;
  }

  /** The clip on the stage is what the next one is made of. */
  async remix(): Promise<void> {
    const { clip } = this.stage;
    if (!clip) return;
    const item = this.#shown;
    if (!item && clip.recipe.begins) return this.#intake.takeVideo(clip.file, 'remix');
    this.settings.restore(clip.recipe);
    this.material.useClip(clip.recipe, item, 'remix');
  }

  /** The clip that is a draft, in full. */
  async makeFinal(): Promise<void> {
    const recipe = this.stage.clip?.recipe;
    if (!recipe?.draft) return;
    this.settings.restore(recipe);
    await this.generate(false);
  }

  async surprise(): Promise<void> {
    const { settings, preferences } = this;
    await this.#vocabulary;
    const prompt = surprise(this.wording.lexicon, this.examples, preferences.language, settings.prompt);
    if (prompt) this.#replacing(() => settings.suggest(prompt));
  }

  /** Takes over the settings of an earlier clip, and what it was a remix of; the person's own words can be brought back. */
  restore(recipe: Recipe): void {
    const { words } = this.preferences;
    this.#replacing(() => this.settings.restore(recipe), recipe.begins ? words.library.begun(recipe.begins) : words.library.restored); // prettier-ignore
    this.material.drop();
    this.material.expect(recipe);
    if (!recipe.of || recipe.strength === undefined) return;
    this.material.strength = recipe.strength;
    const { created } = recipe.of;
    const item = this.shelf.items.find(({ entry }) => entry.recipe.created === created) ?? null;
    this.material.useClip(recipe.of, item, 'remix');
  }

  applyWish(wish: Wish): void {
    this.#replacing(() => this.settings.apply(wish));
  }

  #replacing(change: () => void, text?: string): void {
    const before = this.settings.snapshot();
    change();
    const own = !before.promptIsOurs && before.prompt.trim() !== '';
    const lost = own && before.prompt !== this.settings.prompt;
    const undo = () => this.settings.revert(before);
    if (lost) this.say({ text: this.preferences.words.prompt.replaced, undo });
    else if (text) this.say({ text });
  }

  async play(item: Item): Promise<void> {
    if (this.stage.clip?.id === item.entry.id) return this.stage.toggle();
    try {
      this.stage.show(await this.shelf.file(item), item.entry.recipe, item.entry.id);
    } catch (e) {
      this.studio.error = asError(e);
    }
  }

  /** What was dropped: a model's files, a picture, or one of our clips. */
  async drop(files: readonly PickedFile[]): Promise<void> {
    if (files.some(({ path }) => looksLikeModel(path))) {
      this.#showOwn();
      return this.own.add(files);
    }
    const [first] = files;
    if (first) await this.take(first.file as File);
  }

  /** A file dropped, pasted or picked; see intake.svelte.ts. */
  take(file: File): Promise<void> {
    return this.#intake.take(file);
  }

  /**
   * The address that opens the page with this clip's settings, to be given on: to the clipboard, or where the browser does
   * not let us, into the address bar. What it says stands behind the #, and reaches no server.
   */
  async copyLink(): Promise<void> {
    const { clip } = this.stage;
    if (!clip) return;
    const { words } = this.preferences;
    const fragment = writeFragment(clip.recipe, this.#folder.split('/')[1]!);
    try {
      await navigator.clipboard.writeText(new URL(`./${fragment}`, document.baseURI).href);
      this.say({ text: words.stage.linkCopied });
    } catch {
      history.replaceState(null, '', fragment);
      this.say({ text: words.stage.linkShown });
    }
  }

  download(): void {
    const { clip } = this.stage;
    if (clip) saveFile(clip.file, fileName(clip.recipe));
  }

  /** Deletes the clip on the stage from the library; it can be undone while the message stands. */
  remove(): void {
    const item = this.shelf.items.find(({ entry }) => entry.id === this.stage.clip?.id);
    if (!item) return;
    this.shelf.take(item);
    this.stage.close();
    this.studio.ended = null;
    this.say({
      text: this.preferences.words.library.removed,
      undo: () => {
        this.shelf.putBack(item);
        void this.play(item);
      },
      settle: () => void this.shelf.forget(item),
    });
  }

  /** The person wants the newest edition. Never while a clip is being made, here or in another tab. */
  async acceptUpdate(reload = () => location.reload()): Promise<void> {
    if (this.studio.busy) return;
    const accepted = await unlessMaking(() => this.offline.accept());
    if (accepted === null) this.say({ text: this.preferences.words.notice.updateElsewhere });
    else if (accepted && !this.studio.busy) reload();
  }

  /** Takes the size that the engine proposed; what it refused to load is loaded. */
  async takeSize(size: Size): Promise<void> {
    this.settings.choose({ size });
    this.studio.error = null;
    if (this.studio.engine === 'unloaded') await this.studio.load();
  }

  say(toast: Toast): void {
    this.dismiss();
    this.toast = toast;
  }

  dismiss(): void {
    const { toast } = this;
    this.toast = null;
    toast?.settle?.();
  }

  undo(): void {
    const { toast } = this;
    this.toast = null;
    toast?.undo?.();
  }
}
