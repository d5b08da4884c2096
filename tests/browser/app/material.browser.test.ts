/** Pictures and videos from outside, pasted and dropped into the page, as far as what the engine is asked for. */
import { ArrayBufferTarget, Muxer } from 'mp4-muxer';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import type { App } from '../../../src/app/app.svelte';
import { lookAtVideo, readFootage } from '../../../src/app/footage';
import { MODEL, RECIPE, ScriptedEngine, settle } from '../../app/helpers';
import { bareApp } from './bare';
import Harness from './Harness.svelte';

let [app, engine, shown] = [null as unknown as App, null as unknown as ScriptedEngine, {}];
const at = (id: string) => document.querySelector<HTMLElement>(`[data-testid=${id}]`)!;

beforeEach(() => {
  engine = new ScriptedEngine();
  app = bareApp(engine);
  app.settings.suggest('a storm');
  app.settings.choose({ size: { width: 48, height: 32 } });
  app.studio.model = { ...MODEL, encodes: true };
  app.studio.engine = 'ready';
  shown = mount(Harness, { target: document.body, props: { app } });
  flushSync();
});
afterEach(() => unmount(shown));

function transferOf(file: File, text?: string): DataTransfer {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  if (text !== undefined) transfer.setData('text/plain', text);
  return transfer;
}

/** True: the page took it, and the browser is to do nothing with it. */
function paste(file: File, text?: string, target: EventTarget = document.body): boolean {
  const event = new ClipboardEvent('paste', { clipboardData: transferOf(file, text), bubbles: true, cancelable: true }); // prettier-ignore
  target.dispatchEvent(event);
  return event.defaultPrevented;
}

/** Of a colour with alpha, as a PNG. */
async function plain(colour: string, width = 48, height = 32): Promise<File> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d')!;
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  return new File([await canvas.convertToBlob({ type: 'image/png' })], 'p.png', { type: 'image/png' });
}

async function give(file: File): Promise<string | null> {
  const told = taken();
  drop(file);
  const { as } = await told;
  flushSync();
  return as;
}

/** What the engine is asked for. */
async function asked() {
  const before = engine.making.count;
  void app.next.generate();
  await expect.poll(() => engine.making.count, { timeout: 60_000 }).toBe(before + 1);
  const { request } = engine.making;
  engine.making.answer({ ok: false, error: { code: 'cancelled', message: 'enough' } });
  await settle();
  return request;
}

const drop = (file: File) =>
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transferOf(file), bubbles: true, cancelable: true })); // prettier-ignore

/** What the page said of the next file: what it was taken as. */
const taken = () =>
  new Promise<{ as: string | null; message: string }>((told) =>
    document.addEventListener('kinora:taken', (e) => told((e as CustomEvent).detail), { once: true }),
  );

/** Wider than the clip: red at both sides, which are cut off, and blue in the middle. */
async function picture(width = 120, height = 40): Promise<File> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d')!;
  context.fillStyle = '#ff0000';
  context.fillRect(0, 0, width, height);
  context.fillStyle = '#0000ff';
  context.fillRect((width - 1.5 * height) / 2, 0, 1.5 * height, height);
  return new File([await canvas.convertToBlob({ type: 'image/png' })], 'a.png', { type: 'image/png' });
}

const [FPS, COUNT] = [20, 40];
/** The middle of frame i is a grey of this value. */
const grey = (i: number) => 40 + 4 * i;

