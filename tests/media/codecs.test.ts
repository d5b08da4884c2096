import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEncoder, FakeFrame, stubWebCodecs, type Behaviour } from '../helpers/webcodecs';

// A fresh module each time: it remembers its choices.
let codecs: typeof import('../../src/media/codecs');
beforeEach(async () => {
  vi.resetModules();
  codecs = await import('../../src/media/codecs');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('codecLadder', () => {
  it.each([
    // H.264 levels by ITU-T H.264 table A-1; 832 × 480 is 1560 macroblocks.
    [96, 64, 16, 'avc1.64001e', 'vp09.00.21.08', 'av01.0.04M.08'],
    [832, 480, 16, 'avc1.64001e', 'vp09.00.30.08', 'av01.0.04M.08'],
    [832, 480, 30, 'avc1.64001f', 'vp09.00.30.08', 'av01.0.04M.08'],
    [1280, 720, 16, 'avc1.64001f', 'vp09.00.31.08', 'av01.0.05M.08'],
    [1920, 1080, 30, 'avc1.640028', 'vp09.00.40.08', 'av01.0.08M.08'],
    [1920, 1080, 60, 'avc1.64002a', 'vp09.00.41.08', 'av01.0.09M.08'],
    [3840, 2160, 60, 'avc1.640034', 'vp09.00.51.08', 'av01.0.13M.08'],
  ])('%i × %i at %i', (width, height, fps, avc, vp9, av1) => {
    const ladder = codecs.codecLadder(width, height, fps);
    expect(ladder.map((rung) => rung.codec)).toEqual([
      avc,
      avc.replace('6400', '4d00'),
      avc.replace('6400', '42e0'),
      avc.replace('6400', '4200'),
      vp9,
      av1,
    ]);
  });

  it('counts the longer side of a narrow picture', () => {
    // 4096 px are 256 macroblocks: level 4.0 allows sqrt(8 · 8192) = 256, level 3.1 only 169.
    expect(codecs.codecLadder(4096, 16, 16)[0]!.codec).toBe('avc1.640028');
  });

  it('has no rung above the highest levels', () => {
    expect(codecs.codecLadder(16_384, 16_384, 16)).toEqual([]);
  });
});

describe('chooseCodec', () => {
  it('takes the best rung, with constant quality where it is offered', async () => {
    stubWebCodecs();
    const choice = await codecs.chooseCodec(96, 64, 16);
    expect(choice).toMatchObject({ codec: 'avc1.64001e', family: 'avc', quantizer: 18 });
    expect(choice.config).toMatchObject({
      ...{ width: 96, height: 64, framerate: 16, latencyMode: 'quality', bitrateMode: 'quantizer' },
      avc: { format: 'avc' },
    });
    expect(FakeEncoder.last.options).toEqual([{ keyFrame: true, avc: { quantizer: 18 } }]);
  });

  it('falls back on a bitrate, then on software', async () => {
    stubWebCodecs({ supported: (config) => config.bitrateMode !== 'quantizer' });
    const rated = await codecs.chooseCodec(96, 64, 16);
    expect(rated).toMatchObject({ quantizer: null, config: { bitrateMode: 'variable', bitrate: 1e6 } });
    expect((await codecs.chooseCodec(832, 480, 16)).config.bitrate).toBe(832 * 480 * 16);
    FakeEncoder.behaviour = { supported: (config) => config.hardwareAcceleration === 'prefer-software' };
    expect((await codecs.chooseCodec(128, 64, 16)).config.hardwareAcceleration).toBe('prefer-software');
  });

  const liars: Record<string, Behaviour['encode']> = {
    'gives nothing': () => {},
    'gives a delta frame': (encoder, frame) => encoder.emit(frame.timestamp, 'delta'),
    'gives two pictures': (encoder, frame) => {
      encoder.emit(frame.timestamp, 'key');
      encoder.emit(frame.timestamp, 'key');
    },
    dies: (encoder) => encoder.die('no such hardware'),
    throws: () => {
      throw new DOMException('surprise', 'OperationError');
    },
  };

  it.each(Object.entries(liars))('does not believe an encoder that %s', async (_, lie) => {
    stubWebCodecs({
      encode: (encoder, frame, options) => {
        if (encoder.config.codec.startsWith('avc1')) lie!(encoder, frame, options);
        else encoder.emit(frame.timestamp, 'key');
      },
    });
    expect((await codecs.chooseCodec(96, 64, 16)).codec).toBe('vp09.00.21.08');
    expect(FakeEncoder.trials.filter((config) => config.codec.startsWith('avc1'))).toHaveLength(12);
    expect([FakeEncoder.open, FakeFrame.open]).toEqual([0, 0]);
  });

  it('does not wait for an encoder that never answers', async () => {
    vi.useFakeTimers();
    stubWebCodecs({
      flush: (encoder) => (encoder.config.codec.startsWith('av01') ? undefined : new Promise<void>(() => {})),
    });
    const choice = codecs.chooseCodec(96, 64, 16);
    await vi.advanceTimersByTimeAsync(15 * 5000);
    expect((await choice).codec).toBe('av01.0.04M.08');
    expect([FakeEncoder.open, FakeFrame.open]).toEqual([0, 0]);
  });

  it('remembers a choice, and forgets a failure', async () => {
    stubWebCodecs({ supported: () => false });
    await expect(codecs.chooseCodec(96, 64, 16)).rejects.toMatchObject({
      code: 'no-encoder',
      params: { width: 96, height: 64 },
      detail: expect.stringContaining('av01.0.04M.08 (variable): the browser says no'),
    });
    FakeEncoder.behaviour = {};
    await codecs.chooseCodec(96, 64, 16);
    await codecs.chooseCodec(96, 64, 16);
    expect(FakeEncoder.trials).toHaveLength(1);
    await codecs.chooseCodec(96, 96, 16);
    expect(FakeEncoder.trials).toHaveLength(2);
  });

  it('says what is missing where there is no WebCodecs', async () => {
    vi.stubGlobal('VideoEncoder', undefined);
    await expect(codecs.chooseCodec(96, 64, 16)).rejects.toMatchObject({ code: 'no-webcodecs' });
    expect(await codecs.listCodecs()).toEqual([]);
  });

  it.each([
    [97, 64],
    [96, 63],
    [0, 64],
    [96.5, 64],
    [NaN, 64],
    [20_000, 64],
  ])('refuses %d × %d', async (width, height) => {
    stubWebCodecs();
    await expect(codecs.chooseCodec(width, height, 16)).rejects.toMatchObject({ code: 'bad-request' });
  });
});

it('listCodecs names the best of each family that works', async () => {
  stubWebCodecs({ supported: (config) => !/^avc1\.(64|4d)|^vp09/.test(config.codec) });
  expect(await codecs.listCodecs()).toEqual(['avc1.42e01e', 'av01.0.04M.08']);
});
