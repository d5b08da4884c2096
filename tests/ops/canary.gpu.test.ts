import { expect, test } from 'vitest';
import { notFinite } from '../../src/ops/canary';
import { onEveryElem } from '../helpers/tensors';

await onEveryElem((kit) => {
  const count = async (values: Float32Array, dtype: 'f32' | 'f16') => {
    const out = notFinite(kit.run, kit.from(values, [values.length], dtype).t);
    const [parts] = out.shape as [number];
    expect([out.dtype, parts]).toEqual(['u32', Math.max(1, Math.min(256, Math.ceil(values.length / 4096)))]);
    return (await kit.readWords(out)).slice(0, parts).reduce((sum, n) => sum + n, 0);
  };
  const elems = ['f32', 'f16'] as const; // halves also on a device that does not compute with them

  test.each(elems)('counts NaN, Inf and −Inf among any number of %s', async (dtype) => {
    for (const n of [1, 2, 3, 255, 256, 257, 4096, 4097, 100_003, 1_100_000]) {
      const values = kit.random([n], 'f32').x;
      expect(await count(values, dtype)).toBe(0);
      values[n - 1] = NaN;
      expect(await count(values, dtype)).toBe(1);
      if (n < 3) continue;
      [values[0], values[1]] = [Infinity, -Infinity];
      expect(await count(values, dtype)).toBe(3);
      expect(await count(values.fill(NaN), dtype)).toBe(n);
    }
  });

  test.each(elems)('the largest and the least %s numbers are finite', async (dtype) => {
    const large = dtype === 'f16' ? 65504 : 3.4028234663852886e38;
    const small = dtype === 'f16' ? 2 ** -24 : 2 ** -149;
    expect(await count(Float32Array.of(large, -large, small, -small, 0, -0), dtype)).toBe(0);
  });

  test('does not look at the half behind the last', async () => {
    const { t } = kit.random([3], 'f16');
    kit.gpu.memory.write(t.storage, Uint16Array.of(0, 0, 0, 0x7e00));
    expect((await kit.readWords(notFinite(kit.run, t)))[0]).toBe(0);
  });
});
