import { expect, it } from 'vitest';
import { poster, sha256Hex, toImageBitmaps, videoFrame } from '../../../src/media/frames';
import { bands, type Rgb } from '../../helpers/clips';

const COLOURS: Rgb[] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [20, 90, 200],
  [128, 128, 128],
  [255, 255, 255],
];
const SIZE = { width: 96, height: 64 };

function expectColours(picture: CanvasImageSource, within: number) {
  const context = new OffscreenCanvas(96, 64).getContext('2d')!;
  context.drawImage(picture, 0, 0);
  for (const [i, colour] of COLOURS.entries()) {
    const shown = context.getImageData(i * 16 + 8, 32, 1, 1).data;
    for (const c of [0, 1, 2]) expect(Math.abs(shown[c]! - colour[c]!)).toBeLessThanOrEqual(within);
    expect(shown[3]).toBe(255);
  }
}

it('bitmaps have the colours and the size of the frames', async () => {
  const bitmaps = await toImageBitmaps([bands(96, 64, COLOURS), bands(96, 64, COLOURS)], SIZE);
  expect(bitmaps).toHaveLength(2);
  for (const bitmap of bitmaps) {
    expect([bitmap.width, bitmap.height]).toEqual([96, 64]);
    expectColours(bitmap, 3);
    bitmap.close();
  }
});

it('a poster is a picture file with the same colours', async () => {
  const file = await poster(bands(96, 64, COLOURS), SIZE);
  expect(file.type).toBe('image/webp');
  const picture = await createImageBitmap(file);
  expect([picture.width, picture.height]).toEqual([96, 64]);
  expectColours(picture, 12);
});

it('a frame carries its time and colour tags', () => {
  const frame = videoFrame(bands(96, 64, COLOURS), SIZE, 62_500, 62_500);
  expect(frame).toMatchObject({ format: 'I420', timestamp: 62_500, duration: 62_500, codedWidth: 96 });
  expect(frame.colorSpace.toJSON()).toEqual({
    primaries: 'bt709',
    transfer: 'bt709',
    matrix: 'bt709',
    fullRange: false,
  });
  frame.close();
});

it('sha256Hex hashes just the bytes of a view', async () => {
  const text = new TextEncoder().encode('xabcx');
  // FIPS 180-2, B.1
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(await sha256Hex(text.subarray(1, 4))).toBe(abc);
});
