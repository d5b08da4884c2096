/** What a clip leaves behind while it is made: on a disk that is large enough, and on one that fills up. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Block } from '../../src/pipeline/blocks';
import { Journal, listJournals, makeId, type JournalState } from '../../src/pipeline/journal';
import { neededEditions } from '../../src/pipeline/editions';
import { openRecords } from '../../src/pipeline/records';
import { holdEdition } from '../../src/weights/editions';
import { Locks } from '../helpers/locks';
import { FILES, manifest } from '../weights/model';
import { FakeDisk } from '../weights/opfs';

let disk: FakeDisk;
beforeEach(() => {
  disk = new FakeDisk();
  vi.stubGlobal('navigator', { storage: { getDirectory: disk.storage }, locks: new Locks() });
});
afterEach(() => vi.unstubAllGlobals());

const state = (): JournalState => ({
  id: makeId(),
  request: { prompt: 'a red boat', seed: 7, seconds: 2, width: 96, height: 64, steps: 4 },
  ...{ model: 'pocket', edition: '1', backend: 'webgpu', created: '2026-11-24T10:00:00Z', blocks: 3 },
});
const latentsOf = (index: number) => Float32Array.from({ length: 500 }, (_, i) => index * 1000 + i);
const add = (journal: Journal, index: number) =>
  journal.add({ index, size: 3 } as Block, latentsOf(index), `words of ${index}`);
const contents = async (file: Blob) => {
  const records = await openRecords(file);
  return Promise.all(Array.from({ length: records.count }, (_, i) => records.read(i)));
};

test('every block is on the disk when it is added, and an interrupted clip is found with what was finished', async () => {
  const its = state();
  const journal = (await Journal.begin(its, null))!;
  expect(await add(journal, 0)).toBe(true);
  expect(await add(journal, 1)).toBe(true);
  expect(await listJournals()).toEqual([]); // somebody is at it
  journal.close(); // as a browser does with the handles of a worker that is gone
  expect(await listJournals()).toMatchObject([
    { id: its.id, done: 2, blocks: 3, request: { prompt: 'words of 1' } },
  ]);
  const again = await Journal.resume(its.id);
  expect(again.known.count).toBe(2);
  expect((await again.known.read(1)).latents).toEqual(latentsOf(1));
  again.close();
});

test('the editions that interrupted clips were begun with, and those that a tab has loaded, are needed', async () => {
  const journal = (await Journal.begin({ ...state(), edition: '1' }, null))!;
  const release = holdEdition('https://kinora.example/models/pocket/', '2');
  const ask = async () => {
    const needs = await neededEditions('https://kinora.example/models/pocket/');
    return ['1', '2', '3'].filter((edition) => needs({ ...manifest(FILES, edition), id: 'pocket' }));
  };
  expect(await ask()).toEqual(['1', '2']); // while it is made, too
  journal.close();
  release();
  await new Promise((done) => setTimeout(done));
  expect(await ask()).toEqual(['1']);
  expect((await neededEditions('https://kinora.example/other/'))({ ...manifest(FILES, '1'), id: 'other' })).toBe(false); // prettier-ignore
  await journal.drop();
  expect(await ask()).toEqual([]);
});

test('what became different is known again: words said since the last block, and what memory was left for', async () => {
  const its = state();
  const journal = (await Journal.begin(its, null))!;
  await add(journal, 0);
  await journal.change(1, { prompt: 'a storm' });
  await add(journal, 1);
  await journal.change(2, { cacheBits: 8 });
  await journal.change(2, { window: 3, begins: 'clip' });
  journal.close();
  await new Promise((done) => setTimeout(done));
  // The second block's own record says what it was made of.
  const now = { ...its.request, cacheBits: 8, window: 3, begins: 'clip', prompt: 'words of 1' };
  expect(await listJournals()).toMatchObject([{ request: now }]);
  const file = disk.file('changes.jsonl');
  file.data = Uint8Array.from([
    ...file.data,
    ...new TextEncoder().encode('\n{"block":2,"change":{"prompt":"a to'),
  ]); // a crash
  const again = await Journal.resume(its.id);
  expect(again.state.request).toEqual(now);
  await again.change(2, { prompt: 'a car' });
  again.close();
  await new Promise((done) => setTimeout(done));
  expect(await listJournals()).toMatchObject([{ request: { ...now, prompt: 'a car' } }]);
});

test('a clip that was paused before its first block was done can be gone on with; one that died then cannot', async () => {
  for (const paused of [true, false]) {
    const journal = (await Journal.begin(state(), null))!;
    if (paused) await journal.pause();
    journal.close();
    await new Promise((done) => setTimeout(done));
  }
  expect(await listJournals()).toMatchObject([{ done: 0, request: state().request }]);
});

test('a disk that has no room for what became different: the clip goes on', async () => {
  const journal = (await Journal.begin(state(), null))!;
  await add(journal, 0);
  disk.room = disk.used();
  await journal.change(1, { cacheBits: 8 });
  journal.close();
  const [found] = await listJournals();
  expect([found!.done, found!.request]).toEqual([1, { ...state().request, prompt: 'words of 0' }]);
});

test('files of a worker that was just ended are still open: its clip is not taken for nothing', async () => {
  const its = state();
  const journal = (await Journal.begin(its, null))!;
  await add(journal, 0);
  journal.close();
  const file = disk.file('blocks.bin');
  vi.spyOn(file, 'getFile').mockRejectedValueOnce(new DOMException('in use', 'NotReadableError'));
  expect(await listJournals()).toEqual([]);
  expect(await listJournals()).toMatchObject([{ id: its.id, done: 1 }]);
});

test('a disk that fills up: the clip goes on in memory, no block is missing, and what was on the disk stays', async () => {
  const its = state();
  const journal = (await Journal.begin(its, null))!;
  expect(await add(journal, 0)).toBe(true);
  disk.room = disk.used() + 1000; // half of the next
  expect(await add(journal, 1)).toBe(false);
  disk.room = Infinity;
  expect(await add(journal, 2)).toBe(false); // blocks stay in their order

  const present = await journal.reread();
  expect(present.count).toBe(3);
  for (const i of [0, 1, 2]) expect((await present.read(i)).latents).toEqual(latentsOf(i));
  const whole = await contents(await journal.finish());
  expect(whole.map(({ text }) => text)).toEqual(['words of 0', 'words of 1', 'words of 2']);
  expect(whole.map(({ latents }) => latents)).toEqual([0, 1, 2].map(latentsOf));
  // Had the tab been closed before the end, this is what it would find.
  expect(await listJournals()).toMatchObject([{ id: its.id, done: 1 }]);
});

test('a disk that writes half a record: it is not taken for a block', async () => {
  const its = state();
  const journal = (await Journal.begin(its, null))!;
  await add(journal, 0);
  const file = disk.file('blocks.bin');
  file.data = Uint8Array.from([...file.data, ...file.data.subarray(0, 900)]);
  journal.close();
  await new Promise((done) => setTimeout(done)); // its lock is let go
  const again = await Journal.resume(its.id);
  expect(again.known.count).toBe(1);
  expect(await add(again, 1)).toBe(true);
  expect((await contents(await again.finish())).map(({ text }) => text)).toEqual([
    'words of 0',
    'words of 1',
  ]);
});

test('a finished clip that was not kept elsewhere can still be gone on with: a tab may die before the library has it', async () => {
  const its = { ...state(), blocks: 1 };
  const journal = (await Journal.begin(its, null))!;
  await add(journal, 0);
  await journal.finish();
  expect(await listJournals()).toMatchObject([{ id: its.id, done: 1, blocks: 1 }]);
});

test.each([
  ['no room to begin with', () => (disk.room = 10)],
  ['no storage', () => vi.stubGlobal('navigator', { storage: { getDirectory: () => Promise.reject(new DOMException('none', 'SecurityError')) } })], // prettier-ignore
])('%s: the clip is made without a journal', async (_, happens) => {
  happens();
  expect(await Journal.begin(state(), null)).toBeNull();
  disk.room = Infinity;
  expect(await listJournals()).toEqual([]);
});
