/** What this browser keeps of models and of the choice of kernels, how much room there is, and whether it promises to keep it. */
import type { EngineClient } from '../worker/client';
import type { TuningAnswer } from '../worker/protocol/machine';
import type { StoredModel, VerifyReport } from '../worker/protocol/model';
import type { EngineError } from '../worker/protocol/result';

export type Keeper = Pick<EngineClient, 'models' | 'verifyModel' | 'deleteModel' | 'tuning' | 'resetTuning'>;

export class Storage {
  models = $state.raw<StoredModel[]>([]);
  /** Bytes; null where the browser does not say. */
  used = $state<number | null>(null);
  quota = $state<number | null>(null);
  /** The browser promised not to clear it by itself. Null: not known. */
  persisted = $state<boolean | null>(null);
  /** It was asked, and said no. */
  refused = $state(false);
  checked = $state.raw<Record<string, VerifyReport>>({});
  /** Id of the model that is being checked or deleted. */
  busy = $state<string | null>(null);
  error = $state.raw<EngineError | null>(null);
  /** Kernels that were chosen by trial on this adapter. */
  tuning = $state.raw<TuningAnswer[]>([]);
  readonly #engine: Keeper;
  readonly #manager: StorageManager | undefined;

  constructor(engine: Keeper, manager = globalThis.navigator?.storage as StorageManager | undefined) {
    this.#engine = engine;
    this.#manager = manager;
  }

  async refresh(): Promise<void> {
    const estimate = await this.#manager?.estimate?.().catch(() => null);
    this.used = estimate?.usage ?? null;
    this.quota = estimate?.quota ?? null;
    this.persisted = (await this.#manager?.persisted?.().catch(() => null)) ?? null;
    const listed = await this.#engine.models();
    if (listed.ok) this.models = listed.value;
    else this.error = listed.error;
  }

  async refreshTuning(): Promise<void> {
    this.tuning = await this.#engine.tuning();
  }

  /** They are chosen anew when a model is loaded next. */
  async resetTuning(): Promise<void> {
    await this.#engine.resetTuning();
    await this.refreshTuning();
  }

  /** Asks the browser to keep what is stored; some ask the person, some decide by themselves. */
  async persist(): Promise<void> {
    const promised = (await this.#manager?.persist?.().catch(() => false)) ?? false;
    this.persisted = promised;
    this.refused = !promised;
  }

  async verify({ id }: StoredModel): Promise<void> {
    await this.#work(id, async () => {
      const report = await this.#engine.verifyModel(id);
      if (report.ok) this.checked = { ...this.checked, [id]: report.value };
      else this.error = report.error;
    });
  }

  async remove({ id }: StoredModel): Promise<void> {
    await this.#work(id, async () => {
      const done = await this.#engine.deleteModel(id);
      if (!done.ok) this.error = done.error;
    });
  }

  async #work(id: string, work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = id;
    this.error = null;
    try {
      await work();
      await this.refresh();
    } finally {
      this.busy = null;
    }
  }
}
