/** Names of tensors against diffusers' and gguf-py's own conversions (training/goldens/make_names.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KinoraError } from '../../src/errors';
import { detectNetwork, inferUmt5Config, inferWanConfig } from '../../src/models/infer';
import { isSparse, ourName, type NetworkName } from '../../src/models/names';
import { matchTensors, umt5Shapes, wanShapes, type Shapes } from '../../src/models/tensors';
import { readUmt5Config } from '../../src/models/umt5';
import { readWanConfig } from '../../src/models/wan-config';
import type { WeightFile } from '../../src/weights/source';

type Named = Record<string, Record<string, string>>;
const golden = JSON.parse(readFileSync(join(import.meta.dirname, '../goldens/names.json'), 'utf8')) as {
  names: Named;
  shapes: Record<string, Record<string, number[]>>;
  configs: Record<string, Record<string, unknown>>;
};
const network = (layout: string) => layout.replace('-gguf', '') as NetworkName;

/** A file with these tensors and no bytes. */
function file(shapes: Record<string, readonly number[]>): WeightFile {
  const tensors = Object.entries(shapes).map(([name, shape]) => ({ name, dtype: 'F16', shape, offset: 0, bytes: 0 }) as const); // prettier-ignore
  return {
    name: 'w.safetensors',
    tensors: new Map(tensors.map((t) => [t.name, t])),
    metadata: new Map(),
    read: () => Promise.reject(new Error('no bytes')),
  };
}

/** The golden's tensors under the names of a layout. */
function inLayout(layout: string, prefix = ''): Record<string, number[]> {
  const shapes = golden.shapes[network(layout)]!;
  return Object.fromEntries(
    Object.entries(golden.names[layout]!).map(([theirs, ours]) => [prefix + theirs, shapes[ours]!]),
  );
}

const PREFIXES: [string, string][] = [
  ['wan-transformer', ''],
  ['wan-transformer', 'model.diffusion_model.'],
  ['wan-transformer', 'diffusion_model.'],
  ['wan-transformer', 'generator.model.'],
  ['wan-transformer', 'generator_ema.model.'],
  ['wan-transformer', 'generator.model._fsdp_wrapped_module.'],
  ['wan-transformer', 'net.'],
  ['wan-transformer', 'generator.'],
  ['wan-transformer', 'generator_ema.'],
  ['wan-transformer', 'model.'],
  ['wan-transformer', 'module.'],
  ['wan-transformer', 'state_dict.'],
  ['wan-transformer', 'model_state_dict.module.'],
  ['wan-transformer', 'state_dict.generator_ema.model._fsdp_wrapped_module.'],
  ['umt5', 'state_dict.'],
  ['umt5', 'model.module.'],
  ['wan-vae', 'state_dict.'],
  ['wan-vae', 'model.'],
  ['wan-vae', 'ema.'],
  ['umt5', ''],
  ['umt5-gguf', ''],
  ['wan-vae', ''],
  ['wan-vae', 'first_stage_model.'],
];

test.each(PREFIXES)('%s with the prefix "%s"', (layout, prefix) => {
  for (const [theirs, ours] of Object.entries(golden.names[layout]!)) {
    expect(ourName(network(layout), prefix + theirs), theirs).toBe(ours);
    // Ours stay what they are.
    expect(ourName(network(layout), ours)).toBe(ours);
  }
});

const SHAPES: [NetworkName, () => Shapes][] = [
  ['wan-transformer', () => wanShapes(readWanConfig(golden.configs['wan-transformer']!))],
  ['umt5', () => umt5Shapes(readUmt5Config(golden.configs.umt5!))],
];

test.each(SHAPES)('%s has the tensors of the Python class, shape by shape', (name, shapes) => {
  const expected = Object.entries(golden.shapes[name]!).sort();
  expect([...shapes()].sort()).toEqual(expected);
});

