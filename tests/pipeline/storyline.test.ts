import { describe, expect, test } from 'vitest';
import { Storyline } from '../../src/pipeline/storyline';

const POCKET = { fps: 16, perBlock: 3, stride: 4 };
const story = ({ plan }: Storyline) => plan.blocks.map(({ shot, enter }) => (enter ? `${shot}:${enter}` : `${shot}`)).join(' '); // prettier-ignore

test('one line is one shot; the words are cleaned, the text is kept', () => {
  const line = new Storyline(' a  red &amp; blue boat ', 2, POCKET);
  expect(line.shots).toEqual([{ prompt: 'a red & blue boat', seconds: 2, cut: false }]);
  expect(line.text).toBe(' a  red &amp; blue boat ');
  expect(line.plan.frames).toBe(32);
});

test.each(['', ' \n ', 'x'.repeat(5001)])('%j is refused', (text) =>
  expect(() => new Storyline(text, 2, POCKET)).toThrow(expect.objectContaining({ code: 'bad-request' })),
);

describe('steering', () => {
  test('changes what comes and nothing that was', () => {
    const line = new Storyline('[2s] a\n[2s] b\n[4s] c', 1, POCKET);
    expect(story(line)).toBe('0:start 0 0 1:switch 1 1 2:switch 2 2 2 2');
    const { frames } = line.plan;
    line.steer('a storm', 4);
    expect(story(line)).toBe('0:start 0 0 1:switch 2:switch 2 2 2 2 2 2');
    expect(line.plan.frames).toBe(frames);
    expect(line.shots.map((s) => s.prompt)).toEqual(['a', 'b', 'a storm']);
    line.steer('[cut]  the sun', 6);
    expect(story(line)).toBe('0:start 0 0 1:switch 2:switch 2 3:cut 3 3 3 3 3');
    // What is written into the file makes the same clip again.
    expect(story(new Storyline(line.text, 60, POCKET))).toBe(story(line));
    expect(new Storyline(line.text, 60, POCKET).plan.frames).toBe(line.plan.frames);
  });

  test('again and again at every block', () => {
    const line = new Storyline('a', 60, POCKET);
    for (let b = 1; b < line.plan.blocks.length; b++) {
      const before = line.plan.blocks.slice(0, b).map((x) => x.take.firstFrame);
      line.steer(`words ${b}`, b);
      expect(line.plan.blocks[b]).toMatchObject({ shot: b, enter: 'switch' });
      expect(line.plan.blocks.slice(0, b).map((x) => x.take.firstFrame)).toEqual(before);
    }
    expect(line.plan.frames).toBe(960);
  });

  test('at the last block, or before the first, still makes a clip', () => {
    const line = new Storyline('a', 1, POCKET);
    const last = line.plan.blocks.length - 1;
    line.steer('b', last);
    expect(story(line)).toBe('0:start 1:switch');
    line.steer('c', 0); // not begun: the words of the clip itself are to be changed
    expect(line.shots[0]!.prompt).toBe('a');
  });
});
