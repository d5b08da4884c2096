/** From a sentence to an MP4, in the tab: the whole path, every part the real one. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { readClip } from '../../src/media/read';
import { exif, probe } from '../helpers/probe';
import { launch, PROMPT, Site, SMALL, type Facts } from './site';

let browser: Browser;
let site: Site;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinora-e2e-'));
  browser = await launch();
  site = await Site.open(browser);
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Decodes every frame in a page of the browser with a video element's own decoder; how many there were. */
async function countDecodedFrames(bytes: Buffer): Promise<number> {
  const page = await browser.newPage();
  try {
    // An empty page of our origin: browsers decode video only where the context is secure.
    const blank = `${inject('address')}blank.html`;
    await page.route(blank, (route) => route.fulfill({ contentType: 'text/html', body: '' }));
    await page.goto(blank);
    await page.addScriptTag({ path: 'node_modules/mediabunny/dist/bundles/mediabunny.min.cjs' });
    return await page.evaluate(async (base64) => {
      const { ALL_FORMATS, BufferSource, Input, VideoSampleSink } = (
        globalThis as unknown as { Mediabunny: typeof import('mediabunny') }
      ).Mediabunny;
      const data = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(data) });
      const track = await input.getPrimaryVideoTrack();
      let frames = 0;
      for await (const sample of new VideoSampleSink(track!).samples()) {
        frames++;
        sample.close();
      }
      return frames;
    }, bytes.toString('base64'));
  } finally {
    await page.close();
  }
}

