import { describe, expect, test } from 'vitest';
import {
  isEdited,
  parseScript,
  timeShots,
  titleOf,
  totalSeconds,
  withLength,
  writeScript,
  type Shot,
} from '../../src/story/script';

const shot = (prompt: string, seconds: number | null = null, cut = false): Shot => ({ prompt, seconds, cut });

describe('reading', () => {
  test.each<[string, Shot[]]>([
    ['a red boat', [shot('a red boat')]],
    ['  a red boat  \n\n a  blue car\t', [shot('a red boat'), shot('a blue car')]],
    ['[4s] a red boat\r\n[2.5 sec] [cut] a car', [shot('a red boat', 4), shot('a car', 2.5, true)]],
    ['a red boat [4S]\na car [CUT]', [shot('a red boat', 4), shot('a car', null, true)]],
    ['[3秒] 一艘红色的船\n【切】【2秒】一辆车', [shot('一艘红色的船', 3), shot('一辆车', 2, true)]],
    ['[2,5s] ein rotes Boot', [shot('ein rotes Boot', 2.5)]],
    ['[cut] a red boat', [shot('a red boat')]], // nothing to cut from
    ['a boat [blue] and [4 apples]', [shot('a boat [blue] and [4 apples]')]],
    ['', []],
  ])('%j', (text, shots) => expect(parseScript(text)).toEqual(shots));

  test.each([
    ['a boat\n[4s]', 2, 'no words'],
    ['a boat\n\n[cut] ', 3, 'no words'],
    ['[0s] a boat', 1, 'lasts 0 s'],
    ['[99999s] a boat', 1, 'lasts 99999 s'],
    ['[-3s] a boat', 1, 'lasts -3 s'],
    ['a boat\n[1e9s] a car', 2, 'lasts 1e9 s'],
    ['[1.2.3 s] a boat', 1, 'lasts 1.2.3 s'],
  ])('%j is refused with the number of the line', (text, line, message) => {
    expect(() => parseScript(text)).toThrow(
      expect.objectContaining({ code: 'bad-request', params: { field: 'prompt', line }, message: expect.stringContaining(message) }), // prettier-ignore
    );
  });
});

describe('lengths', () => {
  const lengths = (text: string, seconds: number) => timeShots(parseScript(text), seconds).map((s) => s.seconds); // prettier-ignore

  test('one line lasts as long as the clip', () => expect(lengths('a', 2.5)).toEqual([2.5]));
  test('lines that say nothing share what is left', () =>
    expect(lengths('[4s] a\nb\nc', 10)).toEqual([4, 3, 3]));
  test('and get a second at least', () => expect(lengths('[4s] a\nb\nc', 4)).toEqual([4, 1, 1]));
  test('where every line says its length, the clip is as long as they are', () => {
    expect(lengths('[4s] a\n[2s] b', 60)).toEqual([4, 2]);
    expect(totalSeconds(timeShots(parseScript('[4s] a\n[2s] b'), 60))).toBe(6);
  });
});

test.each(['a red boat', '[4s] a red boat\n[cut] [2.5s] a car\nthe end'])(
  '%j comes back as it was',
  (text) => {
    expect(parseScript(writeScript(parseScript(text)))).toEqual(parseScript(text));
  },
);

test('a script is edited where it begins as before and goes on in another way', () => {
  const shots = (text: string, seconds = 6) => timeShots(parseScript(text), seconds);
  const five = '[1s] a\n[1s] b\n[1s] c\n[cut] [1s] d\n[1s] e';
  const edited = (text: string, seconds?: number) => isEdited(shots(five), shots(text, seconds));
  expect(edited(five)).toBe(false); // another of the same
  expect(edited(five.replace('c', 'x'))).toBe(true);
  expect(edited(five.replace('[cut] ', ''))).toBe(true);
  expect(edited(five.replace('[1s] e', '[2s] e'))).toBe(true);
  expect(edited(`${five}\n[1s] f`)).toBe(true);
  expect(edited('[1s] a')).toBe(true);
  expect(edited(five.replace('a', 'x'))).toBe(false);
  expect(edited('[2s] a\n[1s] b')).toBe(false);
  expect(isEdited(shots('a\nb\nc'), shots('a\nb\nx'))).toBe(true);
  expect(isEdited(shots('a'), shots('a', 9))).toBe(false);
});

test('a title is the words alone, whatever else there is', () => {
  expect(titleOf('[1.31s] a  red boat\n\n[cut] 【2秒】 a car ')).toBe('a red boat · a car');
  expect(titleOf('[cut]\n[0s]')).toBe('');
});

test.each([
  ['a storm', '[2s] a storm'],
  ['  [cut]  a storm\nat sea ', '[2s] [cut] a storm at sea'],
  ['a storm [4 sec]', 'a storm [4 sec]'],
  ['', '[2s] '],
])('%j gets a length where it says none', (line, told) => expect(withLength(line, 2)).toBe(told));
