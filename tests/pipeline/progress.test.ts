import { expect, test } from 'vitest';
import { Costs, Progress, type Work } from '../../src/pipeline/progress';
import type { GenerateEvent } from '../../src/worker/protocol/clip';

type Told = Extract<GenerateEvent, { type: 'progress' }>;

/** A clip of two blocks of two steps, on a clock that goes as told; what it said. */
function play(costs: Costs, seconds: Record<Work, number>, pixels = 6144): Told[] {
  const told: Told[] = [];
  let clock = 0;
  const pieces = { text: 1, pass: 5, decode: 4, finish: 1 };
  const emit = (event: Told) => void told.push(event);
  const progress = new Progress({
    costs,
    pieces,
    pixels,
    blocks: 2,
    steps: 2,
    secondsOfBlock: 6,
    emit,
    now: () => clock * 1000,
  });
  const work = (
    kind: Work,
    ...rest: Parameters<Progress['begin']> extends [Work, ...infer R] ? R : never
  ) => {
    const done = progress.begin(kind, ...rest);
    clock += seconds[kind];
    done();
  };
  work('text', 'text');
  for (let block = 0; block < 2; block++) {
    for (let step = 0; step < 2; step++) work('pass', 'denoise', { block, step });
    work('decode', 'decode');
    work('decode', 'decode');
    progress.blockDone(true);
    if (block === 0) work('pass', 'denoise', { block: 1, step: 0 });
  }
  work('finish', 'encode');
  progress.done();
  return told;
}

const SECONDS = { text: 1, pass: 10, decode: 2, finish: 1 };

test('the share done rises from 0 to 1 and is never taken back', () => {
  for (const seconds of [SECONDS, { text: 90, pass: 1, decode: 30, finish: 5 }]) {
    const shares = play(new Costs(), seconds).map((e) => e.fraction);
    expect(shares[0]).toBe(0);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  }
});

test('the time left is unknown until a pass was measured, then about right', () => {
  const told = play(new Costs(), SECONDS);
  expect(told.slice(0, 2).map((e) => e.secondsLeft)).toEqual([null, null]);
  // After text, two passes and two decodings, when all kinds but the last are known.
  const late = told.find((e) => e.block === 1 && e.stage === 'denoise')!;
  expect(late.secondsLeft).toBeGreaterThan(3 * 10 + 2 * 2);
  expect(late.secondsLeft).toBeLessThan(3 * 10 + 2 * 2 + 5);
  expect(told.at(-1)!.secondsLeft).toBe(0);
});

test('what was learnt serves the next clip from its beginning, at another size too', () => {
  const costs = new Costs();
  play(costs, SECONDS);
  const again = play(costs, SECONDS);
  expect(again[0]!.secondsLeft).toBeCloseTo(1 + 50 + 8 + 1, 5);
  expect(again[3]!.fraction).toBeCloseTo(21 / 60, 5);
  expect(play(costs, SECONDS, 4 * 6144)[0]!.secondsLeft).toBeCloseTo(1 + 200 + 32 + 1, 5);
});

test('stages, blocks and steps are told as they come', () => {
  const told = play(new Costs(), SECONDS).map((e) => [e.stage, e.block, e.step]);
  expect(told).toEqual([
    ['text', 0, 0],
    ['denoise', 0, 0],
    ['denoise', 0, 1],
    ['decode', 0, 1],
    ['decode', 0, 1],
    ['denoise', 1, 0],
    ['denoise', 1, 0],
    ['denoise', 1, 1],
    ['decode', 1, 1],
    ['decode', 1, 1],
    ['encode', 1, 1],
    ['finish', 1, 1],
  ]);
});

