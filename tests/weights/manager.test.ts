import { beforeEach, expect, test } from 'vitest';
import { deleteModel, listModels, verifyModel } from '../../src/weights/manager';
import { openModel } from '../../src/weights/store';
import { FILES, manifest, sha256 } from './model';
import { FakeDisk } from './opfs';

const ID = encodeURIComponent('/models/pocket/');
let disk: FakeDisk;
const fetch = (async (url: URL) => {
  const path = url.pathname.split('/').at(-1)!;
  return path === 'model.json' ? Response.json(manifest()) : new Response(FILES[path]);
}) as typeof globalThis.fetch;
const load = () => openModel('https://kinora.example/models/pocket/', { fetch, storage: disk.storage });

beforeEach(async () => {
  disk = new FakeDisk();
  await load();
});

test('lists what is there with its size; nothing where nothing is', async () => {
  expect(await listModels(disk.storage)).toEqual([
    { id: ID, name: 'Kinora Pocket', edition: '1', license: 'MIT', bytes: disk.used() },
  ]);
  expect(await listModels(new FakeDisk().storage)).toEqual([]);
  expect(await listModels(() => Promise.reject(new Error('private window')))).toEqual([]);
});

test('a model whose download was broken off is listed without a name', async () => {
  disk.file('model.json').data = new TextEncoder().encode('{"format":');
  expect((await listModels(disk.storage))[0]).toMatchObject({ id: ID, name: '' });
  expect(await verifyModel(ID, disk.storage)).toMatchObject({ damaged: ['model.json'] });
});

test('checks every file; a damaged one is deleted and fetched again at the next load', async () => {
  expect(await verifyModel(ID, disk.storage)).toEqual({ whole: 4, damaged: [], missing: 0 });
  disk.file(sha256(FILES['transformer.gguf']!)).data[3]! ^= 1;
  expect(await verifyModel(ID, disk.storage)).toEqual({
    whole: 3,
    damaged: ['transformer.gguf'],
    missing: 0,
  });
  expect(await verifyModel(ID, disk.storage)).toEqual({ whole: 3, damaged: [], missing: 1 });
  await load();
  expect(await verifyModel(ID, disk.storage)).toEqual({ whole: 4, damaged: [], missing: 0 });
});

test('checks the files of an earlier edition that is still needed, too', async () => {
  const better: Record<string, string> = { ...FILES, 'transformer.gguf': 'a better transformer' };
  const serve = (async (url: URL) => {
    const path = url.pathname.split('/').at(-1)!;
    return path === 'model.json' ? Response.json(manifest(better, '2')) : new Response(better[path]);
  }) as typeof globalThis.fetch;
  const needed = async () => () => true;
  await openModel('https://kinora.example/models/pocket/', { fetch: serve, storage: disk.storage, needed });
  expect(await verifyModel(ID, disk.storage)).toEqual({ whole: 5, damaged: [], missing: 0 });
  disk.file(sha256(FILES['transformer.gguf']!)).data[3]! ^= 1;
  expect(await verifyModel(ID, disk.storage)).toEqual({
    whole: 4,
    damaged: ['transformer.gguf'],
    missing: 0,
  });
});

test('deletes all of it; what is gone is an error that says so', async () => {
  await deleteModel(ID, disk.storage);
  expect(disk.names()).toEqual([]);
  expect(await listModels(disk.storage)).toEqual([]);
  await expect(verifyModel(ID, disk.storage)).rejects.toMatchObject({ code: 'storage' });
});
