import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BadUsage, MAX_PROMPT, MAX_SECONDS, readArguments } from '../../scripts/generate-arguments.mjs';
import { Work } from '../../scripts/generate-work.mjs';
import * as limits from '../../src/limits';
import { describe as describeEvent, drawProgress } from '../../scripts/generate-progress.mjs';

const model = { fps: 16, sizes: [{ width: 96, height: 64 }], seconds: { default: 2, max: 5 } };
const read = (...argv: string[]) => readArguments(argv, () => model);

test('takes the model’s defaults and a random seed', () => {
  const options = read('a red boat', '--out', 'a.mp4');
  expect(options).toMatchObject({ prompt: 'a red boat', seconds: 2, width: 96, height: 64, model: 'pocket' });
  expect(options.steps).toBeUndefined();
  expect(Number.isInteger(options.seed)).toBe(true);
});

test('knows whether the picture size was taught, and says so before it begins', () => {
  expect(read('x', '--out', 'a.mp4').taught).toBe(true);
  expect(read('x', '--out', 'a.mp4', '--size', '96x64').taught).toBe(true);
  expect(read('x', '--out', 'a.mp4', '--size', '64x96').taught).toBe(false);
});

test('reads every option', () => {
  const argv =
    '--seed 4294967295 --seconds 1.5 --size 160x96 --steps 50 --frames f --json --adapter hardware';
  const options = read('x', '--out', 'a.mp4', ...argv.split(' '));
  expect(options).toMatchObject({ seed: 4294967295, seconds: 1.5, width: 160, height: 96, steps: 50 });
  expect(options).toMatchObject({ frames: 'f', json: true, adapter: 'hardware' });
});

test.each([
  [[], 'prompt is missing'],
  [['  ', '--out', 'a'], 'prompt is empty'],
  [['a', 'red', 'boat', '--out', 'a'], 'There are 3 prompts'],
  [['x'], '--out FILE.mp4 is missing'],
  [['x', '--out', 'a', '--sede', '7'], 'There is no option --sede'],
  [['x', '--out', 'a', '--seed', '-1'], '--seed -1: it must be a whole number from 0 to 4294967295'],
  [['x', '--out', 'a', '--seed'], '--seed: its value is missing'],
  [['x', '--out', 'a', '--seed', '--json'], '--seed: its value is missing'],
  [['x', '--out', 'a', '--json=1'], '--json takes no value'],
  [['x', '--out', 'a', '-s'], 'There is no option -s'],
  [['x'.repeat(5001), '--out', 'a'], '5001 characters; at most 5000'],
  [['x', '--out', 'a', '--seed', '4294967296'], '--seed 4294967296: it must be a whole number'],
  [['x', '--out', 'a', '--seed', '1e3'], '--seed 1e3'],
  [['x', '--out', 'a', '--seconds', '601'], 'from 0.0625 to 600'],
  [['x', '--out', 'a', '--script', 'b'], 'give one of them'],
  [['--out', 'a', '--script', 'no-such-file'], '--script no-such-file: there is no such file'],
  [['x', '--out', 'a', '--image', 'no-such-file'], '--image no-such-file: there is no such file'],
  [['x', '--out', 'a', '--extend', 'no-such-file'], '--extend no-such-file: there is no such file'],
  [['x', '--out', 'a', '--image', 'src'], '--image src is no file'],
  [['x', '--out', 'a', '--image', 'LICENSE', '--extend', 'LICENSE'], 'give one of them'],
  [['x', '--out', 'a', '--image', 'LICENSE', '--loop'], 'A loop begins with nothing but words'],
  [['--extend', 'LICENSE', '--out', 'a'], 'prompt is missing'],
  [['x', '--out', 'a', '--resume', '--seed', '7'], 'leave out a prompt, --seed'],
  [['--resume'], '--out FILE.mp4 is missing'],
  [['x', '--out', 'a', '--window', '0'], '--window 0: it must be a whole number from 1 to 1024'],
  [['x', '--out', 'a', '--sink', '-1'], '--sink'],
  [['x', '--out', 'a', '--cache-bits', '4'], '--cache-bits 4: it must be 8 or 16'],
  [['--resume', '--out', 'a', '--cache-bits', '8'], 'leave out --cache-bits'],
  [['x', '--out', 'a', '--seconds', 'two'], '--seconds two'],
  [['x', '--out', 'a', '--size', '96'], '--size 96: write WIDTHxHEIGHT'],
  [['x', '--out', 'a', '--size', '100x64'], 'multiples of 16'],
  [['x', '--out', 'a', '--steps', '0'], 'from 1 to 50'],
  [['x', '--out', 'a', '--adapter', 'fast'], 'software or hardware'],
])('refuses %j', (argv, message) => {
  expect(() => read(...argv)).toThrow(BadUsage);
  expect(() => read(...argv)).toThrow(message);
});

