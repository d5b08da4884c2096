/** Pictures and videos from outside, pasted and dropped into the page, as far as what the engine is asked for. */
import { ArrayBufferTarget, Muxer } from 'mp4-muxer';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../../src/app/app.svelte';
import { lookAtVideo, readFootage } from '../../../src/app/footage';
import { MODEL, ScriptedEngine, settle } from '../../app/helpers';
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
    void app.generate();
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

describe('a video from outside', () => {
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
    void app.generate();
    await expect.poll(() => engine.making.count, { timeout: 60_000 }).toBe(1);
    expect(engine.making.request.footage).toMatchObject({ width: 48, height: 32, frames: 32, use: 'extend' });
    expect(engine.making.request.strength).toBeUndefined();
    engine.making.answer({ ok: false, error: { code: 'cancelled', message: 'enough' } });
    await settle();
    app.material.choose('remix');
    app.material.strength = 0.3;
    void app.generate();
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
