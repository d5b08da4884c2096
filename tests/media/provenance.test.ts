import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { openAsBlob } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { topLevelBoxes, uuidBox } from '../../src/media/mp4';
import { DIGITAL_SOURCE_TYPE, provenanceBox, readRecipe, writeXmp } from '../../src/media/provenance';
import type { Recipe } from '../../src/worker/protocol/clip';
import { RECIPE } from '../helpers/clips';
import { exif } from '../helpers/probe';

const XMP = 'be7acfcb97a942e89c71999491e3afac';

function box(
  type: string,
  content: Uint8Array = new Uint8Array(0),
  size = 8 + content.length,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + content.length);
  new DataView(bytes.buffer).setUint32(0, size);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(content, 8);
  return bytes;
}

function largeBox(
  type: string,
  content: Uint8Array,
  size = BigInt(16 + content.length),
): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(8 + content.length);
  new DataView(head.buffer).setBigUint64(0, size);
  head.set(content, 8);
  return box(type, head, 1);
}

const ascii = (text: string) => new TextEncoder().encode(text);
const FTYP = box('ftyp', ascii('isom\0\0\x02\0isomavc1mp41'));
const mp4 = (...boxes: Uint8Array<ArrayBuffer>[]) => new Blob([FTYP, ...boxes], { type: 'video/mp4' });
const xmpBox = (packet: string) => uuidBox(XMP, ascii(packet));
const withJson = (json: string) =>
  mp4(xmpBox(`<a xmlns:k="urn:x-kinora:xmp:1.0/"><k:Recipe>${json}</k:Recipe></a>`));

const AWKWARD: Record<string, string> = {
  markup: `<b>"bold" & 'brave'</b> ]]> <!-- <kinora:Recipe>{}</kinora:Recipe> kinora:Recipe="{}"`,
  newlines: 'first\nsecond\r\nthird\ttab',
  chinese: '夕阳下，一艘红色的小船在海上漂流',
  emoji: '🛶 👩‍🚀 🏳️‍🌈',
  control: 'a\u0000b\u0007c\u001bd\ufffee\uffff\u007f\u0085',
  'lone surrogates': 'x\ud83dy\udef6z',
  empty: '',
  spaces: '  two   spaces  ',
  'right to left': 'قارب أحمر \u202e',
  long: 'very '.repeat(990),
};

describe('a recipe written and read back', () => {
  it.each(Object.entries(AWKWARD))('%s', async (_, prompt) => {
    const recipe: Recipe = { ...RECIPE, prompt, model: prompt.slice(0, 200) };
    expect(await readRecipe(mp4(box('moov'), box('mdat', ascii('xx')), provenanceBox(recipe)))).toEqual(
      recipe,
    );
  });

  it('keeps extreme numbers exactly', async () => {
    const recipe = { ...RECIPE, seed: 2 ** 32 - 1, seconds: 0.1 + 0.2, fps: 23.976 };
    expect(await readRecipe(mp4(provenanceBox(recipe)))).toEqual(recipe);
  });

  it('refuses to write what it would refuse to read', () => {
    expect(() => writeXmp({ ...RECIPE, seed: -1 })).toThrow(/"seed"/);
  });

  it("is found behind 64-bit boxes, another uuid, another tool's XMP, and in a last box of size 0", async () => {
    const last = provenanceBox(RECIPE);
    new DataView(last.buffer).setUint32(0, 0);
    const file = mp4(
      largeBox('mdat', ascii('pictures')),
      uuidBox('00112233445566778899aabbccddeeff', ascii('urn:x-kinora:xmp:1.0/')),
      xmpBox('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'),
      last,
    );
    expect(await readRecipe(file)).toEqual(RECIPE);
  });

  it('reads headers and packets only', async () => {
    let read = 0;
    const file = mp4(box('mdat', new Uint8Array(5_000_000)), provenanceBox(RECIPE));
    const slice = file.slice.bind(file);
    file.slice = (from = 0, to = file.size) => {
      read += to - from;
      return slice(from, to);
    };
    expect(await readRecipe(file)).toEqual(RECIPE);
    expect(read).toBeLessThan(10_000);
  });
});

