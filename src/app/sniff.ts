/** What a file from outside is, told by its first bytes: systems give types by name, or none at all. */

/** mp4: it may be one of ours. video: another, whatever the browser can play. text: a script. null: nothing known. */
export type Kind = 'picture' | 'mp4' | 'video' | 'text';

/** Bytes that are looked at. */
const ENOUGH = 4096;

const PICTURES = [/^\x89PNG\r\n\x1a\n/, /^\xff\xd8\xff/, /^GIF8[79]a/, /^RIFF....WEBP/s, /^BM....\0\0\0\0/s, /^II\x2a\0/, /^MM\0\x2a/, /^\0\0\x01\0/, /^\xff\x0a/, /^\0\0\0\x0cJXL /]; // prettier-ignore
/** Brands of ISO files that hold a picture. */
const STILLS = /^(avif|avis|heic|heix|heim|heis|mif1|msf1)$/;
const VIDEOS = [/^\x1a\x45\xdf\xa3/, /^RIFF....AVI /s, /^OggS/, /^FLV\x01/, /^\0\0\x01[\xb3\xba]/];

/** Throws where the file cannot be read. */
export async function kindOf(file: Blob): Promise<Kind | null> {
  const bytes = new Uint8Array(await file.slice(0, ENOUGH).arrayBuffer());
  const known = kindOfBytes(bytes) ?? kindOfType(file.type);
  if (known) return known;
  return saysText(file) && isText(bytes, bytes.length < file.size) ? 'text' : null;
}

function kindOfBytes(bytes: Uint8Array): Kind | null {
  const head = String.fromCharCode(...bytes.subarray(0, 16)); // Latin-1, so that marks can be compared as text
  if (PICTURES.some((mark) => mark.test(head))) return 'picture';
  if (VIDEOS.some((mark) => mark.test(head))) return 'video';
  if (head.slice(4, 8) !== 'ftyp') return null;
  const brand = head.slice(8, 12);
  return STILLS.test(brand) ? 'picture' : brand === 'qt  ' ? 'video' : 'mp4';
}

/** What the browser says, where the bytes say nothing: the file may be broken, or of a kind that is not known here. */
function kindOfType(type: string): Kind | null {
  if (type.startsWith('image/')) return 'picture';
  if (type === 'video/mp4') return 'mp4';
  return type.startsWith('video/') ? 'video' : null;
}

/** By its type, or by a name that promises nothing else: an error page that was saved as "film.mp4" is no script. */
function saysText(file: Blob): boolean {
  if (file.type !== '') return file.type.startsWith('text/');
  return !(file instanceof File) || !file.name.includes('.') || /\.(txt|text|md)$/i.test(file.name);
}

/** @param cut the file goes on behind these bytes, perhaps in the middle of a letter */
function isText(bytes: Uint8Array, cut: boolean): boolean {
  const text = readText(bytes, cut);
  // Letters without the characters that no text has but tab, line feed, form feed and carriage return.
  return text !== null && text.trim() !== '' && !/[\0-\x08\x0b\x0e-\x1f\x7f]/.test(text);
}

/** UTF-8, or UTF-16 that says so at its beginning; null for what is neither. */
export function readText(bytes: Uint8Array, cut = false): string | null {
  const [a, b] = bytes;
  const encoding = a === 0xff && b === 0xfe ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: cut });
  } catch {
    return null;
  }
}
