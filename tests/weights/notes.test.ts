import { expect, test } from 'vitest';
import { openNotes } from '../../src/weights/notes';
import { FakeDisk } from './opfs';

test('texts by any key, overwritten by shorter ones, deleted, kept for the next visit', async () => {
  const { storage } = new FakeDisk();
  const notes = openNotes(storage);
  const key = '["NVIDIA / «odd» name", ' + 'x'.repeat(2000);
  expect(await notes.get(key)).toBeNull();
  await notes.set(key, 'a longer text — ü');
  await notes.set(key, 'short');
  await notes.set('other', '2');
  expect(await openNotes(storage).get(key)).toBe('short');
  await notes.delete(key);
  await notes.delete(key);
  expect(await notes.get(key)).toBeNull();
  expect(await notes.get('other')).toBe('2');
});

test('without storage nothing is found, and keeping fails', async () => {
  const notes = openNotes(() => Promise.reject(new DOMException('private', 'SecurityError')));
  expect(await notes.get('k')).toBeNull();
  await expect(notes.set('k', 'v')).rejects.toThrow('private');
});
