/**
 * LoRAs: small differences W + strength · (alpha / r) · B·A, merged into the transformer's weights while it is loaded.
 *
 * | style            | sample                                                                              |
 * |------------------|-------------------------------------------------------------------------------------|
 * | kohya, musubi    | `lora_unet_blocks_0_self_attn_q.lora_down.weight`, `.lora_up.weight`, `.alpha`      |
 * | ComfyUI, Kijai   | `diffusion_model.blocks.0.self_attn.q.lora_A.weight`, `.diff`, `.diff_b`            |
 * | diffusers        | `transformer.blocks.0.attn1.to_q.lora_A.weight`                                     |
 * | LongLive (PEFT)  | `generator_lora.base_model.model.model.blocks.0.self_attn.q.lora_A.default.weight`  |
 *
 * [huggingface/diffusers `loaders/lora_conversion_utils.py`, kohya-ss/musubi-tuner, NVlabs/LongLive]
 */
import { KinoraError } from '../errors';
import { toF32 } from '../weights/convert';
import type { TensorInfo, WeightFile } from '../weights/source';
import type { Patch } from '../weights/upload';
import { ourName } from './names';
import type { Shapes } from './tensors';

type Part = 'down' | 'up' | 'alpha' | 'diff';
type Parts = Partial<Record<Part, TensorInfo>>;

export interface Lora {
  readonly file: WeightFile;
  readonly strength: number;
  /** By our tensor names. */
  readonly parts: ReadonlyMap<string, Parts>;
}

const SUFFIXES: readonly (readonly [RegExp, Part, 'weight' | 'bias'])[] = [
  [/\.(lora_A|lora_down)(\.\w+)?\.weight$/, 'down', 'weight'],
  [/\.(lora_B|lora_up)(\.\w+)?\.weight$/, 'up', 'weight'],
  [/\.alpha$/, 'alpha', 'weight'],
  [/\.diff$/, 'diff', 'weight'],
  [/\.(diff_b|lora_B(\.\w+)?\.bias)$/, 'diff', 'bias'],
];
const PREFIXES = /^(state_dict\.|generator_lora\.|base_model\.model\.|lora_unet_|lora_transformer_)/;

/**
 * Reads what a LoRA changes; its numbers are read when their tensor is loaded.
 * @param shapes of the transformer
 * @throws KinoraError `bad-model` listing what belongs to no tensor, lacks its other half or has another shape
 */
export function readLora(file: WeightFile, shapes: Shapes, strength: number): Lora {
  const flat = flattened(shapes);
  const parts = new Map<string, Parts>();
  const unknown: string[] = [];
  for (const info of file.tensors.values()) {
    const suffix = SUFFIXES.find(([pattern]) => pattern.test(info.name));
    const name = suffix && target(info.name.replace(suffix[0], ''), suffix[2], flat);
    if (!name || !shapes.has(name)) {
      unknown.push(info.name);
      continue;
    }
    const entry = parts.get(name) ?? {};
    if (entry[suffix[1]])
      throw bad(file, `"${entry[suffix[1]]!.name}" and "${info.name}" both change the tensor "${name}".`);
    entry[suffix[1]] = info;
    parts.set(name, entry);
  }
  if (unknown.length)
    throw bad(
      file,
      `it changes what this model does not have: ${some(unknown)}. Take the LoRA of this very model.`,
    );
  if (parts.size === 0) throw bad(file, 'it is no LoRA: it holds no tensors.');
  const odd = [...parts].filter(([name, entry]) => !fits(entry, shapes.get(name)!)).map(([name]) => name);
  if (odd.length) throw bad(file, `its matrices do not fit the model’s: ${some(odd)}.`);
  return { file, strength, parts };
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
function target(module: string, kind: 'weight' | 'bias', flat: ReadonlyMap<string, string>): string | null {
  let rest = module;
  while (PREFIXES.test(rest)) rest = rest.replace(PREFIXES, '');
  const known = flat.get(rest);
  return known ? `${known}.${kind}` : ourName('wan-transformer', `${rest}.${kind}`);
}

function fits({ down, up, alpha, diff }: Parts, shape: readonly number[]): boolean {
  const count = (s: readonly number[]) => s.reduce((a, b) => a * b, 1);
  if (diff && count(diff.shape) !== count(shape)) return false;
  if (!down && !up) return diff !== undefined && !alpha;
  if (!down || !up || (alpha && count(alpha.shape) !== 1)) return false;
  const [rank, out] = [down.shape[0]!, shape[0]!];
  return (
    rank > 0 &&
    up.shape[0] === out &&
    count(up.shape) === out * rank &&
    count(down.shape) === (rank * count(shape)) / out
  );
}

/** What these LoRAs add to a tensor; null when nothing. For `uploadWeights`. */
export async function patchOf(
  loras: readonly Lora[],
  name: string,
  shape: readonly number[],
): Promise<Patch | null> {
  const patches: Patch[] = [];
  for (const lora of loras) {
    const parts = lora.parts.get(name);
    if (parts) patches.push(await makePatch(lora, parts, shape));
  }
  if (patches.length === 0) return null;
  return (values, first) => patches.forEach((patch) => patch(values, first));
}

async function makePatch({ file, strength }: Lora, parts: Parts, shape: readonly number[]): Promise<Patch> {
  const values = async (info: TensorInfo | undefined) =>
    info ? toF32(info, await file.read(info.name), file.name) : null;
  const [down, up, alpha, diff] = await Promise.all(
    [parts.down, parts.up, parts.alpha, parts.diff].map(values),
  );
  const columns = shape.slice(1).reduce((a, b) => a * b, 1);
  const rank = parts.down?.shape[0] ?? 1;
  const scale = strength * (alpha ? alpha[0]! / rank : 1);
  const row = new Float64Array(columns);
  return (into, first) => {
    if (diff) for (let i = 0; i < into.length; i++) into[i]! += strength * diff[first + i]!;
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
      for (let k = 0; k < count; k++) into[at + k]! += row[k]!;
      at += count;
    }
  };
}

/** Whether these are the tensors of a LoRA: most of them change others. */
export function isLora(names: readonly string[]): boolean {
  const found = names.filter((name) => SUFFIXES.some(([pattern]) => pattern.test(name)));
  return found.length > 0 && found.length >= names.length / 2;
}
