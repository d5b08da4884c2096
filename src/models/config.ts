/** Reads a checkpoint's config field by field, with messages that name the field. */
import { KinoraError } from '../errors';

/** Layers that any network may have. Wan 14B has 40; a number from a file or a config decides what is counted, so it ends. */
export const MOST_LAYERS = 512;
/** Of any other whole number. */
const MOST = 1e7;
/** Characters that a message shows of what it found. */
const SHOWN = 80;

export type Config = Readonly<Record<string, unknown>>;

/** Called with intermediate results under the names of the goldens; the tensor lives only during the call. */
export type Tap = (name: string, t: import('../gpu/tensor').Tensor) => void;

function wrong(network: string, field: string, wanted: string, found: unknown): KinoraError {
  const text = found === undefined ? 'missing' : JSON.stringify(found);
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return new KinoraError('bad-model', `${network}: config.${field} must be ${wanted}, but is ${shown}.`, {
    field,
  });
}

export class ConfigReader {
  constructor(
    readonly network: string,
    readonly config: Config,
  ) {
    if (typeof config !== 'object' || config === null)
      throw new KinoraError('bad-model', `${network}: the config is no object.`);
  }

  /** A whole number from `least` to `most`; `fallback` where the field is absent. */
  integer(field: string, least: number, fallback?: number, most = MOST): number {
    const value = this.config[field] ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least)
      throw wrong(this.network, field, `a whole number of at least ${least}`, value);
    if (value > most) throw wrong(this.network, field, `a whole number of at most ${most}`, value);
    return value;
  }

  positive(field: string, fallback?: number): number {
    const value = this.config[field] ?? fallback;
    if (typeof value !== 'number' || !(value > 0 && value < Infinity))
      throw wrong(this.network, field, 'a number above 0', value);
    return value;
  }

  boolean(field: string, fallback?: boolean): boolean {
    const value = this.config[field] ?? fallback;
    if (typeof value !== 'boolean') throw wrong(this.network, field, 'true or false', value);
    return value;
  }

  /** What to throw where the reader's own look at a field finds it wrong; `wanted` in words. */
  wrong(field: string, wanted: string): KinoraError {
    return wrong(this.network, field, wanted, this.config[field]);
  }

  /** Throws unless the field is absent or one of `values`. */
  expect(field: string, values: readonly unknown[]): void {
    const value = this.config[field];
    if (value !== undefined && !values.includes(value))
      throw wrong(this.network, field, values.map((v) => JSON.stringify(v)).join(' or '), value);
  }

  integers(field: string, count: number, fallback?: readonly number[]): number[] {
    const value = this.config[field] ?? fallback;
    const whole = (n: unknown) => typeof n === 'number' && Number.isInteger(n) && n >= 1;
    if (!Array.isArray(value) || value.length !== count || !value.every(whole))
      throw wrong(this.network, field, `${count} whole numbers of at least 1`, value);
    if (value.some((n) => n > MOST))
      throw wrong(this.network, field, `${count} whole numbers of at most ${MOST}`, value);
    return [...(value as number[])];
  }

  booleans(field: string, count: number, fallback?: readonly boolean[]): boolean[] {
    const value = this.config[field] ?? fallback;
    if (!Array.isArray(value) || value.length !== count || !value.every((b) => typeof b === 'boolean'))
      throw wrong(this.network, field, `${count} times true or false`, value);
    return [...(value as boolean[])];
  }
}
