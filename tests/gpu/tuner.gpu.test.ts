import { afterAll, describe, expect, test, vi } from 'vitest';
import type { KernelSpec } from '../../src/gpu/kernel';
import { Gpu } from '../../src/gpu/device';
import { Run } from '../../src/gpu/run';
import { Tuner, type KeyValue, type Question } from '../../src/gpu/tuner';
import { openTestGpu } from '../helpers/gpu';

const gpu = await openTestGpu();
afterAll(() => gpu.destroy());

const spec = (value: string, rounds = 1): KernelSpec => ({
  name: 'fill',
  code: `
    @group(0) @binding(0) var<storage, read_write> out: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
      var x = ${value};
      for (var i = 0u; i < ${rounds}u; i++) { x = fract(x * 1.5 + f32(i)) * 0.0 + ${value}; out[id.x] = x; }
    }`,
  consts: { ROUNDS: rounds }, // part of the kernel's key
  overrides: {},
  lib: [`// ${value}`],
});
const KERNELS: Record<string, KernelSpec> = {
  slow: spec('f32(id.x)', 100_000),
  fast: spec('f32(id.x)'),
  wrong: spec('f32(id.x) + 1.0'),
  nan: spec('f32(id.x) / f32(id.x - id.x)'),
  broken: spec('no_such_function()'),
};
let held = 0;
/** Operations that trials had room for, in order. */
const budgets: number[] = [];
/** `flops`: of a whole call, where operations count at all. */
const question = (candidates: string[], plain = candidates.at(-1)!, flops?: number): Question => ({
  key: `fill ${candidates.join()}`,
  candidates,
  plain,
  prepare: (run, most) => {
    if (!run.dry) {
      held++;
      budgets.push(most);
    }
    return {
      call: (name) => {
        const out = run.tensor([64], 'out', 'f32');
        run.dispatch({ kernel: KERNELS[name]!, bindings: { out }, workgroups: [1] });
        return out;
      },
      ...(flops !== undefined && { flops: Math.min(most, flops) }),
    };
  },
});

function memory(): KeyValue & { map: Map<string, string> } {
  const map = new Map<string, string>();
  return {
    map,
    get: async (key) => map.get(key) ?? null,
    set: async (key, value) => void map.set(key, value),
    delete: async (key) => void map.delete(key),
  };
}

test('the fastest of those that compute the same is chosen; the rest say why not', async () => {
  const tuner = new Tuner({ always: true });
  const asked = question(['slow', 'wrong', 'nan', 'broken', 'fast'], 'fast');
  expect(tuner.choice(asked)).toBe('slow'); // the best guess, before a trial
  expect(await tuner.settle(gpu, [asked])).toBe(true);
  expect(tuner.choice(asked)).toBe('fast');
  const [answer] = tuner.answers;
  expect(answer).toMatchObject({
    key: asked.key,
    chosen: 'fast',
    ms: { wrong: null, nan: null, broken: null },
  });
  expect(answer!.ms.slow!).toBeGreaterThan(answer!.ms.fast!);
  gpu.check(); // the kernel that did not compile left nothing behind
});

test('answers are kept and recalled, and forgotten by reset', async () => {
  const store = memory();
  const options = { store, key: 'this adapter', always: true };
  const asked = question(['slow', 'fast']);
  const first = new Tuner(options);
  await first.settle(gpu, [asked]);
  expect([...store.map.keys()]).toEqual(['this adapter']);
  const before = held;

  const second = new Tuner(options);
  await second.recall();
  expect(second.choice(asked)).toBe('fast');
  expect(await second.settle(gpu, [asked])).toBe(false);
  expect(held).toBe(before);
  expect(second.answers).toEqual(first.answers);

  const elsewhere = new Tuner({ ...options, key: 'another' });
  await elsewhere.recall();
  expect(elsewhere.choice(asked)).toBe('slow');

  await second.reset();
  expect(store.map.size).toBe(0);
  expect(second.choice(asked)).toBe('slow');
  expect(await second.settle(gpu, [asked])).toBe(true);
});

test.each(['', '{"no": "list"}', '[{"key": 3}]', 'null', '[null]'])(
  'what is kept may be damaged: %s',
  async (text) => {
    const store = memory();
    store.map.set('k', text);
    const tuner = new Tuner({ store, key: 'k' });
    await tuner.recall();
    expect(tuner.answers).toEqual([]);
  },
);

