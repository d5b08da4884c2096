import { expect, test } from 'vitest';
import { buildOnnxModel } from '../../src/onnx/model';
import type { ModelFiles } from '../../src/weights/store';
import { manifest } from '../weights/model';

const filesOf = (onnx: ModelFiles['manifest']['onnx']): ModelFiles => ({
  manifest: { ...manifest(), ...(onnx && { onnx }) },
  persisted: true,
  problem: null,
  offline: false,
  source: () => expect.unreachable('nothing is read'),
  json: async () => ({ model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 0 } }),
});

test('a model without an ONNX export is refused, by name', async () => {
  await expect(buildOnnxModel(filesOf(undefined), () => {})).rejects.toMatchObject({
    code: 'bad-model',
    message: expect.stringContaining('Kinora Pocket has no ONNX export'),
  });
});

test('a tokenizer that is none is refused before a session is opened', async () => {
  const files = { files: [], text_encoder: 't', transformer: 'd', decoder: 'v' };
  const error = { code: 'bad-model', message: expect.stringContaining('tokenizer.json') };
  await expect(buildOnnxModel(filesOf(files), () => {})).rejects.toMatchObject(error);
});
