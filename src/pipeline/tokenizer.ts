/** The tokenizer of a model: a tokenizer.json, a spiece.model, or what a text encoder's file carries of one. */
import { ggufToJson, spieceToJson } from '../text/spiece';
import { loadTokenizer, type Tokenizer } from '../text/tokenizer';
import { readWeights } from '../weights/read';
import { damaged, readExactly, type ByteSource } from '../weights/source';

/** UMT5's spiece.model has 4.5 MB, its tokenizer.json 17. */
const MOST = 64 << 20;
/** ComfyUI keeps the spiece.model in its text encoder's file, as bytes. */
const TENSOR = 'spiece_model';

/**
 * @param source .json, .model, or the text encoder: a GGUF with a vocabulary, a safetensors with ComfyUI's tensor
 * @throws KinoraError `bad-model`
 */
export async function openTokenizer(source: ByteSource): Promise<Tokenizer> {
  if (/\.(json|model)$/.test(source.name)) {
    if (source.size > MOST)
      throw damaged(source.name, `it has ${source.size} bytes, at most ${MOST} are read.`);
    const bytes = await readExactly(source, 0, source.size);
    return loadTokenizer(source.name.endsWith('.json') ? parse(source.name, bytes) : spieceToJson(bytes));
  }
  const file = await readWeights(source);
  const tensor = file.tensors.get(TENSOR);
  if (!tensor) return loadTokenizer(ggufToJson(file.metadata));
  if (tensor.bytes > MOST)
    throw damaged(source.name, `"${TENSOR}" has ${tensor.bytes} bytes, at most ${MOST} are read.`);
  return loadTokenizer(spieceToJson(await file.read(TENSOR)));
}

function parse(name: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (e) {
    throw damaged(name, `it is not JSON (${e instanceof Error ? e.message : String(e)}).`);
  }
}