/** A video that Kinora did not make: two seconds, red at both sides. */
async function video(): Promise<File> {
  const [width, height] = [160, 64];
  const target = new ArrayBufferTarget();
  const muxer = new Muxer({ target, video: { codec: 'avc', width, height }, fastStart: 'in-memory' });
  const encoder = new VideoEncoder({
    output: (chunk, meta) => muxer.addVideoChunk(chunk, meta),
    error: (e) => expect.unreachable(e.message),
  });
  encoder.configure({ codec: 'avc1.42001f', width, height, bitrate: 4e6, avc: { format: 'avc' } });
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d')!;
  for (let i = 0; i < COUNT; i++) {
    context.fillStyle = '#ff0000';
    context.fillRect(0, 0, width, height);
    context.fillStyle = `rgb(${grey(i)} ${grey(i)} ${grey(i)})`;
    context.fillRect(32, 0, 96, height);
    const frame = new VideoFrame(canvas, { timestamp: (1e6 * i) / FPS, duration: 1e6 / FPS });
    encoder.encode(frame, { keyFrame: i % 10 === 0 });
    frame.close();
  }
  await encoder.flush();
  encoder.close();
  muxer.finalize();
  return new File([target.buffer], 'holiday.mp4', { type: 'video/mp4' });
}

describe('a pasted picture', () => {
  test('is what the next clip begins with: its middle, in the size of the clip', async () => {
    const told = taken();
    expect(paste(await picture())).toBe(true);
    expect(await told).toEqual({ as: 'picture', message: '' });
    flushSync();
    expect(at('given').dataset.kind).toBe('picture');
    const crop = at('given').querySelector<HTMLElement>('.crop')!;
    expect([parseFloat(crop.style.left), parseFloat(crop.style.width)]).toEqual([25, 50]);
    void app.next.generate();
    await expect.poll(() => engine.making.count).toBe(1);
    const { picture: asked } = engine.making.request;
    expect(asked).toMatchObject({ width: 48, height: 32 });
    // Nothing of the sides; a pixel at the very edge may be smoothed.
    for (let x = 1; x < 47; x++) expect([...asked!.rgba.slice(4 * x, 4 * x + 4)]).toEqual([0, 0, 255, 255]);
  });

  test('works in the prompt field, too; with text beside it, the text is meant', async () => {
    expect(paste(await picture(), 'words of a document', at('prompt'))).toBe(false);
    await settle();
    expect(app.material.given).toBeNull();
    const told = taken();
    expect(paste(await picture(), undefined, at('prompt'))).toBe(true);
    expect((await told).as).toBe('picture');
  });

  test('is taken from the prompt field where the text beside it is no more than its name; elsewhere it always is', async () => {
    for (const text of ['a.png', '/pictures/a.png', 'file:///pictures/a.png\r\n']) {
      const told = taken();
      expect(paste(await picture(), text, at('prompt'))).toBe(true);
      expect((await told).as).toBe('picture');
    }
    const told = taken();
    expect(paste(await picture(), 'words of a document')).toBe(true); // no caret, nowhere for words to go
    expect((await told).as).toBe('picture');
  });

  test('that is broken, or that the model cannot take, gets a clear message', async () => {
    const told = taken();
    paste(new File(['no picture'], 'b.png', { type: 'image/png' }));
    expect(await told).toEqual({ as: null, message: 'b.png cannot be read as a picture. Choose a PNG, JPEG or WebP file.' }); // prettier-ignore
    expect(app.material.given).toBeNull();
    app.studio.model = { ...MODEL, encodes: false };
    const refused = taken();
    paste(await picture());
    expect((await refused).message).toContain('cannot begin with a picture: it has no encoder');
    app.studio.model = null; // still on its way: what it can is not known
    const early = taken();
    paste(await picture());
    expect((await early).as).toBe('picture');
  });
});