describe('files that are something else', () => {
  it("an MP4 without Kinora's data gives null", async () => {
    expect(await readRecipe(mp4(box('moov'), box('mdat', ascii('xx'))))).toBeNull();
  });

  it.each([
    ['empty', new Blob([])],
    ['text', new Blob(['hello, this is no video at all'])],
    ['a PNG', new Blob([new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13])])],
    ['four bytes', new Blob([new Uint8Array(4)])],
    ['zeros', new Blob([new Uint8Array(100)])],
    ['a size below the header', mp4(box('moov', undefined, 7))],
    ['a size past the end', mp4(box('mdat', ascii('xx'), 1000))],
    ['a 64-bit size of 2^63', mp4(largeBox('mdat', ascii('xx'), 2n ** 63n))],
    ['a 64-bit size of 3', mp4(largeBox('mdat', ascii('xx'), 3n))],
    ['a 64-bit size cut off', mp4(box('mdat', undefined, 1))],
    ['a uuid box too small for its type', mp4(box('uuid', ascii('short')))],
    ['stray bytes at the end', mp4(new Uint8Array(5))],
    ['too many boxes', new Blob([FTYP, ...Array.from({ length: 5_001 }, () => box('free'))])],
  ])('%s is refused', async (_, file) => {
    await expect(readRecipe(file)).rejects.toMatchObject({ code: 'bad-request' });
  });

  it.each([
    ['not JSON', withJson('{oops')],
    ['a bad value', withJson(JSON.stringify({ ...RECIPE, seed: 1e300 }).replaceAll('"', '&quot;'))],
    ['a missing value', withJson('{}')],
    ['no object', withJson('[]')],
  ])('damaged settings are refused: %s', async (_, file) => {
    await expect(readRecipe(file)).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('a packet above the limit is passed over unread', async () => {
    const huge = uuidBox(XMP, new Uint8Array(4 * 1024 * 1024 + 1));
    expect(await readRecipe(mp4(huge))).toBeNull();
    expect(await readRecipe(mp4(huge, provenanceBox(RECIPE)))).toEqual(RECIPE);
  });

  it('bytes that are no UTF-8 are no Kinora data', async () => {
    expect(await readRecipe(mp4(uuidBox(XMP, new Uint8Array([0xff, 0xfe, 0x3c, 0xff]))))).toBeNull();
  });
});

it('topLevelBoxes gives offsets', async () => {
  const boxes = [];
  for await (const b of topLevelBoxes(mp4(largeBox('mdat', ascii('abc')), box('free')))) boxes.push(b);
  expect(boxes.map(({ type, start, content, end }) => ({ type, start, content, end }))).toEqual([
    { type: 'ftyp', start: 0, content: 8, end: FTYP.length },
    { type: 'mdat', start: FTYP.length, content: FTYP.length + 16, end: FTYP.length + 19 },
    { type: 'free', start: FTYP.length + 19, content: FTYP.length + 27, end: FTYP.length + 27 },
  ]);
});

describe('what exiftool makes of it', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'kinora-'))));
  afterAll(() => rm(folder, { recursive: true }));

  const store = async (name: string, recipe: Recipe) => {
    const path = join(folder, name);
    await writeFile(path, new Uint8Array(await mp4(box('mdat'), provenanceBox(recipe)).arrayBuffer()));
    return path;
  };

  it.each(
    Object.entries(AWKWARD).filter(([name]) => !['control', 'lone surrogates', 'empty'].includes(name)),
  )('reads the statement and the prompt: %s', async (name, prompt) => {
    const tags = await exif(await store(`${name}.mp4`, { ...RECIPE, prompt }));
    if (!tags) return console.warn('exiftool is not installed: its reading was not checked');
    expect(tags['XMP-iptcExt:DigitalSourceType']).toBe(DIGITAL_SOURCE_TYPE);
    // exiftool trims the ends of a value.
    expect(String(tags['XMP-kinora:Prompt']).trim()).toBe(prompt.trim());
    expect(tags['XMP-kinora:Statement']).toMatch(/made by artificial intelligence/);
    expect(String(tags['XMP-dc:Description'])).toContain(prompt.trim());
    expect(tags['XMP-xmp:CreatorTool']).toBe('Kinora 0.1.0');
    expect(tags['XMP-xmp:CreateDate']).toBe('2026:11:24 09:00:00.000Z');
    expect(tags['XMP-kinora:Seed']).toBe(7);
    expect(tags).not.toHaveProperty('ExifTool:Warning');
    expect(tags).not.toHaveProperty('ExifTool:Error');
  });

  it('strips what XML cannot carry from the words, and keeps it in the recipe', async () => {
    const path = await store('control.mp4', { ...RECIPE, prompt: AWKWARD.control! });
    const tags = await exif(path);
    if (!tags) return console.warn('exiftool is not installed: its reading was not checked');
    expect(String(tags['XMP-kinora:Prompt'])).toMatch(/^abcde/);
    expect((await readRecipe(await openAsBlob(path)))?.prompt).toBe(AWKWARD.control);
  });

  it('survives exiftool writing the packet anew', async () => {
    const recipe = { ...RECIPE, prompt: AWKWARD.markup! };
    const path = await store('rewritten.mp4', recipe);
    if (!(await exif(path))) return console.warn('exiftool is not installed: its reading was not checked');
    execFileSync('exiftool', ['-q', '-overwrite_original', '-XMP-dc:Title=Edited', path]);
    expect((await exif(path))!['XMP-dc:Title']).toBe('Edited');
    expect(await readRecipe(await openAsBlob(path))).toEqual(recipe);
  });
});
