/** A server that npm started ends with npm: killed outright, shell in between, zombie or not. */
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test.skipIf(process.platform === 'win32')('npm killed, the shell between them alive: the server ends', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kinora-orphan-'));
  const server = join(folder, 'server.mjs');
  writeFileSync(
    server,
    `import { onOrphaned } from ${JSON.stringify(resolve('scripts/orphan.mjs'))};
     onOrphaned(() => process.exit(0));
     setInterval(() => {}, 1000);
     console.log(process.pid);`,
  );
  // As npm does: a program that waits for a shell that waits for the script.
  const npm = join(folder, 'npm.mjs');
  writeFileSync(
    npm,
    `import { spawn } from 'node:child_process';
     spawn('sh', ['-c', ${JSON.stringify(`"${process.execPath}" "${server}"; true`)}], {
       stdio: 'inherit', env: { ...process.env, npm_lifecycle_event: 'start' },
     });
     setInterval(() => {}, 1000);`,
  );
  const top = spawn(process.execPath, [npm], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise<number>((found) => top.stdout.once('data', (data) => found(Number(data))));
  await new Promise((done) => setTimeout(done, 1500));
  expect(alive(pid)).toBe(true); // it does not end by itself
  top.kill('SIGKILL');
  await expect.poll(() => alive(pid), { timeout: 15_000, interval: 100 }).toBe(false);
}); // prettier-ignore
