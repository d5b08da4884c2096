import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KernelSpec } from '../../src/gpu/kernel';
import { Run, type Dispatch } from '../../src/gpu/run';
import type { Tensor } from '../../src/gpu/tensor';
import { openTestGpu } from '../helpers/gpu';

const gpu = await openTestGpu();
afterAll(() => gpu.destroy());

/** out = x · scale + shift, one workgroup an element. */
const LINE: KernelSpec = {
  name: 'line',
  code: `
struct Params { count: u32, shift: i32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) wid: vec3<u32>) {
  if (wid.x < params.count) { out[wid.x] = x[wid.x] * params.scale + f32(params.shift); }
}`,
};

/** out = the number of its variant: no params, and knobs of every kind. */
const KNOBS = (n: number, lib = 'fn extra() -> f32 { return 0.0; }'): KernelSpec => ({
  name: 'knobs',
  code: `
override TEN = 0u;
@group(0) @binding(0) var<storage, read_write> out: array<elem>;
@compute @workgroup_size(1) fn main() { out[0] = elem(f32(TEN * 10u + ONE) + extra()); }`,
  consts: { ONE: n % 10 },
  overrides: { TEN: Math.floor(n / 10) },
  lib: [lib],
});

let run: Run;
beforeEach(() => void (run = new Run(gpu)));
afterEach(() => run.destroy());

const line = (x: Tensor, out: Tensor, params: Record<string, number> = {}): Dispatch => ({
  kernel: LINE,
  bindings: { x, out },
  params: { count: x.shape[0]!, shift: 0, scale: 1, ...params },
  workgroups: [x.shape[0]!],
});
const numbers = (...values: number[]) => run.input(Float32Array.from(values), [values.length], 'x');

describe('dispatch', () => {
  test('keeps each dispatch’s own parameters over more than one batch', async () => {
    let x = numbers(1, 2, 3);
    const want = [1, 2, 3];
    for (let i = 0; i < 100; i++) {
      const out = run.tensor([3], 'out');
      const shift = (i % 7) - 3;
      const scale = i % 2 ? -1 : 1;
      run.dispatch(line(x, out, { shift, scale }));
      want.forEach((value, j) => (want[j] = value * scale + shift));
      x = out;
    }
    expect(run.launches).toBe(100);
    expect([...(await run.read(x))]).toEqual(want);
  });

  test('params are packed as what they are', async () => {
    const out = run.tensor([2], 'out');
    run.dispatch(line(numbers(1, 1), out, { shift: -(2 ** 24), scale: 0.25 }));
    expect([...(await run.read(out))]).toEqual([0.25 - 2 ** 24, 0.25 - 2 ** 24].map(Math.fround));
  });

  test('consts, overrides and snippets make variants of a kernel', async () => {
    const outs = [KNOBS(12), KNOBS(34), KNOBS(12, 'fn extra() -> f32 { return 0.5; }')].map((kernel) => {
      const out = run.tensor([1], 'out');
      run.dispatch({ kernel, bindings: { out }, workgroups: [1] });
      return out;
    });
    expect(run.kernels.size).toBe(3);
    const got: number[] = [];
    for (const out of outs) got.push((await run.read(out))[0]!);
    expect(got).toEqual([12, 34, 12.5]);
    run.dispatch({ kernel: KNOBS(34), bindings: { out: outs[0]! }, workgroups: [1] });
    expect(run.kernels.size).toBe(3); // the same text and numbers: the same kernel
  });

  test('no workgroups, no work', async () => {
    const out = run.input(Float32Array.of(5), [1], 'out');
    run.dispatch({ ...line(numbers(1), out), workgroups: [0] });
    run.dispatch({ ...line(numbers(1), out), workgroups: [1, 0, 1] });
    expect([...(await run.read(out))]).toEqual([5]);
  });

  test('names what is missing and what is too much', () => {
    const [x, out] = [numbers(1), run.tensor([1], 'out')];
    const good = line(x, out);
    expect(() => run.dispatch({ ...good, bindings: { x } })).toThrow('line: nothing is bound to out');
    expect(() => run.dispatch({ ...good, bindings: { x, out, y: x } })).toThrow('line has no binding y');
    expect(() => run.dispatch({ ...good, params: { count: 1, shift: 0 } })).toThrow(
      'line: the parameter scale is missing',
    );
    expect(() => run.dispatch({ ...good, params: { ...good.params, bias: 1 } })).toThrow(
      'line has no parameter bias',
    );
    expect(() => run.dispatch(line(x, out, { shift: 0.5 }))).toThrow(
      'line: shift = 0.5 is not a whole number',
    );
    expect(() => run.dispatch({ ...good, workgroups: [65536] })).toThrow(
      'line: 65536×1×1 workgroups, but 65535 a dimension is the limit',
    );
  });

  describe('a kernel that does not compile is named once, with the driver’s words', () => {
    const broken = (name: string): KernelSpec => {
      return { ...KNOBS(1), name, code: KNOBS(1).code.replace('elem(', 'unheard_of(') };
    };
    const failure = (name: string) =>
      expect.objectContaining({
        code: 'internal',
        message: `The kernel ${name} does not compile on this adapter.`,
        params: { operation: name },
        detail: expect.stringContaining('unheard_of'),
      });

    test('in place', async () => {
      run.dispatch({ kernel: broken('bad'), bindings: { out: run.tensor([1], 'out') }, workgroups: [1] });
      await expect(run.sync()).rejects.toThrow(failure('bad'));
      await gpu.sync();
    });

    test('beforehand', async () => {
      const dry = new Run(gpu, { dry: true });
      dry.dispatch({ kernel: broken('worse'), bindings: { out: dry.tensor([1], 'out') }, workgroups: [1] });
      await expect(dry.compile()).rejects.toThrow(failure('worse'));
      await gpu.sync();
    });

    test('for a number that is none', () => {
      const kernel = { ...KNOBS(1), name: 'half', consts: { ONE: 0.5 } };
      expect(() => gpu.kernels.get(kernel).make()).toThrow('half: const ONE = 0.5 is not a whole number');
    });
  });
});

