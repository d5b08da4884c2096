import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CodecChoice } from '../../src/media/codecs';
import { ClipEncoder } from '../../src/media/encoder';
import { readClip } from '../../src/media/read';
import { RECIPE } from '../helpers/clips';
import { FakeEncoder, FakeFrame, stubWebCodecs, type Behaviour } from '../helpers/webcodecs';

const FRAME = new Uint8Array(96 * 64 * 1.5);
const choice = (codec = 'avc1.64001e', family: CodecChoice['family'] = 'avc'): CodecChoice => ({
  codec,
  family,
  config: { codec, width: 96, height: 64, framerate: 16 },
  quantizer: null,
});

const open = (behaviour: Behaviour = {}, codec = choice()) => {
  stubWebCodecs(behaviour);
  return ClipEncoder.open({ width: 96, height: 64, fps: 16, codec, recipe: RECIPE });
};

async function encodeAll(encoder: ClipEncoder, count: number): Promise<Blob> {
  for (let i = 0; i < count; i++) await encoder.encode(FRAME, i);
  return encoder.finish();
}

afterEach(() => {
  vi.unstubAllGlobals();
  // Whatever happened in a test: nothing stays open.
  expect([FakeEncoder.open, FakeFrame.open]).toEqual([0, 0]);
});

it('hands frames over tagged, timed and closed, with a key frame every two seconds', async () => {
  const frames: FakeFrame[] = [];
  const encoder = await open({
    encode: (e, frame, { keyFrame }) => {
      frames.push(frame);
      e.emit(frame.timestamp, keyFrame ? 'key' : 'delta');
    },
  });
  await encodeAll(encoder, 40);
  expect(frames[3]!.init).toMatchObject({
    ...{ format: 'I420', timestamp: 187_500, duration: 62_500, codedWidth: 96, codedHeight: 64 },
    colorSpace: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false },
  });
  const keys = FakeEncoder.last.options.flatMap(({ keyFrame }, i) => (keyFrame ? [i] : []));
  expect(keys).toEqual([0, 32]);
});

it('timestamps do not drift at rates that no microsecond divides', async () => {
  stubWebCodecs();
  const codec = choice();
  const encoder = await ClipEncoder.open({
    width: 96,
    height: 64,
    fps: 7,
    codec,
    recipe: { ...RECIPE, frames: 700 },
  });
  const facts = await readClip(await encodeAll(encoder, 700));
  expect(facts.frames).toBe(700);
  expect(facts.duration).toBeCloseTo(100, 9);
  expect(facts.timestamps[699]).toBeCloseTo(699 / 7, 9);
});

it.each<VideoColorSpaceInit | undefined>([
  undefined,
  { primaries: null, transfer: null, matrix: null, fullRange: null },
])('tags the file bt709 limited where the encoder says %j', async (colorSpace) => {
  const facts = await readClip(await encodeAll(await open({ colorSpace }), 2));
  expect(facts.colorSpace).toEqual({
    primaries: 'bt709',
    transfer: 'bt709',
    matrix: 'bt709',
    fullRange: false,
  });
});

it('keeps other tags of an encoder that converts', async () => {
  const colorSpace = {
    primaries: 'smpte170m',
    transfer: 'smpte170m',
    matrix: 'smpte170m',
    fullRange: true,
  } as const;
  expect((await readClip(await encodeAll(await open({ colorSpace }), 2))).colorSpace).toEqual(colorSpace);
});

it('puts pictures of a reordering encoder at the right times', async () => {
  const held: FakeFrame[] = [];
  // Display order 0 1 2 3, coded order 0 3 1 2.
  const encoder = await open({
    encode: (e, frame) => {
      held.push(frame);
      if (held.length === 4) for (const i of [0, 3, 1, 2]) e.emit(held[i]!.timestamp, i ? 'delta' : 'key');
    },
  });
  const facts = await readClip(await encodeAll(encoder, 4));
  expect(facts.timestamps).toEqual([0, 1 / 16, 2 / 16, 3 / 16]);
});

describe('completes the codec box', () => {
  const content = async (file: Blob, name: string, length: number) => {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const at =
      Array.from(bytes, (b) => String.fromCharCode(b))
        .join('')
        .indexOf(name) + 4;
    return [...bytes.subarray(at, at + length)];
  };

  it('of AV1: profile, level, 8 bit 4:2:0', async () => {
    const file = await encodeAll(await open({}, choice('av01.0.08M.08', 'av1')), 1);
    expect(await content(file, 'av1C', 4)).toEqual([0x81, 8, 0b0000_1100, 0]);
  });

  it('of VP9: bt709', async () => {
    const file = await encodeAll(await open({}, choice('vp09.00.31.08', 'vp9')), 1);
    // version, flags; profile, level, 8 bit 4:2:0 (colocated) limited; bt709 three times; no init data
    expect(await content(file, 'vpcC', 12)).toEqual([1, 0, 0, 0, 0, 31, 0x80, 1, 1, 1, 0, 0]);
  });
});

