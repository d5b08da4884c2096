import { describe, expect, test } from 'vitest';
import { kindOf, readText } from '../../src/app/sniff';

const bytes = (latin1: string) => Uint8Array.from(latin1, (c) => c.charCodeAt(0));
const file = (start: string, type = '') => new Blob([bytes(start), new Uint8Array(40).fill(200)], { type });

describe('the first bytes of a file without a type', () => {
  test.each([
    ['\x89PNG\r\n\x1a\n', 'picture'],
    ['\xff\xd8\xff\xe0', 'picture'],
    ['GIF89a', 'picture'],
    ['RIFF\x10\0\0\0WEBPVP8 ', 'picture'],
    ['BM\x10\0\0\0\0\0\0\0', 'picture'],
    ['II*\0', 'picture'],
    ['MM\0*', 'picture'],
    ['\0\0\0\x20ftypavif', 'picture'],
    ['\0\0\0\x20ftypheic', 'picture'],
    ['\0\0\0\x20ftypisom', 'mp4'],
    ['\0\0\0\x20ftypqt  ', 'video'],
    ['\x1a\x45\xdf\xa3', 'video'],
    ['RIFF\x10\0\0\0AVI LIST', 'video'],
    ['PK\x03\x04', null],
    ['', null],
  ])('%j: %s', async (start, kind) => expect(await kindOf(file(start))).toBe(kind));

  test('are more than a wrong type; where they say nothing, the type counts', async () => {
    expect(await kindOf(file('\xff\xd8\xff\xe0', 'video/mp4'))).toBe('picture');
    expect(await kindOf(file('????', 'image/png'))).toBe('picture'); // broken, which is told in words for pictures
    expect(await kindOf(file('????', 'video/webm'))).toBe('video');
    expect(await kindOf(file('????', 'video/mp4'))).toBe('mp4');
    expect(await kindOf(file('????', 'application/pdf'))).toBeNull();
  });
});

describe('a script in a file', () => {
  test.each([
    ['[4s] a red boat\n[cut] a car'],
    ['\ufeff一艘红色的船\r\n'],
    ['a'.repeat(4095) + '船'.repeat(9)],
  ])('%# is text', async (text) => expect(await kindOf(new Blob([text]))).toBe('text'));
  test('UTF-16 that says so is text, too', async () => {
    const utf16 = Uint8Array.of(0xff, 0xfe, 0x61, 0, 0x39, 0x82);
    expect(await kindOf(new Blob([utf16], { type: 'text/plain' }))).toBe('text');
    expect(readText(utf16)).toBe('a船');
  });
  test.each([['nothing', ''], ['blanks', ' \n '], ['a zero', 'a\0b'], ['an escape', 'a\x1bb']])(
    '%s is none',
    async (_, text) => expect(await kindOf(new Blob([text], { type: 'text/plain' }))).toBeNull(),
  ); // prettier-ignore
  test('bytes that are no letters are none', () =>
    expect(readText(Uint8Array.of(0x61, 0xc3, 0x28))).toBeNull());
});