test('a choice that the build no longer has, or storage that refuses, does no harm', async () => {
  const store = memory();
  const asked = question(['slow', 'fast']);
  store.map.set('k', JSON.stringify([{ key: asked.key, chosen: 'gone', ms: {} }]));
  const tuner = new Tuner({ store, key: 'k' });
  await tuner.recall();
  expect(tuner.choice(asked)).toBe('slow');

  const refusing: KeyValue = { get: refuse, set: refuse, delete: refuse };
  const other = new Tuner({ store: refusing, always: true });
  expect(await other.settle(gpu, [asked])).toBe(true);
  await other.reset();
});
const refuse = () => Promise.reject(new Error('private window'));

test('one candidate needs no trial; a software adapter has none unless asked', async () => {
  const alone = new Tuner({ always: true });
  expect(await alone.settle(gpu, [question(['fast'])])).toBe(false);
  const software = { ...gpu, adapter: { ...gpu.adapter, isFallback: true } } as unknown as Gpu;
  expect(await new Tuner().settle(software, [question(['slow', 'fast'])])).toBe(false);
});

describe('operations that count', () => {
  /** A device of its own, whose dispatches may grow; each wait takes so many milliseconds a call by this clock. */
  const paced = (ms: number) => {
    let at = 0;
    let calls = 0;
    const own = new Gpu(gpu.device, { ...gpu.adapter, isFallback: true }, 'f32', gpu.features);
    const run = Run.prototype.dispatch;
    const dispatch = vi.spyOn(Run.prototype, 'dispatch').mockImplementation(function (this: Run, what) {
      if (!this.dry) calls++;
      run.call(this, what);
    });
    const clock = () => {
      at += ms * calls;
      calls = 0;
      return at;
    };
    return { own, tuner: new Tuner({ always: true, clock }), done: () => dispatch.mockRestore() };
  };

  test('a fast GPU is tried with as much of the call as takes it ten milliseconds, and gets longer dispatches', async () => {
    const { own, tuner, done } = paced(1); // 4e9 operations in a millisecond
    try {
      budgets.length = 0;
      const before = own.flopsPerDispatch;
      await tuner.settle(own, [question(['fast', 'slow'], 'slow', 1e13)]);
      expect(budgets).toHaveLength(2);
      expect(budgets[0]).toBe(4e9);
      expect(budgets[1]).toBeCloseTo(4e12 * 0.01, -3);
      const [answer] = tuner.answers;
      expect(answer!.flops).toBeCloseTo(4e10, -3);
      // As the clock has it, a larger call takes no longer: ten times the speed.
      expect(tuner.speed).toBeCloseTo(4e13, -7);
      expect(before).toBe(5e8);
      expect(own.flopsPerDispatch).toBeCloseTo(0.025 * 4e13, -6);
    } finally {
      done();
    }
  });

  test('a slow one stays with the first, and with its dispatches', async () => {
    const { own, tuner, done } = paced(2000);
    try {
      budgets.length = 0;
      await tuner.settle(own, [question(['fast', 'slow'], 'slow', 1e13)]);
      expect(budgets).toEqual([4e9]);
      expect(own.flopsPerDispatch).toBe(5e8);
    } finally {
      done();
    }
  });

  test('a clock that does not move says nothing of speed', async () => {
    const { own, tuner, done } = paced(0);
    try {
      budgets.length = 0;
      await tuner.settle(own, [question(['fast', 'slow'], 'slow', 1e13)]);
      expect(budgets).toEqual([4e9]);
      expect(own.flopsPerDispatch).toBe(5e8);
      own.reaches(Infinity);
      expect(own.flopsPerDispatch).toBe(5e8);
    } finally {
      done();
    }
  });

  test('what was found before is recalled with its speed', async () => {
    const store = memory();
    store.map.set('k', JSON.stringify([{ key: 'a', chosen: 'x', ms: { x: 2, y: 1 }, flops: 8e9 }, { key: 'b', chosen: 'x', ms: { x: 0 } }])); // prettier-ignore
    const tuner = new Tuner({ store, key: 'k' });
    expect(tuner.speed).toBe(0);
    await tuner.recall();
    expect(tuner.speed).toBe(4e12);
  });
});

test('a dry run gathers questions, each once', () => {
  const dry = new Run(gpu, { dry: true });
  const asked = question(['slow', 'fast']);
  for (let i = 0; i < 2; i++) expect(dry.choose(asked)).toBe('slow');
  expect([...dry.questions.values()]).toEqual([asked]);
  dry.destroy();
});