describe.sequential('the whole path', () => {
  let first: Facts;
  let file: string;

  test('a typed prompt becomes a video', async () => {
    await site.type(PROMPT);
    first = await site.generate();
    expect(first).toMatchObject({ width: 96, height: 64, frames: 16, fps: 16, backend: 'webgpu' });
    expect(first.recipe).toMatchObject({ prompt: PROMPT, seed: 7, steps: 2 });
    expect(first.frameHashes).toHaveLength(16);
    expect(new Set(first.frameHashes).size).toBeGreaterThan(8); // it moves
    expect(first.peakGpuBytes).toBeGreaterThan(0);
    expect(first.peakGpuBytes).toBeLessThan(400 * 2 ** 20);

    const { progress } = await site.heard();
    const shares = progress.flatMap((e) => (e.type === 'progress' ? [e.fraction] : []));
    expect(shares.length).toBeGreaterThan(5);
    expect(shares).toEqual([...shares].sort((a, b) => a - b)); // never backwards
    const stages = progress.flatMap((e) => (e.type === 'progress' ? [e.stage] : []));
    expect(new Set(stages)).toEqual(new Set(['text', 'denoise', 'decode', 'encode', 'finish']));
  });

  test('the video plays on the stage', async () => {
    const video = site.at('video');
    await video.waitFor();
    const played = await video.evaluate(async (node) => {
      const video = node as HTMLVideoElement;
      video.muted = true;
      await video.play();
      await new Promise((done) => video.requestVideoFrameCallback(done));
      return { width: video.videoWidth, height: video.videoHeight, duration: video.duration };
    });
    expect(played).toMatchObject({ width: 96, height: 64 });
    expect(played.duration).toBeCloseTo(1, 1);
  });

  test('the download is a good MP4', async () => {
    file = join(folder, 'clip.mp4');
    expect(await site.download(file)).toMatch(/\.mp4$/);
    const bytes = await readFile(file);

    const facts = await readClip(new Blob([bytes]));
    expect(facts).toMatchObject({ width: 96, height: 64, frames: 16 });
    // The encoder may write a lower level than it was asked for.
    expect(facts.codec?.split('.')[0]).toBe(first.codec.split('.')[0]);
    expect(facts.duration).toBeCloseTo(1, 2);
    expect(facts.colorSpace).toMatchObject({ primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' });
    expect(facts.colorSpace.fullRange).toBe(false);
    expect(await countDecodedFrames(bytes)).toBe(16);
  });

  test('ffprobe and exiftool, where installed, agree', async () => {
    const seen = await probe(file);
    if (seen) {
      expect(seen).toMatchObject({ width: 96, height: 64, frames: 16, fps: 16, pixelFormat: 'yuv420p' });
      expect(seen).toMatchObject({ range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' });
      expect(seen.duration).toBeCloseTo(1, 2);
    }
    const tags = await exif(file);
    if (tags) expect(JSON.stringify(tags)).toContain('trainedAlgorithmicMedia');
    if (!seen || !tags) console.warn('ffprobe or exiftool is not installed: only mediabunny was asked.');
    const text = (await readFile(file)).toString('utf8'); // the packet is plain text in the file
    expect(text).toContain('trainedAlgorithmicMedia');
    expect(text).toContain(PROMPT);
  });

  test('the same prompt and seed give the same frames, another seed others', async () => {
    const again = await site.generate();
    expect(again.frameHashes).toEqual(first.frameHashes);
    const other = await Site.open(browser, { settings: { ...SMALL, prompt: PROMPT, seed: 8, seconds: 0.5 } });
    const different = await other.generate();
    expect(different.frameHashes[0]).not.toBe(first.frameHashes[0]);
    expect(other.foreign).toEqual([]);
    await other.close();
  });

  test('cancel takes effect, and the next clip is made', async () => {
    const { outcomes, progress } = await site.heard();
    await site.at('generate').click();
    await site.page.waitForFunction(
      (n) => (globalThis as unknown as { heard: { progress: unknown[] } }).heard.progress.length > n + 1,
      progress.length,
      { timeout: 60_000 },
    );
    await site.at('cancel').click();
    const outcome = await site.outcome(outcomes.length);
    expect(outcome).toMatchObject({ error: { code: 'cancelled' } });
    const again = await site.generate();
    expect(again.frameHashes).toEqual(first.frameHashes);
  });

  test('a reload keeps the library', async () => {
    const items = site.at('library-item');
    const before = await items.count();
    expect(before).toBeGreaterThanOrEqual(1);
    await site.page.reload();
    await items.first().waitFor();
    expect(await items.count()).toBe(before);
    await items.first().click();
    await site.at('video').waitFor();
    const width = await site.at('video').evaluate(
      (node) =>
        new Promise<number>((done) => {
          const video = node as HTMLVideoElement;
          if (video.readyState > 0) done(video.videoWidth);
          else video.onloadedmetadata = () => done(video.videoWidth);
        }),
    );
    expect(width).toBe(96);
  });

  test('dropping the MP4 restores its settings', async () => {
    const fresh = await Site.open(browser, { settings: {} });
    await fresh.type('something else');
    const base64 = (await readFile(file)).toString('base64');
    await fresh.page.evaluate((data) => {
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], 'clip.mp4', { type: 'video/mp4' }));
      for (const type of ['dragenter', 'dragover', 'drop'])
        document.body.dispatchEvent(
          new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }),
        );
    }, base64);
    await expect.poll(() => fresh.at('prompt').inputValue(), { timeout: 10_000 }).toBe(PROMPT);
    expect(await fresh.at('seed').inputValue()).toBe('7');
    expect(await fresh.at('steps').inputValue()).toBe('2');
    expect(fresh.failures).toEqual([]);
    await fresh.close();
  });

  test('what one word leaves open the seed chooses; the sentence is shown, and can be had', async () => {
    await site.type('boat');
    await site.generate();
    const shown = (await site.at('completed').innerText()).replace('→', '').trim();
    expect(shown).toMatch(/^an? \w+ boat .* on the sea /);
    await site.at('completed').click();
    expect(await site.at('prompt').inputValue()).toBe(shown);
  });

  test('nothing was asked of anybody else, and nothing failed unseen', () => {
    expect(site.foreign).toEqual([]);
    expect(site.failures).toEqual([]);
  });
});
