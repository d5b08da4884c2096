/**
 * LoRAs: small differences W + strength · (alpha / r) · B·A, merged into the transformer's weights while it is loaded. Alpha
 * is a tensor beside the matrices, or stands in the notes of the file (lora-notes.ts); without either it is r.
 *
 * | style            | sample                                                                              |
 * |------------------|-------------------------------------------------------------------------------------|
 * | kohya, musubi    | `lora_unet_blocks_0_self_attn_q.lora_down.weight`, `.lora_up.weight`, `.alpha`      |
 * | ComfyUI, Kijai   | `diffusion_model.blocks.0.self_attn.q.lora_A.weight`, `.diff`, `.diff_b`            |
 * | diffusers        | `transformer.blocks.0.attn1.to_q.lora_A.weight`                                     |
 * | older diffusers  | `transformer.blocks.0.attn1.to_q.lora.down.weight`, `.lora.up.weight`, `.alpha`     |
 * | LongLive (PEFT)  | `generator_lora.base_model.model.model.blocks.0.self_attn.q.lora_A.default.weight`  |
 * | LightX2V         | ComfyUI's, and `diffusion_model.blocks.0.diff_m`, the difference of a modulation    |
 *
 * [huggingface/diffusers `loaders/lora_conversion_utils.py`, kohya-ss/musubi-tuner, NVlabs/LongLive,
 * modelscope/DiffSynth-Studio `LightX2VLoRALoader`]
 */
import { KinoraError } from '../errors';
import { toF32, toNumber } from '../weights/convert';
import { readScale } from '../weights/scaled';
import type { TensorInfo, WeightFile } from '../weights/source';
import type { Patch } from '../weights/upload';
import { readNotes, type LoraNotes } from './lora-notes';
import { isOfTraining, ourName } from './names';
import type { Shapes } from './tensors';

/** `upBias` is B's own bias, which PEFT multiplies by alpha / r as it does B·A; a `diff` stands for itself. */
type Part = 'down' | 'up' | 'alpha' | 'diff' | 'upBias';
type Parts = Partial<Record<Part, TensorInfo>>;

export interface Lora {
  readonly file: WeightFile;
  readonly strength: number;
  /** By our tensor names. */
  readonly parts: ReadonlyMap<string, Parts>;
  readonly notes: LoraNotes | null;
}

const SUFFIXES: readonly (readonly [RegExp, Part, 'weight' | 'bias' | 'modulation'])[] = [
  [/\.(lora_A|lora_down|lora\.down)(\.\w+)?\.weight$/, 'down', 'weight'],
  [/\.(lora_B|lora_up|lora\.up)(\.\w+)?\.weight$/, 'up', 'weight'],
  [/\.alpha$/, 'alpha', 'weight'],
  [/\.diff$/, 'diff', 'weight'],
  [/\.diff_b$/, 'diff', 'bias'],
  [/\.diff_m$/, 'diff', 'modulation'],
  [/\.(lora_B|lora_up|lora\.up)(\.\w+)?\.bias$/, 'upBias', 'bias'],
];
/** Of DoRA, which scales each row of W + B·A to a length of its own: kohya's name, and PEFT's. */
const DORA = /\.(dora_scale|lora_magnitude_vector(\.\w+)*)$/;
const MOST_F32 = 3.4028234663852886e38;
const PREFIXES = /^(state_dict\.|generator_lora\.|base_model\.model\.|lora_unet_|lora_transformer_)/;

/**
 * Reads what a LoRA changes; its numbers are read when their tensor is loaded. What its training kept beside it
 * (LongLive's: the LoRA of its critic, and the step) is not looked at.
 * @param shapes of the transformer
 * @throws KinoraError `bad-model` for a DoRA, for numbers of a type that is no weight's, and listing what belongs to no
 *   tensor, lacks its other half or has another shape
 */