test('the limits are the page’s', () =>
  expect([MAX_PROMPT, MAX_SECONDS]).toEqual([limits.MAX_PROMPT, limits.MAX_SECONDS]));

test('a script is the words of a file', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'kinora-cli-')), 'script.txt');
  writeFileSync(file, '[4s] a boat\n[cut] a car\n');
  const options = read('--script', file, '--out', 'a.mp4', '--window', '12', '--sink', '3', '--cache-bits', '8'); // prettier-ignore
  expect(options).toMatchObject({ prompt: '[4s] a boat\n[cut] a car', window: 12, sink: 3, cacheBits: 8 });
});

test('the command says what is wrong, exits with 2 and leaves nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kinora-cli-'));
  const out = join(folder, 'no', 'clip.mp4');
  const script = join(import.meta.dirname, '../../scripts/generate.mjs');
  const run = spawnSync(process.execPath, [script, 'a boat', '--out', out], { encoding: 'utf8' });
  // The line that matters, and where the rest is.
  expect(run.stderr.trim().split('\n')).toEqual([
    expect.stringContaining('there is no folder'),
    'See npm run generate -- --help',
  ]);
  expect(run.stdout).toBe('');
  expect(run.status).toBe(2);
  expect(readdirSync(folder)).toEqual([]);
});

test('--resume without an interrupted clip says so; a folder of another edition, too', () => {
  const out = join(mkdtempSync(join(tmpdir(), 'kinora-cli-')), 'a.mp4');
  expect(read('--resume', '--out', out, '--json')).toMatchObject({ resume: true, out, json: true });
  expect(() => Work.resume(out)).toThrow('nothing is left of an interrupted');
  const work = Work.begin({ out, backend: 'cpu', adapter: 'software', model: 'pocket' });
  work.serve('http://127.0.0.1:4321/');
  work.hear({ type: 'progress', stage: 'denoise', block: 0 });
  expect(work.keeps).toBe(false);
  work.hear({ type: 'progress', stage: 'denoise', block: 1 });
  work.close();
  const again = Work.resume(out);
  expect(again.job).toMatchObject({ backend: 'cpu', model: 'pocket', port: 4321 });
  expect(() => again.serve('http://127.0.0.1:4322/')).toThrow('Port 4321');
  again.done();
  again.close();
  expect(() => Work.resume(out)).toThrow(BadUsage);
});

test('says where the work is', () => {
  const at = { block: 1, blocks: 3, step: 0, steps: 4, fraction: 0.4, secondsLeft: 12.1 };
  expect(describeEvent({ type: 'progress', stage: 'denoise', ...at })).toEqual({
    stage: 'denoise',
    share: 0.4,
    text: 'block 2 of 3, step 1 of 4, 13 s left',
  });
  expect(describeEvent({ type: 'progress', stage: 'decode', ...at, known: true }).text).toBe(
    'block 2 of 3, made before, decoded again, 13 s left',
  );
  const bytes = { loaded: 2 ** 20, total: 4 * 2 ** 20 };
  expect(describeEvent({ type: 'download', file: 'x', ...bytes }).text).toBe('1.0 of 4.0 MiB');
});

test('a log gets a line for each tenth, a terminal one moving line', () => {
  const draw = (isTTY: boolean) => {
    let text = '';
    const progress = drawProgress({ isTTY, columns: 80, write: (s: string) => (text += s) });
    for (let done = 0; done <= 100; done++) progress.show({ type: 'compile', done, total: 100 });
    progress.end();
    return text;
  };
  expect(draw(false).trim().split('\n')).toHaveLength(11);
  expect(draw(true)).not.toContain('\n');
  expect(draw(true).endsWith('\r\x1b[2K')).toBe(true);
});
