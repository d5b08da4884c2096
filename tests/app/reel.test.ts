import { describe, expect, test } from 'vitest';
import { Reel } from '../../src/app/reel';

function make() {
  const freed: string[] = [];
  return { freed, reel: new Reel<string>(16, (picture) => freed.push(picture)) };
}
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe('a reel', () => {
  test('has nothing to show at first', () => {
    const { reel } = make();
    expect(reel.play(1)).toBeNull();
    expect(reel.newest()).toBeNull();
  });

  test('stands still on the guess of the first block: noise that flickers would hurt', () => {
    const { reel } = make();
    reel.guess(0, names('g', 3));
    expect([reel.play(0), reel.play(0.3), reel.play(0.3)]).toEqual(['g0', 'g0', 'g0']);
  });

  test('plays frames at their tempo, then waits at their end and shows the guess', () => {
    const { reel } = make();
    reel.add(0, names('f', 9));
    reel.guess(1, names('g', 3));
    const seen = Array.from({ length: 22 }, () => reel.play(1 / 16));
    expect(seen.slice(0, 8)).toEqual(names('f', 9).slice(1));
    expect(new Set(seen.slice(8))).toEqual(new Set(['g0', 'g1', 'g2']));
    reel.add(1, names('n', 12));
    expect(reel.play(0)).toBe('n0'); // it waited, and goes on at once
  });

  test('holds no more frames than it may, and goes on from those it has', () => {
    const freed: string[] = [];
    const reel = new Reel<string>(16, (picture) => freed.push(picture), 10);
    reel.add(0, names('f', 9));
    reel.add(1, names('n', 9));
    expect(freed).toEqual(names('f', 8));
    expect(reel.decoded).toBe(18);
    expect(reel.play(0)).toBe('f8');
    expect(reel.play(1 / 16)).toBe('n0');
  });

  test('lets go what it has shown, and never what it shows', () => {
    const { reel, freed } = make();
    reel.add(0, names('f', 9));
    expect(reel.play(3.5 / 16)).toBe('f3');
    expect(freed).toEqual(names('f', 3));
    expect(reel.play(9)).toBe('f8'); // the last, for want of another
    expect(freed).toEqual(names('f', 8));
    reel.add(1, names('n', 12));
    expect(reel.play(0)).toBe('n0');
    expect(freed).toEqual(names('f', 9));
    expect(reel.decoded).toBe(21);
  });

  test('without motion, too', () => {
    const { reel, freed } = make();
    reel.add(0, names('f', 9));
    expect(reel.newest()).toBe('f8');
    expect(freed).toEqual(names('f', 8));
    reel.add(1, names('n', 2));
    expect(reel.newest()).toBe('n1');
    expect(freed).toEqual([...names('f', 9), 'n0']);
  });

  test('told again from the beginning, it goes on', () => {
    const { reel } = make();
    reel.add(0, names('f', 9));
    reel.play(5 / 16);
    reel.clear();
    reel.add(0, names('f', 9));
    expect(reel.play(0)).toBe('f5');
    expect(reel.play(9)).toBe('f8');
  });

  test('goes on where it is when a block arrives', () => {
    const { reel } = make();
    reel.add(0, names('f', 9));
    reel.play(8 / 16);
    reel.add(1, names('n', 12));
    expect(reel.play(1 / 16)).toBe('n0');
  });

  test('frees each guess when the next or its frames come, and everything at the end', () => {
    const { reel, freed } = make();
    reel.guess(0, ['a']);
    reel.guess(0, ['b']);
    expect(freed).toEqual(['a']);
    reel.add(0, ['f']);
    expect(freed).toEqual(['a', 'b']);
    reel.guess(1, ['c']);
    reel.clear();
    expect(freed).toEqual(['a', 'b', 'c', 'f']);
    expect(reel.newest()).toBeNull();
  });

  test('without motion, the newest picture is the guess in work', () => {
    const { reel } = make();
    reel.add(0, ['f0', 'f1']);
    expect(reel.newest()).toBe('f1');
    reel.guess(1, ['g0', 'g1']);
    expect(reel.newest()).toBe('g0');
  });
});