export function readLora(file: WeightFile, shapes: Shapes, strength: number): Lora {
  const flat = flattened(shapes);
  const parts = new Map<string, Parts>();
  const unknown: string[] = [];
  const notes = readNotes(file, (problem) => bad(file, problem));
  const infos = [...file.tensors.values()].filter(({ name }) => !isOfTraining(name));
  const dora = infos.find(({ name }) => DORA.test(name))?.name;
  if (notes?.dora || dora)
    throw new KinoraError('bad-model', `${file.name}: it is a DoRA${dora ? ` (it has "${dora}")` : ''}: what it makes of a weight depends on the whole weight, and Kinora merges plain LoRAs only. Take a plain LoRA, or merge it into the model with the program that made it.`, { file: file.name, why: 'dora' }); // prettier-ignore
  for (const info of infos) {
    const suffix = SUFFIXES.find(([pattern]) => pattern.test(info.name));
    const name = suffix && target(info.name.replace(suffix[0], ''), suffix[2], flat);
    if (!name || !shapes.has(name)) {
      unknown.push(info.name);
      continue;
    }
    const entry = parts.get(name) ?? {};
    checkType(file, info, suffix[1]);
    if (entry[suffix[1]])
      throw bad(file, `"${entry[suffix[1]]!.name}" and "${info.name}" both change the tensor "${name}".`);
    entry[suffix[1]] = info;
    parts.set(name, entry);
  }
  if (unknown.length)
    throw bad(
      file,
      `it changes what this model does not have: ${some(unknown)}. Take a LoRA of this very model, with names as kohya, ComfyUI, diffusers or PEFT write them.`,
    );
  if (parts.size === 0)
    throw bad(file, `it is no LoRA of the model: it holds no tensors${file.tensors.size ? ' but those of its training' : ''}.`); // prettier-ignore
  const odd = [...parts].filter(([name, entry]) => !fits(entry, shapes.get(name)!)).map(([name]) => name);
  if (odd.length) throw bad(file, `its matrices do not fit the model’s: ${some(odd)}.`);
  const alone = [...parts].filter(([name, entry]) => entry.upBias && !parts.get(weightOf(name))?.down);
  if (alone.length)
    throw bad(file, `these have a bias, but no matrices: ${some(alone.map(([, { upBias }]) => upBias!.name))}. The file is cut short.`); // prettier-ignore
  return { file, strength, parts, notes };
}

const weightOf = (bias: string) => bias.replace(/\.bias$/, '.weight');

/** Whole numbers are no weights, but an alpha may be one. */
function checkType(file: WeightFile, info: TensorInfo, part: Part): void {
  const none = new Uint8Array();
  if (part === 'alpha') toNumber(info, none, file.name);
  else toF32(info, none, file.name);
}

const some = (names: readonly string[]) =>
  names.slice(0, 6).join(', ') + (names.length > 6 ? ` and ${names.length - 6} more` : '');

function bad(file: WeightFile, problem: string): KinoraError {
  return new KinoraError('bad-model', `${file.name}: ${problem}`, { file: file.name });
}

/** kohya writes dots as underscores: every name of ours and of the original so written, and what it stands for. */
function flattened(shapes: Shapes): Map<string, string> {
  const flat = new Map<string, string>();
  const back: [RegExp, string][] = [
    [/\.attn1\.to_out\.0$/, '.self_attn.o'],
    [/\.attn2\.to_out\.0$/, '.cross_attn.o'],
    [/\.attn1\.to_([qkv])$/, '.self_attn.$1'],
    [/\.attn2\.to_([qkv])$/, '.cross_attn.$1'],
    [/\.attn1\./, '.self_attn.'],
    [/\.attn2\./, '.cross_attn.'],
    [/\.ffn\.net\.0\.proj$/, '.ffn.0'],
    [/\.ffn\.net\.2$/, '.ffn.2'],
    [/^(blocks\.\d+)\.norm2$/, '$1.norm3'],
    [/^proj_out$/, 'head.head'],
    [/^condition_embedder\.time_proj$/, 'time_projection.1'],
    [/^condition_embedder\.(time|text)_embedder\.linear_1$/, '$1_embedding.0'],
    [/^condition_embedder\.(time|text)_embedder\.linear_2$/, '$1_embedding.2'],
  ];
  for (const name of shapes.keys()) {
    const module = name.replace(/\.(weight|bias)$/, '');
    let original = module;
    for (const [pattern, to] of back) original = original.replace(pattern, to);
    for (const style of [module, original]) flat.set(style.replaceAll('.', '_'), module);
  }
  return flat;
}

/** Our name of the tensor that a module's part changes. */
function target(
  module: string,
  kind: 'weight' | 'bias' | 'modulation',
  flat: ReadonlyMap<string, string>,
): string | null {
  let rest = module;
  while (PREFIXES.test(rest)) rest = rest.replace(PREFIXES, '');
  const known = flat.get(rest);
  return known ? `${known}.${kind}` : ourName('wan-transformer', `${rest}.${kind}`);
}

function fits({ down, up, alpha, diff, upBias }: Parts, shape: readonly number[]): boolean {
  const count = (s: readonly number[]) => s.reduce((a, b) => a * b, 1);
  for (const whole of [diff, upBias]) if (whole && count(whole.shape) !== count(shape)) return false;
  if (!down && !up) return (diff ?? upBias) !== undefined && !alpha;
  if (!down || !up || (alpha && count(alpha.shape) !== 1)) return false;
  const [rank, out] = [down.shape[0]!, shape[0]!];
  return (
    rank > 0 &&
    up.shape[0] === out &&
    count(up.shape) === out * rank &&
    count(down.shape) === (rank * count(shape)) / out
  );
}

