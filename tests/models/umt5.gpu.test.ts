import { afterEach, expect, test } from 'vitest';
import { onEveryElem } from '../helpers/tensors';
import { expectNear, golden, NEAR, quantized, run } from './goldens';

await onEveryElem((kit) => {
  afterEach(() => expect(kit.gpu.memory.bytes).toBe(0));

  test.each(['umt5-odd', 'umt5-one-token', 'umt5-long'])('%s, layer by layer', async (name) => {
    const g = await golden(name);
    expect([...g.expected.keys()]).toContain('blocks.0');
    expectNear(await run(kit.gpu, g), g.expected, NEAR[kit.elem]);
  });

  test('q8_0 weights give what their values in f32 give', async () => {
    const g = await golden('umt5-long');
    const { q8, plain, count } = await quantized(g.weights);
    expect(count).toBe(1 + 2 * 7); // the embedding table, and every matrix of two blocks
    expectNear(await run(kit.gpu, g, q8), await run(kit.gpu, g, plain), NEAR[kit.elem]);
  });
});