describe('matching', () => {
  const shapes = SHAPES[0]![1]();

  test.each(PREFIXES.filter(([layout]) => layout === 'wan-transformer'))(
    'finds every tensor: %s %s',
    (layout, prefix) => {
      const matched = matchTensors(file(inLayout(layout, prefix)), 'wan-transformer', shapes);
      expect(matched.size).toBe(shapes.size);
      expect(matched.get('blocks.1.norm2.bias')!.info.name).toBe(`${prefix}blocks.1.norm3.bias`);
    },
  );

  test('takes averaged weights where a file has both', () => {
    const both = {
      ...inLayout('wan-transformer', 'generator.model.'),
      ...inLayout('wan-transformer', 'generator_ema.model.'),
    };
    for (const order of [both, Object.fromEntries(Object.entries(both).reverse())])
      for (const { info } of matchTensors(file(order), 'wan-transformer', shapes).values())
        expect(info.name).toMatch(/^generator_ema\./);
  });

  test.each([
    ['state_dict.', 'ema.'],
    ['model.', 'model_ema.'],
    ['state_dict.model.', 'state_dict.ema_model.'],
    ['module.', 'params_ema.module.'],
  ])('takes averaged weights where a file has both: %s and %s', (last, averaged) => {
    const both = { ...inLayout('wan-transformer', averaged), ...inLayout('wan-transformer', last) };
    for (const { info } of matchTensors(file(both), 'wan-transformer', shapes).values())
      expect(info.name.startsWith(averaged)).toBe(true);
  });

  test('leaves out what a training keeps beside the weights', () => {
    const training = {
      ...inLayout('wan-transformer', 'state_dict.'),
      ...inLayout('wan-transformer', 'critic.model.'),
      'optimizer.state.0.exp_avg': [4],
      'critic_optimizer.state.0.exp_avg': [4],
      'lr_scheduler.last': [],
      global_step: [],
      epoch: [],
    };
    const matched = matchTensors(file(training), 'wan-transformer', shapes);
    for (const { info } of matched.values()) expect(info.name).toMatch(/^state_dict\./);
    expect(detectNetwork(file(training))).toBe('wan-transformer');
  });

  test('takes kernels that were flattened, and axes of one that are gone', () => {
    const flat = inLayout('wan-transformer');
    const D = flat['patch_embedding.bias']![0]!;
    flat['patch_embedding.weight'] = [D, 64];
    flat['head.modulation'] = [2, D];
    const matched = matchTensors(file(flat), 'wan-transformer', shapes);
    expect(matched.get('patch_embedding.weight')!.shape).toEqual([D, 16, 1, 2, 2]);
    expect(matched.get('scale_shift_table')!.shape).toEqual([1, 2, D]);
  });

  test('lists by name what is missing, misshapen or too much', () => {
    const odd = inLayout('wan-transformer');
    delete odd['blocks.0.ffn.0.bias'];
    delete odd['blocks.1.self_attn.norm_q.weight'];
    odd['blocks.0.norm3.bias'] = [7];
    odd['img_emb.proj.0.weight'] = [1280];
    const error = (() => {
      try {
        return matchTensors(file(odd), 'wan-transformer', shapes);
      } catch (e) {
        return e as KinoraError;
      }
    })() as KinoraError;
    expect(error).toBeInstanceOf(KinoraError);
    expect(error.message).toContain('missing: blocks.0.ffn.net.0.proj.bias, blocks.1.attn1.norm_q.weight;');
    expect(error.message).toContain('of another shape: blocks.0.norm3.bias [7], not [5120];');
    expect(error.message).toContain('unknown to it: img_emb.proj.0.weight.');
    expect(error.params).toMatchObject({ missing: 2, misshapen: 1, surplus: 1 });
  });

  test('a very long list and a very long name are cut in the detail, too', () => {
    const many = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`head.${i}.${'x'.repeat(300)}`, [1]])); // prettier-ignore
    const wide = new Map(Array.from({ length: 40_000 }, (_, i) => [`blocks.${i}.weight`, [1]] as const));
    const error = (() => {
      try {
        return matchTensors(file(many), 'wan-transformer', wide);
      } catch (e) {
        return e as KinoraError;
      }
    })() as KinoraError;
    expect(error.params).toMatchObject({ missing: 40_000, misshapen: 0, surplus: 40_000 });
    expect(error.message).toContain('and 39994 more; unknown to it: head.0.xxx');
    expect(error.message.length).toBeLessThan(2000);
    const lines = error.detail.split('\n');
    expect(lines.filter((line) => line.startsWith('missing: '))).toHaveLength(100);
    expect(lines.filter((line) => line.startsWith('unknown: '))).toHaveLength(100);
    expect(lines.filter((line) => line === '… and 39900 more')).toHaveLength(2);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(220);
  });

  test('leaves out the gates of sparse attention (FastWan), in any layout', () => {
    const D = golden.shapes['wan-transformer']!['proj_out.weight']![1]!;
    for (const [layout, gate, prefix] of [
      ['wan-transformer', 'blocks.1.to_gate_compress', ''],
      ['wan-transformer', 'blocks.1.self_attn.to_gate_compress', 'model.diffusion_model.'],
      ['wan-transformer', 'blocks.0.attn1.to_gate_compress', ''],
    ] as const) {
      const gated = { ...inLayout(layout, prefix), [`${prefix}${gate}.weight`]: [D, D], [`${prefix}${gate}.bias`]: [D] }; // prettier-ignore
      const matched = matchTensors(file(gated), 'wan-transformer', shapes);
      expect([...matched.keys()].sort()).toEqual([...shapes.keys()].sort());
      expect(isSparse(Object.keys(gated))).toBe(true);
      expect(readWanConfig(inferWanConfig(file(gated)))).toEqual(readWanConfig(golden.configs['wan-transformer']!)); // prettier-ignore
    }
    expect(isSparse(Object.keys(inLayout('wan-transformer')))).toBe(false);
    // Another gate is not known to mean nothing.
    expect(ourName('wan-transformer', 'blocks.0.to_gate.weight')).toBe('blocks.0.to_gate.weight');
    expect(ourName('umt5', 'blocks.0.to_gate_compress.weight')).not.toBeNull();
  });

  test('a long list is cut, and whole in the detail', () => {
    const error = (() => {
      try {
        return matchTensors(file({}), 'wan-transformer', shapes);
      } catch (e) {
        return e as KinoraError;
      }
    })() as KinoraError;
    expect(error.message).toMatch(/and \d+ more/);
    expect(error.detail.split('\n')).toHaveLength(shapes.size);
  });

  test('two tensors of one name are refused', () => {
    const twice = { ...inLayout('wan-transformer'), 'proj_out.bias': [64] };
    expect(() => matchTensors(file(twice), 'wan-transformer', shapes)).toThrow(
      'are both the tensor "proj_out.bias"',
    );
  });
});

test('configs are read off the shapes', () => {
  const wan = file(inLayout('wan-transformer', 'model.'));
  expect(readWanConfig(inferWanConfig(wan))).toEqual(readWanConfig(golden.configs['wan-transformer']!));
  const text = file(inLayout('umt5-gguf'));
  expect(readUmt5Config(inferUmt5Config(text))).toEqual(readUmt5Config(golden.configs.umt5!));
  expect(() => inferWanConfig(text)).toThrow('is no wan-transformer that Kinora knows: the tensor');
});

test('networks are told apart by their tensors', () => {
  for (const layout of Object.keys(golden.names))
    expect(detectNetwork(file(inLayout(layout)))).toBe(network(layout));
  expect(detectNetwork(file({ 'a.weight': [1] }))).toBeNull();
});
