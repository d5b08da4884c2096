/**
 * The outermost layer of an MP4: its top-level boxes, walked by their headers alone, and the two repairs
 * that a finished file needs (an appended `uuid` box, complete codec boxes). Everything inside the boxes
 * is mp4-muxer's business when writing and mediabunny's when reading.
 */
import { KinoraError } from '../errors';

/** A top-level box; offsets and sizes in bytes. */
export interface Box {
  type: string;
  /** Offset of its header in the file. */
  start: number;
  /** Offset of its content. */
  content: number;
  /** Offset just behind it. */
  end: number;
  /** The 16-byte user type of a `uuid` box as lower-case hex, else ''. */
  uuid: string;
}

/** Files in many fragments have two boxes a fragment; nobody's clip has more than this. */
const BOX_LIMIT = 5_000;
/** size 4, type 4, 64-bit size 8, user type 16. */
const LONGEST_HEADER = 32;

const hex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

function damaged(message: string, params: Record<string, string | number>): KinoraError {
  return new KinoraError(
    'bad-request',
    `${message} The file is damaged or was cut off; fetch it anew.`,
    params,
  );
}

/**
 * The top-level boxes of `file` in order. Reads at most 32 bytes a box, never the whole file.
 * Throws `bad-request` when it is no MP4 (it must begin with `ftyp`) or when a size cannot be true.
 */
export async function* topLevelBoxes(file: Blob): AsyncGenerator<Box> {
  let start = 0;
  for (let count = 0; start < file.size; count++) {
    const head = new Uint8Array(await file.slice(start, start + LONGEST_HEADER).arrayBuffer());
    const view = new DataView(head.buffer);
    const type = head.length < 8 ? '' : String.fromCharCode(...head.subarray(4, 8));
    if (count === 0 && type !== 'ftyp')
      throw new KinoraError('bad-request', 'This file is not an MP4 video.');
    const left = file.size - start;
    if (head.length < 8)
      throw damaged(`The MP4 has ${left} stray bytes at its end, too few for a box.`, { left });
    if (count === BOX_LIMIT) throw damaged(`The MP4 has more than ${BOX_LIMIT} parts.`, { limit: BOX_LIMIT });

    let size = view.getUint32(0);
    let header = 8;
    if (size === 0) {
      size = left; // "to the end of the file"
    } else if (size === 1) {
      header = 16;
      size = head.length < 16 ? 0 : Number(view.getBigUint64(8));
    }
    if (type === 'uuid') header += 16;
    if (size < header || size > left)
      throw damaged(`The MP4's part "${printable(type)}" claims ${size} bytes, but has ${left}.`, {
        part: printable(type),
        size,
        left,
      });
    const uuid = type === 'uuid' ? hex(head.subarray(header - 16, header)) : '';
    yield { type, start, content: start + header, end: start + size, uuid };
    start += size;
  }
  if (start === 0) throw new KinoraError('bad-request', 'This file is empty. Choose a clip made by Kinora.');
}

const printable = (type: string) => type.replace(/[^\x20-\x7e]/g, '?');

/** Offset of the first top-level box of this type in a file that is being written; its length where there is none. */
export function findBox(
  file: { size: number; read(from: number, to: number): Uint8Array<ArrayBuffer> },
  type: string,
): number {
  for (let at = 0; at + 16 <= file.size;) {
    const head = file.read(at, at + 16);
    if (String.fromCharCode(...head.subarray(4, 8)) === type) return at;
    const view = new DataView(head.buffer);
    const short = view.getUint32(0);
    const size = short === 1 ? Number(view.getBigUint64(8)) : short;
    if (size < 8) break;
    at += size;
  }
  return file.size;
}

/** A `uuid` box: 4 bytes size, "uuid", 16 bytes user type (given as 32 hex digits), content. */
export function uuidBox(uuid: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const box = new Uint8Array(24 + content.length);
  new DataView(box.buffer).setUint32(0, box.length);
  box.set([0x75, 0x75, 0x69, 0x64], 4);
  for (let i = 0; i < 16; i++) box[8 + i] = parseInt(uuid.slice(2 * i, 2 * i + 2), 16);
  box.set(content, 24);
  return box;
}

/** Offset of the content of the box at `path` below `[from, to)`, or -1. `skip` bytes precede the children of a name. */
function findContent(
  mp4: Uint8Array,
  path: [name: string, skip: number][],
  from = 0,
  to = mp4.length,
): number {
  const view = new DataView(mp4.buffer, mp4.byteOffset, mp4.byteLength);
  const [wanted, ...rest] = path;
  for (let at = from; at + 8 <= to;) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > to) return -1;
    const type = String.fromCharCode(...mp4.subarray(at + 4, at + 8));
    if (type === wanted![0]) {
      const content = at + 8 + wanted![1];
      return rest.length ? findContent(mp4, rest, content, at + size) : content;
    }
    at += size;
  }
  return -1;
}

/**
 * Completes, in place, the codec boxes that mp4-muxer 5.2.2 writes only in part (fragile in strict players):
 * `av1C` gets profile, level and 4:2:0 of the codec string (it says level 2.0 and 4:4:4), `vpcC` the bt709
 * colour it leaves unspecified. H.264 needs nothing. Layouts: AV1-ISOBMFF 2.3.3, VP-codec-ISOBMFF "vpcC".
 */
export function completeCodecBox(mp4: Uint8Array, codec: string): void {
  // stsd: 4 version and flags, 4 count; visual sample entry: 78 fixed bytes.
  const inEntry = (entry: string, box: string) =>
    findContent(mp4, [
      ['moov', 0],
      ['trak', 0],
      ['mdia', 0],
      ['minf', 0],
      ['stbl', 0],
      ['stsd', 8],
      [entry, 78],
      [box, 0],
    ]);
  const parts = codec.split('.');
  if (parts[0] === 'av01') {
    const at = inEntry('av01', 'av1C');
    if (at < 0) return;
    const level = parseInt(parts[2] ?? '0', 10);
    const tier = (parts[2] ?? '').endsWith('H') ? 1 : 0;
    mp4[at + 1] = (Number(parts[1]) << 5) | level;
    mp4[at + 2] = (tier << 7) | 0b1100; // 8 bit, chroma halved both ways
  } else if (parts[0] === 'vp09') {
    const at = inEntry('vp09', 'vpcC');
    if (at >= 0) mp4.set([1, 1, 1], at + 7); // primaries, transfer, matrix: bt709
  }
}
