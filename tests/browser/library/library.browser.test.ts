import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLibrary, readRecipe } from '../../../src/library/library';
import { chooseCodec, ClipEncoder } from '../../../src/media/encoder';
import { poster } from '../../../src/media/frames';
import { decodeClip } from '../../../src/media/read';
import { clip, RECIPE, texture } from '../../helpers/clips';

const SIZE = { width: 96, height: 64 };
let root: FileSystemDirectoryHandle;
let name: string;

beforeEach(async () => {
  name = `test-${crypto.randomUUID()}`;
  root = await (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
});
afterEach(async () => (await navigator.storage.getDirectory()).removeEntry(name, { recursive: true }));

async function realClip() {
  const encoder = await ClipEncoder.open({
    ...SIZE,
    fps: 16,
    codec: await chooseCodec(96, 64, 16),
    recipe: RECIPE,
  });
  for (let i = 0; i < 32; i++) await encoder.encode(texture(96, 64, i), i);
  return clip({ mp4: await encoder.finish(), poster: await poster(texture(96, 64, 0), SIZE) });
}

it('keeps a real clip in real OPFS, and gives it back playable', async () => {
  const made = await realClip();
  const entry = await (await openLibrary(root)).add(made);
  const library = await openLibrary(root);
  expect(await library.list()).toEqual([entry]);
  const file = await library.file(entry.id);
  expect([file.type, file.size]).toEqual(['video/mp4', made.mp4.size]);
  expect(await readRecipe(file)).toEqual(RECIPE);
  let frames = 0;
  for await (const frame of decodeClip(file)) frames += frame.codedWidth === 96 ? 1 : 0;
  expect(frames).toBe(32);
  const picture = await createImageBitmap((await library.poster(entry.id))!);
  expect([picture.width, picture.height]).toEqual([96, 64]);

  const video = document.createElement('video');
  video.src = URL.createObjectURL(file);
  await new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(new Error(video.error?.message));
  });
  expect([video.duration, video.videoWidth, video.videoHeight]).toEqual([2, 96, 64]);
  URL.revokeObjectURL(video.src);
  await library.remove(entry.id);
  expect(await library.list()).toEqual([]);
  await expect(library.file(entry.id)).rejects.toMatchObject({ code: 'storage' });
});

it('sweeps a half-written clip, but not one whose lock is held', async () => {
  const library = await openLibrary(root);
  const entry = await library.add(clip());
  const clips = await root.getDirectoryHandle('clips');
  const stamp = Date.now().toString(36).padStart(9, '0');
  const [left, writing] = [`${stamp}-00000001`, `${stamp}-00000002`];
  for (const id of [left, writing])
    await (await clips.getDirectoryHandle(id, { create: true })).getFileHandle('clip.mp4', { create: true });
  await navigator.locks.request(`kinora-clip-${writing}`, () => openLibrary(root));
  const names = [];
  for await (const id of clips.keys()) names.push(id);
  expect(names.sort()).toEqual([entry.id, writing].sort());
  expect(await library.list()).toEqual([entry]);
});

it('many tabs may add at once', async () => {
  const libraries = await Promise.all(Array.from({ length: 4 }, () => openLibrary(root)));
  const added = await Promise.all(libraries.map((library) => library.add(clip())));
  const listed = await libraries[0]!.list();
  expect(listed.map((entry) => entry.id)).toEqual(
    added
      .map((entry) => entry.id)
      .sort()
      .reverse(),
  );
});
