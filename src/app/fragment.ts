/**
 * Settings in the address's fragment: `#prompt=…&seed=7&seconds=2&width=96&height=64&steps=8&auto=1`. A
 * fragment never reaches a server, so such an address is a private recipe; `npm run generate` uses it too.
 */
import type { CacheBits, Recipe } from '../worker/protocol/clip';
import type { BackendKind } from '../worker/protocol/machine';

export interface Wish {
  prompt?: string;
  /** As written: what is wrong with a value is told at its field, not here. */
  seed?: string;
  steps?: string;
  window?: number;
  sink?: number;
  cacheBits?: CacheBits;
  loop?: boolean;
  draft?: boolean;
  seconds?: number;
  size?: { width: number; height: number };
  /** Name of a folder in models/. */
  model?: string;
  /** Go on with the clip that was interrupted last. */
  resume?: boolean;
  /** Start at once, as soon as the model is ready. */
  auto: boolean;
}

/** Reads location.hash; null when it holds no settings. */
export function readFragment(hash: string): Wish | null {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const text = (name: string) => fields.get(name) ?? undefined;
  const number = (name: string) => (fields.has(name) ? Number(fields.get(name) || NaN) : undefined);
  const [width, height] = [number('width'), number('height')];
  const model = text('model');
  const wish: Wish = {
    prompt: text('prompt'),
    seed: text('seed'),
    steps: text('steps'),
    window: number('window'),
    sink: number('sink'),
    cacheBits: ([8, 16] as const).find((bits) => bits === number('cacheBits')),
    seconds: number('seconds'),
    size: width === undefined || height === undefined ? undefined : { width, height },
    // A model is a folder of this page, never an address.
    model: model && /^[\w-][\w.-]*$/.test(model) ? model : undefined,
    resume: fields.get('resume') === '1' || undefined,
    loop: fields.get('loop') === '1' || undefined,
    draft: fields.get('draft') === '1' || undefined,
    auto: fields.get('auto') === '1',
  };
  return Object.values(wish).some((value) => value !== undefined && value !== false) ? wish : null;
}

/**
 * What `readFragment` reads as the settings of a clip: words, seed, length, size, steps, and what it sees. Not the picture or
 * clip that it was made of, which no address could hold.
 * @param folder name of the model's folder in models/
 */
export function writeFragment(recipe: Recipe, folder: string): string {
  const { prompt, seed, seconds, width, height, steps, window, sink, cacheBits, loop } = recipe;
  const fields = { prompt, seed, seconds, width, height, steps, window, sink, cacheBits, loop: loop ? 1 : undefined, model: folder === 'pocket' ? undefined : folder }; // prettier-ignore
  const told = Object.entries(fields).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return `#${new URLSearchParams(told)}`;
}

/** `?backend=webgpu|cpu` in the address: what to compute with. Anything else leaves the choice to the engine. */
export function readBackend(search: string): 'auto' | BackendKind {
  const wish = new URLSearchParams(search).get('backend');
  return wish === 'webgpu' || wish === 'cpu' ? wish : 'auto';
}