describe('the part of a picture that is used', () => {
  test.each([
    [3001, 37],
    [37, 3001],
    [1200, 800],
  ])('of %i × %i is in sight, and breaks no layout', async (width, height) => {
    expect(await give(await plain('#808080', width, height))).toBe('picture');
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(innerWidth);
    const shown = at('given').querySelector('.picture')!.getBoundingClientRect();
    const crop = at('crop').getBoundingClientRect();
    expect(shown.width).toBeLessThan(260);
    expect(shown.height).toBeLessThan(60);
    expect(Math.min(crop.width, crop.height)).toBeGreaterThan(6);
    for (const [inner, outer] of [[crop.left, shown.left], [crop.top, shown.top]] as const) expect(inner).toBeGreaterThan(outer - 1); // prettier-ignore
    for (const [inner, outer] of [[crop.right, shown.right], [crop.bottom, shown.bottom]] as const) expect(inner).toBeLessThan(outer + 1); // prettier-ignore
    // It stays in sight at both ends.
    for (const end of [0, 1]) {
      app.material.move(end);
      flushSync();
      const moved = at('crop').getBoundingClientRect();
      expect(moved.left).toBeGreaterThan(shown.left - 1);
      expect(moved.bottom).toBeLessThan(shown.bottom + 1);
      expect(moved.right).toBeLessThan(shown.right + 1);
    }
  });

  test('is moved by keys and by dragging, goes into the clip, and comes back with its settings', async () => {
    await give(await picture()); // red, then blue from a quarter on, then red
    expect((await asked()).crop).toBeUndefined();
    at('crop').focus();
    await userEvent.keyboard('{Home}');
    const left = await asked();
    expect(left.crop).toBe(0);
    expect([...left.picture!.rgba.slice(4 * 4, 4 * 5)]).toEqual([255, 0, 0, 255]);
    expect([...left.picture!.rgba.slice(4 * 44, 4 * 45)]).toEqual([0, 0, 255, 255]);
    await userEvent.keyboard('{ArrowRight}');
    expect((await asked()).crop).toBeCloseTo(0.05);
    const frame = at('crop');
    const { x, y, width, height } = frame.getBoundingClientRect();
    const point = (clientX: number) => ({
      pointerId: 1,
      button: 0,
      bubbles: true,
      clientX,
      clientY: y + height / 2,
    });
    frame.setPointerCapture = () => {}; // there is no such pointer
    frame.dispatchEvent(new PointerEvent('pointerdown', point(x + width / 2)));
    frame.dispatchEvent(new PointerEvent('pointermove', point(x + width / 2 + 10)));
    flushSync();
    expect(frame.getBoundingClientRect().x - x).toBeCloseTo(10, 0);
    frame.dispatchEvent(new PointerEvent('pointermove', point(x + 1000)));
    frame.dispatchEvent(new PointerEvent('pointerup', point(x + 1000)));
    const right = await asked();
    expect(right.crop).toBe(1);
    expect([...right.picture!.rgba.slice(4 * 44, 4 * 45)]).toEqual([255, 0, 0, 255]);
    // The recipe says where, so that with the same picture it is the same clip.
    app.restore({ ...RECIPE, width: 48, height: 32, begins: 'picture', crop: 1 });
    await give(await picture());
    const again = await asked();
    expect(again.crop).toBe(1);
    expect(again.picture!.rgba).toEqual(right.picture!.rgba);
    await give(await picture());
    expect((await asked()).crop).toBeUndefined(); // for that one clip alone
  });

  test('lies on white where it is transparent, on the page as in the clip', async () => {
    await give(await plain('rgb(255 0 0 / 50%)'));
    const { picture } = await asked();
    const [r, g, b, a] = picture!.rgba.slice(4 * 500) as unknown as [number, number, number, number];
    expect([r, a]).toEqual([255, 255]);
    expect(Math.abs(g - 127) + Math.abs(b - 127)).toBeLessThan(4);
    expect(getComputedStyle(at('given').querySelector('.picture')!).backgroundColor).toBe(
      'rgb(255, 255, 255)',
    );
  });
});

