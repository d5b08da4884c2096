import { describe, expect, test } from 'vitest';
import { readFragment } from '../../src/app/fragment';
import { Settings } from '../../src/app/settings.svelte';
import { MAX_PROMPT } from '../../src/limits';
import { memoryStore, RECIPE } from './helpers';

function make(kept?: object) {
  const store = memoryStore(kept ? { settings: kept } : {});
  let next = 100;
  return { store, settings: new Settings(store, () => next++) };
}

describe('a request', () => {
  test('takes the model’s own numbers where nothing was chosen', () => {
    const { settings } = make();
    settings.offer = { sizes: [{ width: 128, height: 80 }], seconds: { default: 3, max: 9 }, steps: 6 };
    settings.type('prompt', '  a red boat ');
    settings.type('seed', '7');
    expect(settings.request()).toEqual({ prompt: 'a red boat', seed: 7, seconds: 3, width: 128, height: 80, steps: 6 }); // prettier-ignore
  });

  test('draws a new seed each time, unless one was typed, rolled or locked', () => {
    const { settings } = make();
    settings.type('prompt', 'x');
    const first = settings.request()!.seed;
    expect(settings.request()!.seed).not.toBe(first);
    expect(settings.seed).toBe(String(first + 1)); // the field shows the one that was used
    settings.toggleSeed();
    expect([settings.request()!.seed, settings.request()!.seed]).toEqual([first + 1, first + 1]);
    settings.toggleSeed();
    settings.roll();
    const rolled = Number(settings.seed);
    expect(settings.request()!.seed).toBe(rolled);
    settings.type('seed', '4294967295');
    expect(settings.request()!.seed).toBe(4294967295);
  });

  test('takes a seed that is held for once, and then draws again', () => {
    const { settings } = make();
    settings.type('prompt', 'x');
    settings.holdSeed(7);
    expect(settings.request()!.seed).toBe(7);
    expect([settings.seed, settings.keepSeed]).toEqual(['7', false]);
    expect(settings.request()!.seed).not.toBe(7);
  });

  test.each([
    ['prompt', '   ', 0],
    ['prompt', 'x'.repeat(MAX_PROMPT + 1), MAX_PROMPT + 1],
    ['seed', '4294967296', '4294967296'],
    ['seed', '-1', '-1'],
    ['seed', '1e3', '1e3'],
    ['seed', '', ''],
    ['steps', '0', '0'],
    ['steps', '51', '51'],
    ['steps', '2.5', '2.5'],
  ] as const)('names the field %s when it holds %j, and keeps what was typed', (name, text, found) => {
    const { settings } = make();
    settings.type('prompt', 'a red boat');
    settings.type('seed', '7');
    settings.type(name, text);
    expect(settings.request()).toBeNull();
    expect(Object.keys(settings.problems)).toEqual([name]);
    expect(settings.problems[name]?.found).toBe(found);
    expect(settings[name]).toBe(text);
    settings.type(name, '1');
    expect(settings.problems).toEqual({});
    expect(settings.request()).not.toBeNull();
  });

  test.each([
    [{ seconds: 600.5 }, 'seconds'],
    [{ seconds: 0 }, 'seconds'],
    [{ seconds: NaN }, 'seconds'],
    [{ size: { width: 100, height: 64 } }, 'size'],
    [{ size: { width: 96, height: 8192 } }, 'size'],
  ])('refuses %j', (choice, name) => {
    const { settings } = make();
    settings.type('prompt', 'x');
    settings.choose(choice);
    expect(settings.request()).toBeNull();
    expect(Object.keys(settings.problems)).toEqual([name]);
  });
});

