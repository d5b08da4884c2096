/** A tiny model that training's own export wrote (tests/onnx/tiny_pocket.py), open on the CPU backend. Only in a browser. */
import { buildOnnxModel } from '../../src/onnx/model';
import type { Model } from '../../src/pipeline/backend';
import { fromBytes } from '../../src/weights/source';
import type { ModelFiles } from '../../src/weights/store';
import { readGolden } from './fixtures';
import { randomManifest } from './random-manifest';

type Onnx = NonNullable<ModelFiles['manifest']['onnx']>;
/** Among the goldens. */
export const FOLDER = 'tiny-onnx';
/** As few pieces as a Unigram tokenizer can have. */
const TOKENIZER = {
  version: '1.0',
  normalizer: null,
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  post_processor: null,
  decoder: null,
  added_tokens: [],
  model: { type: 'Unigram', unk_id: 2, vocab: [['<pad>', 0], ['</s>', 0], ['<unk>', -9], ['▁', -3], ['a', -2], ['storm', -4]] }, // prettier-ignore
};

export async function openTiny(
  change: (onnx: Onnx) => Onnx = (onnx) => onnx,
  sampler: Partial<ModelFiles['manifest']['sampler']> = {},
): Promise<Model> {
  const text = new TextDecoder().decode(await readGolden(`${FOLDER}/onnx.json`));
  const onnx = change(JSON.parse(text) as Onnx);
  const bytes = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { path } of onnx.files) bytes.set(path, await readGolden(`${FOLDER}/${path}`));
  const files: ModelFiles = {
    manifest: { ...randomManifest({ sampler }), onnx },
    persisted: false,
    problem: null,
    offline: false,
    source: (path) => fromBytes(path, bytes.get(path)!),
    json: async () => TOKENIZER,
  };
  return buildOnnxModel(files, () => {});
}
