/** docs/faults.md promises: every row names tests that exist, and its last column says "nothing". */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const rows = readFileSync('docs/faults.md', 'utf8')
  .split('\n## ')[0]! // the fifty clips have a table of their own
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim())); // prettier-ignore

test('the table of faults has its columns', () => {
  expect(rows[0]).toEqual(['injected', 'test', 'what happened', 'what was lost']);
  expect(rows.length).toBeGreaterThan(25);
});

test.each(rows.slice(2))('%s: nothing is lost, and %s shows it', (injected, tests, happened, lost) => {
  expect(injected).not.toBe('');
  expect(happened).not.toBe('');
  expect(lost).toBe('nothing');
  const named = [...tests!.matchAll(/`([^`]+)`/g)].map(([, path]) => path!);
  expect(named.length).toBeGreaterThan(0);
  for (const path of named) {
    expect(existsSync(path), path).toBe(true);
    expect(readFileSync(path, 'utf8'), path).toMatch(/\btest\b|\bit\(/);
  }
});
