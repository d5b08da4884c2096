/** Two builds of the page, made one after the other in folders of their own, are the same to the byte. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('two builds have the same hashes', () => {
  // Under vitest these would make it a build for tests, not the one that people get.
  const { NODE_ENV, VITEST, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['scripts/reproducible.mjs'], {
    env,
    encoding: 'utf8',
  });
  expect(stdout).toMatch(/Two builds, the same \d+ files: [0-9a-f]{64}/);
  expect(stdout).toMatch(/^[0-9a-f]{64} {2}licences\.txt$/m);
  expect(status).toBe(0);
});
