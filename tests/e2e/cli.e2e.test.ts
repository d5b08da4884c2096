/** `npm run generate`: the same page, the same worker, the same frames, without a window. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
function generate(
  args: string[],
  watch?: (stderr: string, kill: (s: NodeJS.Signals) => void, pid: number) => void,
) {
  return new Promise<Ended>((done, failed) => {
    const child = spawn(process.execPath, ['scripts/generate.mjs', ...args]);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => (stdout += data));
    child.stderr.on('data', (data) => {
      stderr += data;
      watch?.(stderr, (signal) => child.kill(signal), child.pid!);
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

/** Process ids of the browser that a process started. */
function browsersOf(parent: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' });
  const rows = stdout.split('\n').map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
  return rows.filter(([, , ppid, name]) => Number(ppid) === parent && /chrom/i.test(name!)).map(([, pid]) => Number(pid)); // prettier-ignore
}

const LONG = [
  '--seed',
  '7',
  '--seconds',
  '4',
  '--size',
  '32x32',
  '--steps',
  '1',
  '--backend',
  'cpu',
  '--json',
];

test('the browser is killed in mid-clip: --resume goes on, and every frame is the same', async () => {
  const place = await mkdtemp(join(folder, 'resume-'));
  const [whole, out] = [join(place, 'whole.mp4'), join(place, 'clip.mp4')];
  const want = JSON.parse((await generate([PROMPT, ...LONG, '--out', whole])).stdout);
  expect(want.blocks).toHaveLength(6);
  expect(want.blocks[0].jsBytes.page).toBeGreaterThan(1e5);

  let killed: number[] = [];
  const broken = await generate([PROMPT, ...LONG, '--out', out], (stderr, _kill, pid) => {
    if (killed.length > 0 || !/block [3-5] of 6/.test(stderr)) return;
    killed = browsersOf(pid);
    for (const browser of killed) process.kill(browser, 'SIGKILL');
  });
  expect(killed.length).toBeGreaterThan(0);
  expect(broken.code).toBe(1);
  expect(broken.stderr).toContain(`--resume --out ${out}`);
  expect(await readdir(place)).not.toContain('clip.mp4');

  const resumed = await generate(['--resume', '--out', out, '--json']);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch(/block \d of 6, made before, decoded again/);
  expect(JSON.parse(resumed.stdout).frameHashes).toEqual(want.frameHashes);
  expect((await readdir(place)).sort()).toEqual(['clip.mp4', 'whole.mp4']);
  const again = await generate(['--resume', '--out', out]);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('nothing is left of an interrupted');
});

test('a clip is extended: its own frames, to the bit, and then others', async () => {
  const [short, long] = [join(folder, 'short.mp4'), join(folder, 'long.mp4')];
  const cpu = ['--steps', '1', '--backend', 'cpu', '--json'];
  const before = JSON.parse((await generate([PROMPT, '--seconds', '1', '--size', '32x32', '--out', short, ...cpu])).stdout); // prettier-ignore
  const run = await generate(['a storm', '--extend', short, '--seconds', '1', '--out', long, ...cpu]);
  expect(run.code, run.stderr).toBe(0);
  const after = JSON.parse(run.stdout);
  expect(after).toMatchObject({ frames: 32, width: 32, height: 32, seed: before.seed });
  expect(after.frameHashes.slice(0, 16)).toEqual(before.frameHashes);
});

test('a script that begins with a picture: its shots, its own first frame whatever the seed, and times and memory of each block', async () => {
  const place = await mkdtemp(join(folder, 'script-'));
  const [script, frames] = [join(place, 'story.txt'), join(place, 'frames')];
  await writeFile(script, '[0.8s] a red boat on the sea\n\n[cut] [0.6s] a blue car\n');
  const common = ['--size', '32x32', '--steps', '1', '--backend', 'cpu', '--json'];
  const plain = await generate([PROMPT, '--seconds', '0.5', ...common, '--frames', frames, '--out', join(place, 'a.mp4')]); // prettier-ignore
  expect(plain.code, plain.stderr).toBe(0);
  const made = [];
  for (const seed of ['7', '8']) {
    const run = await generate(['--script', script, '--image', join(frames, 'frame-00004.png'), '--seed', seed, ...common, '--out', join(place, `${seed}.mp4`)]); // prettier-ignore
    expect(run.code, run.stderr).toBe(0);
    made.push(JSON.parse(run.stdout));
  }
  const [one, other] = made;
  expect(one.frames).toBe(22);
  expect(one.frameHashes[0]).toBe(other.frameHashes[0]);
  expect(one.frameHashes[4]).not.toBe(other.frameHashes[4]);
  const shots = one.blocks.map(({ shot }: { shot: number }) => shot);
  expect(new Set(shots)).toEqual(new Set([0, 1]));
  for (const block of one.blocks) {
    expect(block.seconds).toBeGreaterThan(0);
    expect(Object.keys(block)).toEqual(expect.arrayContaining(['began', 'gpuBytes', 'jsBytes', 'processBytes', 'cpuSeconds'])); // prettier-ignore
  }
});

test('files that will not do are told, with the way out, and leave nothing', async () => {
  const place = await mkdtemp(join(folder, 'files-'));
  const text = join(place, 'words.png');
  await writeFile(text, 'no picture');
  const run = await generate([PROMPT, '--image', text, '--out', join(place, 'x.mp4'), '--backend', 'cpu']);
  expect(run.code).toBe(2);
  expect(run.stderr).toMatch(/words\.png: .*(cannot begin with a picture|cannot be read as a picture)/);
  expect(await readdir(place)).toEqual(['words.png']);
});