describe('of several files the newest counts', () => {
  test('an earlier picture that is read more slowly does not take its place; while one is read, the page says so', async () => {
    const decode = globalThis.createImageBitmap;
    let ready!: () => void;
    const slow = new Promise<void>((done) => (ready = done));
    let late: Promise<unknown> = Promise.resolve();
    globalThis.createImageBitmap = ((file: File) => {
      const read = (file.name === 'slow.png' ? slow : Promise.resolve()).then(() => decode(file));
      if (file.name === 'slow.png') late = read;
      return read;
    }) as typeof decode;
    try {
      drop(new File([await plain('#00ff00')], 'slow.png', { type: 'image/png' }));
      await expect.poll(() => at('reading')?.innerText).toBe('Reading slow.png …');
      expect(await give(await picture())).toBe('picture');
      expect(at('reading')).toBeNull();
      ready();
      await late;
      await settle();
      expect(app.material.given).toMatchObject({ kind: 'picture', width: 120 });
      // What is chosen while one is read counts as well, and so does that nothing is.
      paste(new File([await plain('#00ff00')], 'slow.png', { type: 'image/png' }));
      const before = late;
      await expect.poll(() => late !== before).toBe(true);
      app.material.drop();
      await late;
      await settle();
      expect(app.material.given).toBeNull();
    } finally {
      globalThis.createImageBitmap = decode;
    }
  });

  test('a clip that is asked for while a picture is read waits for it', async () => {
    paste(await picture());
    expect((await asked()).picture).toBeDefined();
  });

  test('what was said of one that would not do goes with the next', async () => {
    await give(new File(['II*\0 no more'], 'x.tiff', { type: 'image/tiff' }));
    expect(app.toast?.text).toContain('x.tiff cannot be read');
    expect(await give(await picture())).toBe('picture');
    expect(app.toast).toBeNull();
  });
});

describe('a file without a type', () => {
  const bare = async (file: File, name: string) => new File([await file.arrayBuffer()], name, { type: '' });

  test.each(['holiday', 'holiday.jpg'])(
    'is told by its first bytes: a picture, a video (%s)',
    async (name) => {
      expect(await give(await bare(await picture(), name))).toBe('picture');
      expect(app.material.given?.kind).toBe('picture');
      expect(await give(await bare(await video(), name))).toBe('video');
      expect(app.material.given?.kind).toBe('video');
      const told = taken();
      drop(await bare(new File(['II*\0 no more'], ''), 'scan.tiff'));
      expect((await told).message).toBe(
        'scan.tiff cannot be read as a picture. Choose a PNG, JPEG or WebP file.',
      );
    },
  );

  test('a text becomes the script; what was typed can be had back', async () => {
    app.settings.type('prompt', 'my own words');
    const script = '[4s] a red boat\n[cut] [2s] a blue car';
    expect(await give(new File([`\ufeff${script}\r\n`], 'story.txt'))).toBe('script');
    expect(app.settings.prompt).toBe(script);
    expect(app.settings.shots).toHaveLength(2);
    app.undo();
    expect(app.settings.prompt).toBe('my own words');
    const told = taken();
    drop(new File(['a'.repeat(300_000)], 'book.txt', { type: 'text/plain' }));
    expect((await told).message).toContain('book.txt is too long for a script');
    expect(app.settings.prompt).toBe('my own words');
  });

  test('anything else is refused with what can be taken', async () => {
    const told = taken();
    drop(new File([Uint8Array.of(80, 75, 3, 4, 0, 0)], 'a.zip', { type: 'application/zip' }));
    const { as, message } = await told;
    expect(as).toBeNull();
    expect(message).toMatch(/^a\.zip is nothing that Kinora takes.*PNG.*MP4.*script.*model/);
  });
});