describe('how far a block sees', () => {
  const sight = { block: 3, window: 12, sink: 0 };
  test.each([
    ['window', 2, { field: 'window', found: 2, least: 3, most: 1024 }],
    ['window', 2000, { field: 'window', found: 2000, least: 3, most: 1024 }],
    ['window', -3, { field: 'window', found: -3, least: 3, most: 1024 }],
    ['window', 4.5, { field: 'window', found: 4.5, least: 3, most: 1024 }],
    ['window', NaN, { field: 'window', found: '', least: 3, most: 1024 }],
    ['sink', 10, { field: 'sink', found: 10, least: 0, most: 9 }],
  ] as const)('%s %s is told at once, and withdrawn with what is put right', (name, typed, problem) => {
    const { settings } = make();
    settings.suggest('a storm');
    settings.offer = { ...settings.offer, sight };
    settings.look(name, typed);
    expect(settings.problems).toEqual({ [name]: problem });
    expect(settings.refusals).toBe(0); // the person is there already
    expect(settings.request()).toBeNull();
    settings.look(name, 9);
    expect(settings.problems).toEqual({});
    settings.look(name, null);
    expect(settings.request()).not.toBeNull();
  });
});

describe('guidance', () => {
  const guided = { scale: 5, negative: 'blurry', shift: 5 };

  test('is asked of a model that has it, where the person changed it', () => {
    const { settings } = make();
    settings.type('prompt', 'x');
    settings.offer = { ...settings.offer, guidance: guided };
    expect(settings.request()).not.toHaveProperty('guidance');
    settings.guide('guidance', '6,5');
    settings.guide('negative', ' text ');
    settings.guide('shift', '3');
    expect(settings.request()).toMatchObject({ guidance: 6.5, negative: 'text', shift: 3 });
    settings.guide('negative', ''); // nothing is to be kept away from
    expect(settings.request()).toMatchObject({ negative: '' });
    delete settings.offer.guidance;
    expect(settings.request()).not.toHaveProperty('negative');
    expect(settings.request()).not.toHaveProperty('shift');
  });

  test.each([
    ['guidance', '0'],
    ['guidance', '101'],
    ['guidance', 'much'],
    ['shift', '0.5'],
    ['shift', 'far'],
    ['negative', 'x'.repeat(5001)],
  ] as const)('%s of %j is refused', (name, text) => {
    const { settings } = make();
    settings.type('prompt', 'x');
    settings.offer = { ...settings.offer, guidance: guided };
    settings.guide(name, text);
    expect(settings.request()).toBeNull();
    expect(Object.keys(settings.problems)).toEqual([name]);
  });

  test('comes back with a clip, and goes with the next', () => {
    const { settings } = make();
    settings.restore({ ...RECIPE, guidance: 7, negative: 'rain', shift: 3 });
    expect([settings.guidance, settings.negative, settings.shift]).toEqual(['7', 'rain', '3']);
    settings.restore(RECIPE);
    expect([settings.guidance, settings.negative, settings.shift]).toEqual([null, null, null]);
  });
});

describe('choices', () => {
  test('lengths end at what the model can do, and hold one that came from elsewhere', () => {
    const { settings } = make();
    expect(settings.lengths).toEqual([1, 2, 3, 5, 10, 30, 60]);
    settings.choose({ seconds: 0.5 });
    expect(settings.lengths).toEqual([0.5, 1, 2, 3, 5, 10, 30, 60]);
  });

  test('no shape is added that the model was taught already', () => {
    const { settings } = make();
    const sizes = [{ width: 96, height: 64 }, { width: 64, height: 64 }, { width: 64, height: 96 }]; // prettier-ignore
    settings.offer = { ...settings.offer, sizes };
    expect(settings.sizes).toEqual(sizes);
  });

  test('sizes are the taught one, the square and the upright of its area, and the chosen one', () => {
    const { settings } = make();
    settings.choose({ size: { width: 160, height: 96 } });
    const written = settings.sizes.map(({ width, height }) => `${width}x${height}`);
    expect(written).toEqual(['96x64', '80x80', '64x96', '160x96']);
    expect(settings.sizes.map((size) => settings.isTaught(size))).toEqual([true, false, false, false]);
    expect(settings.sizes.every(({ width, height }) => width % 16 === 0 && height % 16 === 0)).toBe(true);
  });
});

