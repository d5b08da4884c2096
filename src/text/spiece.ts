/**
 * SentencePiece vocabularies as a tokenizer.json: from a `spiece.model` (or ComfyUI's tensor `spiece_model`, which is
 * that file) and from the metadata of a GGUF text encoder [google/sentencepiece `src/sentencepiece_model.proto`,
 * ggml-org/ggml `docs/gguf.md`, huggingface/transformers `convert_slow_tokenizer.py` for T5].
 *
 * The precompiled character map goes along (charsmap.ts); without one NFKC stands for it.
 */
import { KinoraError } from '../errors';

interface Vocabulary {
  /** In the order of their ids. */
  pieces: { text: string; score: number; type: number }[];
  unknown: number;
  /** The precompiled character map; empty where there is none. */
  charsmap: Uint8Array;
}

/** SentencePiece's kinds of pieces, and ggml's, which are the same. */
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;
/** UMT5 has 256 384. */
const MAX_PIECES = 1 << 20;

const bad = (problem: string) =>
  new KinoraError('bad-model', `The tokenizer’s SentencePiece model ${problem}.`, { file: 'spiece.model' });

/** A spiece.model's bytes → tokenizer.json. Throws `bad-model` when it is damaged or of another kind than Unigram. */
export function spieceToJson(bytes: Uint8Array): object {
  const pieces: Vocabulary['pieces'] = [];
  let unknown = -1;
  let kind = 1;
  let charsmap = new Uint8Array();
  for (const field of fields(bytes)) {
    if (field.number === 1) pieces.push(readPiece(field.bytes()));
    if (field.number === 2)
      for (const inner of fields(field.bytes())) {
        if (inner.number === 3) kind = inner.value();
        if (inner.number === 40) unknown = inner.value();
      }
    if (field.number === 3)
      for (const inner of fields(field.bytes())) if (inner.number === 2) charsmap = inner.bytes().slice();
    if (pieces.length > MAX_PIECES) throw bad(`has more than ${MAX_PIECES} pieces`);
  }
  if (kind !== 1) throw bad(`is of kind ${kind}, not Unigram`);
  return toJson({ pieces, unknown, charsmap });
}

/** A GGUF's metadata → tokenizer.json. Throws `bad-model` when it holds no Unigram vocabulary. */
export function ggufToJson(metadata: ReadonlyMap<string, unknown>): object {
  const get = (name: string) => metadata.get(`tokenizer.ggml.${name}`);
  const [tokens, scores, types] = [get('tokens'), get('scores'), get('token_type')];
  if (!isList(tokens) || !isList(scores) || !isList(types))
    throw bad('is missing: this GGUF has no tokenizer in its metadata. Choose a tokenizer.json beside it');
  if (scores.length !== tokens.length || types.length !== tokens.length)
    throw bad(`has ${tokens.length} tokens, ${scores.length} scores and ${types.length} types`);
  const unknown = get('unknown_token_id');
  if (tokens.length > MAX_PIECES) throw bad(`has more than ${MAX_PIECES} pieces`);
  const pieces = Array.from(tokens, (text, i) => ({
    text: String(text),
    score: Number(scores[i]),
    type: Number(types[i]),
  }));
  const map = get('precompiled_charsmap');
  // Of signed bytes, or of unsigned ones.
  const charsmap = Uint8Array.from(isList(map) ? map : [], Number);
  return toJson({ pieces, unknown: typeof unknown === 'number' ? unknown : -1, charsmap });
}

/** Of texts, or of numbers as the file has them. */
const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

function toJson({ pieces, unknown, charsmap }: Vocabulary): object {
  if (unknown < 0) unknown = pieces.findIndex(({ type }) => type === 2);
  const end = pieces.findIndex(({ text }) => text === '</s>');
  if (pieces.length === 0) throw bad('has no pieces');
  if (unknown < 0 || unknown >= pieces.length) throw bad('names no piece for what is unknown');
  if (end < 0) throw bad('has no piece "</s>"');
  const special = pieces.flatMap(({ text, type }, id) =>
    type === CONTROL || type === USER_DEFINED
      ? [{ id, content: text, single_word: false, lstrip: false, rstrip: false, normalized: false, special: type === CONTROL }] // prettier-ignore
      : [],
  );
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
  const template = [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Precompiled', precompiled_charsmap: toBase64(charsmap) },
        { type: 'Strip', strip_left: false, strip_right: true },
        { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '▁' },
      ],
    },
    pre_tokenizer: metaspace,
    post_processor: {
      type: 'TemplateProcessing',
      single: template,
      pair: template,
      special_tokens: { '</s>': { id: '</s>', ids: [end], tokens: ['</s>'] } },
    },
    decoder: metaspace,
    model: {
      type: 'Unigram',
      unk_id: unknown,
      vocab: pieces.map(({ text, score }) => [text, score]),
      byte_fallback: pieces.some(({ type }) => type === BYTE),
    },
  };
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  // Not too many arguments at once.
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

function readPiece(bytes: Uint8Array): Vocabulary['pieces'][number] {
  const piece = { text: '', score: 0, type: 1 };
  for (const field of fields(bytes)) {
    if (field.number === 1) piece.text = new TextDecoder().decode(field.bytes());
    if (field.number === 2) piece.score = field.float();
    if (field.number === 3) piece.type = field.value();
  }
  return piece;
}

interface Field {
  number: number;
  value(): number;
  float(): number;
  bytes(): Uint8Array;
}

/** The fields of a protobuf message, checked against its end. */
function* fields(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= bytes.length) throw bad('is cut off');
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw bad('is damaged');
  };
  while (at < bytes.length) {
    const tag = varint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    let [start, length, value] = [at, 0, 0];
    if (wire === 0) value = varint();
    else if (wire === 1 || wire === 5) at += length = wire === 1 ? 8 : 4;
    else if (wire === 2) {
      length = varint();
      start = at;
      at += length;
    } else throw bad('is damaged');
    if (at > bytes.length) throw bad('is cut off');
    const wrong = () => bad('is damaged');
    yield {
      number,
      value: () => {
        if (wire !== 0) throw wrong();
        return value;
      },
      float: () => {
        if (wire !== 5) throw wrong();
        return view.getFloat32(start, true);
      },
      bytes: () => {
        if (wire !== 2) throw wrong();
        return bytes.subarray(start, start + length);
      },
    };
  }
}
