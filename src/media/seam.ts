/**
 * Does the end of a clip meet its beginning? The seam beside the clip's own steps from frame to frame. A decoder makes
 * several frames of a latent, four with Wan's, and the steps from one latent to the next are larger than those within
 * (with Pocket more than twice); the seam is one of them. So it is held against the largest quarter of all steps.
 */
import type { Seam, Size } from '../worker/protocol/clip';

export class SeamMeter {
  readonly #pixels: number;
  #first: Uint8Array | null = null;
  #last: Uint8Array | null = null;
  /** How many steps had which mean difference, in hundredths: 0 … 255.00. Does not grow with the clip. */
  readonly #steps = new Uint32Array(25_501);
  #count = 0;

  constructor({ width, height }: Size) {
    this.#pixels = width * height;
  }

  /** Takes the next frame, I420; only its luma is looked at. */
  add(i420: Uint8Array): void {
    const luma = i420.slice(0, this.#pixels);
    if (this.#last) {
      this.#steps[Math.round(100 * meanDifference(this.#last, luma))]!++;
      this.#count++;
    }
    this.#first ??= luma;
    this.#last = luma;
  }

  /** Null for clips of less than three frames, where there is nothing to compare with. */
  get seam(): Seam | null {
    if (this.#count < 2) return null;
    let [seen, typical] = [0, 0];
    while ((seen += this.#steps[typical]!) * 8 < 7 * this.#count) typical++; // the middle of the largest quarter
    return { error: meanDifference(this.#first!, this.#last!), typical: typical / 100 };
  }
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}