test('from the second block on, the pace says what is left and how fast it goes', () => {
  const told: Told[] = [];
  let clock = 0;
  const progress = new Progress({
    costs: new Costs(),
    pieces: { text: 0, pass: 4, decode: 4, finish: 0 },
    ...{ pixels: 1, blocks: 4, steps: 1, secondsOfBlock: 6 },
    emit: (event) => void told.push(event),
    now: () => clock * 1000,
  });
  for (let block = 0; block < 4; block++) {
    const pass = progress.begin('pass', 'denoise', { block });
    clock += 3;
    const decode = progress.begin('decode', 'decode'); // beside it
    clock += 1;
    pass();
    decode();
    progress.blockDone(true);
  }
  expect(told.map((e) => e.stage)).toEqual(Array(8).fill('denoise'));
  // Before two blocks are done, by what one took: four seconds, and one that really passed beside it.
  expect(told.map((e) => e.realTime)).toEqual([null, null, 1.2, 1.2, 1.5, 1.5, 1.5, 1.5]);
  expect(told.slice(4).map((e) => e.secondsLeft)).toEqual([8, 5, 4, 1]);
});

test('how fast it goes is told from the first measurement to the end; of the next clip, from its beginning', () => {
  const costs = new Costs();
  const first = play(costs, SECONDS).map((e) => e.realTime);
  const from = first.findIndex((x) => x !== null);
  expect(from).toBeLessThan(first.length / 2); // of two blocks, before the second
  expect(first.slice(from).every((x) => x !== null && x > 0)).toBe(true);
  expect(play(costs, SECONDS).every((e) => e.realTime !== null && e.realTime > 0)).toBe(true);
});

test('a block that was there before is told as that, by its own number, and never in place of what is made', () => {
  const told: Told[] = [];
  const pieces = { text: 0, pass: 3, decode: 3, finish: 0 };
  const emit = (event: Told) => void told.push(event);
  const progress = new Progress({ costs: new Costs(), pieces, pixels: 1, blocks: 17, steps: 4, secondsOfBlock: 1, emit }); // prettier-ignore
  progress.begin('decode', 'decode', { known: 0 })();
  progress.begin('decode', 'decode', { known: 1 })();
  const pass = progress.begin('pass', 'denoise', { block: 3, step: 0 });
  progress.begin('decode', 'decode', { known: 2 })(); // beside it
  pass();
  progress.begin('decode', 'decode')();
  expect(told.map(({ stage, block, known = false }) => [stage, block, known])).toEqual([
    ['decode', 0, true],
    ['decode', 1, true],
    ['denoise', 3, false],
    ['denoise', 3, false],
    ['decode', 3, false],
  ]);
});

test('what need not be done does not count as left', () => {
  const told: Told[] = [];
  const pieces = { text: 0, pass: 10, decode: 0, finish: 0 };
  const emit = (event: Told) => void told.push(event);
  const progress = new Progress({ costs: new Costs(), pieces, pixels: 1, blocks: 2, steps: 4, secondsOfBlock: 1, emit }); // prettier-ignore
  progress.skip('pass', 5);
  progress.begin('pass', 'denoise');
  expect(told[0]!.fraction).toBeCloseTo(0.5);
});

test('a piece that takes minutes tells how much of it is done', () => {
  const told: Told[] = [];
  const progress = new Progress({
    costs: new Costs(),
    pieces: { text: 1, pass: 1, decode: 0, finish: 0 },
    pixels: 6144,
    blocks: 1,
    steps: 1,
    secondsOfBlock: 1,
    emit: (event) => void told.push(event),
  });
  const done = progress.begin('text', 'text');
  for (let layer = 1; layer <= 4; layer++) progress.part('text', layer / 4);
  done();
  progress.part('text', 0.5); // nothing of the kind goes on
  progress.begin('pass', 'denoise')();
  expect(told.map(({ stage }) => stage)).toEqual([...Array<string>(5).fill('text'), 'denoise']);
  const shares = told.map(({ fraction }) => fraction);
  expect(shares[0]).toBe(0);
  for (let i = 1; i < 5; i++) expect(shares[i]!).toBeGreaterThan(shares[i - 1]!);
  expect(shares[5]!).toBeCloseTo(shares[4]!, 1);
});
