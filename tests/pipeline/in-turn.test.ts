import { expect, test } from 'vitest';
import { inTurn } from '../../src/pipeline/in-turn';

/** Notes what happens; jobs end when they are told to. */
function jobs(ahead: boolean | (() => boolean)) {
  const log: string[] = [];
  const ends: { resolve(value: string): void; reject(error: Error): void }[] = [];
  const done = inTurn<string>(3, {
    ahead: typeof ahead === 'function' ? ahead : () => ahead,
    begin: (i) => {
      log.push(`begin ${i}`);
      return () => log.push(`done ${i}`);
    },
    start: (i) => {
      log.push(`start ${i}`);
      return new Promise((resolve, reject) => (ends[i] = { resolve, reject }));
    },
    end: (i, result) => void log.push(`end ${i} ${result}`),
  });
  done.catch(() => {});
  const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
  return { log, ends, done, turn };
}

test('one at a time, a job is started when the one before it is over', async () => {
  const { log, ends, done, turn } = jobs(false);
  for (const i of [0, 1, 2]) {
    ends[i]!.resolve('x');
    await turn();
  }
  await done;
  expect(log).toEqual([0, 1, 2].flatMap((i) => [`begin ${i}`, `start ${i}`, `done ${i}`, `end ${i} x`]));
});

test('ahead, one more is started, and what comes of them keeps its order', async () => {
  const { log, ends, done, turn } = jobs(true);
  expect(log).toEqual(['begin 0', 'start 0', 'start 1']);
  ends[1]!.resolve('second'); // may be there before
  await turn();
  expect(log).toHaveLength(3);
  ends[0]!.resolve('first');
  await turn();
  expect(log.slice(3)).toEqual([
    'done 0',
    'end 0 first',
    'begin 1',
    'start 2',
    'done 1',
    'end 1 second',
    'begin 2',
  ]);
  ends[2]!.resolve('third');
  await done;
  expect(log.slice(-2)).toEqual(['done 2', 'end 2 third']);
});

test('a job that fails ends it, also where the next is on its way and fails later', async () => {
  const { log, ends, done, turn } = jobs(true);
  ends[0]!.reject(new Error('broken'));
  await expect(done).rejects.toThrow('broken');
  ends[1]!.reject(new Error('too late'));
  await turn(); // an unhandled rejection would fail the test run
  expect(log).toEqual(['begin 0', 'start 0', 'start 1']);
});

test('a job that fails ahead of time fails in its turn', async () => {
  const { log, ends, done, turn } = jobs(true);
  ends[1]!.reject(new Error('the second'));
  await turn();
  ends[0]!.resolve('first');
  await expect(done).rejects.toThrow('the second');
  expect(log).toContain('end 0 first');
});
