/** What can be wrong with a setting before the engine is asked: data, worded in `words`. */
export type Field = 'prompt' | 'seed' | 'seconds' | 'size' | 'steps' | 'window' | 'sink';

export interface Problem {
  field: Field;
  /** What was found: a number, or what was typed. */
  found: string | number;
  /** The upper end of the range. */
  most: number;
  /** The lower end, where it is not the same for all. */
  least?: number;
  /** Line of the script that will not do, from 1. */
  line?: number;
}
