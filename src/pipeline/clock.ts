/** Seconds since a clip was begun, and when its first frame was seen. */
export class Clock {
  readonly #began = performance.now();
  #firstFrame: number | null = null;

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  sawFrame(): void {
    this.#firstFrame ??= this.seconds;
  }

  ended(): { firstFrame: number; total: number } {
    return { firstFrame: this.#firstFrame ?? this.seconds, total: this.seconds };
  }
}
