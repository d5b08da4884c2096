import { describe, expect, it } from 'vitest';
import { chooseCodec, codecLadder, listCodecs, type CodecChoice } from '../../../src/media/codecs';
import { ClipEncoder } from '../../../src/media/encoder';
import { topLevelBoxes } from '../../../src/media/mp4';
import { readRecipe } from '../../../src/media/provenance';
import { decodeClip, readClip } from '../../../src/media/read';
import type { Size } from '../../../src/worker/protocol/clip';
import { bands, psnr, RECIPE, texture, yuv, type Rgb } from '../../helpers/clips';

const SIZE: Size = { width: 96, height: 64 };
const BT709 = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false };

/** The choice of one family, so that each rung of the ladder is tested here, not only the best one. */
async function choiceOf(family: string, { width, height }: Size, fps: number): Promise<CodecChoice> {
  const { codec } = codecLadder(width, height, fps).find((rung) => rung.family === family)!;
  const config: VideoEncoderConfig = { codec, width, height, framerate: fps, bitrate: 1e6 };
  return {
    codec,
    family: family as CodecChoice['family'],
    config: family === 'avc' ? { ...config, avc: { format: 'avc' } } : config,
    quantizer: null,
  };
}

async function encode(codec: CodecChoice, frames: Uint8Array[], fps = 16, size = SIZE): Promise<Blob> {
  const encoder = await ClipEncoder.open({ ...size, fps, codec, recipe: { ...RECIPE, fps } });
  for (const [i, frame] of frames.entries()) await encoder.encode(frame, i);
  return encoder.finish();
}

async function i420Of(frame: VideoFrame): Promise<Uint8Array> {
  expect(frame.format).toBe('I420');
  const bytes = new Uint8Array(frame.allocationSize());
  await frame.copyTo(bytes);
  return bytes;
}

describe('chooseCodec', () => {
  it('takes H.264 at the lowest level that holds the clip', async () => {
    expect((await chooseCodec(96, 64, 16)).codec).toBe('avc1.64001e');
    expect((await chooseCodec(1920, 1088, 16)).codec).toBe('avc1.640028');
  });

  it('remembers its answer', async () => {
    expect(chooseCodec(96, 64, 16)).toBe(chooseCodec(96, 64, 16));
  });

  it('refuses odd sizes and sizes beyond every level', async () => {
    await expect(chooseCodec(97, 64, 16)).rejects.toMatchObject({ code: 'bad-request' });
    await expect(chooseCodec(16_384, 16_384, 16)).rejects.toMatchObject({ code: 'no-encoder' });
  });

  it('lists one codec a family', async () => {
    expect(await listCodecs()).toEqual(['avc1.64001e', 'vp09.00.21.08', 'av01.0.04M.08']);
  });
});

describe.each(['avc', 'vp9', 'av1'])('an MP4 with %s', (family) => {
  it('reads back with the right size, times, colour tags, order of boxes and recipe', async () => {
    const frames = Array.from({ length: 41 }, (_, i) => texture(96, 64, i));
    const file = await encode(await choiceOf(family, SIZE, 16), frames);
    expect(file.type).toBe('video/mp4');

    const facts = await readClip(file);
    expect(facts).toMatchObject({ width: 96, height: 64, frames: 41, colorSpace: BT709 });
    expect(facts.codec).toMatch({ avc: /^avc1\.64/, vp9: /^vp09\.00/, av1: /^av01\.0/ }[family]!);
    expect(facts.duration).toBe(41 / 16);
    expect(facts.timestamps).toEqual(frames.map((_, i) => i / 16));

    const types = [];
    for await (const box of topLevelBoxes(file)) types.push(box.type);
    // The index stands in front, in room kept for it before the frames were there: `free` is what it left.
    expect(types).toEqual(['ftyp', 'moov', 'free', 'mdat', 'uuid']);
    expect(await readRecipe(file)).toEqual({ ...RECIPE, frames: 41 });
  });

  it('decodes to every frame that was put in, in order', async () => {
    const frames = Array.from({ length: 12 }, (_, i) => texture(96, 64, i));
    const file = await encode(await choiceOf(family, SIZE, 16), frames);
    let index = 0;
    for await (const frame of decodeClip(file)) {
      expect(frame.timestamp).toBe(index * 62_500);
      expect(frame.colorSpace.toJSON()).toEqual(BT709);
      const decoded = await i420Of(frame);
      expect(psnr(decoded, frames[index]!)).toBeGreaterThan(34);
      // The frame meant, not a neighbour.
      if (index > 0)
        expect(psnr(decoded, frames[index]!)).toBeGreaterThan(psnr(decoded, frames[index - 1]!) + 5);
      index++;
    }
    expect(index).toBe(12);
  });
});

it('the chosen codec keeps colours', async () => {
  const colours: Rgb[] = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [128, 128, 128],
    [0, 0, 0],
    [255, 255, 255],
  ];
  const pattern = bands(96, 64, colours);
  const file = await encode(await chooseCodec(96, 64, 16), Array<Uint8Array>(8).fill(pattern));

  let seen = 0;
  for await (const frame of decodeClip(file)) {
    const i420 = await i420Of(frame);
    const canvas = new OffscreenCanvas(96, 64);
    const context = canvas.getContext('2d')!;
    context.drawImage(frame, 0, 0);
    for (const [i, colour] of colours.entries()) {
      const x = i * 16 + 8;
      const [y, u, v] = yuv(colour);
      expect(Math.abs(i420[32 * 96 + x]! - y)).toBeLessThanOrEqual(2);
      expect(Math.abs(i420[96 * 64 + 16 * 48 + x / 2]! - u)).toBeLessThanOrEqual(2);
      expect(Math.abs(i420[96 * 64 * 1.25 + 16 * 48 + x / 2]! - v)).toBeLessThanOrEqual(2);
      // What a person sees: a full-range or bt601 reading of the same samples is off by 20 and more.
      const shown = context.getImageData(x, 32, 1, 1).data;
      for (const c of [0, 1, 2]) expect(Math.abs(shown[c]! - colour[c]!)).toBeLessThanOrEqual(6);
    }
    seen++;
  }
  expect(seen).toBe(8);
});

