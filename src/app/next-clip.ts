/**
 * The next clip: of what the settings say, of what was given, and of the clip on the stage, where that is gone on with. When
 * it is made it is kept, and takes its place on the stage.
 */
import { isEdited, parseScript, timeShots, withLength, writeScript } from '../story/script';
import type { Clip, GenerateRequest } from '../worker/protocol/clip';
import type { Intake } from './intake.svelte';
import type { Materials } from './material.svelte';
import { saysSomething } from './saying.svelte';
import type { Settings } from './settings.svelte';
import { asError, type Item, type Shelf } from './shelf.svelte';
import type { Stage } from './stage.svelte';
import type { Studio } from './studio.svelte';

/** Seconds that are offered when a clip is extended. */
const EXTENSION = 2;

export interface NextClipParts {
  studio: Studio;
  settings: Settings;
  material: Materials;
  intake: Intake;
  stage: Stage;
  shelf: Shelf;
  /** What the model knows has been read, or cannot be had: words that leave something open are completed with it. */
  vocabulary: () => Promise<void>;
}

export class NextClip {
  readonly #parts: NextClipParts;
  /** What was asked for last is a draft; undefined: as the settings say. */
  #draft: boolean | undefined;
  /** The clip that was made last, in the library. */
  #made: string | null = null;

  constructor(parts: NextClipParts) {
    this.#parts = parts;
  }

  /** Makes a clip; what is left as it was of the one on the stage is taken over. */
  async generate(draft = this.#parts.settings.draft): Promise<void> {
    const { studio, settings, material, intake, stage, shelf, vocabulary } = this.#parts;
    if (studio.busy) return;
    await intake.settled; // what was given a moment ago is meant
    await vocabulary();
    this.#draft = draft;
    const latents = (item: Item) => shelf.latents(item);
    try {
      const size = settings.effectiveSize;
      let extra: Partial<GenerateRequest> | null = await material.read(size, studio.model?.fps ?? 16, latents); // prettier-ignore
      const item = this.#shown;
      // What stands before the edited shot is to stay as it is, and so must the noise.
      if (!extra && this.#edits && !settings.keepSeed) settings.holdSeed(stage.clip!.recipe.seed);
      if (!extra && item) {
        const kept = await latents(item).catch(() => null);
        if (kept) extra = { source: { recipe: item.entry.recipe, latents: kept, use: 'again' } };
      }
      await studio.generate({ ...extra, ...(draft && { draft }) });
    } catch (e) {
      studio.error = asError(e); // the file may have gone in the meantime
    }
  }

  /** Makes the clip that waited for the model, of all that it is made of. */
  again(): Promise<void> {
    return this.generate(this.#draft);
  }

  /** Keeps a clip that is made, and shows it; what the engine held of it may then go. The file as it is kept. */
  async keep(clip: Clip): Promise<Blob> {
    const { studio, material, stage, shelf } = this.#parts;
    const item = await shelf.add(clip);
    // What it goes on from is part of it now.
    if (material.given?.kind === 'clip' && material.given.use === 'extend') material.drop();
    const file = item.memory ? clip.mp4 : await shelf.file(item).catch(() => clip.mp4);
    this.#made = item.entry.id;
    stage.show(file, clip.recipe, item.entry.id);
    if (file !== clip.mp4) await studio.settle(clip.id);
    return file;
  }

  /**
   * The clip on the stage becomes the beginning of a longer one: its words stand in the prompt.
   * @param next what comes then; default: it is to be typed
   */
  async extend(next = ''): Promise<void> {
    const { settings, material, intake, stage } = this.#parts;
    const { clip } = stage;
    if (!clip) return;
    const item = this.#shown;
    if (!item && clip.recipe.begins) {
      if (next) settings.type('prompt', next);
      return intake.takeVideo(clip.file, 'extend');
    }
    const shots = timeShots(parseScript(clip.recipe.prompt), clip.recipe.seconds);
    settings.restore(clip.recipe);
    settings.type('prompt', `${writeScript(shots)}\n${withLength(next, EXTENSION)}`);
    settings.loop = false;
    if (item) material.useClip(clip.recipe, item, 'extend');
    else material.drop();
  }

  /** Words came too late for the clip that was made last, and it is on the stage. */
  get isLate(): boolean {
    const { studio, stage } = this.#parts;
    const { saying, phase } = studio;
    return phase === 'idle' && saying.late && stage.clip !== null && stage.clip.id === this.#made;
  }

  /** Words came too late for the clip that was just made: it is extended with them. */
  async extendWithLate(): Promise<void> {
    const { studio } = this.#parts;
    const { saying } = studio;
    if (studio.busy || !this.isLate) return;
    const text = saying.text.trim();
    if (!saysSomething(text)) return;
    await this.extend(text);
    saying.drop();
    await this.generate(); // of a draft, a draft: only what has the same size can be gone on with
  }

  /** The clip on the stage is what the next one is made of. */
  async remix(): Promise<void> {
    const { settings, material, intake, stage } = this.#parts;
    const { clip } = stage;
    if (!clip) return;
    const item = this.#shown;
    if (!item && clip.recipe.begins) return intake.takeVideo(clip.file, 'remix');
    settings.restore(clip.recipe);
    material.useClip(clip.recipe, item, 'remix');
  }

  /** The clip that is a draft, in full. */
  async makeFinal(): Promise<void> {
    const { settings, stage } = this.#parts;
    const recipe = stage.clip?.recipe;
    if (!recipe?.draft) return;
    settings.restore(recipe);
    await this.generate(false);
  }

  /** The clip on the stage, where it is kept. */
  get #shown(): Item | null {
    const { stage, shelf } = this.#parts;
    return shelf.find(stage.clip?.id);
  }

  /** The script is that of the clip on the stage, but for a later shot. */
  get #edits(): boolean {
    const { clip } = this.#parts.stage;
    const { shots } = this.#parts.settings;
    if (!clip || !Array.isArray(shots)) return false;
    const { prompt, seconds } = clip.recipe;
    try {
      return isEdited(timeShots(parseScript(prompt), seconds), shots);
    } catch {
      return false; // a clip from outside may say anything
    }
  }
}
