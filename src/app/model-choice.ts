/**
 * Which model makes the clips: the page's own, one of the person's files, or one that was downloaded. Goes over from one to
 * another, and at the next visit back to the one that was used last.
 */
import type { OpenedFiles, PickedFile } from '../worker/protocol/files';
import type { CheckReport } from '../worker/protocol/machine';
import type { Downloads } from './downloads.svelte';
import type { LastModel, LastModels } from './last-model.svelte';
import type { OwnModel } from './own-model.svelte';
import type { Settings } from './settings.svelte';
import type { Studio } from './studio.svelte';
import type { Wording } from './wording.svelte';

export interface ModelChoiceParts {
  studio: Studio;
  settings: Settings;
  wording: Wording;
  own: OwnModel;
  downloads: Downloads;
  last: LastModels;
  /** The address names a model: the last one is not gone back to. */
  named: boolean;
  /** Opens the drawer where models of one's own are picked. */
  showOwn: () => void;
}

export class ModelChoice {
  readonly #parts: ModelChoiceParts;

  constructor(parts: ModelChoiceParts) {
    this.#parts = parts;
  }

  /** Goes over to a model of the person's own files, or back to the bundled one. */
  async use(opened: OpenedFiles | null): Promise<void> {
    const { studio, settings, wording, own, last } = this.#parts;
    if (opened) settings.choose({ size: own.size });
    else settings.size = null; // the other's
    wording.silent = opened !== null;
    settings.steps = '';
    await (opened ? last.try(own) : last.forget());
    await studio.use(opened);
  }

  /** Goes over to a model that was downloaded. False where it will not do here: its plan, in the drawer, says why. */
  async useDownload(id: string): Promise<boolean> {
    const { studio, own, downloads, showOwn } = this.#parts;
    const found = await downloads.open(id);
    if (!found) return false;
    await own.open(found.files, found.sampling, found.name, id);
    if (!own.usable) showOwn();
    if (!own.usable || studio.busy) return false;
    void this.use(own.opened);
    return true;
  }

  /** The model that was used last, where it can be opened without asking; what cannot is offered (last-model.svelte.ts). */
  async atStart({ backend }: CheckReport): Promise<OpenedFiles | null> {
    const { settings, wording, own, last, named } = this.#parts;
    const used = last.read();
    if (!used || named || backend !== 'webgpu') return null;
    const opened = used.trying ? null : await this.#again(used, false);
    if (!opened) {
      last.offer = last.read();
      return null;
    }
    await last.try(own);
    settings.choose({ size: own.size });
    wording.silent = true;
    return opened;
  }

  /** The person wants what was offered. Where it cannot be had, the drawer shows why, and where to pick it. */
  async openLast(): Promise<void> {
    const { studio, own, last, showOwn } = this.#parts;
    const { offer } = last;
    if (!offer || studio.busy) return;
    const opened = await this.#again(offer, true);
    if (opened) return this.use(opened);
    last.lost = own.picked.length === 0;
    showOwn();
  }

  /** What the engine is to load of it; null where its files cannot be had, or will not do any more. */
  async #again(used: LastModel, ask: boolean): Promise<OpenedFiles | null> {
    const { own, downloads, last } = this.#parts;
    let files: readonly PickedFile[] | null;
    if (used.download === null) files = await last.files(used, ask);
    else {
      await downloads.refresh();
      files = (await downloads.open(used.download))?.files ?? null;
      if (!files) await last.forget(); // deleted; the list of models says so, too
    }
    if (!files) return null;
    await own.restore(files, used);
    return own.usable ? own.opened : null;
  }
}
