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
    expect(reel.length).toBe(0);
    expect(reel.play(1)).toBeNull();
    expect(reel.newest()).toBeNull();
  });

  test('stands still on the guess of the first block: noise that flickers would hurt', () => {
    const { reel } = make();
    reel.guess(0, names('g', 3));
    expect([reel.play(0), reel.play(0.3), reel.play(0.3)]).toEqual(['g0', 'g0', 'g0']);
  });

  test('plays frames at their tempo, then the guess at its place, then from the start', () => {
    const { reel } = make();
    reel.add(0, names('f', 9));
    reel.guess(1, names('g', 3));
    expect(reel.length).toBe(9 + 3 * 4);
    const seen = Array.from({ length: 22 }, () => reel.play(1 / 16));
    const guessed = ['g0', 'g1', 'g2'].flatMap((g) => [g, g, g, g]);
    expect(seen).toEqual([...names('f', 9).slice(1), ...guessed, 'f0', 'f1']);
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
    expect(reel.length).toBe(0);
  });

  test('without motion, the newest picture is the guess in work', () => {
    const { reel } = make();
    reel.add(0, ['f0', 'f1']);
    expect(reel.newest()).toBe('f1');
    reel.guess(1, ['g0', 'g1']);
    expect(reel.newest()).toBe('g0');
  });
});
