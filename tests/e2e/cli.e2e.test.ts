/** `npm run generate`: the same page, the same worker, the same frames, without a window. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readClip } from '../../src/media/read';
import { PROMPT } from './site';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'kinora-cli-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command; `watch` sees the child and all of stderr so far. */
function generate(args: string[], watch?: (stderr: string, kill: (s: NodeJS.Signals) => void) => void) {
  return new Promise<Ended>((done, failed) => {
    const child = spawn(process.execPath, ['scripts/generate.mjs', ...args]);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => {
      stderr += data;
      watch?.(stderr, (signal) => child.kill(signal));
    });
    child.on('error', failed);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

const SMALL = ['--seed', '7', '--seconds', '0.5', '--size', '96x64', '--steps', '2'];

test('makes the clip, its frames and one line of JSON; twice the same', async () => {
  const out = join(folder, 'clip.mp4');
  const frames = join(folder, 'frames');
  const run = await generate([PROMPT, ...SMALL, '--out', out, '--frames', frames, '--json']);
  expect(run.stderr).toContain('denoise');
  expect(run.code, run.stderr).toBe(0);
  expect(run.stdout.trim().split('\n')).toHaveLength(1);
  const report = JSON.parse(run.stdout);
  expect(report).toMatchObject({ out, width: 96, height: 64, frames: 8, fps: 16, seed: 7 });
  expect(report).toMatchObject({ model: 'pocket', backend: 'webgpu' });
  expect(report.adapter).toEqual(expect.stringMatching(/./));
  for (const time of ['load', 'firstFrame', 'total']) expect(report.timings[time]).toBeGreaterThan(0);
  expect(report.peakGpuBytes).toBeGreaterThan(0);
  expect(await readClip(new Blob([await readFile(out)]))).toMatchObject({ width: 96, height: 64, frames: 8 });
  expect((await readdir(frames)).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((n) => `frame-0000${n}.png`));

  const again = await generate([PROMPT, ...SMALL, '--out', out, '--json']);
  expect(JSON.parse(again.stdout).frameHashes).toEqual(report.frameHashes);
});

test('Ctrl-C leaves nothing behind', async () => {
  const place = await mkdtemp(join(folder, 'stop-'));
  let killed = false;
  const run = await generate([PROMPT, ...SMALL, '--out', join(place, 'clip.mp4')], (stderr, kill) => {
    if (killed || !stderr.includes('%')) return;
    killed = true;
    kill('SIGINT');
  });
  expect(run.code).toBe(130);
  expect(await readdir(place)).toEqual([]);
});
