/**
 * What diffusers notes in a LoRA's header about how strongly it counts: PEFT's `LoraConfig` as JSON, under
 * `lora_adapter_metadata`, each key with `transformer.` before it where a pipeline wrote the file. diffusers computes with
 * it, and so must we: by the matrices alone, r = 2 and alpha = 16 look like a strength of 1, and are one of 8.
 *
 * [huggingface/diffusers `loaders/{lora_base,peft}.py`, huggingface/peft `tuners/lora/layer.py`, `utils/other.py`]
 */
import type { WeightFile } from '../weights/source';

const KEY = 'lora_adapter_metadata';
const PREFIX = 'transformer.';
/** Characters of the notes; PEFT's have a few thousand, some 60 more for each module of its own alpha. */
const MOST = 1 << 20;
/** A name with dots, its beginning or its end marked, as PEFT's patterns of alphas mostly are. */
const PATTERN = /^\^?((?:\w|\\?\.)+)\$?$/;

export interface LoraNotes {
  /** DoRA was trained, whose difference is not B·A alone. */
  readonly dora: boolean;
  /**
   * What B·A is multiplied by.
   * @param module by our names, e.g. `blocks.0.attn1.to_q`
   * @param rank of its matrices
   */
  scale(module: string, rank: number): number;
}

/**
 * The notes of a file; null where it has none, or none about alphas.
 * @throws what `fail` makes of notes that cannot be understood: without them the strength is not known
 */
export function readNotes(file: WeightFile, fail: (problem: string) => Error): LoraNotes | null {
  const text = file.metadata.get(KEY);
  if (typeof text !== 'string' || text === '') return null;
  const notes = parse(text, fail);
  const prefixed = Object.keys(notes).some((key) => key.startsWith(PREFIX));
  const get = (key: string) => notes[prefixed ? PREFIX + key : key];
  const number = (value: unknown, of: string) => {
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw fail(`"${of}" in its notes ("${KEY}") must be a number, but is ${String(JSON.stringify(value)).slice(0, 40)}.`); // prettier-ignore
    return value;
  };
  const dora = get('use_dora') === true;
  if (get('lora_alpha') === undefined) return dora ? { dora, scale: () => 1 } : null;
  const usual = number(get('lora_alpha'), 'lora_alpha');
  const own = readPatterns(get('alpha_pattern') ?? {}, number, fail);
  const root = get('use_rslora') === true;
  return {
    dora,
    scale: (module, rank) => (own(module) ?? usual) / (root ? Math.sqrt(rank) : rank),
  };
}

function parse(text: string, fail: (problem: string) => Error): Record<string, unknown> {
  if (text.length > MOST)
    throw fail(`its notes ("${KEY}") have ${text.length} characters, at most ${MOST} are read.`);
  let notes: unknown;
  try {
    notes = JSON.parse(text);
  } catch {
    // said below
  }
  if (typeof notes !== 'object' || notes === null || Array.isArray(notes))
    throw fail(`its notes ("${KEY}"), which tell how strongly it counts, are not a JSON object.`);
  return notes as Record<string, unknown>;
}

/**
 * Alphas of single modules. PEFT takes each key as a regular expression for the end of a module's name, and the first that
 * fits. Ours are names only: expressions of a stranger's file can be made to run for years.
 */
function readPatterns(
  patterns: unknown,
  number: (value: unknown, of: string) => number,
  fail: (problem: string) => Error,
): (module: string) => number | undefined {
  if (typeof patterns !== 'object' || patterns === null || Array.isArray(patterns))
    throw fail(`"alpha_pattern" in its notes ("${KEY}") is not a JSON object.`);
  const whole = new Map<string, [order: number, alpha: number]>();
  const endings = new Map<string, [order: number, alpha: number]>();
  Object.entries(patterns).forEach(([pattern, value], order) => {
    const name = PATTERN.exec(pattern)?.[1]?.replaceAll('\\', '');
    if (!name)
      throw fail(`its notes ("${KEY}") give the alpha ${String(value).slice(0, 20)} to modules by the expression "${pattern.slice(0, 80)}", and Kinora reads names only. Save it with the names in full, or with alpha = rank.`); // prettier-ignore
    const names = pattern.startsWith('^') ? whole : endings;
    if (!names.has(name)) names.set(name, [order, number(value, pattern.slice(0, 80))]);
  });
  return (module) => {
    let found = whole.get(module);
    for (let at = 0; ; at = module.indexOf('.', at) + 1) {
      const ending = endings.get(module.slice(at));
      if (ending && (!found || ending[0] < found[0])) found = ending;
      if (!module.includes('.', at)) return found?.[1];
    }
  };
}
