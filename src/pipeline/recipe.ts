/** How a clip was made: what was asked for, as far as it was said, and what became of it. */
import { version } from '../../package.json';
import type { CacheBits, GenerateRequest, Recipe } from '../worker/protocol/clip';
import type { Model } from './backend';
import type { Scale } from './draft';
import type { Storyline } from './storyline';

/** A clip as it is made. */
export interface Making {
  model: Model;
  /** As the words and the length stand now. */
  line: Storyline;
  scale: Scale;
  /** Of the keys and values of earlier frames. */
  cacheBits: CacheBits;
}

/** @param asked of a draft: what the final shall be */
export function recipeOf({ model, line, scale, cacheBits: bits }: Making, asked: GenerateRequest): Recipe {
  const {
    completed,
    seed,
    window,
    sink,
    cacheBits,
    loop,
    guidance,
    negative,
    shift,
    strength,
    of,
    begins,
    crop,
    draft,
  } = asked;
  const { width, height, steps } = scale;
  const { id, edition, fps } = model.manifest;
  return {
    prompt: line.text,
    ...(completed !== undefined && { completed }),
    seed,
    seconds: line.seconds,
    width,
    height,
    steps,
    ...(window !== undefined && { window }),
    ...(sink !== undefined && { sink }),
    // 16 where memory has room for it goes without saying.
    ...((bits === 8 || (cacheBits !== undefined && model.room.packs)) && { cacheBits: bits }),
    ...(loop && { loop }),
    ...(guidance !== undefined && { guidance }),
    ...(negative !== undefined && { negative }),
    ...(shift !== undefined && { shift }),
    ...(strength !== undefined && { strength }),
    ...(of && { of }),
    ...(begins && { begins }),
    ...(crop !== undefined && { crop }),
    ...(draft && { draft: { width: asked.width, height: asked.height, steps: asked.steps } }),
    model: id,
    edition,
    fps,
    frames: line.plan.frames,
    app: `Kinora ${version}`,
    created: new Date().toISOString(),
  };
}
