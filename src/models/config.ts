/** Reads a checkpoint's config field by field, with messages that name the field. */
import { KinoraError } from '../errors';

export type Config = Readonly<Record<string, unknown>>;

/** Called with intermediate results under the names of the goldens; the tensor lives only during the call. */
export type Tap = (name: string, t: import('../gpu/tensor').Tensor) => void;

function wrong(network: string, field: string, wanted: string, found: unknown): KinoraError {
  const shown = found === undefined ? 'missing' : JSON.stringify(found);
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

  /** A whole number from `least` up; `fallback` where the field is absent. */
  integer(field: string, least: number, fallback?: number): number {
    const value = this.config[field] ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > 1e7)
      throw wrong(this.network, field, `a whole number of at least ${least}`, value);
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

  /** Throws unless the field is absent or one of `values`. */
  expect(field: string, values: readonly unknown[]): void {
    const value = this.config[field];
    if (value !== undefined && !values.includes(value))
      throw wrong(this.network, field, values.map((v) => JSON.stringify(v)).join(' or '), value);
  }

  integers(field: string, count: number, fallback?: readonly number[]): number[] {
    const value = this.config[field] ?? fallback;
    const good = (n: unknown) => typeof n === 'number' && Number.isInteger(n) && n >= 1 && n <= 1e7;
    if (!Array.isArray(value) || value.length !== count || !value.every(good))
      throw wrong(this.network, field, `${count} whole numbers of at least 1`, value);
    return [...(value as number[])];
  }

  booleans(field: string, count: number, fallback?: readonly boolean[]): boolean[] {
    const value = this.config[field] ?? fallback;
    if (!Array.isArray(value) || value.length !== count || !value.every((b) => typeof b === 'boolean'))
      throw wrong(this.network, field, `${count} times true or false`, value);
    return [...(value as boolean[])];
  }
}
