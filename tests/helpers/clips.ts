/** Pictures and recipes for tests of media and library. */
import type { Clip, Recipe } from '../../src/worker/protocol/clip';

export const RECIPE: Recipe = {
  prompt: 'a red boat drifting on the sea at sunset',
  seed: 7,
  seconds: 2,
  width: 96,
  height: 64,
  steps: 4,
  model: 'pocket',
  edition: '1',
  fps: 16,
  frames: 32,
  app: 'Kinora 0.1.0',
  created: '2026-11-24T09:00:00.000Z',
};

export type Rgb = [red: number, green: number, blue: number];

/** bt709 limited Y, Cb, Cr of an 8-bit R'G'B' colour (ITU-R BT.709, 3.3 to 3.5), rounded. */
export function yuv([r, g, b]: Rgb): [number, number, number] {
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return [
    Math.round(16 + (219 / 255) * y),
    Math.round(128 + ((224 / 255) * (b - y)) / 1.8556),
    Math.round(128 + ((224 / 255) * (r - y)) / 1.5748),
  ];
}

/** One I420 frame of equal vertical bands, one a colour, left to right. Sides even. */
export function bands(width: number, height: number, colours: Rgb[]): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array((width * height * 3) / 2);
  const planes = [
    { plane: 0, at: 0, w: width, h: height },
    { plane: 1, at: width * height, w: width / 2, h: height / 2 },
    { plane: 2, at: (width * height * 5) / 4, w: width / 2, h: height / 2 },
  ];
  for (const { plane, at, w, h } of planes)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        frame[at + y * w + x] = yuv(colours[Math.floor((x * colours.length) / w)]!)[plane]!;
  return frame;
}

/** A frame with detail and motion everywhere: what an encoder finds hard. Deterministic. */
export function texture(width: number, height: number, index: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array((width * height * 3) / 2).fill(128);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      frame[y * width + x] = Math.round(
        126 +
          60 * Math.sin((x + 2 * index) * 0.35) * Math.cos((y - index) * 0.27) +
          30 * Math.sin(x * 0.9 + y * 0.7),
      );
  const luma = width * height;
  for (let i = 0; i < luma / 4; i++) {
    frame[luma + i] = 128 + Math.round(40 * Math.sin(i * 0.01 + index * 0.1));
    frame[(luma * 5) / 4 + i] = 128 + Math.round(40 * Math.cos(i * 0.013 - index * 0.1));
  }
  return frame;
}

/** Peak signal-to-noise ratio in dB of 8-bit samples; Infinity when they are equal. */
export function psnr(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2;
  return 10 * Math.log10((255 * 255 * a.length) / squares);
}

/** A finished clip with placeholder bytes, for the library. */
export function clip(change: Partial<Clip> = {}): Clip {
  return {
    mp4: new Blob(['the clip'], { type: 'video/mp4' }),
    codec: 'avc1.64001e',
    recipe: RECIPE,
    width: 96,
    height: 64,
    frames: 32,
    fps: 16,
    frameHashes: [],
    poster: new Blob(['the poster'], { type: 'image/webp' }),
    backend: 'webgpu',
    adapter: {
      vendor: 'google',
      architecture: 'swiftshader',
      device: '0xc0de',
      description: 'SwiftShader Device',
      isFallback: true,
      features: [],
      maxBufferSize: 2 ** 30,
      maxStorageBufferBindingSize: 2 ** 30,
    },
    timings: { load: 1, firstFrame: 2, total: 3 },
    blocks: [],
    ...{ id: 'clip', latents: null, seam: null },
    peakGpuBytes: 0,
    ...change,
  };
}