/** Whether one of these LoRAs changes a tensor: whether `patchOf` has something for it. */
export const changes = (loras: readonly Lora[], name: string): boolean =>
  loras.some(({ parts }) => parts.has(name));

/**
 * What these LoRAs add to a tensor; null when nothing. For `uploadWeights`.
 * @throws KinoraError `bad-model`, as the patch does, for values that are no numbers, or too large
 */
export async function patchOf(
  loras: readonly Lora[],
  name: string,
  shape: readonly number[],
): Promise<Patch | null> {
  if (!changes(loras, name)) return null;
  const patches: Patch[] = [];
  for (const lora of loras) {
    if (lora.parts.has(name)) patches.push(await makePatch(lora, name, shape));
  }
  return (values, first) => patches.forEach((patch) => patch(values, first));
}

async function makePatch(lora: Lora, name: string, shape: readonly number[]): Promise<Patch> {
  const { file, strength } = lora;
  const parts = lora.parts.get(name)!;
  const [down, up, ...whole] = await Promise.all(
    [parts.down, parts.up, parts.diff, parts.upBias].map((info) => info && valuesOf(file, info)),
  );
  const scale = strength * (await scaleOf(lora, name));
  const columns = shape.slice(1).reduce((a, b) => a * b, 1);
  const rank = parts.down?.shape[0] ?? 1;
  const row = new Float64Array(columns);
  const add = (into: Float32Array, at: number, change: number) => {
    if (!(Math.abs(change) <= MOST_F32))
      throw bad(file, `it changes "${name}" by more than a number can hold (${change}). The file is damaged, or not meant for this model.`); // prettier-ignore
    into[at]! += change;
  };
  return (into, first) => {
    whole.forEach((change, part) => {
      if (!change) return;
      const times = part === 0 ? strength : scale;
      for (let i = 0; i < into.length; i++) add(into, i, times * change[first + i]!);
    });
    if (!down || !up) return;
    // Row by row: into[n, :] += scale · Σ_r up[n, r] · down[r, :]
    for (let at = 0; at < into.length;) {
      const n = Math.floor((first + at) / columns);
      const begin = (first + at) % columns;
      const count = Math.min(columns - begin, into.length - at);
      row.fill(0, 0, count);
      for (let r = 0; r < rank; r++) {
        const factor = scale * up[n * rank + r]!;
        if (factor === 0) continue;
        const from = r * columns + begin;
        for (let k = 0; k < count; k++) row[k]! += factor * down[from + k]!;
      }
      for (let k = 0; k < count; k++) add(into, at + k, row[k]!);
      at += count;
    }
  };
}

/** A matrix of a LoRA, whole: floats, with the scales of a file of 8 bits. */
async function valuesOf(file: WeightFile, info: TensorInfo): Promise<Float32Array> {
  const values = toF32(info, await file.read(info.name), file.name);
  const scale = await readScale(file, info);
  const row = scale && values.length / scale.length;
  for (let i = 0; i < values.length; i++) {
    if (scale) values[i]! *= scale[Math.floor(i / row!)]!;
    if (!Number.isFinite(values[i]))
      throw bad(file, `"${info.name}" has values that are no numbers (${values[i]}). The file is damaged, or its training failed: take another.`); // prettier-ignore
  }
  return values;
}

/** Alpha / r of a tensor: by the alpha beside its matrices, else by the file's notes, else 1. A bias has its weight's. */
async function scaleOf({ file, parts, notes }: Lora, name: string): Promise<number> {
  const weight = weightOf(name);
  const { down, alpha } = parts.get(weight) ?? {};
  if (!down) return 1;
  const rank = down.shape[0]!;
  if (!alpha) return notes?.scale(weight.replace(/\.weight$/, ''), rank) ?? 1;
  const value = toNumber(alpha, await file.read(alpha.name), file.name);
  if (!Number.isFinite(value))
    throw bad(file, `"${alpha.name}" is no number (${value}). The file is damaged: take another.`);
  return value / rank;
}

/** Whether these are the tensors of a LoRA: most of them change others. */
export function isLora(names: readonly string[]): boolean {
  const found = names.filter((name) => SUFFIXES.some(([pattern]) => pattern.test(name)));
  return found.length > 0 && found.length >= names.length / 2;
}
