import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openLibrary } from '../../src/library/library';
import { provenanceBox } from '../../src/media/provenance';
import { clip, RECIPE } from '../helpers/clips';
import { FakeDisk } from '../helpers/opfs';

/** Ids of folders made long ago, and just now. */
const OLD = `${(1_700_000_000_000).toString(36).padStart(9, '0')}-00000001`;
const fresh = () => `${Date.now().toString(36).padStart(9, '0')}-00000002`;

let disk: FakeDisk;
beforeEach(() => void (disk = new FakeDisk()));
afterEach(() => vi.unstubAllGlobals());

/** Web Locks as far as the library uses them; `held` are locks of another tab. */
function stubLocks(held: string[] = []): string[] {
  const asked: string[] = [];
  const request = async (
    name: string,
    { ifAvailable }: { ifAvailable: boolean },
    work: (lock: object | null) => Promise<void>,
  ) => {
    asked.push(name);
    if (held.includes(name)) {
      if (!ifAvailable) throw new Error('the test would wait for ever');
      return work(null);
    }
    return work({ name });
  };
  vi.stubGlobal('navigator', { locks: { request } });
  return asked;
}

describe('a library', () => {
  it('is empty at first', async () => {
    expect(await (await openLibrary(disk.root)).list()).toEqual([]);
  });

  it('keeps clips, newest first, and finds them again when opened anew', async () => {
    const library = await openLibrary(disk.root);
    const added = [];
    for (const seed of [1, 2, 3])
      added.push(await library.add(clip({ recipe: { ...RECIPE, seed }, mp4: new Blob([`clip ${seed}`]) })));
    for (const opened of [library, await openLibrary(disk.root)]) {
      const entries = await opened.list();
      expect(entries).toEqual([...added].reverse());
      expect(entries.map((entry) => entry.recipe.seed)).toEqual([3, 2, 1]);
    }
    expect(added[0]).toMatchObject({
      ...{ width: 96, height: 64, frames: 32, fps: 16, bytes: 6, codec: 'avc1.64001e', backend: 'webgpu' },
      ...{ adapter: 'SwiftShader Device', timings: { load: 1, firstFrame: 2, total: 3 } },
    });
    expect(new Date(added[0]!.created).getTime()).toBeLessThan(new Date(added[1]!.created).getTime());
  });

  it('names the adapter by maker and family where it has no description', async () => {
    const adapter = { ...clip().adapter!, description: '', vendor: 'nvidia', architecture: 'hopper' };
    expect((await (await openLibrary(disk.root)).add(clip({ adapter }))).adapter).toBe('nvidia hopper');
  });

  it('gives back the file and the poster with their types', async () => {
    const library = await openLibrary(disk.root);
    const { id } = await library.add(clip());
    const file = await library.file(id);
    expect([file.type, file.name, await file.text()]).toEqual(['video/mp4', 'clip.mp4', 'the clip']);
    const poster = await library.poster(id);
    expect([poster!.type, await poster!.text()]).toEqual(['image/webp', 'the poster']);

    const png = await library.add(clip({ poster: new Blob(['png'], { type: 'image/png' }) }));
    expect((await library.poster(png.id))!.type).toBe('image/png');
    const none = await library.add(clip({ poster: new Blob([]) }));
    expect(await library.poster(none.id)).toBeNull();
  });

  it('removes a clip, twice without complaint, and the others stay', async () => {
    const library = await openLibrary(disk.root);
    const first = await library.add(clip());
    const second = await library.add(clip());
    await library.remove(first.id);
    await library.remove(first.id);
    expect(await library.list()).toEqual([second]);
    expect(disk.paths().filter((path) => path.includes(first.id))).toEqual([]);
    await expect(library.file(first.id)).rejects.toMatchObject({ code: 'storage', params: { id: first.id } });
    expect(await library.poster(first.id)).toBeNull();
  });

  it.each(['../secrets', '', 'a/b', OLD + '/..', 'clips'])(
    'lets no foreign name reach the disk: %j',
    async (id) => {
      const library = await openLibrary(disk.root);
      await expect(library.file(id)).rejects.toMatchObject({ code: 'storage' });
      await expect(library.remove(id)).rejects.toMatchObject({ code: 'storage' });
      await expect(library.poster(id)).rejects.toMatchObject({ code: 'storage' });
    },
  );
});

describe('a write that fails', () => {
  it.each(['clip.mp4', 'poster.webp', 'entry.json'])(
    'for want of room at %s leaves nothing behind',
    async (name) => {
      vi.stubGlobal('navigator', {
        storage: { estimate: async () => ({ quota: 3_000_000, usage: 2_500_000 }) },
      });
      const library = await openLibrary(disk.root);
      const kept = await library.add(clip());
      disk.failWrite = (file) => {
        if (file === name) throw new DOMException('full', 'QuotaExceededError');
      };
      const mp4 = new Blob([new Uint8Array(1_999_990)]);
      await expect(library.add(clip({ mp4 }))).rejects.toMatchObject({
        code: 'storage',
        message: expect.stringMatching(/needs 2\.0 MB, and the browser offers 0\.5 MB/),
        params: { needed: 2_000_000, free: 500_000 },
      });
      disk.failWrite = null;
      expect(await library.list()).toEqual([kept]);
      expect(disk.paths().filter((path) => path.endsWith('/'))).toEqual(['clips/', `clips/${kept.id}/`]);
    },
  );

  it('for another reason says so and keeps the reason', async () => {
    const library = await openLibrary(disk.root);
    disk.failWrite = () => {
      throw new DOMException('disk on fire', 'UnknownError');
    };
    await expect(library.add(clip())).rejects.toMatchObject({
      code: 'storage',
      detail: 'UnknownError: disk on fire',
    });
    expect(await library.list()).toEqual([]);
  });

  it('a browser without storage is told as such', async () => {
    const root = {
      getDirectoryHandle: async () => {
        throw new DOMException('private', 'SecurityError');
      },
    };
    await expect(openLibrary(root as unknown as FileSystemDirectoryHandle)).rejects.toMatchObject({
      code: 'storage',
      message: expect.stringContaining('private window'),
    });
  });
});

