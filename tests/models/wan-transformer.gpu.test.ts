import { afterEach, describe, expect, test } from 'vitest';
import { readWanConfig } from '../../src/models/wan-config';
import { onEveryElem } from '../helpers/tensors';
import { expectNear, golden, NEAR, quantized, run } from './goldens';

await onEveryElem((kit) => {
  afterEach(() => expect(kit.gpu.memory.bytes).toBe(0));

  describe('bidirectional', () => {
    test.each(['wan-head128', 'wan-head64', 'wan-head20', 'wan-head12'])(
      '%s, layer by layer',
      async (name) => {
        const g = await golden(name);
        expect([...g.expected.keys()]).toContain('blocks.0');
        expectNear(await run(kit.gpu, g), g.expected, NEAR[kit.elem]);
      },
    );

    test('weights kept in f32 give the same', async () => {
      const g = await golden('wan-head12');
      expectNear(await run(kit.gpu, g, g.weights, 'f32'), g.expected, NEAR[kit.elem]);
    });

    test('q8_0 weights give what their values in f32 give', async () => {
      const g = await golden('wan-head64');
      const { q8, plain, count } = await quantized(g.weights);
      expect(count).toBe(2 + 2 + 1 + 8 + 2 + 1); // time, text, projection, attentions, feed-forward, head
      expectNear(await run(kit.gpu, g, q8), await run(kit.gpu, g, plain), NEAR[kit.elem]);
    });
  });

  describe('causal', () => {
    test.each(['causal-blocks', 'causal-frames', 'causal-window'])('%s', async (name) => {
      const g = await golden(name);
      expectNear(await run(kit.gpu, g), g.expected, NEAR[kit.elem]);
    });

    test('the golden with a window has a sink and frames that fall out', async () => {
      const g = await golden('causal-window');
      const { window, sink } = readWanConfig(g.config);
      expect(sink).toBeGreaterThan(0);
      expect(g.inputs['hidden_states']!.shape[1]).toBeGreaterThan(2 * window!);
    });
  });
});
