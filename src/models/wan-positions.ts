/** What the Wan transformer knows of time and place, in plain numbers. */

/**
 * Angles of the rotary embedding: head size d split over frame, row and column (44, 42, 42 of 128), each axis with
 * its own ladder 10000^(−2i/size). Computed in f64.
 * @param firstFrame number of the first frame in the clip
 * @returns [frames·rows·columns, d/2, 2]: cosine, sine
 */
export function ropeAngles(
  d: number,
  frames: number,
  rows: number,
  columns: number,
  firstFrame: number,
): Float32Array<ArrayBuffer> {
  const side = 2 * Math.floor(d / 6);
  const ladder = (size: number) => Array.from({ length: size / 2 }, (_, i) => 10000 ** ((-2 * i) / size));
  const ladders = [ladder(d - 2 * side), ladder(side), ladder(side)];
  const out = new Float32Array(frames * rows * columns * d);
  let at = 0;
  for (let f = 0; f < frames; f++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++)
        [firstFrame + f, y, x].forEach((place, axis) => {
          for (const rate of ladders[axis]!) {
            out[at++] = Math.cos(place * rate);
            out[at++] = Math.sin(place * rate);
          }
        });
  return out;
}

/** Sinusoids of timesteps: cosines first, then sines, frequencies 10000^(−i / (width/2)). → [F, width] */
export function timeWave(timesteps: readonly number[], width: number): Float32Array<ArrayBuffer> {
  const half = width >> 1;
  const out = new Float32Array(timesteps.length * width);
  timesteps.forEach((t, f) => {
    for (let i = 0; i < half; i++) {
      const angle = t * 10000 ** (-i / half);
      out[f * width + i] = Math.cos(angle);
      out[f * width + half + i] = Math.sin(angle);
    }
  });
  return out;
}
