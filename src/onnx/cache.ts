/** Keys and values of the finished blocks, and which of them the next block sees. Plain numbers. */

/** Keys or values of some frames: [layers · heads, frames · tokens, d]. */
export interface Rows {
  /** layers · heads */
  groups: number;
  tokensPerFrame: number;
  d: number;
}

/**
 * The past of a block under a sliding window with sink: the first `sink` frames, and of the others the last
 * `window − sink − (frames of the block)`, as training/goldens and models/wan-transformer have it.
 */
export function keptFrames(past: number, block: number, window: number, sink: number): number[] {
  const last = Math.max(0, window - block - sink);
  return Array.from({ length: past }, (_, f) => f).filter((f) => f < sink || f >= past - last);
}

/** Grows by whole blocks. Frames that no later block can see are let go. */
export class PastCache {
  #k: Float32Array[] = []; // one a frame, [groups, tokens, d]
  #v: Float32Array[] = [];
  #frames: number[] = [];
  #past = 0;

  /** @param moves the sink moves along with the window (`positions` of models/wan-transformer) */
  constructor(
    readonly rows: Rows,
    readonly window: number,
    readonly sink: number,
    readonly moves = false,
  ) {}

  /** Forgets everything: the next block is the first. */
  clear(): void {
    [this.#k, this.#v, this.#frames, this.#past] = [[], [], [], 0];
  }

  /** Frames that were added since it was empty. */
  get past(): number {
    return this.#past;
  }

  /** Adds a block's keys and values, [groups, frames · tokens, d]. */
  add(k: Float32Array, v: Float32Array, frames: number): void {
    for (let f = 0; f < frames; f++) {
      this.#k.push(this.#cut(k, f, frames));
      this.#v.push(this.#cut(v, f, frames));
      this.#frames.push(this.#past + f);
    }
    this.#past += frames;
    const kept = new Set(keptFrames(this.#past, 1, this.window, this.sink));
    const stay = this.#frames.map((f) => kept.has(f));
    const filter = <T>(list: T[]) => list.filter((_, i) => stay[i]);
    [this.#k, this.#v, this.#frames] = [filter(this.#k), filter(this.#v), filter(this.#frames)];
  }

  #cut(all: Float32Array, frame: number, frames: number): Float32Array {
    const { groups, tokensPerFrame, d } = this.rows;
    const n = tokensPerFrame * d;
    const out = new Float32Array(groups * n);
    for (let g = 0; g < groups; g++) {
      const from = (g * frames + frame) * n;
      out.set(all.subarray(from, from + n), g * n);
    }
    return out;
  }

  /** What a block of so many frames sees: [groups, rows, d], and the number of rows. */
  forBlock(frames: number): { k: Float32Array; v: Float32Array; rows: number } {
    const kept = new Set(keptFrames(this.#past, frames, this.window, this.sink));
    const chosen = this.#frames.flatMap((f, i) => (kept.has(f) ? [i] : []));
    const join = (parts: Float32Array[]) => {
      const { groups, tokensPerFrame, d } = this.rows;
      const n = tokensPerFrame * d;
      const out = new Float32Array(groups * chosen.length * n);
      chosen.forEach((i, place) => {
        for (let g = 0; g < groups; g++)
          out.set(parts[i]!.subarray(g * n, (g + 1) * n), (g * chosen.length + place) * n);
      });
      return out;
    };
    const gone = this.moves ? Math.max(0, this.#past + frames - this.window) : 0;
    const k = join(gone > 0 ? this.#k.map((key, i) => (this.#frames[i]! < this.sink ? turn(key, this.rows.d, gone) : key)) : this.#k); // prettier-ignore
    return { k, v: join(this.#v), rows: chosen.length * this.rows.tokensPerFrame };
  }
}

/** Keys [rows, d], turned as if they stood `frames` later in the clip: the first third of a head's pairs, as in models/wan-positions. */
export function turn(keys: Float32Array, d: number, frames: number): Float32Array {
  const size = d - 4 * Math.floor(d / 6);
  const out = keys.slice();
  for (let pair = 0; pair < size; pair += 2) {
    const angle = frames * 10000 ** (-pair / size);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    for (let at = pair; at < keys.length; at += d) {
      const [a, b] = [keys[at]!, keys[at + 1]!];
      out[at] = a * cos - b * sin;
      out[at + 1] = a * sin + b * cos;
    }
  }
  return out;
}
