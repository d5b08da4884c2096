/** Against diffusers' AutoencoderKLWan on small seeded weights (training/goldens/make_vae.py). */
import { afterEach, expect, test } from 'vitest';
import { onEveryElem } from '../helpers/tensors';
import { expectNear, golden, run } from './goldens';

const NAMES = ['small-decoder', 'small-encoder', 'levels-decoder', 'levels-encoder'];
/** In f16 some thirty layers are rounded one after the other, and there is no f32 stream. */
const NEAR = { f32: 2e-5, f16: 1e-2 };

await onEveryElem((kit) => {
  afterEach(() => {
    kit.reset();
    expect(kit.gpu.memory.bytes).toBe(0);
  });

  test.each(NAMES)('wan-vae-%s: four latents, piece by piece, as the reference in one go', async (name) => {
    const g = await golden(`wan-vae-${name}`);
    expectNear(await run(kit.gpu, g), g.expected, NEAR[kit.elem]);
  });

  test('the original’s names will do', async () => {
    const g = await golden('wan-vae-small-decoder');
    const original = (name: string) =>
      name
        .replace('post_quant_conv.', 'conv2.')
        .replace('decoder.conv_in.', 'decoder.conv1.')
        .replace('decoder.norm_out.', 'decoder.head.0.')
        .replace('decoder.conv_out.', 'decoder.head.2.')
        .replace('mid_block.resnets.0.', 'middle.0.')
        .replace('mid_block.attentions.0.', 'middle.1.')
        .replace('mid_block.resnets.1.', 'middle.2.')
        .replace('.norm1.', '.residual.0.')
        .replace(/\.(resnets|middle)\.(\d)\.conv1\./, '.$1.$2.residual.2.')
        .replace('.norm2.', '.residual.3.')
        .replace(/\.(resnets|middle)\.(\d)\.conv2\./, '.$1.$2.residual.6.')
        .replace('.conv_shortcut.', '.shortcut.');
    const names = new Map(
      [...g.weights.tensors.keys()].map((name) => [`first_stage_model.${original(name)}`, name]),
    );
    const tensors = new Map(
      [...names].map(([theirs, ours]) => [theirs, { ...g.weights.tensors.get(ours)!, name: theirs }]),
    );
    const file = {
      ...g.weights,
      tensors,
      read: (name: string, ...part: number[]) => g.weights.read(names.get(name)!, ...part),
    };
    expect([...names.keys()].some((name) => name.includes('residual.6'))).toBe(true);
    expectNear(await run(kit.gpu, g, file), g.expected, NEAR[kit.elem]);
  });
});
