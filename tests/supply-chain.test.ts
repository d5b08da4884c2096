/** docs/supply-chain.md promises: what it says of the lock file is what the lock file says. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Entry {
  version: string;
  dev?: boolean;
  resolved?: string;
  integrity?: string;
  hasInstallScript?: boolean;
}
const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const { packages } = read('package-lock.json') as { packages: Record<string, Entry> };
const installed = Object.entries(packages).filter(([path]) => path !== '');
const doc = readFileSync('docs/supply-chain.md', 'utf8');

/** Every version of a package that is in the lock file. */
const versionsOf = (name: string) =>
  [
    ...new Set(installed.filter(([path]) => path.endsWith(`node_modules/${name}`)).map(([, e]) => e.version)),
  ].sort();
/** Of two versions, as numbers. */
const isAtLeast = (version: string, least: string) =>
  version.localeCompare(least, 'en', { numeric: true }) >= 0;

const rows = doc
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  ) // prettier-ignore
  .slice(2);

test('every package has a hash, and none an address of whoever made the lock file', () => {
  expect(installed.length).toBeGreaterThan(100);
  expect(
    installed.filter(([, { integrity }]) => !/^sha512-/.test(integrity ?? '')).map(([path]) => path),
  ).toEqual([]);
  expect(installed.filter(([, { resolved }]) => resolved).map(([path]) => path)).toEqual([]);
});

test('install scripts are allowed or forbidden by name', () => {
  const scripts = installed
    .filter(([, e]) => e.hasInstallScript)
    .map(([path]) => path.replace('node_modules/', ''));
  const { allowScripts } = read('package.json') as { allowScripts: Record<string, boolean> };
  expect(scripts.sort()).toEqual(Object.keys(allowScripts).sort());
  expect(Object.entries(allowScripts).filter(([, may]) => may)).toEqual([['webgpu', true]]);
});

test('the table of advisories is there', () => expect(rows.length).toBeGreaterThan(5));

test.each(rows)('%s %s: %s', (what, versions, _, fixed) => {
  const name = /^[@\w/.-]+/.exec(what!)![0];
  expect(versions!.split(', ').sort(), 'versions in the lock file').toEqual(versionsOf(name));
  // Of several lines that were mended, the one that it belongs to.
  const fixes = fixed!.split(';')[0]!.match(/\d+\.\d+\.\d+/g) ?? [];
  const major = (version: string) => version.split('.')[0];
  for (const version of versionsOf(name)) {
    const own = fixes.filter((fix) => major(fix) === major(version));
    for (const least of own.length > 0 ? own : fixes)
      expect(isAtLeast(version, least), `${version}, fixed in ${least}`).toBe(true);
  }
});

test('its counts are those of the lock file', () => {
  const [, all, page] =
    /(\d+) packages in the lock\s+file; (\d+) of them are not for tests and building alone/.exec(doc)!;
  expect(Number(all)).toBe(installed.length);
  expect(Number(page)).toBe(
    installed.filter(([, e]) => !e.dev && !(e as { devOptional?: true }).devOptional).length,
  );
});
