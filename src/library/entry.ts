/** What the library keeps of a clip beside its pictures, and its form on disk. */
import { parseRecipe } from '../media/recipe';
import type { ClipTimings, Recipe, Seam } from '../worker/protocol/clip';
import type { BackendKind } from '../worker/protocol/machine';

export interface LibraryEntry {
  id: string;
  recipe: Recipe;
  /** Pixels. */
  width: number;
  height: number;
  frames: number;
  fps: number;
  /** Size of the MP4. */
  bytes: number;
  /** Full codec string, or '' when it is not known (a clip whose entry was damaged). */
  codec: string;
  /** ISO 8601: when it was kept. */
  created: string;
  backend: BackendKind;
  /** The graphics adapter in a few words, '' when it is not known or none was used. */
  adapter: string;
  /** Seconds. */
  timings: ClipTimings;
  /** Absent in entries of earlier editions. */
  seam?: Seam;
}

/** A later form that this code could misread gets another name. */
const FORMAT = 'kinora-clip/1';

export function writeEntry(entry: LibraryEntry): string {
  return JSON.stringify({ format: FORMAT, ...entry }, null, 1);
}

/** The entry, with id and size as found on disk; null when the text is damaged or of another format. */
export function parseEntry(text: string, id: string, bytes: number): LibraryEntry | null {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    if (value.format !== FORMAT) return null;
    const recipe = parseRecipe(value.recipe);
    const timings = value.timings as Record<string, unknown>;
    return {
      id,
      recipe,
      width: number(value.width),
      height: number(value.height),
      frames: number(value.frames),
      fps: number(value.fps),
      bytes,
      codec: string(value.codec),
      created: string(value.created),
      backend: value.backend === 'cpu' ? 'cpu' : 'webgpu',
      adapter: string(value.adapter),
      timings: {
        load: number(timings.load),
        firstFrame: number(timings.firstFrame),
        total: number(timings.total),
      },
      ...readSeam(value.seam),
    };
  } catch {
    return null;
  }
}

/** One that is damaged is left out. */
function readSeam(value: unknown): Pick<LibraryEntry, 'seam'> {
  try {
    const { error, typical } = value as Record<string, unknown>;
    return { seam: { error: number(error), typical: number(typical) } };
  } catch {
    return {};
  }
}

function number(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value < Infinity)) throw new Error('not a number');
  return value;
}

function string(value: unknown): string {
  if (typeof value !== 'string' || value.length > 1000) throw new Error('not a text');
  return value;
}
