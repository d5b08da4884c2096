/** The engine of a page waits when it is about to keep a block: so there is time to look or to type, however fast the machine. */
import type { Page, Worker } from 'playwright';
import { expect } from 'vitest';

/** Milliseconds. */
export const PATIENCE = 300_000;
/** A record's words, and what goes before them. */
const WORDS = 1400;

type Waiting = { goOn?: () => void; at?: number };

export class Hold {
  private constructor(readonly engine: Worker) {}

  /**
   * @param bytes of a block's clean latents; records are known by them. Frames must have less, the model's files more
   * @param blocks counted from 1, in order
   */
  static async blocks({ page }: { page: Page }, bytes: number, blocks: readonly number[]): Promise<Hold> {
    const engineOf = () => page.workers().find((w) => w.url().includes('engine.worker'));
    await expect.poll(() => engineOf() !== undefined, { timeout: PATIENCE }).toBe(true);
    const engine = engineOf()!;
    await engine.evaluate(
      ([least, most, ...wanted]) => {
        const { digest } = SubtleCrypto.prototype;
        let records = 0;
        SubtleCrypto.prototype.digest = async function (algorithm, data) {
          if (data.byteLength >= least! && data.byteLength < most! && wanted.includes(++records))
            await new Promise<void>((goOn) => Object.assign(globalThis, { goOn, at: records }));
          return digest.call(this, algorithm, data);
        };
      },
      [bytes, bytes + WORDS, ...blocks],
    );
    return new Hold(engine);
  }

  /** Resolves when block `n` waits. */
  async at(n: number): Promise<void> {
    const here = () => this.engine.evaluate(() => (globalThis as unknown as Waiting).at);
    await expect.poll(here, { timeout: PATIENCE }).toBe(n);
  }

  goOn(): Promise<void> {
    return this.engine.evaluate(() => (globalThis as unknown as Waiting).goOn!());
  }
}
