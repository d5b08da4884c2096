/** The page's parts and what passes between them. Components take it from the context. */
import { createContext } from 'svelte';
import { openLibrary } from '../library/library';
import { watchRequests } from '../requests';
import { watchShut } from '../shut';
import { EngineClient } from '../worker/client';
import { HubClient } from '../worker/hub';
import { withFirstShot } from '../story/script';
import type { Recipe, Size } from '../worker/protocol/clip';
import type { PickedFile } from '../worker/protocol/files';
import { fetchJson, readCard, type Card } from './card';
import { looksLikeModel } from './dropped';
import { Downloads, type Hub, type Kept } from './downloads.svelte';
import { Egress } from './egress.svelte';
import { fileName, saveFile } from './filename';
import { readBackend, readFragment, writeFragment, type Wish } from './fragment';
import { Offline } from './offline.svelte';
import { Intake } from './intake.svelte';
import { browserHandles, type HandleStore } from './handles';
import { LastModels } from './last-model.svelte';
import { unlessMaking } from './making';
import { Materials } from './material.svelte';
import { ModelChoice } from './model-choice';
import { NextClip } from './next-clip';
import { OwnModel, type Recogniser } from './own-model.svelte';
import { toPictures } from './pictures';
import { Preferences } from './preferences.svelte';
import { Settings } from './settings.svelte';
import { asError, Shelf, type Item, type Shelved } from './shelf.svelte';
import { Stage } from './stage.svelte';
import { browserStore, type Store } from './store';
import { Storage, type Keeper } from './storage.svelte';
import { Studio, type Emit, type Engine } from './studio.svelte';
import { surprise } from './surprise';
import { Wording } from './wording.svelte';

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
  readonly choice: ModelChoice;
  readonly next: NextClip;
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
  #vocabulary: Promise<void> | null = null;
  #cardRead: Promise<void> = Promise.resolve();

  constructor(parts: Parts = {}) {
    const store = parts.store ?? browserStore();
    this.preferences = new Preferences(store, parts.languages ?? navigator.languages);
    this.settings = new Settings(store);
    this.wording = new Wording(this.settings, (known) => this.preferences.tongue(known));
    this.shelf = new Shelf(parts.openShelf ?? openLibrary, store);
    const wish = readFragment(parts.hash ?? location.hash);
    if (wish) this.settings.apply(wish);
    this.#auto = wish?.resume ? 'resume' : (wish?.auto ?? false);
    this.#folder = `models/${wish?.model ?? 'pocket'}/`;
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
      before: (report) => this.choice.atStart(report),
      onLoaded: () => void this.#loaded(),
      again: () => this.next.again(),
      onClip: (clip) => this.next.keep(clip),
      complete: (prompt, seed) => this.wording.complete(prompt, seed),
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
    const { studio, settings, wording, own, downloads, last, material, stage, shelf } = this;
    const named = wish?.model !== undefined;
    const showOwn = () => this.#showOwn();
    this.choice = new ModelChoice({ studio, settings, wording, own, downloads, last, named, showOwn });
    const vocabulary = async () => {
      await this.#cardRead;
      await this.#vocabulary;
    };
    this.next = new NextClip({ studio, settings, material, intake: this.#intake, stage, shelf, vocabulary });
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
    const { words } = this.preferences;
    const own = prompts?.[this.preferences.tongue(Object.keys(prompts))];
    return own?.length ? own : [words.example];
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

  #showOwn(): void {
    this.drawer = true;
    this.shown++;
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
      this.#vocabulary = fetchJson(this.#folder + vocabulary).then((json) =>
        this.wording.learn(json, this.card!.unsaid),
      );
  }

  /** How well the loop on the stage closes: the step over its seam, in the clip's own larger steps. Null where it is no loop. */
  get seam(): number | null {
    const seam = this.shelf.find(this.stage.clip?.id)?.entry.seam;
    return seam && this.stage.clip?.recipe.loop ? seam.error / Math.max(seam.typical, 0.01) : null;
  }

  async surprise(): Promise<void> {
    const { settings, wording } = this;
    await this.#vocabulary;
    const prompt = surprise(wording.lexicon, this.examples, wording.language, settings.prompt);
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

  /** The whole sentence that a clip was made of takes the place of its first shot's words. */
  takeWords({ prompt, completed }: Pick<Recipe, 'prompt' | 'completed'>): void {
    if (completed) this.#replacing(() => this.settings.apply({ prompt: withFirstShot(prompt, completed), auto: false })); // prettier-ignore
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
    const item = this.shelf.find(this.stage.clip?.id);
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
