/**
 * Work that goes on beside the main work, one job after another: decoding beside the next block's denoising, encoding
 * beside decoding. Who feeds a full conveyor waits, so that nothing piles up.
 */
export class Conveyor {
  /** Ends of the jobs that run or wait, oldest first. They never reject. */
  #jobs: Promise<void>[] = [];
  #failure: { error: unknown } | null = null;
  readonly #limit: number;

  /** @param limit jobs that may run or wait at once, at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a job as soon as there is room. Throws what an earlier job threw; what comes after it is dropped. */
  async push(job: () => Promise<void>): Promise<void> {
    while (this.#jobs.length >= this.#limit) await this.#jobs[0];
    this.#check();
    const before = this.#jobs.at(-1) ?? Promise.resolve();
    const end = before.then(async () => {
      try {
        if (!this.#failure) await job();
      } catch (error) {
        this.#failure ??= { error };
      }
      this.#jobs.shift();
    });
    this.#jobs.push(end);
  }

  /** Resolves when everything is done. Throws what a job threw. */
  async drain(): Promise<void> {
    await this.#jobs.at(-1);
    this.#check();
  }

  /** Drops what has not begun, and waits for what has. Never throws. */
  async stop(): Promise<void> {
    this.#failure ??= { error: new Error('The conveyor was stopped.') };
    await this.#jobs.at(-1);
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
