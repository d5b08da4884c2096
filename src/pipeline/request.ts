/** What may be asked of a loaded model. Whatever the page checked: the engine checks again. */
import { KinoraError } from '../errors';
import { MAX_SEED, MAX_SIDE, MAX_STEPS } from '../limits';
import { checkPrompt } from '../text/clean';
import type { GenerateRequest } from '../worker/protocol';

export interface Bounds {
  maxSeconds: number;
  /** Width and height must be whole multiples of these many pixels: of a token of the transformer. */
  grid: { width: number; height: number };
}

/**
 * Checks every field.
 * @returns the prompt, cleaned
 * @throws KinoraError `bad-request`, naming the field, its range and what was found
 */
export function checkRequest(request: GenerateRequest, bounds: Bounds): string {
  const { prompt, seed, seconds, width, height, steps } = request;
  if (typeof prompt !== 'string') throw bad('prompt', 'be text', prompt);
  const cleaned = checkPrompt(prompt);
  whole('seed', seed, 0, MAX_SEED);
  if (!(typeof seconds === 'number' && seconds > 0 && seconds <= bounds.maxSeconds))
    throw bad('seconds', `be a number above 0 and up to ${bounds.maxSeconds}`, seconds, {
      most: bounds.maxSeconds,
    });
  side('width', width, bounds.grid.width);
  side('height', height, bounds.grid.height);
  whole('steps', steps, 1, MAX_STEPS);
  return cleaned;
}

type Field = keyof GenerateRequest;

function bad(field: Field, wanted: string, found: unknown, params: Record<string, number> = {}): KinoraError {
  const shown = typeof found === 'number' ? String(found) : (JSON.stringify(found) ?? 'missing');
  return new KinoraError('bad-request', `${field} must ${wanted}, but it is ${shown.slice(0, 40)}.`, {
    field,
    found: shown.slice(0, 40),
    ...params,
  });
}

function whole(field: Field, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw bad(field, `be a whole number from ${least} to ${most}`, value, { least, most });
}

function side(field: 'width' | 'height', value: unknown, step: number): void {
  if (typeof value !== 'number' || value < step || value > MAX_SIDE || value % step !== 0)
    throw bad(field, `be a multiple of ${step} pixels from ${step} to ${MAX_SIDE}`, value, {
      least: step,
      most: MAX_SIDE,
    });
}
