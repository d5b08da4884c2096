import { expect, test } from 'vitest';
import { Conveyor } from '../../src/pipeline/conveyor';

/** A job that ends when it is told to. */
function makeJob(log: string[], name: string) {
  let end!: (error?: Error) => void;
  const ended = new Promise<void>(
    (resolve, reject) => (end = (error) => (error ? reject(error) : resolve())),
  );
  const job = async () => {
    log.push(`${name} begins`);
    await ended;
    log.push(`${name} ends`);
  };
  return { job, end };
}
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test('jobs go one after another, and a full conveyor makes one wait', async () => {
  const log: string[] = [];
  const conveyor = new Conveyor(2);
  const [a, b, c] = [makeJob(log, 'a'), makeJob(log, 'b'), makeJob(log, 'c')];
  await conveyor.push(a.job);
  await conveyor.push(b.job);
  const third = conveyor.push(c.job).then(() => log.push('c taken'));
  await turn();
  expect(log).toEqual(['a begins']);
  a.end();
  await third;
  b.end();
  c.end();
  await conveyor.drain();
  expect(log.filter((line) => line !== 'c taken')).toEqual(['a', 'b', 'c'].flatMap((n) => [`${n} begins`, `${n} ends`])); // prettier-ignore
  expect(log.indexOf('c taken')).toBeGreaterThan(log.indexOf('a ends'));
});

test('a failure reaches the next one who feeds it, and what waits is dropped', async () => {
  const log: string[] = [];
  const conveyor = new Conveyor(3);
  const [a, b] = [makeJob(log, 'a'), makeJob(log, 'b')];
  await conveyor.push(a.job);
  await conveyor.push(b.job);
  a.end(new Error('no paper'));
  await expect(conveyor.drain()).rejects.toThrow('no paper');
  await expect(conveyor.push(b.job)).rejects.toThrow('no paper');
  expect(log).toEqual(['a begins']);
});

test('stopped, it waits for what runs and drops the rest', async () => {
  const log: string[] = [];
  const conveyor = new Conveyor(3);
  const [a, b] = [makeJob(log, 'a'), makeJob(log, 'b')];
  await conveyor.push(a.job);
  await conveyor.push(b.job);
  await turn();
  const stopped = conveyor.stop().then(() => log.push('stopped'));
  a.end();
  await stopped;
  expect(log).toEqual(['a begins', 'a ends', 'stopped']);
});
