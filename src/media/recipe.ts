/**
 * A recipe that came from outside (an MP4 dropped on the page, an old entry of the library) is not to be
 * trusted: this is the one place where it is checked, before anything of it reaches a control.
 */
import { KinoraError } from '../errors';
import { MAX_GUIDANCE, MAX_PROMPT, MAX_SHIFT } from '../limits';
import type { Beginning, Recipe } from '../worker/protocol/clip';

const NAME_LIMIT = 200;
/** Recipes inside recipes. */
const MOST_OF = 3;
const BEGINNINGS: readonly Beginning[] = ['picture', 'video', 'clip'];

function bad(setting: string, expected: string, found: unknown): KinoraError {
  const shown = (typeof found === 'string' ? JSON.stringify(found) : String(found)).slice(0, 60);
  return new KinoraError(
    'bad-request',
    `The clip's setting "${setting}" should be ${expected}, but it is ${shown}. The settings cannot be used.`,
    { setting, expected, found: shown },
  );
}

/**
 * A clean `Recipe` made of `value`'s known fields; what else `value` holds is left behind. A remix of a remix of a remix
 * keeps the last recipes of that row.
 *
 * Ranges: seed 0…2³²−1, seconds 0…3600, width and height 1…16384 px, steps 1…50, window and sink up to 1024, cacheBits 8
 * or 16, guidance and shift up to 100, fps 0…240, frames 1…864000, prompt, completed and negative up to 5000 UTF-16 units, names up to 200,
 * created an ISO 8601 date.
 * Throws `bad-request` with the setting's name, what was expected and what was found.
 */
export function parseRecipe(value: unknown, depth = 0): Recipe {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad('recipe', 'an object', Array.isArray(value) ? 'a list' : value);
  const fields = value as Record<string, unknown>;

  const number = (name: keyof Recipe, above: number, most: number): number => {
    const found = fields[name];
    if (typeof found !== 'number' || !(found > above && found <= most))
      throw bad(name, `a number above ${above} and up to ${most}`, found);
    return found;
  };
  const integer = (name: keyof Recipe, least: number, most: number): number => {
    const found = fields[name];
    if (typeof found !== 'number' || !Number.isInteger(found) || found < least || found > most)
      throw bad(name, `a whole number from ${least} to ${most}`, found);
    return found;
  };
  const text = (name: keyof Recipe, limit: number): string => {
    const found = fields[name];
    if (typeof found !== 'string' || found.length > limit)
      throw bad(name, `text of at most ${limit} characters`, found);
    return found;
  };

  const optional = <K extends 'window' | 'sink'>(name: K, least: number, most: number) =>
    fields[name] === undefined ? {} : { [name]: integer(name, least, most) };

  const created = text('created', 40);
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(created) || Number.isNaN(Date.parse(created)))
    throw bad('created', 'a date as in 2026-01-31T12:00:00Z', created);

  return {
    prompt: text('prompt', MAX_PROMPT),
    ...(fields.completed !== undefined && { completed: text('completed', MAX_PROMPT) }),
    seed: integer('seed', 0, 2 ** 32 - 1),
    seconds: number('seconds', 0, 3600),
    width: integer('width', 1, 16_384),
    height: integer('height', 1, 16_384),
    steps: integer('steps', 1, 50),
    ...optional('window', 1, 1024),
    ...optional('sink', 0, 1024),
    ...readCacheBits(fields.cacheBits),
    ...(fields.loop === true && { loop: true }),
    ...(fields.guidance !== undefined && { guidance: number('guidance', 0, MAX_GUIDANCE) }),
    ...(fields.negative !== undefined && { negative: text('negative', MAX_PROMPT) }),
    ...(fields.shift !== undefined && { shift: number('shift', 0, MAX_SHIFT) }),
    ...(fields.strength !== undefined && { strength: number('strength', 0, 1) }),
    ...(fields.of !== undefined && depth < MOST_OF && { of: parseRecipe(fields.of, depth + 1) }),
    ...(BEGINNINGS.includes(fields.begins as Beginning) && { begins: fields.begins as Beginning }),
    ...readCrop(fields.crop),
    ...readDraft(fields.draft),
    model: text('model', NAME_LIMIT),
    edition: text('edition', NAME_LIMIT),
    fps: number('fps', 0, 240),
    frames: integer('frames', 1, 864_000),
    app: text('app', NAME_LIMIT),
    created,
  };
}

function readCacheBits(value: unknown): Pick<Recipe, 'cacheBits'> {
  if (value === undefined) return {};
  if (value === 8 || value === 16) return { cacheBits: value };
  throw bad('cacheBits', '8 or 16', value);
}

/** A damaged one is left out: what it belongs to is not in the recipe, either. */
const readCrop = (value: unknown): Pick<Recipe, 'crop'> =>
  typeof value === 'number' && value >= 0 && value <= 1 ? { crop: value } : {};

/** What the final of a draft shall be; a damaged one is left out, and the clip is then no draft. */
function readDraft(value: unknown): Pick<Recipe, 'draft'> {
  const { width, height, steps } = (value ?? {}) as Record<string, unknown>;
  const whole = (n: unknown, most: number): n is number => Number.isInteger(n) && Number(n) > 0 && Number(n) <= most; // prettier-ignore
  return whole(width, 16_384) && whole(height, 16_384) && whole(steps, 50) ? { draft: { width, height, steps } } : {}; // prettier-ignore
}