describe('tensors', () => {
  test('live until their scope ends; what it returns lives on', () => {
    const outer = run.tensor([256], 'outer');
    const kept = run.scope(() => {
      run.tensor([512], 'lost');
      return run.tensor([256], 'kept');
    });
    const bytes = run.arena.bytes;
    expect(bytes).toBe(4 * 1024);
    const next = run.tensor([256], 'next');
    expect([outer.storage, kept.storage]).not.toContain(next.storage);
    expect(run.arena.bytes).toBe(bytes + 1024);
    run.tensor([512], 'in the place of lost');
    expect(run.arena.bytes).toBe(bytes + 1024);
  });

  test('escape through nested scopes, in arrays too, and end with the outer one', () => {
    const inner = { storages: new Set<unknown>() };
    run.scope(() => {
      const two = run.scope(() => run.scope(() => [run.tensor([64], 'a'), run.tensor([64], 'b')]));
      for (const t of two) inner.storages.add(t.storage);
      expect(inner.storages).not.toContain(run.tensor([64], 'c').storage);
    });
    const after = [1, 2, 3].map(() => run.tensor([64], 'again').storage);
    expect(after).toEqual(expect.arrayContaining([...inner.storages]));
    expect(run.arena.bytes).toBe(3 * 256);
  });

  test('a scope that throws gives back all', () => {
    const bad = () =>
      run.scope(() => {
        run.tensor([64], 'lost');
        throw new Error('no');
      });
    expect(bad).toThrow('no');
    run.tensor([64], 'again');
    expect(run.arena.bytes).toBe(256);
  });

  test('may be given back early, once', () => {
    const t = run.tensor([64], 't');
    run.scope(() => run.release(t)); // one of an outer scope, too
    expect(run.tensor([64], 'again').storage).toBe(t.storage);
    run.release(t);
    expect(() => run.release(t)).toThrow('release: t is not a scratch tensor of this run');
  });

  test('inputs take the type that is asked for', async () => {
    expect(run.input(Int32Array.of(-1), [1], 'i').dtype).toBe('i32');
    expect(run.input(Uint32Array.of(1), [1], 'u').dtype).toBe('u32');
    const half = run.input(Float32Array.of(1, 1 / 3, 1e9), [3], 'h', 'f16');
    expect([...(await run.read(half))]).toEqual([1, 1365 / 4096, Infinity]);
    expect(() => run.input(new Float32Array(3), [2], 'x')).toThrow('x: 3 values for shape [2]');
    expect(() => run.tensor([2, -1], 'x')).toThrow('x: bad shape [2,-1]');
    expect(() => run.tensor([1.5], 'x')).toThrow('x: bad shape [1.5]');
  });

  test('an input in a place lent again does not overtake the work that reads it', async () => {
    const out = run.tensor([2], 'out');
    let place: unknown;
    run.scope(() => {
      const x = numbers(1, 2);
      place = x.storage;
      run.dispatch(line(x, out));
    });
    expect(numbers(8, 9).storage).toBe(place);
    expect([...(await run.read(out))]).toEqual([1, 2]);
  });

  test('are found again after other buffers were freed (bind groups are forgotten)', async () => {
    const weight = gpu.memory.upload(Float32Array.of(3), [1], 'f32', 'w');
    const out = run.tensor([1], 'out');
    run.dispatch(line(weight, out));
    expect([...(await run.read(out))]).toEqual([3]);
    gpu.memory.free(weight);
    run.dispatch(line(numbers(4), out));
    expect([...(await run.read(out))]).toEqual([4]);
    gpu.check();
  });
});