it('looks clean: the chosen codec keeps 38 dB on a hard picture', async () => {
  const frames = Array.from({ length: 16 }, (_, i) => texture(96, 64, i));
  const file = await encode(await chooseCodec(96, 64, 16), frames);
  let i = 0;
  for await (const frame of decodeClip(file))
    expect(psnr(await i420Of(frame), frames[i++]!)).toBeGreaterThan(38);
});

it('has a key frame at least every two seconds', async () => {
  const { EncodedPacketSink, Input, BlobSource, MP4 } = await import('mediabunny');
  const frames = Array.from({ length: 70 }, (_, i) => texture(96, 64, i));
  const file = await encode(await chooseCodec(96, 64, 16), frames);
  const track = await new Input({ formats: [MP4], source: new BlobSource(file) }).getPrimaryVideoTrack();
  const keys = [];
  for await (const packet of new EncodedPacketSink(track!).packets())
    if (packet.type === 'key') keys.push(packet.timestamp);
  // An encoder may add some of its own where the picture changes much.
  expect(keys).toEqual(expect.arrayContaining([0, 2, 4]));
});

it.each([1, 7, 24, 30, 60])('%i frames a second are exact', async (fps) => {
  const frames = Array.from({ length: 9 }, (_, i) => texture(96, 64, i));
  const facts = await readClip(await encode(await chooseCodec(96, 64, fps), frames, fps));
  expect(facts.duration).toBeCloseTo(9 / fps, 12);
  for (const [i, t] of facts.timestamps.entries()) expect(t).toBeCloseTo(i / fps, 12);
});

it.each([
  [16, 16],
  [64, 96],
  [480, 272],
])('encodes %i × %i', async (width, height) => {
  const frames = [texture(width, height, 0), texture(width, height, 1)];
  const file = await encode(await chooseCodec(width, height, 16), frames, 16, { width, height });
  expect(await readClip(file)).toMatchObject({ width, height, frames: 2 });
});

it('one frame makes a clip', async () => {
  const facts = await readClip(await encode(await chooseCodec(96, 64, 16), [texture(96, 64, 0)]));
  expect(facts).toMatchObject({ frames: 1, duration: 1 / 16 });
});

describe('ClipEncoder', () => {
  const open = async () =>
    ClipEncoder.open({ ...SIZE, fps: 16, codec: await chooseCodec(96, 64, 16), recipe: RECIPE });

  it('takes frames in order only, and of the right size', async () => {
    const encoder = await open();
    await expect(encoder.encode(texture(96, 64, 0), 1)).rejects.toThrow('Frame 0 was expected, but frame 1');
    await expect(encoder.encode(new Uint8Array(100), 0)).rejects.toThrow('takes 9216 bytes as I420, but 100');
    encoder.abort();
  });

  it('does not finish without a frame, and not twice', async () => {
    await expect((await open()).finish()).rejects.toThrow('at least one frame');
    const encoder = await open();
    await encoder.encode(texture(96, 64, 0), 0);
    await encoder.finish();
    await expect(encoder.finish()).rejects.toThrow('finished already');
    await expect(encoder.encode(texture(96, 64, 1), 1)).rejects.toThrow('finished already');
  });

  it('abort ends a finish under way, and everything after', async () => {
    const encoder = await open();
    for (let i = 0; i < 8; i++) await encoder.encode(texture(96, 64, i), i);
    const finished = encoder.finish();
    encoder.abort();
    await expect(finished).rejects.toMatchObject({ code: 'cancelled' });
    await expect(encoder.encode(texture(96, 64, 0), 8)).rejects.toMatchObject({ code: 'cancelled' });
    encoder.abort();
  });

  it('abort after finish harms nothing', async () => {
    const encoder = await open();
    await encoder.encode(texture(96, 64, 0), 0);
    const file = await encoder.finish();
    encoder.abort();
    expect(await readClip(file)).toMatchObject({ frames: 1 });
  });

  it('refuses odd sizes and broken rates', async () => {
    const codec = await chooseCodec(96, 64, 16);
    const options = { ...SIZE, fps: 16, codec, recipe: RECIPE };
    await expect(ClipEncoder.open({ ...options, width: 95 })).rejects.toMatchObject({ code: 'bad-request' });
    await expect(ClipEncoder.open({ ...options, fps: 23.976 })).rejects.toMatchObject({
      code: 'bad-request',
    });
  });
});

it('works in a worker', async () => {
  const worker = new Worker(new URL('./encode.worker.ts', import.meta.url), { type: 'module' });
  const answer = await new Promise<{ file?: Blob; poster?: Blob; hash?: string; error?: string }>(
    (resolve, reject) => {
      worker.onmessage = (e) => resolve(e.data);
      worker.onerror = (e) => reject(new Error(e.message));
    },
  );
  worker.terminate();
  expect(answer.error).toBeUndefined();
  expect(await readClip(answer.file!)).toMatchObject({ frames: 4, width: 96, height: 64 });
  expect(answer.poster!.type).toBe('image/webp');
  expect(answer.hash).toMatch(/^[0-9a-f]{64}$/);
});
