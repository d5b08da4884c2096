import { describe, expect, test } from 'vitest';
import { App } from '../../src/app/app.svelte';
import { asError, Shelf, type Shelved } from '../../src/app/shelf.svelte';
import { KinoraError } from '../../src/errors';
import { clipOf, entryOf, memoryStore, RECIPE, ScriptedEngine, settle } from './helpers';

class PaperLibrary implements Shelved {
  entries = [entryOf('b', '2026-02-02T00:00:00Z'), entryOf('a', '2026-01-01T00:00:00Z')];
  full = false;
  list = async () => [...this.entries];
  add: Shelved['add'] = async (clip) => {
    if (this.full) throw new KinoraError('storage', 'No room.', { needed: 10, free: 1 });
    const entry = entryOf(`new-${this.entries.length}`, '2026-03-03T00:00:00Z', clip.recipe);
    this.entries.unshift(entry);
    return entry;
  };
  remove = async (id: string) => void (this.entries = this.entries.filter((entry) => entry.id !== id));
  file = async (id: string) => new File([id], `${id}.mp4`, { type: 'video/mp4' });
  poster = async () => null;
  latents = async () => null;
}

function make(library = new PaperLibrary(), store = memoryStore()) {
  return { library, store, shelf: new Shelf(async () => library, store) };
}
const ids = ({ items }: Shelf) => items.map(({ entry }) => entry.id);

describe('the shelf', () => {
  test('lists what is kept, and puts new clips first', async () => {
    const { shelf } = make();
    await shelf.open();
    expect(ids(shelf)).toEqual(['b', 'a']);
    await shelf.add(clipOf());
    expect(ids(shelf)).toEqual(['new-2', 'b', 'a']);
    expect(shelf.trouble).toBeNull();
  });

  test('a clip for which there is no room stays in memory, and the person is told', async () => {
    const { library, shelf } = make();
    library.full = true;
    const item = await shelf.add(clipOf());
    expect(shelf.trouble).toMatchObject({ code: 'storage', params: { needed: 10, free: 1 } });
    expect(ids(shelf)).toHaveLength(3);
    expect(await (await shelf.file(item)).text()).toBe(RECIPE.prompt);
    expect(await shelf.poster(item)).not.toBeNull();
  });

  test('without any storage, clips are still there to play', async () => {
    const shelf = new Shelf(() => Promise.reject(new KinoraError('storage', 'None.')), memoryStore());
    const item = await shelf.add(clipOf());
    expect(shelf.trouble).toMatchObject({ code: 'storage', message: 'None.' });
    expect(await (await shelf.file(item)).text()).toBe(RECIPE.prompt);
  });

  test('a deletion can be undone until it is final', async () => {
    const { library, shelf } = make();
    await shelf.open();
    const [first] = shelf.items;
    shelf.take(first!);
    expect(ids(shelf)).toEqual(['a']);
    expect(library.entries).toHaveLength(2);
    shelf.putBack(first!);
    expect(ids(shelf)).toEqual(['b', 'a']);
    shelf.take(first!);
    await shelf.forget(first!);
    expect(library.entries.map(({ id }) => id)).toEqual(['a']);
  });

  test('what was deleted in a page that was closed stays deleted', async () => {
    const { library, store, shelf } = make();
    await shelf.open();
    shelf.take(shelf.items[0]!);
    const next = make(library, store).shelf;
    await next.open();
    expect(ids(next)).toEqual(['a']);
    expect(library.entries).toHaveLength(1);
  });

  test('errors keep their code across the border; others become internal', () => {
    expect(asError(new KinoraError('storage', 'x', { id: 'y' }))).toMatchObject({ code: 'storage', params: { id: 'y' } }); // prettier-ignore
    expect(asError(new TypeError('x'))).toMatchObject({ code: 'internal', message: 'x' });
    expect(asError(new DOMException('x', 'AbortError'))).toMatchObject({ code: 'internal' });
  });
});

describe('the app', () => {
  const open = async () => {
    const library = new PaperLibrary();
    const app = new App({
      engine: new ScriptedEngine(),
      openShelf: async () => library,
      store: memoryStore(),
      languages: ['zh-CN'],
      hash: '',
    });
    await app.shelf.open();
    return { app, library };
  };

  test('restoring over the person’s own words can be undone; over an example it is just done', async () => {
    const { app } = await open();
    app.settings.suggest('an example');
    app.restore(RECIPE);
    expect(app.toast?.undo).toBeUndefined();
    app.settings.type('prompt', 'my own words');
    app.settings.type('seed', '99');
    app.restore(RECIPE);
    expect(app.settings.prompt).toBe(RECIPE.prompt);
    app.undo();
    expect([app.settings.prompt, app.settings.seed]).toEqual(['my own words', '99']);
  });

  test('deletes the clip on the stage, brings it back on undo, forgets it when the message goes', async () => {
    const { app, library } = await open();
    await app.play(app.shelf.items[0]!);
    app.remove();
    expect([app.stage.clip, app.shelf.items.length]).toEqual([null, 1]);
    app.undo();
    await settle();
    expect([app.stage.clip?.id, app.shelf.items.length]).toEqual(['b', 2]);
    app.remove();
    app.dismiss();
    await settle();
    expect(library.entries.map(({ id }) => id)).toEqual(['a']);
  });

  test('a file that is no MP4 is an error in words, and changes nothing', async () => {
    const { app } = await open();
    app.settings.type('prompt', 'my own words');
    await app.take(new File(['hello'], 'hello.mp4', { type: 'video/mp4' }));
    expect(app.studio.error?.code).toBe('bad-request');
    await app.take(new File(['hello'], 'hello.mp4')); // without a type, its name speaks
    expect(app.studio.error).toBeNull();
    expect(app.toast?.text).toMatch(/^hello\.mp4 不是/);
    expect(app.settings.prompt).toBe('my own words');
  });
});