describe('a dry run', () => {
  const program = (r: Run): Tensor => {
    const x = r.input(Float32Array.of(1, 2), [2], 'x');
    const y = r.scope(() => {
      const middle = r.tensor([2], 'middle');
      r.dispatch(line(x, middle, { shift: 1 }));
      const y = r.tensor([2], 'y');
      r.dispatch(line(middle, y, { scale: 2 }));
      return y;
    });
    r.dispatch({ kernel: KNOBS(77), bindings: { out: r.tensor([1], 'out') }, workgroups: [1] });
    return y;
  };

  test('knows kernels, launches and scratch bytes beforehand, and takes no memory', async () => {
    const before = gpu.memory.bytes;
    const dry = new Run(gpu, { dry: true });
    program(dry);
    await dry.sync();
    expect(gpu.memory.bytes).toBe(before);
    const y = program(run);
    expect([...(await run.read(y))]).toEqual([4, 6]);
    expect(dry.arena.bytes).toBe(run.arena.bytes);
    expect(dry.launches).toBe(run.launches);
    expect([...dry.kernels]).toEqual([...run.kernels]);
  });

  test('compiles what it used, counting', async () => {
    const dry = new Run(gpu, { dry: true });
    const fresh = [81, 82, 83].map((n) => KNOBS(n));
    for (const kernel of fresh)
      dry.dispatch({ kernel, bindings: { out: dry.tensor([1], 'out') }, workgroups: [1] });
    expect([...dry.kernels].map((k) => k.pipeline)).toEqual([null, null, null]);
    const seen: string[] = [];
    await dry.compile((done, total) => seen.push(`${done}/${total}`));
    expect(seen).toEqual(['1/3', '2/3', '3/3']);
    for (const kernel of dry.kernels) expect(kernel.pipeline).not.toBeNull();
  });

  test('refuses what a real run refuses', () => {
    const dry = new Run(gpu, { dry: true });
    const [x, out] = [dry.tensor([1], 'x'), dry.tensor([1], 'out')];
    expect(() => dry.dispatch(line(x, out, { shift: 0.5 }))).toThrow('is not a whole number');
    expect(() => dry.input(new Float32Array(3), [2], 'x')).toThrow('x: 3 values for shape [2]');
  });
});

describe('tracing', () => {
  test('shows every output after its dispatch, and not what the hook itself dispatches', async () => {
    const seen: [string, string][] = [];
    const copies: Tensor[] = [];
    run.onOutput = (kernel, output) => {
      seen.push([kernel, output.label]);
      const copy = run.tensor([2], 'copy');
      run.dispatch(line(output, copy));
      copies.push(copy);
    };
    const [a, b] = [run.tensor([2], 'a'), run.tensor([2], 'b')];
    run.dispatch(line(numbers(1, 2), a, { shift: 1 }));
    run.dispatch(line(a, b, { shift: 1 }));
    run.dispatch(line(b, a, { shift: 1 })); // overwrites what the first copy saw
    expect(seen).toEqual([
      ['line', 'a'],
      ['line', 'b'],
      ['line', 'a'],
    ]);
    const got: number[][] = [];
    for (const copy of copies) got.push([...(await run.read(copy))]);
    expect(got).toEqual([
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
  });
});

test('destroy frees the scratch memory and drops what was not submitted', async () => {
  const before = gpu.memory.bytes;
  const other = new Run(gpu);
  const out = gpu.memory.tensor([1], 'f32', 'out');
  other.dispatch(line(other.input(Float32Array.of(9), [1], 'x'), out));
  expect(gpu.memory.bytes).toBe(before + 256 + 4);
  other.destroy();
  expect(gpu.memory.bytes).toBe(before + 4);
  await gpu.sync();
  expect([...(await gpu.read(out))]).toEqual([0]);
  gpu.memory.free(out);
});

test('the first failure is thrown once', async () => {
  const { device } = gpu;
  device.createBuffer({ size: 4, usage: 0x80000000 });
  await expect(gpu.sync()).rejects.toThrow(
    expect.objectContaining({ code: 'internal', message: 'The GPU refused an operation.' }),
  );
  await gpu.sync();
});