test('a draft brings back what its final shall be; another clip is none', () => {
  const { settings } = make();
  settings.restore({
    ...RECIPE,
    width: 48,
    height: 32,
    steps: 1,
    draft: { width: 96, height: 64, steps: 4 },
  });
  expect(settings).toMatchObject({ draft: true, size: { width: 96, height: 64 }, steps: '4' });
  settings.restore(RECIPE);
  expect(settings.draft).toBe(false);
});

describe('what survives', () => {
  test('a reload brings back what was typed, even what will not do', () => {
    const { store, settings } = make();
    settings.type('prompt', 'my words');
    settings.type('seed', 'abc');
    settings.type('steps', '99');
    settings.choose({ seconds: 3, size: { width: 64, height: 96 } });
    settings.keep();
    const again = new Settings(store, () => 1);
    expect([again.prompt, again.seed, again.steps]).toEqual(['my words', 'abc', '99']);
    expect(again).toMatchObject({ keepSeed: true, seconds: 3, size: { width: 64, height: 96 } });
    expect(again.promptIsOurs).toBe(false);
  });

  test.each([null, 'text', 7, [], { prompt: 7, seed: {}, size: { width: 'a' }, seconds: '3' }])(
    'a store that holds %j is no harm',
    (kept) => {
      const settings = new Settings(memoryStore({ settings: kept }), () => 42);
      expect(settings).toMatchObject({ prompt: '', seed: '42', seconds: null, size: null });
    },
  );

  test('an example is ours to replace; typed words are not', () => {
    const { settings } = make();
    settings.suggest('an example');
    expect(settings.promptIsOurs).toBe(true);
    settings.type('prompt', 'an example, changed');
    expect(settings.promptIsOurs).toBe(false);
  });
});

describe('from elsewhere', () => {
  test('a clip brings back everything, and its seed is kept', () => {
    const { settings } = make();
    settings.restore(RECIPE);
    const { prompt, seed, seconds, width, height, steps } = RECIPE;
    expect(settings.request()).toEqual({ prompt, seed, seconds, width, height, steps });
  });

  test('how exactly earlier frames are kept is asked for, kept and brought back', () => {
    const { store, settings } = make();
    settings.suggest('x');
    expect(settings.request()).not.toHaveProperty('cacheBits');
    settings.cacheBits = 8;
    expect(settings.request()).toMatchObject({ cacheBits: 8 });
    settings.keep();
    expect(new Settings(store).cacheBits).toBe(8);
    expect(make({ cacheBits: 4 }).settings.cacheBits).toBeNull();
    settings.restore(RECIPE);
    expect(settings.cacheBits).toBeNull();
    settings.restore({ ...RECIPE, cacheBits: 16 });
    expect(settings.cacheBits).toBe(16);
    settings.apply(readFragment('#cacheBits=8')!);
    expect(settings.cacheBits).toBe(8);
    expect(readFragment('#cacheBits=9')).toBeNull();
  });

  test('so does an address', () => {
    const { settings } = make();
    settings.apply(readFragment('#prompt=%E8%88%B9+a&seed=7&seconds=0.5&width=64&height=96&steps=2')!);
    expect(settings.request()).toEqual({ prompt: '船 a', seed: 7, seconds: 0.5, width: 64, height: 96, steps: 2 }); // prettier-ignore
  });

  test.each([
    ['', null],
    ['#', null],
    ['#main', null],
    ['#auto=1', { auto: true }],
    ['#auto=0&seed=', { auto: false, seed: '' }],
    ['#seconds=abc', { seconds: NaN }],
    ['#width=96', null],
    ['#model=../../etc', null],
    ['#model=pocket', { model: 'pocket' }],
  ])('reads the fragment %j', (hash, expected) => {
    const wish = readFragment(hash);
    if (expected) expect(wish).toMatchObject(expected);
    else expect(wish).toBeNull();
  });
});
