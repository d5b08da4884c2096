/**
 * The directory of a zip file, as PyTorch writes it: entries stored as they are, 64-bit sizes where needed
 * [PKWARE APPNOTE 6.3.9, 4.3]. Nothing is ever unpacked: a compressed or encrypted entry is refused, so a
 * zip bomb has nothing to blow up.
 */
import { MAX_TENSORS } from './dtypes';
import { damaged, readExactly, type ByteSource } from './source';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: number;
  /** 0: stored as it is. */
  readonly method: number;
  /** Of its local header; see `dataOffset`. */
  readonly header: number;
  /** Where the file's entries end: its directory begins there. */
  readonly limit: number;
}

/** An end record, and the longest comment that may follow it. */
const END = 22;
const MAX_COMMENT = 0xffff;
/** A checkpoint has an entry a tensor, with names of some 20 characters. */
const MAX_DIRECTORY = 32 << 20;
const MAX_ENTRIES = 2 * MAX_TENSORS;
const NONE = 0xffffffff;

/** Reads the directory. Throws `bad-model` when the file is damaged, split or encrypted. */
export async function readZip(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const fail = (problem: string, params = {}) => damaged(source.name, problem, params);
  const { start, bytes, count } = await findDirectory(source);
  if (bytes > MAX_DIRECTORY)
    throw fail(`its directory has ${bytes} bytes, at most ${MAX_DIRECTORY} are read.`);
  if (count > MAX_ENTRIES)
    throw fail(`it is a zip file of ${count} entries, at most ${MAX_ENTRIES} are read.`);
  if (start + bytes > source.size)
    throw fail(`its directory ends at byte ${start + bytes}, but the file has ${source.size}.`);
  const data = await readExactly(source, start, bytes);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const text = new TextDecoder('utf-8', { fatal: true });
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes || view.getUint32(at, true) !== 0x02014b50)
      throw fail(`entry ${i} of its directory is damaged.`, { entry: i });
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const next = at + 46 + nameBytes! + extraBytes! + commentBytes!;
    if (next > bytes)
      throw fail(`entry ${i} of its directory ends at ${next} of ${bytes} bytes.`, { entry: i });
    let name: string;
    try {
      name = text.decode(data.subarray(at + 46, at + 46 + nameBytes!));
    } catch {
      throw fail(`the name of entry ${i} is not UTF-8 text.`, { entry: i });
    }
    const entry = `the entry "${name}"`;
    const method = view.getUint16(at + 10, true);
    if (view.getUint16(at + 8, true) & 1)
      throw fail(`${entry} is encrypted. Save the checkpoint without a password.`);
    let [packed, size, header] = [20, 24, 42].map((o) => view.getUint32(at + o, true)) as [
      number,
      number,
      number,
    ];
    if (packed === NONE || size === NONE || header === NONE)
      [size, packed, header] = longSizes(
        view,
        at + 46 + nameBytes!,
        extraBytes!,
        [size, packed, header],
        () => fail(`${entry} lacks its 64-bit size.`, { entry: name }),
      );
    if (method === 0 && packed !== size)
      throw fail(`${entry} is stored, but has ${packed} bytes for ${size}.`, { entry: name });
    if (header + 30 + packed > start)
      throw fail(`${entry} ends at byte ${header + 30 + packed}, behind the last at ${start}. The file is cut off, or damaged.`, { entry: name }); // prettier-ignore
    if (entries.has(name)) throw fail(`${entry} is there twice.`, { entry: name });
    entries.set(name, { name, bytes: size, method, header, limit: start });
    at = next;
  }
  return entries;
}

/** Where an entry's bytes begin: behind its own header, whose length the directory does not tell. */
export async function dataOffset(source: ByteSource, entry: ZipEntry): Promise<number> {
  if (entry.method !== 0)
    throw damaged(
      source.name,
      `the entry "${entry.name}" is compressed (method ${entry.method}), which PyTorch never does. Save it again with torch.save.`,
      { entry: entry.name },
    );
  const header = await readExactly(source, entry.header, 30);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== 0x04034b50)
    throw damaged(source.name, `the entry "${entry.name}" has no header at byte ${entry.header}.`, { entry: entry.name }); // prettier-ignore
  const offset = entry.header + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  if (offset + entry.bytes > entry.limit)
    throw damaged(source.name, `the entry "${entry.name}" ends at byte ${offset + entry.bytes}, behind the last at ${entry.limit}.`, { entry: entry.name }); // prettier-ignore
  return offset;
}

async function findDirectory(source: ByteSource): Promise<{ start: number; bytes: number; count: number }> {
  const fail = (problem: string, params = {}) => damaged(source.name, problem, params);
  const length = Math.min(source.size, END + MAX_COMMENT);
  const tail = await readExactly(source, source.size - length, length);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let at = length - END;
  while (at >= 0 && view.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) throw fail('it has no end record: it is cut off. Download it again.');
  const [disk, first] = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  const short = {
    count: view.getUint16(at + 10, true),
    bytes: view.getUint32(at + 12, true),
    start: view.getUint32(at + 16, true),
  };
  const end = source.size - length + at;
  const long = at >= 20 && view.getUint32(at - 20, true) === 0x07064b50;
  if (!long) {
    if (disk !== 0 || first !== 0) throw fail('it is one part of a split zip file.');
    return short;
  }
  const record = Number(view.getBigUint64(at - 12, true));
  if (!Number.isSafeInteger(record) || record + 56 > end)
    throw fail(`its 64-bit end record lies at ${record}, behind the end.`);
  const bytes = await readExactly(source, record, 56);
  const r = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (r.getUint32(0, true) !== 0x06064b50) throw fail(`it has no 64-bit end record at byte ${record}.`);
  const [count, size, start] = [32, 40, 48].map((o) => Number(r.getBigUint64(o, true))) as [
    number,
    number,
    number,
  ];
  if (![count, size, start].every(Number.isSafeInteger)) throw fail('its 64-bit end record is damaged.');
  return { count, bytes: size, start };
}

/** Values of the extra field 1, which holds those that are 0xffffffff in the entry, in this order. */
function longSizes(
  view: DataView,
  extra: number,
  extraBytes: number,
  values: [number, number, number],
  fail: () => Error,
): [number, number, number] {
  for (let at = extra; at + 4 <= extra + extraBytes;) {
    const id = view.getUint16(at, true);
    const end = at + 4 + view.getUint16(at + 2, true);
    if (end > extra + extraBytes) break;
    if (id === 1) {
      let from = at + 4;
      return values.map((value) => {
        if (value !== NONE) return value;
        if (from + 8 > end) throw fail();
        const long = Number(view.getBigUint64(from, true));
        from += 8;
        if (!Number.isSafeInteger(long)) throw fail();
        return long;
      }) as [number, number, number];
    }
    at = end;
  }
  throw fail();
}
