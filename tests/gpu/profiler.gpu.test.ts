import { afterAll, describe, expect, test } from 'vitest';
import { openGpu } from '../../src/gpu/device';
import type { KernelSpec } from '../../src/gpu/kernel';
import { Profiler } from '../../src/gpu/profiler';
import { Run } from '../../src/gpu/run';
import { testEntry } from '../helpers/gpu';

const gpu = await openGpu(await testEntry(), { f16: false, profile: true });
afterAll(() => gpu.destroy());

/** Adds one, `rounds` times. */
const work = (name: string): KernelSpec => ({
  name,
  code: `
struct Params { rounds: u32 }
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var x = out[id.x];
  for (var i = 0u; i < params.rounds; i++) { x = fma(x, 0.5, 1.0); }
  out[id.x] = x;
}`,
});
const LONG = work('long');
const SHORT = work('short');

async function measure(profiler: Profiler) {
  gpu.profiler = profiler;
  const run = new Run(gpu);
  const out = run.input(new Float32Array(1 << 14), [1 << 14], 'numbers', 'f32');
  const add = (kernel: KernelSpec, rounds: number) =>
    run.dispatch({ kernel, bindings: { out }, params: { rounds }, workgroups: [256] });
  const began = performance.now();
  for (let i = 0; i < 40; i++) add(SHORT, 1); // more than one submit
  for (let i = 0; i < 3; i++) add(LONG, 5_000);
  const values = await run.read(out);
  const taken = performance.now() - began;
  const times = await profiler.times();
  run.destroy();
  return { times, taken, value: values[0]! };
}

describe.each(['timestamps', 'wall'] as const)('by %s', (clock) => {
  test('every dispatch is counted under its kernel, and what takes longer took longer', async () => {
    const profiler = new Profiler(gpu.device);
    // The adapters of these tests have timestamps; others are measured by the wall.
    expect(profiler.clock).toBe('timestamps');
    Object.assign(profiler, { clock });
    await measure(profiler); // compiles
    await profiler.clear();
    expect((await profiler.times()).size).toBe(0);
    const { times, taken, value } = await measure(profiler);
    expect(value).toBeCloseTo(2, 5); // the work was done as without
    expect(times.get('short')!.dispatches).toBe(40);
    expect(times.get('long')!.dispatches).toBe(3);
    // By the wall, each of the forty waits for the processor where other work is running.
    const each = (name: string) => times.get(name)!.ms / times.get(name)!.dispatches;
    expect(each('long')).toBeGreaterThan(each('short'));
    const all = [...times.values()].reduce((sum, { ms }) => sum + ms, 0);
    expect(all).toBeGreaterThan(0);
    expect(all).toBeLessThan(1.1 * taken + 1);
  });
});