describe('backpressure', () => {
  it('waits while the encoder is behind, and goes on when it has room', async () => {
    const encoder = await open();
    FakeEncoder.last.encodeQueueSize = 5;
    let done = false;
    const call = encoder.encode(FRAME, 0).then(() => (done = true));
    FakeEncoder.last.dispatchEvent(new Event('dequeue'));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(done).toBe(false);
    FakeEncoder.last.encodeQueueSize = 4;
    FakeEncoder.last.dispatchEvent(new Event('dequeue'));
    await call;
    await encoder.finish();
  });

  it('does without the dequeue event', async () => {
    const encoder = await open();
    FakeEncoder.last.encodeQueueSize = 5;
    setTimeout(() => (FakeEncoder.last.encodeQueueSize = 0), 20);
    await encoder.encode(FRAME, 0);
    await encoder.finish();
  });
});

describe('an encoder that fails', () => {
  const failed = { code: 'no-encoder', params: { codec: 'avc1.64001e', width: 96, height: 64 } };

  it('while encode waits', async () => {
    const encoder = await open();
    FakeEncoder.last.encodeQueueSize = 9;
    const call = encoder.encode(FRAME, 0);
    FakeEncoder.last.die('driver gone');
    await expect(call).rejects.toMatchObject({ ...failed, detail: 'EncodingError: driver gone' });
    await expect(encoder.encode(FRAME, 1)).rejects.toMatchObject(failed);
    await expect(encoder.finish()).rejects.toMatchObject(failed);
  });

  it('while nobody waits: the next call tells', async () => {
    const encoder = await open();
    await encoder.encode(FRAME, 0);
    FakeEncoder.last.die('driver gone');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(encoder.finish()).rejects.toMatchObject(failed);
  });

  it('while finish waits', async () => {
    const encoder = await open({ flush: () => new Promise<void>(() => {}) });
    await encoder.encode(FRAME, 0);
    const call = encoder.finish();
    FakeEncoder.last.die('driver gone');
    await expect(call).rejects.toMatchObject({ ...failed, detail: 'EncodingError: driver gone' });
  });

  it('by throwing', async () => {
    const encoder = await open({
      encode: () => {
        throw new DOMException('bad frame', 'OperationError');
      },
    });
    await expect(encoder.encode(FRAME, 0)).rejects.toMatchObject({
      ...failed,
      detail: 'OperationError: bad frame',
    });
  });

  it('by losing a frame', async () => {
    const encoder = await open({
      encode: (e, frame) => void (frame.timestamp !== 62_500 && e.emit(frame.timestamp, 'key')),
    });
    await expect(encodeAll(encoder, 3)).rejects.toMatchObject({
      ...failed,
      detail: 'of 3 frames it gave back 2 pictures',
    });
  });

  it('by not beginning with a key frame', async () => {
    const encoder = await open({ encode: (e, frame) => e.emit(frame.timestamp, 'delta') });
    await expect(encodeAll(encoder, 1)).rejects.toMatchObject({
      ...failed,
      detail: 'Error: its first picture is no key frame',
    });
  });

  it('at configure', async () => {
    stubWebCodecs();
    vi.stubGlobal(
      'VideoEncoder',
      class extends FakeEncoder {
        override configure() {
          throw new TypeError('not a config');
        }
      },
    );
    const options = { width: 96, height: 64, fps: 16, codec: choice(), recipe: RECIPE };
    await expect(ClipEncoder.open(options)).rejects.toMatchObject({
      ...failed,
      detail: 'TypeError: not a config',
    });
  });
});

it('abort rejects who waits, and chunks that come late are dropped', async () => {
  const encoder = await open({ encode: () => {} });
  FakeEncoder.last.encodeQueueSize = 9;
  const call = encoder.encode(FRAME, 0);
  encoder.abort();
  await expect(call).rejects.toMatchObject({ code: 'cancelled' });
  await expect(encoder.finish()).rejects.toMatchObject({ code: 'cancelled' });
  FakeEncoder.last.init.output({} as EncodedVideoChunk);
  encoder.abort();
});

it('is not opened for a size other than the codec was tried at', async () => {
  stubWebCodecs();
  const options = { width: 128, height: 64, fps: 16, codec: choice(), recipe: RECIPE };
  await expect(ClipEncoder.open(options)).rejects.toThrow('chosen for 96 × 64, but the clip is 128 × 64');
});

it('is not opened with a recipe that could not be written at the end', async () => {
  stubWebCodecs();
  const recipe = { ...RECIPE, seed: -1 };
  const options = { width: 96, height: 64, fps: 16, codec: choice(), recipe };
  await expect(ClipEncoder.open(options)).rejects.toMatchObject({
    code: 'bad-request',
    params: { setting: 'seed' },
  });
});
