/**
 * Scales that a checkpoint keeps beside its 8-bit tensors, as ComfyUI writes them: value = stored · scale
 * [comfyanonymous/ComfyUI `comfy/ops.py` `scaled_fp8_ops`, `comfy/quant_ops.py`].
 *
 * | beside `x.weight`                      | meaning                                                     |
 * |----------------------------------------|-------------------------------------------------------------|
 * | `x.scale_weight`, `x.weight_scale`     | one for the tensor, or one for each row; mostly f32         |
 * | `x.scale_input`, `x.input_scale`       | of activations, for matrix units that multiply in 8 bit     |
 * | `x.comfy_quant`                        | JSON with the format's name, as bytes                       |
 * | `scaled_fp8` (at the top)              | a mark without data                                         |
 */
import { toF32 } from './convert';
import { countElements, type FileDType } from './dtypes';
import { damaged, type TensorInfo, type WeightFile } from './source';

const SCALE = /(^|\.)(scale_weight|weight_scale)$/;
const UNUSED = /(^|\.)(scale_input|input_scale|comfy_quant|scaled_fp8)$/;
const MARK = /(^|\.)scaled_fp8$/;
/** Of scales: each file has its own. */
const SCALE_TYPES: readonly FileDType[] = ['F32', 'F16', 'BF16', 'F64'];
const FORMATS = ['float8_e4m3fn', 'float8_e5m2'];

/** The tensor that a scale or a note of ComfyUI's belongs to; '' for a mark of the whole file; null for any other tensor. */
export function servedBy(name: string): string | null {
  if (SCALE.test(name)) return name.replace(SCALE, '$1weight');
  if (!UNUSED.test(name)) return null;
  return name.includes('.') ? name.replace(UNUSED, '$1weight') : '';
}

/**
 * The same file with each scale at its tensor, as `scale`; tensors that only serve others are no longer listed.
 * @throws KinoraError `bad-model` for a scale that belongs to nothing (`why` is "scales", `tensor` what it should belong
 *   to), is no scale, or is missed
 */
export async function withScales(file: WeightFile): Promise<WeightFile> {
  if (![...file.tensors.keys()].some((name) => SCALE.test(name) || UNUSED.test(name))) return file;
  const tensors = new Map([...file.tensors].filter(([name]) => !SCALE.test(name) && !UNUSED.test(name)));
  for (const info of file.tensors.values()) {
    if (info.name.endsWith('comfy_quant')) await checkFormat(file, info);
    if (!SCALE.test(info.name)) continue;
    const name = info.name.replace(SCALE, '$1weight');
    const weight = tensors.get(name);
    if (!weight) throw damaged(file.name, `"${info.name}" is the scale of "${name}", which is missing.`, { tensor: name, why: 'scales' }); // prettier-ignore
    if (!SCALE_TYPES.includes(info.dtype))
      throw damaged(file.name, `the scale "${info.name}" is ${info.dtype}; Kinora reads scales of ${SCALE_TYPES.join(', ')}.`, { tensor: name, dtype: info.dtype }); // prettier-ignore
    const values = countElements(info.shape);
    if (values !== 1 && values !== weight.shape[0])
      throw damaged(file.name, `the scale "${info.name}" has shape [${info.shape}], but "${name}" has [${weight.shape}]: one value, or one for each row, can be.`, { tensor: name }); // prettier-ignore
    tensors.set(name, { ...weight, scale: info });
  }
  checkNoneLacking(file, tensors);
  return { ...file, tensors };
}

/** Whether a tensor would be other numbers without a scale, if it had one. */
export const isUnscaled = ({ dtype, shape, scale }: TensorInfo): boolean =>
  /^(F8_|I8$)/.test(dtype) && shape.length > 1 && !scale;
/** Of a layer: tensors of one name in all of them are stored alike. */
const LAYER = /(^|\.)(blocks?|blk)\.\d+\./;

/**
 * Unscaled 8 bits are weights of many files, so a scale is missed only where it should be: where the same tensor of another
 * layer has one, or the file is marked as scaled and has none at all.
 */
function checkNoneLacking(file: WeightFile, tensors: ReadonlyMap<string, TensorInfo>): void {
  const all = [...tensors.values()];
  const kind = ({ name }: TensorInfo) => name.replace(LAYER, '$1$2.*.');
  const scaled = new Set(all.filter(({ scale }) => scale).map(kind));
  const marked = scaled.size === 0 && [...file.tensors.keys()].some((name) => MARK.test(name));
  const lacking = all.filter((info) => isUnscaled(info) && (marked || scaled.has(kind(info))));
  if (lacking.length === 0) return;
  const names = lacking.slice(0, 6).map(({ name }) => name).join(', '); // prettier-ignore
  const why = marked ? 'it is marked as scaled' : 'the same tensors of other layers have them';
  throw damaged(file.name, `${lacking.length} of its 8-bit tensors have no scales, but ${why}: ${names}${lacking.length > 6 ? ', …' : ''}. Without them these are other numbers. Take the whole file again; of one in several parts open all, and an index that names them all.`, { tensor: lacking[0]!.name }); // prettier-ignore
}

async function checkFormat(file: WeightFile, info: TensorInfo): Promise<void> {
  if (info.bytes > 4096)
    throw damaged(file.name, `"${info.name}" has ${info.bytes} bytes, at most 4096 can be.`);
  let format: unknown;
  try {
    format = (JSON.parse(new TextDecoder().decode(await file.read(info.name))) as { format?: unknown })
      .format;
  } catch {
    throw damaged(file.name, `"${info.name}" is not JSON.`, { tensor: info.name });
  }
  if (!FORMATS.includes(format as string))
    throw damaged(file.name, `"${info.name}" says ${JSON.stringify(format)}; Kinora reads ${FORMATS.join(' and ')}. Take the fp8, fp16 or GGUF file of this model.`, { tensor: info.name }); // prettier-ignore
}

/**
 * The scale of a tensor: one value, or one for each row; null when it has none.
 * @throws KinoraError `bad-model` for one that is no number
 */
export async function readScale(file: WeightFile, info: TensorInfo): Promise<Float32Array | null> {
  if (!info.scale) return null;
  // The listed tensors have no scales among them, but the file still reads them by name.
  const { name } = info.scale;
  const values = toF32(info.scale, await file.read(name), file.name);
  if (!values.every(Number.isFinite))
    throw damaged(file.name, `the scale "${name}" is not finite.`, { tensor: info.name });
  return values;
}
