/** What can be wrong with a setting, before the engine is asked or by its answer: data, worded in `words`. */
import type { EngineError } from '../worker/protocol/result';

export type Field =
  'prompt' | 'seed' | 'seconds' | 'size' | 'steps' | 'window' | 'sink' | 'guidance' | 'negative' | 'shift';

const FIELDS: readonly Field[] = ['prompt', 'seed', 'seconds', 'size', 'steps', 'window', 'sink', 'guidance', 'negative', 'shift']; // prettier-ignore
/** Fields that stand in the drawer, which opens for them. */
export const IN_DRAWER: readonly Field[] = ['steps', 'window', 'sink', 'guidance', 'negative', 'shift'];

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

/** What the engine says of a setting that it refused; null where it speaks of something else, or gives no range. */
export function problemOf({ code, params = {} }: EngineError): Problem | null {
  const { field, found, least, most } = params;
  const known = FIELDS.find((name) => name === field);
  if (code !== 'bad-request' || !known || found === undefined || typeof most !== 'number') return null;
  return { field: known, found, most, ...(typeof least === 'number' && { least }) };
}
