import { expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { readModelManifest, toModelInfo } from '../../src/weights/manifest';
import { manifest } from './model';

test('takes a complete model.json', () => {
  const m = readModelManifest(JSON.parse(JSON.stringify(manifest())));
  expect(m).toEqual(manifest());
  expect(toModelInfo(m)).toEqual({
    id: 'pocket',
    name: 'Kinora Pocket',
    edition: '1',
    fps: 16,
    sizes: [{ width: 96, height: 64 }],
    seconds: { default: 2, max: 5 },
    timesteps: [1000, 750, 500, 250],
    sight: { block: 3, window: 9, sink: 0 },
    prompts: { en: ['a red boat'], zh: ['红船'] },
    bytes: m.files.reduce((n, f) => n + f.bytes, 0),
  });
});

test('what guides a model is told to the page', () => {
  const m = manifest();
  m.sampler.guidance = { scale: 5, negative_prompt: 'blurry' };
  expect(toModelInfo(readModelManifest(m)).guidance).toEqual({
    scale: 5,
    negative: 'blurry',
    shift: m.sampler.shift,
  });
});

/** Sets (or with undefined removes) what stands at a dotted path. */
function put(target: unknown, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  const parent = keys.reduce((o, key) => (o as Record<string, unknown>)[key], target) as Record<
    string,
    unknown
  >;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
}

const good = manifest();
// prettier-ignore
const BROKEN: [message: string, path: string, value: unknown][] = [
  ['format must be "kinora-model/1", but is "kinora-model/2"', 'format', 'kinora-model/2'],
  ['format must be text, but is missing', 'format', undefined],
  ['id must be text, but is 7', 'id', 7],
  ['fps must be a number from 1 to 120, but is 0', 'fps', 0],
  ['sizes must have 1 to 10000 entries, but has 0', 'sizes', []],
  ['sizes[0] must be multiples of 8×8, but is 90×64', 'sizes.0.width', 90],
  ['sizes[0].width must be a whole number, but is 96.5', 'sizes.0.width', 96.5],
  ['seconds.default must be a number from 0.1 to 5, but is 6', 'seconds.default', 6],
  ['latent.mean must have 16 entries, but has 15', 'latent.mean', Array(15).fill(0)],
  ['latent.std[3] must be a number from 0.000001 to Infinity, but is 0', 'latent.std.3', 0],
  ['latent.std[0] must be a number from 0.000001 to Infinity, but is null', 'latent.std.0', null],
  ['latent.stride must have 3 entries, but has 2', 'latent.stride', [4, 8]],
  ['details[0][1] must be a number from 0 to 16777216, but is -1', 'details', [[1, -1]]],
  ['preview.matrix must have 16 entries, but has 17', 'preview.matrix.16', [1, 2, 3]],
  ['preview.matrix[2] must have 3 entries, but has 4', 'preview.matrix.2.3', 0],
  ['sampler.kind must be "renoise" or "euler" or "flow-match" or "unipc", but is "ddim"', 'sampler.kind', 'ddim'],
  ['sampler.timesteps must fall, but 500 is followed by 500', 'sampler.timesteps', [1000, 500, 500]],
  ['sampler.timesteps[0] must be a number from 5e-324 to 1000, but is 1001', 'sampler.timesteps', [1001]],
  ['sampler.guidance.scale must be a number from 1 to 100, but is 0', 'sampler.guidance', { scale: 0, negative_prompt: '' }],
  ['sampler.guidance.negative_prompt must be text of at most 5000 characters, but is missing', 'sampler.guidance', { scale: 5 }],
  ['sampler.window must be a number from 3 to 65536, but is 2', 'sampler.window', 2],
  ['sampler.sink must be a number from 0 to 6, but is 7', 'sampler.sink', 7],
  ['sampler.cache_bits must be 8 or 16, but is 4', 'sampler.cache_bits', 4],
  ['components.transformer must be an object, but is missing', 'components.transformer', undefined],
  ['components.text_encoder.network must be "umt5", but is "t5"', 'components.text_encoder.network', 't5'],
  ['components.autoencoder.file names "x.gguf", which "files" does not list', 'components.autoencoder.file', 'x.gguf'],
  ['components.transformer.config must be an object, but is [1]', 'components.transformer.config', [1]],
  ['files names "tokenizer.json" twice', 'files.4', good.files[0]],
  ['files[0].sha256 must be 64 hex digits, but is "ABC"', 'files.0.sha256', 'ABC'],
  ['files[0].bytes must be a number from 1 to', 'files.0.bytes', -1],
  ["files[0].path must be a path inside the model's folder, but is \"../x\"", 'files.0.path', '../x'],
  ['but is "/etc/passwd"', 'files.0.path', '/etc/passwd'],
  ['but is "https://x.example/y"', 'files.0.path', 'https://x.example/y'],
  ['but is "a\\b"', 'files.0.path', 'a\\b'],
  ['prompts.en must be a list, but is "x"', 'prompts.en', 'x'],
  ['vocabulary must be a path', 'vocabulary', './v'],
];

test.each(BROKEN)('refuses: %s', (message, path, value) => {
  const m = structuredClone(good);
  put(m, path, value);
  let error: unknown;
  try {
    readModelManifest(m);
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(KinoraError);
  expect((error as KinoraError).code).toBe('bad-model');
  expect((error as KinoraError).message).toContain('model.json: ');
  expect((error as KinoraError).message).toContain(message);
});

test.each([null, [], 'text', 5])('refuses %j', (json) => {
  expect(() => readModelManifest(json)).toThrow('model.json: the file must be an object');
});

const ONNX = {
  text_encoder: 'onnx/t.onnx',
  transformer: 'onnx/d.onnx',
  decoder: 'onnx/v.onnx',
  files: ['t', 'd', 'v'].map((n) => ({ path: `onnx/${n}.onnx`, bytes: 9, sha256: 'a'.repeat(64) })),
};

test('the ONNX export has files of its own, which do not count as the model’s', () => {
  const m = readModelManifest({ ...manifest(), onnx: ONNX });
  expect(m.onnx).toEqual(ONNX);
  expect(toModelInfo(m).bytes).toBe(toModelInfo(manifest()).bytes);
  const encoder = { ...ONNX.files[0]!, path: 'onnx/e.onnx' };
  const both = { ...ONNX, encoder: 'onnx/e.onnx', files: [...ONNX.files, encoder] };
  expect(readModelManifest({ ...manifest(), onnx: both }).onnx).toEqual(both);
});

test.each([
  ['onnx.encoder names "e", which "onnx.files" does not list', { ...ONNX, encoder: 'e' }],
  ['onnx.decoder names "x.onnx", which "onnx.files" does not list', { ...ONNX, decoder: 'x.onnx' }],
  ['onnx.transformer must be text, but is missing', { ...ONNX, transformer: undefined }],
  ['onnx.files must have 1 to 10000 entries, but has 0', { ...ONNX, files: [] }],
  [
    'onnx.files names "tokenizer.json" twice',
    { ...ONNX, files: [{ ...ONNX.files[0], path: 'tokenizer.json' }] },
  ],
  ['onnx must be an object, but is 7', 7],
])('refuses an ONNX export: %s', (message, onnx) => {
  expect(() => readModelManifest({ ...manifest(), onnx })).toThrow(message);
});