describe('a video from outside', () => {
  test('is pasted: the next clip goes on from it', async () => {
    const told = taken();
    expect(paste(await video(), 'holiday.mp4', at('prompt'))).toBe(true);
    expect(await told).toEqual({ as: 'video', message: '' });
    flushSync();
    expect(at('given').dataset.kind).toBe('video');
    const { footage, crop } = await asked();
    expect(footage).toMatchObject({ width: 48, height: 32, frames: 32, use: 'extend' });
    expect(crop).toBeUndefined();
    app.material.move(0); // its left end is red
    const left = await asked();
    expect(left.crop).toBe(0);
    const [r, g] = left.footage!.rgba.slice(4 * (16 * 48 + 2)) as unknown as [number, number];
    expect(r - g).toBeGreaterThan(100);
  });

  test('is read frame by frame at the clip’s rate and size, its sides cut off', async () => {
    const file = await video();
    expect(await lookAtVideo(file)).toMatchObject({ width: 160, height: 64, seconds: COUNT / FPS });
    const { frames, rgba } = await readFootage(file, { width: 48, height: 32 }, 16, 'end');
    expect(frames).toBe(32);
    const off: number[] = [];
    for (let i = 0; i < frames; i++) {
      const [r, g, b] = rgba.slice(4 * (i * 48 * 32 + 16 * 48 + 24)) as unknown as [number, number, number];
      off.push(g - grey(Math.floor(((i + 0.5) * FPS) / 16)));
      expect(Math.max(Math.abs(r - g), Math.abs(b - g))).toBeLessThanOrEqual(4);
      const [edge, green] = rgba.slice(4 * (i * 48 * 32 + 16 * 48 + 1)) as unknown as [number, number];
      expect(edge - green).toBeLessThan(40); // grey, where the whole width would be red
    }
    // Four to a frame: codecs are off by less, and no frame is another's.
    expect(off.map((n) => Math.abs(n)).filter((n) => n > 2)).toEqual([]);
  });

  test('is dropped on the page: the next clip goes on from it, or makes it anew', async () => {
    const told = taken();
    drop(await video());
    expect(await told).toEqual({ as: 'video', message: '' });
    flushSync();
    expect(at('given').dataset.kind).toBe('video');
    void app.next.generate();
    await expect.poll(() => engine.making.count, { timeout: 60_000 }).toBe(1);
    expect(engine.making.request.footage).toMatchObject({ width: 48, height: 32, frames: 32, use: 'extend' });
    expect(engine.making.request.strength).toBeUndefined();
    engine.making.answer({ ok: false, error: { code: 'cancelled', message: 'enough' } });
    await settle();
    app.material.choose('remix');
    app.material.strength = 0.3;
    void app.next.generate();
    await expect.poll(() => engine.making.count, { timeout: 60_000 }).toBe(2);
    expect(engine.making.request).toMatchObject({ strength: 0.3, footage: { use: 'remix', frames: 32 } });
  });

  test('of an odd size, recorded by the browser without a length, is read all the same', async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 33, height: 21 });
    const context = canvas.getContext('2d')!;
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm' });
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const stopped = new Promise((done) => (recorder.onstop = done));
    recorder.start();
    for (let i = 0; i < 20; i++) {
      context.fillStyle = i % 2 ? '#00ff00' : '#00d000';
      context.fillRect(0, 0, 33, 21);
      await new Promise((next) => setTimeout(next, 50));
    }
    recorder.stop();
    await stopped;
    const file = new File(parts, 'r.webm', { type: 'video/webm' });
    const facts = await lookAtVideo(file);
    expect(facts).toMatchObject({ width: 33, height: 21 });
    expect(facts.seconds).toBeGreaterThan(0.3);
    const { frames, rgba } = await readFootage(file, { width: 48, height: 32 }, 16, 'beginning');
    expect(frames).toBe(Math.max(1, Math.floor(facts.seconds * 16 + 1e-3)));
    const [r, g] = rgba.slice(4 * (16 * 48 + 24)) as unknown as [number, number];
    expect(g - r).toBeGreaterThan(120);
  });

  test('that cannot be played gets a clear message', async () => {
    const told = taken();
    drop(new File([new Uint8Array(5000).fill(7)], 'c.webm', { type: 'video/webm' }));
    expect(await told).toEqual({ as: null, message: 'c.webm cannot be played by this browser. Choose an MP4 or WebM video.' }); // prettier-ignore
  });
});
