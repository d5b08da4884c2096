/** Jobs one after the other, each begun before the one before it has ended where that helps. */
export interface Turns<T> {
  /** Whether the next is to be started before the present one is done. Asked before each wait. */
  ahead(): boolean;
  /** A job is next to be done. @returns to be called when it is */
  begin(i: number): () => void;
  start(i: number): Promise<T>;
  /** What came of a job, in order. The job after next is not started before this is over. */
  end(i: number, result: T): void | Promise<void>;
}

/** Does `count` jobs. Throws what one of them threw; what comes after it is not begun, or what came of it dropped. */
export async function inTurn<T>(count: number, { ahead, begin, start, end }: Turns<T>): Promise<void> {
  let next: Promise<T> | null = null;
  for (let i = 0; i < count; i++) {
    const done = begin(i);
    const now = next ?? start(i);
    next = null;
    if (i + 1 < count && ahead()) {
      next = start(i + 1);
      next.catch(() => {}); // it is awaited in its turn, if that comes
    }
    const result = await now;
    done();
    await end(i, result);
  }
}