describe('a clip that was never finished', () => {
  const half = async (id: string) => {
    await disk.put(`clips/${id}/clip.mp4`, 'half');
    await disk.put(`clips/${id}/poster.webp`, 'half');
  };
  const folders = () => disk.paths().filter((path) => /^clips\/.+\/$/.test(path));

  it('is not listed, and swept at the next opening', async () => {
    stubLocks();
    const library = await openLibrary(disk.root);
    const entry = await library.add(clip());
    await half(fresh());
    expect(await library.list()).toEqual([entry]);
    await openLibrary(disk.root);
    expect(folders()).toEqual([`clips/${entry.id}/`]);
  });

  it('stays while another tab holds its lock', async () => {
    const id = fresh();
    await half(id);
    stubLocks([`kinora-clip-${id}`]);
    await openLibrary(disk.root);
    expect(folders()).toEqual([`clips/${id}/`]);
  });

  it('that was finished while the lock was awaited stays', async () => {
    const id = fresh();
    await half(id);
    vi.stubGlobal('navigator', {
      locks: {
        request: async (_: string, __: object, work: (lock: object) => Promise<void>) => {
          await disk.put(`clips/${id}/entry.json`, '{}');
          await work({});
        },
      },
    });
    await openLibrary(disk.root);
    expect(folders()).toEqual([`clips/${id}/`]);
  });

  it('without Web Locks is swept only when it is old', async () => {
    vi.stubGlobal('navigator', {});
    const young = fresh();
    await half(young);
    await half(OLD);
    await openLibrary(disk.root);
    expect(folders()).toEqual([`clips/${young}/`]);
  });

  it('add holds the lock of the folder it writes', async () => {
    const asked = stubLocks();
    const { id } = await (await openLibrary(disk.root)).add(clip());
    expect(asked).toEqual([`kinora-clip-${id}`]);
  });

  it('folders and files of others are left alone', async () => {
    await disk.put('clips/notes/readme', 'x');
    await disk.put('clips/stray', 'x');
    const library = await openLibrary(disk.root);
    expect(await library.list()).toEqual([]);
    expect(disk.paths()).toEqual(['clips/', 'clips/notes/', 'clips/notes/readme', 'clips/stray']);
  });
});

describe('a damaged entry', () => {
  const damages = ['', '{', 'null', '[]', '{"format":"kinora-clip/2"}', '{"format":"kinora-clip/1"}'];

  it.each(damages)(
    '%j: the clip is listed by what its MP4 says, and nothing is overwritten',
    async (text) => {
      const library = await openLibrary(disk.root);
      const good = await library.add(clip());
      const ftyp = new Uint8Array([0, 0, 0, 8, ...new TextEncoder().encode('ftyp')]);
      const mp4 = new Blob([ftyp, provenanceBox(RECIPE)]);
      await disk.put(`clips/${OLD}/clip.mp4`, mp4);
      await disk.put(`clips/${OLD}/entry.json`, text);
      const entries = await (await openLibrary(disk.root)).list();
      expect(entries[0]).toEqual(good);
      expect(entries[1]).toMatchObject({
        id: OLD,
        recipe: RECIPE,
        width: 96,
        frames: 32,
        bytes: mp4.size,
        codec: '',
      });
      expect(await (await library.file(OLD)).arrayBuffer()).toHaveProperty('byteLength', mp4.size);
    },
  );

  it.each(damages)('%j with an MP4 that says nothing is skipped, and kept', async (text) => {
    const library = await openLibrary(disk.root);
    const good = await library.add(clip());
    await disk.put(`clips/${OLD}/clip.mp4`, 'no MP4');
    await disk.put(`clips/${OLD}/entry.json`, text);
    expect(await (await openLibrary(disk.root)).list()).toEqual([good]);
    expect(disk.paths()).toContain(`clips/${OLD}/clip.mp4`);
    await library.remove(OLD);
    expect(disk.paths()).not.toContain(`clips/${OLD}/`);
  });

  it.each([
    ['width', '"96"'],
    ['fps', '-1'],
    ['codec', '7'],
    ['recipe', '{}'],
    ['timings', 'null'],
  ])('a bad %s counts as damage', async (field, value) => {
    const library = await openLibrary(disk.root);
    const { id } = await library.add(clip());
    const text = await (
      await (await disk.root.getDirectoryHandle('clips')).getDirectoryHandle(id)
    )
      .getFileHandle('entry.json')
      .then((handle) => handle.getFile())
      .then((file) => file.text());
    const entry = JSON.parse(text);
    entry[field] = JSON.parse(value);
    await disk.put(`clips/${id}/entry.json`, JSON.stringify(entry));
    expect(await library.list()).toEqual([]);
  });
});
