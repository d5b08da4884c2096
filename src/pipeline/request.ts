/** What may be asked of a loaded model. Whatever the page checked: the engine checks again. */
import { KinoraError } from '../errors';
import { MAX_GUIDANCE, MAX_PROMPT, MAX_SECONDS, MAX_SEED, MAX_SHIFT, MAX_SIDE, MAX_STEPS } from '../limits';
import type { GenerateRequest, Size } from '../worker/protocol/clip';

/**
 * Checks every field but for the words (pipeline/storyline.ts) and the window (pipeline/window.ts).
 * @param grid width and height must be whole multiples of these many pixels: of a token of the transformer
 * @throws KinoraError `bad-request`, naming the field, its range and what was found
 */
export function checkRequest(request: GenerateRequest, grid: Size): void {
  const {
    prompt,
    completed,
    seed,
    seconds,
    width,
    height,
    steps,
    cacheBits,
    guidance = 1,
    negative = '',
    shift = 1,
  } = request;
  if (typeof prompt !== 'string') throw bad('prompt', 'be text', prompt);
  if (
    completed !== undefined &&
    !(typeof completed === 'string' && completed.trim() !== '' && completed.length <= MAX_PROMPT)
  )
    throw bad('completed', `be text of 1 to ${MAX_PROMPT} characters`, completed, { most: MAX_PROMPT });
  whole('seed', seed, 0, MAX_SEED);
  checkSeconds(seconds);
  side('width', width, grid.width);
  side('height', height, grid.height);
  whole('steps', steps, 1, MAX_STEPS);
  if (cacheBits !== undefined && cacheBits !== 8 && cacheBits !== 16)
    throw bad('cacheBits', 'be 8 or 16', cacheBits);
  if (!(typeof guidance === 'number' && guidance >= 1 && guidance <= MAX_GUIDANCE))
    throw bad('guidance', `be a number from 1 to ${MAX_GUIDANCE}`, guidance, { least: 1, most: MAX_GUIDANCE }); // prettier-ignore
  if (!(typeof shift === 'number' && shift >= 1 && shift <= MAX_SHIFT))
    throw bad('shift', `be a number from 1 to ${MAX_SHIFT}`, shift, { least: 1, most: MAX_SHIFT });
  if (typeof negative !== 'string' || negative.length > MAX_PROMPT)
    throw bad('negative', `be text of at most ${MAX_PROMPT} characters`, negative, { most: MAX_PROMPT });
}

/** The length of a clip, as it was asked for or as the lines of its script add up. */
export function checkSeconds(seconds: unknown): void {
  if (!(typeof seconds === 'number' && seconds > 0 && seconds <= MAX_SECONDS))
    throw bad('seconds', `be a number above 0 and up to ${MAX_SECONDS}`, seconds, { most: MAX_SECONDS });
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
