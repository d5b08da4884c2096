/** Writers of weight files, for tests only: they write whatever they are told, lies included. */

type Json = Record<string, unknown>;

/** A safetensors file. `header` may lie; `length` overrides the header's stated length. */
export function safetensors(
  header: Json | string,
  data: Uint8Array,
  length?: number,
): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + data.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(length ?? json.length), true);
  out.set(json, 8);
  out.set(data, 8 + json.length);
  return out;
}

export interface GgufTensor {
  name: string;
  /** Innermost first. */
  dims: (number | bigint)[];
  type: number;
  offset: number | bigint;
}

export interface GgufParts {
  magic?: string;
  version?: number;
  tensorCount?: number | bigint;
  entryCount?: number | bigint;
  /** Raw metadata entries; see `entry`. */
  entries?: Uint8Array[];
  tensors?: GgufTensor[];
  alignment?: number;
  data?: Uint8Array;
}

const u32 = (n: number) => new Uint8Array(new Uint32Array([n]).buffer);
const u64 = (n: number | bigint) => new Uint8Array(new BigUint64Array([BigInt(n)]).buffer);
const text = (s: string) => {
  const bytes = new TextEncoder().encode(s);
  return join([u64(bytes.length), bytes]);
};

export function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** A raw metadata entry: key, type number, then the value's bytes. */
export const entry = (key: string, type: number, value: Uint8Array): Uint8Array =>
  join([text(key), u32(type), value]);
export const textEntry = (key: string, value: string) => entry(key, 8, text(value));
/** An array entry whose stated `count` may lie. */
export const arrayEntry = (key: string, type: number, values: Uint8Array, count: number | bigint) =>
  entry(key, 9, join([u32(type), u64(count), values]));
export { text as ggufText, u32, u64 };

/** A GGUF file. Counts may lie. */
export function gguf(parts: GgufParts): Uint8Array<ArrayBuffer> {
  const { entries = [], tensors = [], alignment = 32, data = new Uint8Array() } = parts;
  const all = alignment === 32 ? entries : [...entries, entry('general.alignment', 4, u32(alignment))];
  const head = join([
    new TextEncoder().encode(parts.magic ?? 'GGUF'),
    u32(parts.version ?? 3),
    u64(parts.tensorCount ?? tensors.length),
    u64(parts.entryCount ?? all.length),
    ...all,
    ...tensors.map((t) =>
      join([text(t.name), u32(t.dims.length), ...t.dims.map(u64), u32(t.type), u64(t.offset)]),
    ),
  ]);
  const gap = Math.ceil(head.length / alignment) * alignment - head.length;
  return join([head, new Uint8Array(Number.isFinite(gap) ? gap : 0), data]);
}
