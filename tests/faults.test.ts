/**
 * docs/faults.md promises: every row names tests by file and title, the titles are of tests that run, and its last column
 * says "nothing". Of the table of fifty clips nothing is read here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const rowsOf = (text: string) =>
  text
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim())); // prettier-ignore

/** What a cell names: "`file`: *title*, *title*; `file`: *title*". */
function named(cell: string): { path: string; titles: string[] }[] {
  return cell.split(/; (?=`)/).map((part) => {
    const [, path = part, rest = ''] = /^`([^`]+)`: (.*)$/.exec(part) ?? [];
    return { path, titles: [...rest.matchAll(/\*([^*]+)\*/g)].map(([, title]) => title!) };
  });
}

/**
 * Whether a test of this title is in the file's text: the first argument of `test`, `it` or `describe` (of `.each`, what
 * follows its table), or the first of a table's row. One that is skipped or to be done does not count.
 */
function has(text: string, title: string): boolean {
  for (const quote of ["'", '"', '`'])
    for (let at = text.indexOf(quote + title + quote); at >= 0; at = text.indexOf(quote + title + quote, at + 1)) {
      const before = text.slice(0, at).trimEnd();
      const after = text.slice(at + title.length + 2).trimStart();
      if (!after.startsWith(',') || !/[([]$/.test(before)) continue;
      const line = before.slice(before.lastIndexOf('\n') + 1);
      if (!/\b(todo|fails|skip)\b/.test(line)) return true;
    } // prettier-ignore
  return false;
}

const rows = rowsOf(readFileSync('docs/faults.md', 'utf8'));

test('the table of faults has its columns', () => {
  expect(rows[0]).toEqual(['injected', 'test', 'what happened', 'what was lost']);
  expect(rows.length).toBeGreaterThan(50);
});

test.each(rows.slice(2))('%s: nothing is lost, and %s shows it', (injected, tests, happened, lost) => {
  expect(injected).not.toBe('');
  expect(happened).not.toBe('');
  expect(lost).toBe('nothing');
  for (const { path, titles } of named(tests!)) {
    expect(existsSync(path), path).toBe(true);
    expect(titles.length, `titles of ${path}`).toBeGreaterThan(0);
    const text = readFileSync(path, 'utf8');
    for (const title of titles) expect(has(text, title), `${path} has no test “${title}”`).toBe(true);
  }
});

describe('a row that names', () => {
  const file = `
    // test 'of a comment', or of words: 'of words', that are no test
    test('there', () => {});
    test.skipIf(windows)('on most machines', () => {});
    test.skip('left out', () => {});
    test.todo('for later', () => {});
    describe.each(['a'])('each %s', () => {});
    it.each(damages)(
      'over two lines',
      () => {});
    const TABLE = { rows: [['a row', () => 1, 'bad-request']] };
    expect(x, 'not a title');
  `;
  test.each([
    ['there', true],
    ['on most machines', true],
    ['each %s', true],
    ['over two lines', true],
    ['a row', true],
    ['left out', false],
    ['for later', false],
    ['of words', false],
    ['not a title', false],
    ['ther', false],
  ])('%s: %s', (title, is) => expect(has(file, title)).toBe(is));

  test('two files, of which one has two titles', () => {
    expect(named('`a.ts`: *one*, *two: 2*; `b.ts`: *three; still three*')).toEqual([
      { path: 'a.ts', titles: ['one', 'two: 2'] },
      { path: 'b.ts', titles: ['three; still three'] },
    ]);
  });
});
